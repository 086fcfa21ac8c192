extension MPD {
    /// Parts of it have to be fetched by the player from the origin: their relative addresses must go on meaning the
    /// origin's, so that local ones have to be absolute.
    package var hasRemoteParts: Bool {
        root.all("Period").contains { $0.isRemote || $0.all("AdaptationSet").contains { $0.isRemote } }
    }

    /// The same manifest for the player: everything kept byte for byte but for the addresses that weir owns.
    ///
    /// Each carried representation gets one base URL, under which its segments are `<number or time>.<suffix>` and its
    /// initialisation is `init.mp4`. What weir does by itself goes: alternative base URLs, where to reload from,
    /// patches, content steering. Other references become absolute.
    /// - Parameters:
    ///   - liveOffset: becomes the suggested presentation delay of a live presentation without one.
    ///   - local: the base URL of a representation that is carried, ending in `/`.
    package func rewritten(liveOffset: Duration? = nil, _ local: (Representation) -> String) -> [UInt8] {
        var rewriting = MPDRewriting(mpd: self)
        if let liveOffset, isDynamic, root[MPDRewriting.delay] == nil {
            let delay = XMLEdits.Change.set(attribute: MPDRewriting.delay, to: "PT\(liveOffset.seconds)S")
            rewriting.edits.add(delay, to: root.ordinal)
        }
        for period in periods {
            for representation in period.representations {
                rewriting.bases[representation.element.ordinal] = representation.isCarried ? local(representation) : nil
                rewriting.representations[representation.element.ordinal] = representation
            }
        }
        rewriting.rewriteRoot()
        return rewriting.edits.apply(to: bytes)
    }
}

extension Representation {
    /// Of its initialisation's local address.
    package var initialisationName: String { suffix == "webm" ? "init.webm" : "init.mp4" }
}

private struct MPDRewriting {
    static let delay = "suggestedPresentationDelay"

    let mpd: MPD
    var edits = XMLEdits()
    /// By the element's ordinal.
    var bases: [Int: String] = [:]
    var representations: [Int: Representation] = [:]

    init(mpd: MPD) {
        self.mpd = mpd
    }

    mutating func rewriteRoot() {
        for link in mpd.links { rewrite(link) }
        let root = mpd.root
        remove(["Location", "PatchLocation", "ContentSteering"], of: root)
        for timing in root.all("UTCTiming") { rewrite(timing: timing) }
        rewriteRootBases(root)
        for period in root.all("Period") where !period.isRemote {
            remove(["BaseURL"], of: period)
            let sets = period.all("AdaptationSet").filter { !$0.isRemote }
            rewriteSegments(of: period, for: sets.flatMap { $0.all("Representation") })
            for set in sets {
                remove(["BaseURL"], of: set)
                rewriteSegments(of: set, for: set.all("Representation"))
                for element in set.all("Representation") { rewrite(representation: element) }
            }
        }
    }

    private mutating func remove(_ names: Set<String>, of parent: MPDElement) {
        for child in parent.children where names.contains(child.name) { edits.add(.remove, to: child.ordinal) }
    }

    /// What the player resolves by itself goes on doing so from the origin's base.
    private mutating func rewriteRootBases(_ root: MPDElement) {
        let own = root.all("BaseURL")
        guard mpd.hasRemoteParts else { return remove(["BaseURL"], of: root) }
        let base = own.first.flatMap { mpd.url.resolve($0.text.trimmed) } ?? mpd.url
        if let first = own.first {
            edits.add(.text(base.description), to: first.ordinal)
            for other in own.dropFirst() { edits.add(.remove, to: other.ordinal) }
        } else if let first = root.first("Period") {
            edits.add(.before(baseURL(base.description, in: root)), to: first.ordinal)
        }
    }

    private mutating func rewrite(_ link: MPDTree.Link) {
        let text = link.value.trimmed
        guard !text.isEmpty, WebURL.schemeEnd(Array(text.utf8)[...]) == nil, let url = mpd.url.resolve(text) else {
            return
        }
        if let attribute = link.attribute {
            edits.add(.set(attribute: attribute, to: url.description), to: link.ordinal)
        } else {
            edits.add(.text(url.description), to: link.ordinal)
        }
    }

    private mutating func rewrite(timing element: MPDElement) {
        let timing = UTCTiming(scheme: element["schemeIdUri"] ?? "", value: element["value"] ?? "")
        let urls = timing.urls(from: mpd.url)
        guard !urls.isEmpty else { return }
        edits.add(.set(attribute: "value", to: urls.map { $0.description }.joined(separator: " ")), to: element.ordinal)
    }

    // MARK: Segments

    /// Addresses at one level; those below it share them, as each has a base of its own.
    private mutating func rewriteSegments(of level: MPDElement, for elements: [MPDElement]) {
        let carried = elements.first { bases[$0.ordinal] != nil }
        guard let representation = carried.flatMap({ representations[$0.ordinal] }) else { return }
        for template in level.all("SegmentTemplate") { rewrite(template: template, representation) }
        if case .list = representation.media {
            for list in level.all("SegmentList") { rewrite(list: list, representation) }
        }
    }

    private mutating func rewrite(template element: MPDElement, _ representation: Representation) {
        if let text = element["media"], let template = URLTemplate(text) {
            let name = template.usesTime && !template.usesNumber ? "$Time$" : "$Number$"
            edits.add(.set(attribute: "media", to: "\(name).\(representation.suffix)"), to: element.ordinal)
        }
        if element["initialization"] != nil {
            edits.add(
                .set(attribute: "initialization", to: representation.initialisationName),
                to: element.ordinal
            )
        }
        edits.add(.unset(attribute: "index"), to: element.ordinal)
        edits.add(.unset(attribute: "bitstreamSwitching"), to: element.ordinal)
        rewriteInitialisation(of: element, representation)
    }

    private mutating func rewriteInitialisation(of element: MPDElement, _ representation: Representation) {
        remove(["RepresentationIndex"], of: element)
        // One that weir cannot fetch (`data:`) stays the player's.
        guard representation.initialisation != nil else { return }
        for own in element.all("Initialization") {
            edits.add(.set(attribute: "sourceURL", to: representation.initialisationName), to: own.ordinal)
            edits.add(.unset(attribute: "range"), to: own.ordinal)
        }
    }

    private mutating func rewrite(list element: MPDElement, _ representation: Representation) {
        rewriteInitialisation(of: element, representation)
        guard case .list(let entries) = representation.media, let first = representation.table.slot(at: 0)?.number
        else {
            return
        }
        // Another level's list is not the one that counts.
        guard let ordinal = entries.first?.ordinal, ordinal > element.ordinal else { return }
        for (place, entry) in entries.enumerated() {
            let name = "\(first + UInt64(place)).\(representation.suffix)"
            edits.add(.set(attribute: "media", to: name), to: entry.ordinal)
            for attribute in ["mediaRange", "index", "indexRange"] {
                edits.add(.unset(attribute: attribute), to: entry.ordinal)
            }
        }
    }

    // MARK: Representations

    private static let behindBases: Set<String> = [
        "BaseURL", "ExtendedBandwidth", "SubRepresentation", "SegmentBase", "SegmentList", "SegmentTemplate",
    ]

    private mutating func rewrite(representation element: MPDElement) {
        guard let representation = representations[element.ordinal] else { return }
        remove(["BaseURL"], of: element)
        var markup: String
        if let base = bases[element.ordinal] {
            markup = baseURL(base, in: element, of: representation.bases[0])
            rewriteSegments(of: element, for: [element])
            if case .subsegments = representation.media {
                remove(["SegmentBase"], of: element)
                markup += template(for: representation, in: element)
            }
        } else {
            markup = representation.bases.map { baseURL($0.url.description, in: element, of: $0) }.joined()
        }
        if let next = element.children.first(where: { MPDRewriting.behindBases.contains($0.name) }) {
            edits.add(.before(markup), to: next.ordinal)
        } else {
            edits.add(.append(markup), to: element.ordinal)
        }
    }

    private func baseURL(_ text: String, in parent: MPDElement, of base: Representation.BaseChoice? = nil) -> String {
        var attributes = ""
        if let base, base.availabilityOffset > .zero {
            let isForever = base.availabilityOffset == .forever
            attributes += " availabilityTimeOffset=\"\(isForever ? "INF" : "\(base.availabilityOffset.seconds)")\""
        }
        if let isComplete = base?.isComplete, isComplete == "true" || isComplete == "false" {
            attributes += " availabilityTimeComplete=\"\(isComplete)\""
        }
        return "<\(parent.prefix)BaseURL\(attributes)>\(XMLEdits.escaped(text))</\(parent.prefix)BaseURL>"
    }

    /// What an index said, as a timeline: the player need not read it any more.
    private func template(for representation: Representation, in parent: MPDElement) -> String {
        let table = representation.table
        let prefix = parent.prefix
        var text = "<\(prefix)SegmentTemplate timescale=\"\(table.timescale)\" startNumber=\"1\""
        if representation.offset > 0 { text += " presentationTimeOffset=\"\(representation.offset)\"" }
        text += " media=\"$Number$.\(representation.suffix)\""
        if representation.initialisation != nil { text += " initialization=\"\(representation.initialisationName)\"" }
        text += "><\(prefix)SegmentTimeline>"
        for run in table.runs {
            text +=
                "<\(prefix)S t=\"\(run.time)\" d=\"\(run.ticks)\""
                + (run.count > 1 ? " r=\"\(run.count - 1)\"/>" : "/>")
        }
        return text + "</\(prefix)SegmentTimeline></\(prefix)SegmentTemplate>"
    }
}

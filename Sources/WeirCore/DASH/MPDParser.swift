extension MPD {
    /// Takes time and memory in proportion to the bytes, whatever they are.
    /// - Parameter url: where the bytes were answered from, after redirects.
    package static func parse(_ bytes: [UInt8], url: WebURL, limits: Limits) throws(MPDError) -> MPD {
        let tree = try MPDTree.read(bytes, limits: limits)
        let root = tree.root
        let isDynamic = root["type"] == "dynamic"
        var mpd = MPD(
            url: url,
            isDynamic: isDynamic,
            availabilityStart: root["availabilityStartTime"].flatMap { WallTime(dateTime: $0) },
            publishTime: root["publishTime"].flatMap { WallTime(dateTime: $0) },
            minimumUpdatePeriod: isDynamic ? root.duration("minimumUpdatePeriod") : nil,
            timeShiftBufferDepth: root.duration("timeShiftBufferDepth"),
            suggestedPresentationDelay: root.duration("suggestedPresentationDelay"),
            maxSegmentDuration: root.duration("maxSegmentDuration"),
            presentationDuration: root.duration("mediaPresentationDuration"),
            locations: root.all("Location").compactMap { url.resolve($0.text) },
            steering: ContentSteering(root, from: url),
            patch: MPDPatch.Offer(root, from: url),
            timings: root.all("UTCTiming").map {
                UTCTiming(scheme: $0["schemeIdUri"] ?? "", value: $0["value"] ?? "")
            },
            periods: [],
            bytes: bytes,
            root: root,
            links: tree.links
        )
        var parser = MPDParser(mpd: mpd, tree: tree, limits: limits)
        mpd.periods = try parser.periods()
        guard mpd.periods.contains(where: { !$0.representations.isEmpty }) || mpd.isDynamic else { throw .empty }
        return mpd
    }
}

/// What a level of the manifest passes on to those below it.
struct MPDInheritance {
    var bases: [Representation.BaseChoice]
    /// From the period down.
    var levels: [MPDElement] = []

    /// The same one level down (5.6.4).
    func inside(_ element: MPDElement) throws(MPDError) -> MPDInheritance {
        var inner = self
        inner.levels.append(element)
        inner.bases = try MPDInheritance.bases(of: element, below: bases)
        return inner
    }

    static func bases(
        of element: MPDElement,
        below outer: [Representation.BaseChoice]
    ) throws(MPDError) -> [Representation.BaseChoice] {
        let own = element.all("BaseURL").prefix(Representation.mostBases)
        guard !own.isEmpty else { return outer }
        var bases: [Representation.BaseChoice] = []
        for parent in outer {
            for base in own {
                guard bases.count < Representation.mostBases, let choice = parent.choice(base),
                    !bases.contains(where: { $0.url == choice.url })
                else { continue }
                bases.append(choice)
            }
        }
        guard !bases.isEmpty else { throw .unsupported("base URLs that are neither http nor https") }
        return bases
    }

    /// The elements of a kind, the nearest first.
    func elements(_ name: String) -> [MPDElement] { levels.reversed().compactMap { $0.first(name) } }

    /// The nearest value of an attribute.
    static func attribute(_ name: String, of elements: [MPDElement]) -> String? {
        for element in elements { if let value = element[name] { return value } }
        return nil
    }
}

struct MPDParser {
    let mpd: MPD
    let tree: MPDTree
    let limits: Limits
    private var count = 0
    private var keys: Set<RenditionKey> = []
    /// How many representations had a name so far, where more than one had it.
    private var copies: [String: Int] = [:]

    init(mpd: MPD, tree: MPDTree, limits: Limits) {
        self.mpd = mpd
        self.tree = tree
        self.limits = limits
    }

    mutating func periods() throws(MPDError) -> [MPDPeriod] {
        let base = Representation.BaseChoice(manifest: mpd.url)
        let bases = try MPDInheritance.bases(of: tree.root, below: [base])
        let elements = tree.root.all("Period")
        var found: [MPDPeriod] = []
        var end: Duration? = .zero
        for (index, element) in elements.enumerated() {
            let stated = element.duration("start")
            guard !element.isRemote else {
                end = nil
                continue
            }
            // Without a start and behind one without an end it is announced early (5.3.2.1): not to be played yet.
            guard let start = stated ?? end else { continue }
            let duration = duration(of: element, start: start, next: elements.dropFirst(index + 1).first)
            end = duration.map { start + $0 }
            let period = MPDPeriod(id: element["id"], start: start, duration: duration, representations: [])
            let inheritance = try MPDInheritance(bases: bases).inside(element)
            let name = element["id"] ?? (stated != nil || index == 0 ? "@\(start.nanoseconds)" : "#\(index)")
            found.append(try fill(period, element, name: name, inheritance))
        }
        return chained(found)
    }

    /// Who continues whom: what a player goes on with when a period ends.
    private func chained(_ periods: [MPDPeriod]) -> [MPDPeriod] {
        var periods = periods
        for index in periods.indices.dropFirst() {
            // Behind a period that weir does not carry nothing is continued.
            guard periods[index - 1].duration.map({ periods[index - 1].start + $0 }) == periods[index].start else {
                continue
            }
            var known: [String: Int] = [:]
            for (place, old) in periods[index - 1].representations.enumerated() { known[old.track] = place }
            for place in periods[index].representations.indices {
                guard let old = known[periods[index].representations[place].track] else { continue }
                periods[index].representations[place].before = periods[index - 1].representations[old].key
                periods[index - 1].representations[old].next = periods[index].representations[place].key
            }
        }
        return periods
    }

    private func duration(of element: MPDElement, start: Duration, next: MPDElement?) -> Duration? {
        if let duration = element.duration("duration") { return duration }
        if let next { return next.duration("start").map { ($0 - start).orZero } }
        return mpd.presentationDuration.map { ($0 - start).orZero }
    }

    private mutating func fill(
        _ period: MPDPeriod,
        _ element: MPDElement,
        name: String,
        _ inheritance: MPDInheritance
    ) throws(MPDError) -> MPDPeriod {
        var period = period
        for (index, set) in element.all("AdaptationSet").enumerated() where !set.isRemote {
            let inside = try inheritance.inside(set)
            let setName = set["id"] ?? "#\(index)"
            let representations = set.all("Representation")
            let hasSequences = (inside.levels + representations).contains { level in
                level.first("SegmentTemplate")?["media"].map { URLTemplate.namesParts($0) } ?? false
            }
            for (index, representation) in representations.enumerated() {
                count += 1
                guard count <= limits.representations else {
                    throw .tooManyRepresentations(limit: limits.representations)
                }
                let track = "\(setName)|\(representation["id"] ?? "#\(index)")"
                let builder = RepresentationBuilder(
                    mpd: mpd,
                    tree: tree,
                    period: period,
                    set: set,
                    element: representation,
                    inheritance: try inside.inside(representation),
                    hasSequences: hasSequences
                )
                period.representations.append(try builder.build(key: key(named: "\(name)|\(track)"), track: track))
            }
        }
        return period
    }

    /// Of names that neither hosts nor queries take part in. Equal ones are told apart by their order.
    private mutating func key(named name: String) -> RenditionKey {
        var key = RenditionKey(Digest.sha256("dash|\(name)").prefix)
        while !keys.insert(key).inserted {
            let copy = copies[name, default: 1] + 1
            copies[name] = copy
            key = RenditionKey(Digest.sha256("dash|\(name)|\(copy)").prefix)
        }
        return key
    }
}

extension String {
    /// Without white space at either end.
    var trimmed: String {
        let bytes = Array(utf8)
        guard let first = bytes.firstIndex(where: { !$0.isXMLBlank }),
            let last = bytes.lastIndex(where: { !$0.isXMLBlank })
        else { return "" }
        return bytes[first...last].text
    }
}

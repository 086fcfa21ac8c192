/// An element of a manifest that weir reads: what it says, and which of the document's elements it is.
struct MPDElement: Sendable {
    let name: String
    /// With its colon; what is put beside it must stand in the same namespace.
    let prefix: String
    /// Its place among all elements of the document, in their order.
    let ordinal: Int
    let attributes: [XMLAttribute]
    var text = ""
    var children: [MPDElement] = []
    /// Of a SegmentTimeline: where its entries are in the tree's list.
    var timeline: Int?
    /// Of a SegmentList: where its entries are in the tree's list.
    var list: Int?

    subscript(attribute: String) -> String? { attributes.first { $0.name == attribute }?.value }

    /// Digits only, at most 2^62.
    func integer(_ attribute: String) -> UInt64? {
        self[attribute].flatMap { DecimalText.integer(Array($0.utf8)[...].trimmingBlanks) }
            .flatMap { $0 <= SegmentTable.greatest ? $0 : nil }
    }

    func duration(_ attribute: String) -> Duration? { self[attribute].flatMap { Duration(xmlDuration: $0) } }

    /// `INF` or seconds with a fraction; negative ones count as zero.
    func offset(_ attribute: String) -> Duration? {
        guard let text = self[attribute] else { return nil }
        if text == "INF" { return .forever }
        return DecimalText.duration(Array(text.utf8)[...])
    }

    func range(_ attribute: String) -> ByteRange? { self[attribute].flatMap { ByteRange(inclusive: $0) } }

    func all(_ name: String) -> [MPDElement] { children.filter { $0.name == name } }
    func first(_ name: String) -> MPDElement? { children.first { $0.name == name } }
    /// It is to be replaced by what its reference names (5.5): the player's and the origin's business.
    var isRemote: Bool { attributes.contains { $0.isXlinkReference } }
}

extension XMLAttribute {
    var isXlinkReference: Bool { namespace == "http://www.w3.org/1999/xlink" && localName == "href" }
}

extension ByteRange {
    /// `first-last`, as `mediaRange`, `indexRange` and `range` have it. Nil when it is none or empty.
    init?(inclusive text: String) {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = DecimalText.byteCount(Array(ends[0].utf8)[...].trimmingBlanks),
            let last = DecimalText.byteCount(Array(ends[1].utf8)[...].trimmingBlanks), last >= first, last < .max
        else { return nil }
        self.init(offset: first, length: last - first + 1)
    }
}

/// One `S` of a SegmentTimeline (5.3.9.6).
struct TimelineStep: Sendable {
    let time: UInt64?
    let number: UInt64?
    let ticks: UInt64
    /// -1: until the next entry, the period's end or the live edge.
    let repetitions: Int64
}

/// One SegmentURL.
struct ListedURL: Sendable {
    let ordinal: Int
    let media: String?
    let range: ByteRange?
}

/// The elements of a manifest that weir reads, and places of references that it makes absolute.
struct MPDTree: Sendable {
    /// A reference that belongs to the player: it stays what it is, but no longer relative.
    struct Link: Sendable {
        let ordinal: Int
        /// Nil: the element's text.
        let attribute: String?
        let value: String
    }

    let root: MPDElement
    let links: [Link]
    let timelines: [[TimelineStep]]
    let lists: [[ListedURL]]

    static func read(_ bytes: [UInt8], limits: Limits) throws(MPDError) -> MPDTree {
        var builder = MPDTreeBuilder()
        try XMLReading.read(bytes, limits: limits, into: &builder)
        guard let root = builder.root else { throw .empty }
        return MPDTree(root: root, links: builder.links, timelines: builder.timelines, lists: builder.lists)
    }
}

/// Builds the tree while the document is read. Of elements that weir has no business with it keeps nothing but their
/// count and their references.
private struct MPDTreeBuilder: XMLVisitor {
    private(set) var root: MPDElement?
    private(set) var links: [MPDTree.Link] = []
    private(set) var timelines: [[TimelineStep]] = []
    private(set) var lists: [[ListedURL]] = []
    private var namespace = ""
    /// Open elements that are kept.
    private var open: [MPDElement] = []
    /// Open elements that are not.
    private var skipped = 0
    private var count = 0
    /// The element whose text is a reference, while it is open.
    private var textLink: (ordinal: Int, text: String, depth: Int)?

    private static let kept: Set<String> = [
        "BaseURL", "Location", "PatchLocation", "UTCTiming", "ContentSteering", "Period", "AdaptationSet",
        "Representation", "ExtendedBandwidth", "SubRepresentation", "SegmentTemplate", "SegmentList", "SegmentBase",
        "SegmentTimeline", "Initialization", "RepresentationIndex",
    ]
    /// Licence and certificate servers, as DASH-IF and others write them.
    private static let licences: Set<String> = ["laurl", "certurl", "authzurl"]
    private static let references: Set<String> = ["initialization", "sourceURL"]

    private var depth: Int { open.count + skipped }

    mutating func start(_ element: XMLElement) throws(MPDError) {
        let ordinal = count
        count += 1
        if ordinal == 0 {
            guard element.name == "MPD" else { throw .notMPD(root: String(element.name.prefix(40))) }
            namespace = element.namespace
        }
        noteLinks(element, ordinal)
        let isOurs = element.namespace == namespace && skipped == 0
        if isOurs, let parent = open.last, let timeline = parent.timeline, element.name == "S" {
            if let step = TimelineStep(element) { timelines[timeline].append(step) }
            skipped += 1
        } else if isOurs, let parent = open.last, let list = parent.list, element.name == "SegmentURL" {
            lists[list].append(ListedURL(element, ordinal))
            skipped += 1
        } else if isOurs, open.isEmpty || MPDTreeBuilder.kept.contains(element.name) {
            keep(element, ordinal)
        } else {
            skipped += 1
        }
    }

    private mutating func keep(_ element: XMLElement, _ ordinal: Int) {
        var kept = MPDElement(
            name: element.name,
            prefix: element.prefix.isEmpty ? "" : element.prefix + ":",
            ordinal: ordinal,
            attributes: element.attributes
        )
        if element.name == "SegmentTimeline" {
            kept.timeline = timelines.count
            timelines.append([])
        }
        if element.name == "SegmentList" {
            kept.list = lists.count
            lists.append([])
        }
        open.append(kept)
    }

    private mutating func noteLinks(_ element: XMLElement, _ ordinal: Int) {
        let name = element.name.lowercased()
        let isLicence = MPDTreeBuilder.licences.contains(name)
        let isReference = name.hasPrefix("initialization") && name != "initialization" || name == "bitstreamswitching"
        for attribute in element.attributes {
            let isLink =
                attribute.isXlinkReference || isLicence && attribute.localName.lowercased().hasSuffix("url")
                || isReference && MPDTreeBuilder.references.contains(attribute.name)
            if isLink {
                links.append(MPDTree.Link(ordinal: ordinal, attribute: attribute.name, value: attribute.value))
            }
        }
        if isLicence, textLink == nil { textLink = (ordinal, "", depth) }
    }

    mutating func text(_ text: String) {
        if textLink != nil { textLink?.text += text }
        if skipped == 0, !open.isEmpty { open[open.count - 1].text += text }
    }

    mutating func end() {
        if skipped > 0 {
            skipped -= 1
        } else if let element = open.popLast() {
            if open.isEmpty { root = element } else { open[open.count - 1].children.append(element) }
        }
        if let link = textLink, link.depth == depth {
            links.append(MPDTree.Link(ordinal: link.ordinal, attribute: nil, value: link.text))
            textLink = nil
        }
    }
}

extension TimelineStep {
    fileprivate init?(_ element: XMLElement) {
        func integer(_ name: String) -> UInt64? {
            guard let value = element.attributes.first(where: { $0.name == name })?.value else { return nil }
            return DecimalText.integer(Array(value.utf8)[...].trimmingBlanks)
        }
        guard let ticks = integer("d"), ticks > 0 else { return nil }
        self.ticks = ticks
        time = integer("t")
        number = integer("n")
        let text = (element.attributes.first { $0.name == "r" }?.value ?? "0").trimmed
        // More digits than fit are as good as many.
        let isLarge = !text.isEmpty && text.utf8.allSatisfy(\.isASCIIDigit)
        repetitions = max(-1, Int64(text) ?? (isLarge ? .max : 0))
    }
}

extension ListedURL {
    fileprivate init(_ element: XMLElement, _ ordinal: Int) {
        self.ordinal = ordinal
        media = element.attributes.first { $0.name == "media" }?.value
        range = element.attributes.first { $0.name == "mediaRange" }.flatMap { ByteRange(inclusive: $0.value) }
    }
}

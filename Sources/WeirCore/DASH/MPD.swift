/// A DASH manifest (ISO/IEC 23009-1, media presentation description), parsed and ready to be rewritten.
package struct MPD: Sendable {
    /// Where it was answered from, after redirects: the base of relative references.
    package let url: WebURL
    /// `type="dynamic"`: live, or about to be.
    package let isDynamic: Bool
    package let availabilityStart: WallTime?
    package let publishTime: WallTime?
    /// Nil: it will not change any more.
    package let minimumUpdatePeriod: Duration?
    package let timeShiftBufferDepth: Duration?
    package let suggestedPresentationDelay: Duration?
    package let maxSegmentDuration: Duration?
    package let presentationDuration: Duration?
    /// Where it is to be reloaded from, best first; empty: from where it was.
    package let locations: [WebURL]
    /// Who says which of its servers is to be used.
    let steering: ContentSteering?
    /// How to get what is new instead of the whole.
    package let patch: MPDPatch.Offer?
    package let timings: [UTCTiming]
    /// Those that have to be fetched by an xlink are not among these, and left to the player.
    package internal(set) var periods: [MPDPeriod]

    let bytes: [UInt8]
    let root: MPDElement
    let links: [MPDTree.Link]

    /// Whether a text is an XML document at all, and not for example a playlist.
    package static func isXML(_ bytes: [UInt8]) -> Bool {
        let start = bytes.prefix(1024).drop { $0.isXMLBlank || $0 == 0xEF || $0 == 0xBB || $0 == 0xBF }
        guard start.first == 0x3C else { return false }
        let lower = start.prefix(64).map(\.lowercasedASCII)[...].text
        return !lower.hasPrefix("<!doctype html") && !lower.hasPrefix("<html")
    }

    /// Every representation that weir can carry, in the manifest's order.
    package var representations: [Representation] { periods.flatMap(\.representations) }

    /// Of the pictures among which a player can choose, bits per second.
    package var bandwidths: [Int] { representations.filter { $0.content == .video }.map(\.bandwidth) }
}

/// One period (5.3.2).
package struct MPDPeriod: Sendable {
    package let id: String?
    /// Since the presentation's start.
    package let start: Duration
    /// Nil: to the end of the presentation, which is not known yet.
    package let duration: Duration?
    package internal(set) var representations: [Representation]
}

/// How a player is to learn the time (5.8.4.11).
package struct UTCTiming: Hashable, Sendable {
    package enum Scheme: Hashable, Sendable {
        /// The `Date` of an answer to HEAD.
        case head
        /// An `xs:dateTime` or ISO 8601 text as the body.
        case dateTime
        /// The value itself is the time.
        case direct
        /// NTP and others: nothing that weir asks.
        case other
    }

    package let scheme: Scheme
    /// Addresses, best first, or a time.
    package let value: String

    init(scheme text: String, value: String) {
        self.value = value
        let parts = text.split(separator: ":")
        guard text.hasPrefix("urn:mpeg:dash:utc:"), parts.count >= 5 else {
            scheme = .other
            return
        }
        scheme =
            switch parts[4] {
            case "http-head": .head
            case "http-xsdate", "http-iso": .dateTime
            case "direct": .direct
            default: .other
            }
    }

    /// Where to ask, relative to the manifest.
    package func urls(from manifest: WebURL) -> [WebURL] {
        guard scheme == .head || scheme == .dateTime else { return [] }
        return value.split(separator: " ").compactMap { manifest.resolve(String($0)) }
    }
}

extension MPD {
    /// The same manifest once the index of one of its representations was read.
    package mutating func adopt(_ index: SegmentIndexReader, for key: RenditionKey) {
        change(key) { $0.adopt(index) }
    }

    /// The index cannot be had: the representation is left to the player and the origin.
    package mutating func abandonIndex(of key: RenditionKey) {
        change(key) { $0.abandonIndex() }
    }

    private mutating func change(_ key: RenditionKey, _ body: (inout Representation) -> Void) {
        for period in periods.indices {
            for place in periods[period].representations.indices
            where periods[period].representations[place].key == key {
                body(&periods[period].representations[place])
            }
        }
    }
}

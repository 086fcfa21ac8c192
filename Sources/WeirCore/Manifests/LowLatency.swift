/// A partial segment (EXT-X-PART, RFC 8216bis 4.4.4.9), or the one that EXT-X-PRELOAD-HINT says comes next.
package struct MediaPart: Sendable {
    /// Media sequence number of the segment that it is a part of.
    package internal(set) var sequence: UInt64
    /// From 0.
    package let index: Int
    /// 0 to 24 hours; of a hint the part target duration.
    package let duration: Duration
    package let byteRange: ByteRange?
    /// There is no media to fetch.
    package let gap: Bool
    let hasMap: Bool
    let uri: PlaylistURI

    package var url: WebURL { uri.url }

    func lasting(_ duration: Duration) -> MediaPart {
        MediaPart(
            sequence: sequence,
            index: index,
            duration: duration,
            byteRange: byteRange,
            gap: gap,
            hasMap: hasMap,
            uri: uri
        )
    }

    /// Parts of one segment at most: numbers of parts have sixteen bits for it.
    static let most = 1 << 16

    /// Name of the part among the parts of its rendition; nil for sequence numbers that nobody reaches.
    package static func number(sequence: UInt64, index: Int) -> UInt64? {
        guard sequence < 1 << 47, (0..<most).contains(index) else { return nil }
        return sequence << 16 | UInt64(index)
    }
}

/// What EXT-X-PART-INF and EXT-X-SERVER-CONTROL say, and the parts listed (RFC 8216bis 4.4.3.7, 4.4.3.8).
package struct LowLatency: Sendable {
    /// PART-TARGET; nil: the list has no parts that a player could rely on.
    package internal(set) var partTarget: Duration?
    package internal(set) var parts: [MediaPart] = []
    package internal(set) var hint: MediaPart?
    /// EXT-X-PRELOAD-HINT with TYPE=MAP.
    package internal(set) var mapHint: MediaMap?
    /// CAN-BLOCK-RELOAD=YES: the server holds a request until the asked part is there.
    package internal(set) var canBlockReload = false
    /// CAN-SKIP-UNTIL: segments further from the end may be skipped in an update.
    package internal(set) var skipUntil: Duration?
    var reports: [PlaylistURI] = []

    package var reportCount: Int { reports.count }
    package func reportURL(_ index: Int) -> WebURL { reports[index].url }
}

/// The parts of a playlist as segments of their own, the hinted one last.
struct PartListing: SegmentListing {
    let playlist: MediaPlaylist
    private var lowLatency: LowLatency { playlist.lowLatency }

    var count: Int { lowLatency.parts.count + (lowLatency.hint == nil ? 0 : 1) }
    var targetDuration: Duration { lowLatency.partTarget ?? playlist.targetDuration }
    var isComplete: Bool { playlist.endList }

    func number(at index: Int) -> UInt64 {
        let part = part(at: index)
        return MediaPart.number(sequence: part.sequence, index: part.index) ?? .max
    }

    subscript(index: Int) -> ListedSegment {
        let part = part(at: index)
        let number = number(at: index)
        let end = index + 1 < count ? self.number(at: index + 1) : number + 1
        return ListedSegment(
            numbers: number..<max(number + 1, end),
            duration: part.duration,
            uri: part.uri,
            byteRange: part.byteRange,
            isGap: part.gap
        )
    }

    /// Whether the origin has the part, or only says that it will come.
    func isHinted(_ number: UInt64) -> Bool {
        lowLatency.hint.flatMap { MediaPart.number(sequence: $0.sequence, index: $0.index) } == number
    }

    private func part(at index: Int) -> MediaPart {
        if index < lowLatency.parts.count { return lowLatency.parts[index] }
        guard let hint = lowLatency.hint else { preconditionFailure("the hint counts as one entry") }
        return hint
    }
}

/// What a player wants of a playlist (RFC 8216bis 6.2.5): the query of a reload.
package struct DeliveryDirectives: Hashable, Sendable {
    /// `_HLS_msn`: hold the answer until the list has this segment.
    package var sequence: UInt64?
    /// `_HLS_part`: and this part of it.
    package var part: Int?
    /// `_HLS_skip=YES` or `v2`: older segments may be left out.
    package var skips = false

    package init(sequence: UInt64? = nil, part: Int? = nil, skips: Bool = false) {
        self.sequence = sequence
        self.part = part
        self.skips = skips
    }

    /// - Parameter target: a request's target.
    /// - Returns: nil when there are none, or none that can be understood.
    package init?(target: String) {
        guard let question = target.firstIndex(of: "?") else { return nil }
        for parameter in target[target.index(after: question)...].split(separator: "&") {
            let parts = parameter.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "_HLS_msn": sequence = DecimalText.integer(Array(parts[1].utf8)[...])
            case "_HLS_part": part = DecimalText.integer(Array(parts[1].utf8)[...]).flatMap { Int(exactly: $0) }
            case "_HLS_skip": skips = parts[1] == "YES" || parts[1] == "v2"
            default: break
            }
        }
        guard sequence != nil || skips else { return nil }
    }

    /// A playlist's URL with these in its query, behind what it has.
    package func added(to url: WebURL) -> WebURL {
        var query = url.query.map { [$0] } ?? []
        if let sequence { query.append("_HLS_msn=\(sequence)") }
        if let part, sequence != nil { query.append("_HLS_part=\(part)") }
        if skips { query.append("_HLS_skip=YES") }
        return WebURL(
            scheme: url.scheme,
            host: url.host,
            port: url.port,
            path: url.path,
            query: query.isEmpty ? nil : query.joined(separator: "&")
        )
    }
}

extension MediaPlaylist {
    /// The place behind everything listed: what a blocking reload asks for next.
    package var nextPlace: (sequence: UInt64, part: Int) {
        let following = segments.last.map { $0.sequence + 1 } ?? mediaSequence
        guard let last = lowLatency.parts.last, last.sequence >= following else { return (following, 0) }
        return (last.sequence, last.index + 1)
    }

    /// Whether the list has what a player waits for.
    package func satisfies(_ directives: DeliveryDirectives) -> Bool {
        guard let sequence = directives.sequence, !endList else { return true }
        let next = nextPlace
        if sequence < next.sequence { return true }
        guard let part = directives.part, sequence == next.sequence else { return false }
        return part < next.part
    }
}

/// Goes through the segments of an HLS rendition as a player does: where to begin, what comes next, when to read the
/// list again.
///
/// State: begun at no segment → at a number, which only grows, but where the list itself begins anew → over.
package struct SegmentWalk: Sendable {
    /// Target durations between the beginning of a live walk and the end of the list (RFC 8216bis 6.3.3).
    private static let usualDistance = 3
    /// Lists in a row that end before the walk's place until it is believed that numbering began anew.
    private static let rollbackPatience = 3

    /// Where to begin, instead of what the list says: EXT-X-START of the multivariant playlist.
    package var start: Duration?
    /// Begin a live walk so far from the end of the list at least, and a target duration more: what is sent at once has
    /// to be there already.
    package var distance: Duration = .zero
    /// Begin this much earlier: sound that starts before the picture can be cut, sound that is missing cannot be had.
    package var lead: Duration = .zero
    /// How far within the first segment the walk was asked to begin.
    package private(set) var startWithin = Duration.zero
    /// The next segment's number.
    private var next: UInt64?
    /// The segment before, whose timeline the next one continues or not.
    private var last: (number: UInt64, timeline: UInt64)?
    private var rollbacks = 0
    /// Numbering began anew so often: earlier timelines are not to be mistaken for later ones.
    private var restarts: UInt64 = 0
    /// The end of the newest list, and whether it was further than that of the one before.
    private var newest: UInt64?
    private var hasNews = false

    package init() {}

    /// Goes on where another walk had come to: with this segment.
    /// - Parameter timeline: that the segment had there.
    package mutating func resume(at number: UInt64, timeline: UInt64) {
        next = number
        restarts = timeline >> 32
    }

    /// - Parameter isNew: the list was read since the last step; false: it is the same one again.
    package mutating func step(in list: MediaPlaylist, isNew: Bool) -> WalkStep {
        guard list.count > 0 else { return list.endList ? .end : .wait(list.targetDuration / 2) }
        if isNew || newest == nil {
            hasNews = newest != list.newest
            newest = list.newest
        }
        if next == nil { next = list.number(at: startIndex(in: list)) }
        guard let wanted = next else { return .end }
        var index = list.index(atOrAfter: wanted)
        if index == list.count, isRolledBack(list, wanted: wanted, isNew: isNew) {
            restarts += 1
            last = nil
            index = startIndex(in: list)
        }
        while index < list.count, list.segments[index].gap { index += 1 }
        guard index < list.count else {
            next = max(wanted, (list.newest ?? 0) + 1)
            return list.endList ? .end : .wait(hasNews ? list.targetDuration : list.targetDuration / 2)
        }
        let segment = walked(list, index)
        last = (segment.number, segment.timeline)
        next = segment.number + 1
        return .segment(segment)
    }

    /// Whether the list still has the segment.
    package static func lists(_ segment: WalkedSegment, _ list: MediaPlaylist) -> Bool {
        let index = list.index(atOrAfter: segment.number)
        return index < list.count && list.number(at: index) == segment.number
    }

    /// Media in the list that the walk has not come to yet.
    package func remaining(in list: MediaPlaylist) -> Duration {
        next.map { list.timeToEnd(from: list.index(atOrAfter: $0)) } ?? .zero
    }

    private mutating func startIndex(in list: MediaPlaylist) -> Int {
        if let start = list.startOffset ?? start { return index(in: list, at: start) }
        guard !list.endList else { return 0 }
        let usual = list.targetDuration * SegmentWalk.usualDistance
        return index(in: list, fromEnd: max(usual, distance + list.targetDuration) + lead)
    }

    private mutating func index(in list: MediaPlaylist, at offset: Duration) -> Int {
        guard offset >= .zero else {
            return index(in: list, fromEnd: Duration(nanoseconds: -offset.nanoseconds) + lead)
        }
        var passed = Duration.zero
        for index in 0..<list.count {
            let begin = passed
            passed += list.segments[index].duration
            guard passed > offset else { continue }
            startWithin = offset - begin
            return index
        }
        return max(0, list.count - 1)
    }

    /// The last segment that begins at least so far from the end; the first when the list is shorter.
    private func index(in list: MediaPlaylist, fromEnd distance: Duration) -> Int {
        var passed = Duration.zero
        for index in stride(from: list.count - 1, through: 0, by: -1) {
            passed += list.segments[index].duration
            if passed >= distance { return index }
        }
        return 0
    }

    /// The list ends before what the walk has read already, again and again.
    private mutating func isRolledBack(_ list: MediaPlaylist, wanted: UInt64, isNew: Bool) -> Bool {
        guard let end = list.newest, end + 1 < wanted, !list.endList else {
            rollbacks = 0
            return false
        }
        if isNew { rollbacks += 1 }
        guard rollbacks >= SegmentWalk.rollbackPatience else { return false }
        rollbacks = 0
        return true
    }

    private func walked(_ list: MediaPlaylist, _ index: Int) -> WalkedSegment {
        let segment = list.segments[index]
        let key = segment.key.map { list.keys[$0] }
        return WalkedSegment(
            number: segment.sequence,
            duration: segment.duration,
            media: .init(url: segment.url, range: segment.byteRange),
            section: segment.map.map { .init(url: list.maps[$0].url, range: list.maps[$0].byteRange) },
            key: key.flatMap { SegmentWalk.key($0, of: segment) },
            timeline: timeline(of: list, index),
            isProtected: segment.isEncrypted && (key?.method != "AES-128" || key?.url == nil)
        )
    }

    private static func key(_ key: MediaKey, of segment: MediaSegment) -> WalkedSegment.Key? {
        guard key.method == "AES-128", let url = key.url else { return nil }
        // Without a vector of its own it is the sequence number (RFC 8216bis 5.2).
        let number = (0..<16).map { $0 < 8 ? 0 : UInt8(truncatingIfNeeded: segment.sequence >> UInt64(8 * (15 - $0))) }
        let given = key.initialisationVector.map { [UInt8](repeating: 0, count: max(0, 16 - $0.count)) + $0.suffix(16) }
        return WalkedSegment.Key(url: url, vector: given ?? number)
    }

    /// The discontinuity sequence number (RFC 8216bis 6.2.1), counted from the segment before where that is known.
    private func timeline(of list: MediaPlaylist, _ index: Int) -> UInt64 {
        let first = last.map { list.index(atOrAfter: $0.number + 1) } ?? 0
        let isNear = last != nil && first > 0 && first <= index && list.number(at: first - 1) == last?.number
        let from = isNear ? first : 0
        let breaks = UInt64(list.segments[from...index].count { $0.discontinuity })
        let base = isNear ? last?.timeline ?? 0 : list.discontinuitySequence &+ restarts << 32
        return base &+ breaks
    }
}

import WeirCore

/// Watches links from outside: nobody is asked for what it never offered.
package struct WireOracle {
    /// What one end of a connection was offered of one rendition: numbers of segments.
    private struct Offers {
        var rendition: UInt64
        var kind: UInt8
        var numbers = HeldRanges()
        /// On live, who plays a rendition passes on what it comes to: all from the one before this place on, for which its
        /// player may be waiting.
        var passesOnFrom: UInt64?
    }

    private let isLive: Bool

    init(isLive: Bool) { self.isLive = isLive }

    /// By connection and side, `2 × connection + side`.
    private var offers: ContiguousArray<[Offers]> = []
    /// Requests for segments that the other end had not offered.
    package private(set) var unofferedRequests = 0
    package private(set) var requests = 0
    package private(set) var refusals = 0

    /// A message reached `side`.
    mutating func arrived(_ message: Message, on connection: Int, side: Int) {
        switch message {
        case .have(let have):
            for range in have.ranges where range.state != .gone && range.count < 1 << 16 {
                note(2 * connection + side, have.rendition.value, range.kind, first: range.first, count: range.count)
            }
        case .partial(let partial):
            let segment = partial.segment
            note(2 * connection + side, segment.rendition.value, segment.kind, first: segment.number, count: 1)
        case .interest(let interest) where isLive:
            let place = place(of: interest.rendition.value, .media, at: 2 * connection + side)
            offers[2 * connection + side][place].passesOnFrom = interest.position
        case .absent: refusals += 1
        default: break
        }
    }

    private mutating func note(_ end: Int, _ rendition: UInt64, _ kind: SegmentID.Kind, first: UInt64, count: UInt64) {
        let known = place(of: rendition, kind, at: end)
        let isNews = count != 1 || !offers[end][known].numbers.contains(first)
        if isNews { offers[end][known].numbers.insert(first: first, count: count) }
    }

    private mutating func place(of rendition: UInt64, _ kind: SegmentID.Kind, at end: Int) -> Int {
        while offers.count <= end { offers.append([]) }
        if let known = offers[end].firstIndex(where: { $0.rendition == rendition && $0.kind == kind.rawValue }) {
            return known
        }
        offers[end].append(Offers(rendition: rendition, kind: kind.rawValue))
        return offers[end].count - 1
    }

    /// A message left `side`.
    /// - Returns: false for a request without an offer.
    mutating func sent(_ message: Message, on connection: Int, side: Int) -> Bool {
        guard case .request(let run) = message else { return true }
        requests += 1
        let end = 2 * connection + side
        let isOffered =
            end < offers.count
            && offers[end].contains {
                $0.rendition == run.segment.rendition.value && $0.kind == run.segment.kind.rawValue
                    && ($0.numbers.contains(run.segment.number)
                        || $0.passesOnFrom.map { $0 <= run.segment.number + 1 } ?? false)
            }
        if !isOffered { unofferedRequests += 1 }
        return isOffered
    }
}

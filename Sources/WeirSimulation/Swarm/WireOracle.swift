import WeirCore

/// Watches links from outside: nobody is asked for what it never offered.
package struct WireOracle {
    private struct Offer: Hashable {
        var connection: Int
        /// The end that heard the offer.
        var side: Int
        var rendition: UInt64
        var kind: UInt8
        var number: UInt64
    }

    private var offers: Set<Offer> = []
    /// Requests for segments that the other end had not offered.
    package private(set) var unofferedRequests = 0
    package private(set) var requests = 0
    package private(set) var refusals = 0

    /// A message reached `side`.
    mutating func arrived(_ message: Message, on connection: Int, side: Int) {
        switch message {
        case .have(let have):
            for range in have.ranges where range.state != .gone && range.count < 1 << 16 {
                for number in range.first..<range.first + range.count {
                    offers.insert(
                        Offer(
                            connection: connection,
                            side: side,
                            rendition: have.rendition.value,
                            kind: range.kind.rawValue,
                            number: number
                        )
                    )
                }
            }
        case .partial(let partial): offers.insert(offer(partial.segment, connection, side))
        case .absent: refusals += 1
        default: break
        }
    }

    /// A message left `side`.
    /// - Returns: false for a request without an offer.
    mutating func sent(_ message: Message, on connection: Int, side: Int) -> Bool {
        guard case .request(let run) = message else { return true }
        requests += 1
        if offers.contains(offer(run.segment, connection, side)) { return true }
        unofferedRequests += 1
        return false
    }

    private func offer(_ segment: SegmentID, _ connection: Int, _ side: Int) -> Offer {
        Offer(
            connection: connection,
            side: side,
            rendition: segment.rendition.value,
            kind: segment.kind.rawValue,
            number: segment.number
        )
    }
}

/// A cap on a rate: credit grows with time up to a burst and is spent by what is sent.
package struct TokenBucket: Sendable {
    /// Bytes per second; nil: no cap.
    package var rate: Int?
    private var credit: Double = 0
    private var updated: Instant = .start

    /// Two chunks: more at once would share the uplink, and all arrive late.
    private static let burst = Double(2 * Chunk.byteCount)

    package init(rate: Int?) {
        self.rate = rate
        credit = TokenBucket.burst
    }

    /// Spends credit for `bytes` if there is any left; the debt of the last one is paid before the next.
    package mutating func take(_ bytes: Int, at now: Instant) -> Bool {
        guard let rate else { return true }
        guard rate > 0 else { return false }
        credit = min(TokenBucket.burst, credit + (now - updated).seconds * Double(rate))
        updated = now
        guard credit > 0 else { return false }
        credit -= Double(bytes)
        return true
    }

    /// When there is credit again.
    package func nextCredit(at now: Instant) -> Instant {
        guard let rate else { return now }
        guard rate > 0 else { return .never }
        guard credit <= 0 else { return now }
        return updated + .seconds((1 - credit) / Double(rate)) + .milliseconds(1)
    }
}

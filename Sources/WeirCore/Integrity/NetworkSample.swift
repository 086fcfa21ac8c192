/// Which chunks of one network are audited: one, drawn in secret, of each window of 1/rate chunks.
///
/// Independent draws would come to the same rate with a spread that a short recording feels: of 1,400 chunks at 2 %
/// the bytes read again vary by a third.
struct NetworkSample {
    private var seen = 0
    /// Chunks of the current window that are still to come, and which of them is audited, counted from its end.
    private var left = 0
    private var drawn = 0

    /// A new network's first chunks are sampled much more often: a liar cannot wait for trust cheaply.
    static let newChunks = 200
    static let newRate = 0.05

    /// Whether the next chunk of this network is compared with the origin.
    ///
    /// - Parameter trustedRate: audits per chunk once the network is no longer new; above 0.
    mutating func draws(trustedRate: Double, random: inout RandomSource) -> Bool {
        if left == 0 {
            let rate = seen < NetworkSample.newChunks ? NetworkSample.newRate : trustedRate
            left = max(1, Int((1 / max(rate, 0.000_1)).rounded()))
            drawn = 1 + Int(random.fraction() * Double(left))
        }
        defer { left -= 1 }
        seen = min(seen + 1, NetworkSample.newChunks)
        return left == drawn
    }
}

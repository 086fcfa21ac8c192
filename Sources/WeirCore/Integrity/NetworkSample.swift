/// Which chunks of one network are audited: one, drawn in secret, of each window of chunks.
///
/// The first window is `firstWindow` chunks long and each further one twice as long as the one before, up to the
/// length that the trusted rate asks for. A window is so never much longer than what the network has brought before it:
/// trust costs a liar as many true chunks as it can hope to lie about. Audits grow with the logarithm of what a network
/// brings; at a constant rate for new networks a swarm of thirty households spent more than a copy of each segment on
/// each other's first chunks.
///
/// Independent draws would come to the same rate with a spread that a short recording feels: of 1,400 chunks at 2 %
/// the bytes read again vary by a third.
struct NetworkSample {
    /// Chunks of the current window that are still to come, and which of them is audited, counted from its end.
    private var left = 0
    private var drawn = 0
    /// Length of the next window, as far as the trusted rate does not bound it.
    private var next = NetworkSample.firstWindow

    static let firstWindow = 20
    /// No rate makes a longer one.
    private static let longestWindow = 10_000

    /// Nothing of it has been compared yet, as far as anybody can be sure: the first window holds one audit.
    var isNew: Bool { next == NetworkSample.firstWindow || (next == 2 * NetworkSample.firstWindow && left > 0) }

    /// Whether the next chunk of this network is compared with the origin.
    ///
    /// - Parameter trustedRate: audits per chunk once the network is no longer new; above 0.
    mutating func draws(trustedRate: Double, random: inout RandomSource) -> Bool {
        if left == 0 {
            let trusted = 1 / max(trustedRate, 1 / Double(NetworkSample.longestWindow))
            left = max(1, min(next, Int(trusted.rounded())))
            next = min(next * 2, NetworkSample.longestWindow)
            drawn = 1 + Int(random.fraction() * Double(left))
        }
        defer { left -= 1 }
        return left == drawn
    }
}

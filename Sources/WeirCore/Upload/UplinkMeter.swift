/// What one's own uplink carries, told by how long peers take to answer pings that follow chunks.
///
/// Sockets take a window's worth at once, whatever the line does: what they took says nothing of it, and can be neither
/// recalled nor overtaken. So an agent begins with few chunks under way, and more as they turn out to arrive soon; after
/// that it only looks now and then. Where each one takes long, whoever gets it, the line itself is full, and what arrives
/// is its rate.
///
/// Life: `watching → proved`, `proved → watching` when chunks take long again.
package struct UplinkMeter: Sendable {
    /// Chunks under way at first; so many come soon enough, and the line is proved.
    static let firstWindow = 4 * Chunk.byteCount
    static let provedWindow = 16 * Chunk.byteCount
    /// A chunk that takes longer waited in a queue.
    static let longDelay = Duration.milliseconds(300)
    /// So many in a row: one peer's downlink may be narrow, and another's, but hardly all.
    static let delaysInRow = 6
    /// Where the line is proved one chunk in so many is followed by a ping.
    static let sparseness = 8
    /// A rate that was seen counts for so long; then the line may have become another.
    static let memory = Duration.seconds(300)
    private static let weight = 0.4

    package private(set) var isProved = false
    /// Bytes that may be under way while the line is not proved.
    package private(set) var window = firstWindow
    private var known: Double?
    private var lastSample = Instant.start
    private var delays = 0
    private var sentSincePing = 0
    /// Since when something is always under way, and how much of it arrived.
    private var busySince = Instant.start
    private var arrived: Int64 = 0

    package init() {}

    /// Bytes per second; nil: it was not full lately.
    package func rate(at now: Instant) -> Double? {
        now - lastSample < UplinkMeter.memory ? known : nil
    }

    /// Notes that a chunk leaves.
    /// - Parameter underWay: bytes that are known to be under way before it.
    /// - Returns: whether a ping should follow.
    package mutating func leaves(underWay: Int64, at now: Instant) -> Bool {
        if underWay == 0 { (busySince, arrived) = (now, 0) }
        sentSincePing += 1
        guard !isProved || sentSincePing >= UplinkMeter.sparseness else { return false }
        sentSincePing = 0
        return true
    }

    /// Notes that a ping was answered that followed chunks.
    ///
    /// - Parameters:
    ///   - bytes: that have arrived since the last.
    ///   - delay: how much longer it took than a ping on its own.
    ///   - wasLimiting: more would have been sent if more had been allowed.
    /// - Returns: whether something new is known of the rate.
    package mutating func confirms(_ bytes: Int64, delay: Duration, wasLimiting: Bool, at now: Instant) -> Bool {
        arrived += bytes
        guard delay >= UplinkMeter.longDelay else {
            delays = 0
            guard !isProved, wasLimiting else { return false }
            window += Int(clamping: bytes)
            guard window >= UplinkMeter.provedWindow else { return false }
            isProved = true
            known = nil
            return true
        }
        delays += 1
        guard delays >= UplinkMeter.delaysInRow else { return false }
        guard !isProved else {
            // How much arrives will be seen when each chunk is followed.
            (isProved, window, delays) = (false, UplinkMeter.provedWindow / 2, 0)
            (busySince, arrived) = (now, 0)
            return false
        }
        let time = now - busySince
        guard time >= .milliseconds(500) else { return false }
        let sample = Double(arrived) / time.seconds
        known = rate(at: now).map { $0 + UplinkMeter.weight * (sample - $0) } ?? sample
        lastSample = now
        window = UplinkMeter.firstWindow
        (busySince, arrived) = (now, 0)
        return true
    }
}

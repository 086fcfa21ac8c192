import NIOCore

/// What a low-latency viewer saw.
package struct PartReport: Sendable {
    /// A part as it arrived.
    package struct Arrival: Sendable {
        package var position: PartPosition
        package var bytes: Int
        /// Seconds from the moment at which the origin had the part to its first and last byte here. The first is
        /// negative where bytes leave while the part is being made.
        package var firstByte: Double
        package var lastByte: Double
        /// Asked by its EXT-X-PRELOAD-HINT, before it was listed.
        package var isHinted: Bool
        /// Its SHA-256 is the published one.
        package var isExact: Bool
    }

    package var arrivals: [Arrival] = []
    /// Parts that a viewer at the live edge should have had and did not get.
    package var missed: [PartPosition] = []
    /// Requests for hinted parts that failed, so that the part was asked again when it was listed.
    package var failedHints = 0
    package var reloads = 0
    /// Reloads that were answered by a delta update.
    package var deltaUpdates = 0
    /// One line each, at most a hundred.
    package var errors: [String] = []

    package init() {}

    package var latencies: Samples { Samples(arrivals.map(\.lastByte)) }
    package var bytes: Int64 { arrivals.reduce(0) { $0 + Int64($1.bytes) } }
    package var inexact: [PartPosition] { arrivals.filter { !$0.isExact }.map(\.position) }

    /// One line for people.
    package var summary: String {
        let latencies = latencies
        func milliseconds(_ part: Double) -> String { (latencies.quantile(part) * 1000).fixed(0) }
        let hinted = arrivals.count { $0.isHinted }
        return
            "\(arrivals.count) parts (\(hinted) by their hints), \(missed.count) missed, \(inexact.count) not exact; "
            + "median \(milliseconds(0.5)), p95 \(milliseconds(0.95)), max \(milliseconds(1)) ms; "
            + "\(reloads) reloads, \(deltaUpdates) of them delta updates; \(errors.count) errors"
    }

    mutating func note(_ error: String) {
        if errors.count < 100 { errors.append(error) }
    }
}

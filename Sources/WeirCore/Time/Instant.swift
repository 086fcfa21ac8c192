/// A point on the agent's monotonic clock: nanoseconds since the agent (or the simulation) started.
///
/// The core never reads a clock. Whoever feeds it says what time it is.
package struct Instant: Hashable, Comparable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    package static let start = Instant(nanoseconds: 0)
    package static let never = Instant(nanoseconds: .max)

    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    package static func + (left: Instant, right: Duration) -> Instant {
        Instant(nanoseconds: left.nanoseconds.addedSaturating(to: right.nanoseconds))
    }

    package static func - (left: Instant, right: Duration) -> Instant {
        Instant(nanoseconds: left.nanoseconds.subtractedSaturating(right.nanoseconds))
    }

    package static func - (left: Instant, right: Instant) -> Duration {
        Duration(nanoseconds: left.nanoseconds.subtractedSaturating(right.nanoseconds))
    }
}

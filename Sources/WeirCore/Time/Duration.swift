/// A span of time in whole nanoseconds.
///
/// Weir's own type and not the standard library's: arithmetic on one `Int64` is what an event loop on a small board
/// can afford for every frame. It saturates instead of trapping, because spans are computed from what others send.
package struct Duration: Hashable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    package static let zero = Duration(nanoseconds: 0)
    /// About 292 years: what an unbounded estimate saturates to.
    package static let forever = Duration(nanoseconds: .max)

    package static func milliseconds(_ count: Int) -> Duration {
        Duration(nanoseconds: Int64(clamping: count).multipliedSaturating(by: 1_000_000))
    }

    package static func seconds(_ count: Int) -> Duration {
        Duration(nanoseconds: Int64(clamping: count).multipliedSaturating(by: 1_000_000_000))
    }

    /// Seconds as a fraction. Not-a-number counts as zero, what does not fit saturates.
    package static func seconds(_ count: Double) -> Duration {
        let scaled = count * 1e9
        if scaled.isNaN { return .zero }
        if scaled >= 9.2e18 { return .forever }
        if scaled <= -9.2e18 { return Duration(nanoseconds: .min) }
        return Duration(nanoseconds: Int64(scaled))
    }

    package var seconds: Double { Double(nanoseconds) / 1e9 }
    package var milliseconds: Double { Double(nanoseconds) / 1e6 }

    /// This span, or zero when it is negative.
    package var orZero: Duration { nanoseconds < 0 ? .zero : self }
}

extension Duration: Comparable, AdditiveArithmetic {
    package static func < (left: Duration, right: Duration) -> Bool { left.nanoseconds < right.nanoseconds }

    package static func + (left: Duration, right: Duration) -> Duration {
        Duration(nanoseconds: left.nanoseconds.addedSaturating(to: right.nanoseconds))
    }

    package static func - (left: Duration, right: Duration) -> Duration {
        Duration(nanoseconds: left.nanoseconds.subtractedSaturating(right.nanoseconds))
    }

    package static func * (left: Duration, right: Double) -> Duration { .seconds(left.seconds * right) }
    package static func * (left: Duration, right: Int) -> Duration {
        Duration(nanoseconds: left.nanoseconds.multipliedSaturating(by: Int64(clamping: right)))
    }
    package static func / (left: Duration, right: Int) -> Duration {
        right == 0 ? .forever : Duration(nanoseconds: left.nanoseconds / Int64(clamping: right))
    }
}

extension Int64 {
    func addedSaturating(to other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }

    func subtractedSaturating(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }

    func multipliedSaturating(by other: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? ((self < 0) == (other < 0) ? .max : .min) : product
    }
}

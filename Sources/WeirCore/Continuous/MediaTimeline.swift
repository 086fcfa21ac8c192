/// Puts timelines one behind the other: each begins where the one before ended, for all tracks alike, so that sound and
/// picture keep their distance. Microseconds.
package struct MediaTimeline: Sendable {
    /// Where the output stands: the greatest end of what was written.
    package private(set) var end: Int64
    /// What is added to the current timeline's times.
    package private(set) var shift: Int64 = 0
    /// The first time of the current timeline, from which tracks are not half a wrap away.
    package private(set) var origin: Int64?

    /// - Parameters:
    ///   - end: where the output goes on.
    ///   - shift: of the timeline that it goes on with.
    package init(end: Int64 = 0, shift: Int64 = 0) {
        self.end = end
        self.shift = shift
    }

    /// Another timeline begins, of which these are the first times of all tracks.
    package mutating func begin(at times: [Int64]) {
        guard let first = times.min() else { return }
        origin = first
        shift = end &- first
    }

    /// Something was written that ends there, in the output's time.
    package mutating func note(end time: Int64) { end = max(end, time) }
}

/// Makes the times of one track within one timeline a line again where the container's counter wrapped around.
package struct Unwrapping: Sendable {
    /// Values that the counter has; nil: it does not wrap.
    private let period: Int64?
    private var last: Int64?

    /// - Parameter bits: of the counter: 33 in MPEG-TS.
    package init(bits: Int) {
        period = (1..<62).contains(bits) ? 1 << Int64(bits) : nil
    }

    /// Something near is known: the first time of another track of the same timeline.
    package mutating func anchor(_ time: Int64) { if last == nil { last = time } }

    /// - Returns: the value nearest to the one before that the counter would show like this.
    package mutating func unwrap(_ value: Int64) -> Int64 {
        guard let period else { return value }
        guard let last else {
            self.last = value
            return value
        }
        var distance = (value &- last) % period
        if distance > period / 2 { distance -= period }
        if distance < -(period / 2) { distance += period }
        let result = last &+ distance
        self.last = result
        return result
    }
}

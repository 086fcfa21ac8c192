/// How much this agent's own line brought lately, whoever sent it: the most that came in a second.
///
/// A line that was never full looks narrower than it is, but not narrower than what was asked of it.
package struct DownlinkMeter: Sendable {
    private static let step = Duration.milliseconds(250)
    /// Steps in a second, and steps that are remembered: a quarter of a minute, because lines change.
    private static let stepsInSecond = 4
    private static let memory = 60

    private var steps = [Int](repeating: 0, count: memory)
    /// The step that is being counted, since the start of time.
    private var current: Int64 = 0

    package init() {}

    package mutating func note(_ bytes: Int, at now: Instant) {
        let step = DownlinkMeter.number(of: now)
        if step > current {
            for passed in max(current + 1, step - Int64(DownlinkMeter.memory) + 1)...step {
                steps[DownlinkMeter.place(of: passed)] = 0
            }
            current = step
        }
        steps[DownlinkMeter.place(of: current)] += bytes
    }

    /// Bytes per second; nil before a few chunks came.
    package func rate(at now: Instant) -> Double? {
        let step = DownlinkMeter.number(of: now)
        let first = max(0, step - Int64(DownlinkMeter.memory) + 1)
        var most = 0
        var sum = 0
        for number in stride(from: first, through: current, by: 1) {
            sum += steps[DownlinkMeter.place(of: number)]
            let left = number - Int64(DownlinkMeter.stepsInSecond)
            if left >= first { sum -= steps[DownlinkMeter.place(of: left)] }
            most = max(most, sum)
        }
        return most >= 4 * Chunk.byteCount ? Double(most) : nil
    }

    private static func number(of time: Instant) -> Int64 { max(0, time.nanoseconds) / step.nanoseconds }
    private static func place(of number: Int64) -> Int { Int(number % Int64(memory)) }
}

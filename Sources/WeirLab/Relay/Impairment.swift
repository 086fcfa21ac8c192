package import NIOCore

/// What a relay does to the bytes that pass, each way by itself.
package struct Impairment: Sendable, Equatable {
    /// Bytes per second that all connections together get in one direction; nil: as fast as loopback.
    package var bytesPerSecond: Double?
    /// One way: half of the round trip that it adds.
    package var delay: TimeAmount
    /// Bytes that wait in one direction before the sender is held back, besides those in flight.
    package var queueBytes: Int

    package init(bytesPerSecond: Double? = nil, delay: TimeAmount = .zero, queueBytes: Int = 64 * 1024) {
        self.bytesPerSecond = bytesPerSecond
        self.delay = delay
        self.queueBytes = queueBytes
    }

    /// A source's link: its rate, and a round trip that is split evenly over both ways.
    package static func link(bytesPerSecond: Double, roundTripMilliseconds: Int) -> Impairment {
        Impairment(bytesPerSecond: bytesPerSecond, delay: .microseconds(Int64(roundTripMilliseconds) * 500))
    }

    /// Bytes that one direction may hold: its queue, and what the delay keeps on the way.
    var heldBytes: Int {
        let inFlight = (bytesPerSecond ?? 1e9) * Double(delay.nanoseconds) / 1e9
        return queueBytes + Int(min(inFlight, 64e6))
    }
}

/// The serial link of one direction of a relay: bytes leave one after another at its rate.
///
/// A pure value with the clock as an argument.
struct SerialLink {
    private var free = NIODeadline.uptimeNanoseconds(0)

    /// When this many bytes, that came now, arrive at the other end.
    mutating func arrival(of bytes: Int, at now: NIODeadline, _ impairment: Impairment) -> NIODeadline {
        let begin = max(free, now)
        if let rate = impairment.bytesPerSecond, rate > 0 {
            free = begin + .nanoseconds(Int64(Double(bytes) / rate * 1e9))
        } else {
            free = begin
        }
        return free + impairment.delay
    }
}

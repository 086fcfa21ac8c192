package import WeirCore

/// What a run looked like, second by second. Viewers of hostile agents are left out.
package struct Timeline: Sendable {
    package struct Second: Sendable, Equatable {
        /// Media bytes that players' sockets took.
        package var delivered: Int64 = 0
        /// Media bytes that the origin sent, by its log.
        package var origin: Int64 = 0
        /// At the end of the second: players that are on, and those of them whose buffer is empty.
        package var watching = 0
        package var dry = 0
        /// What no swarm can beat in this second, given who is there (B1 and B2).
        package var bound = 0.0
        /// At the end of the second: renditions that somebody plays.
        package var renditions = 0
        /// Times that a player ran dry in it.
        package var stalls = 0
        /// At the end of the second: what the first tracker says of the stream, where it says anything.
        package var mode: DeliveryMode?
    }

    package internal(set) var seconds: [Second] = []

    mutating func noteDelivered(_ bytes: Int, at now: Instant) { seconds[place(now)].delivered += Int64(bytes) }
    mutating func noteOrigin(_ bytes: Int, at now: Instant) { seconds[place(now)].origin += Int64(bytes) }

    mutating func noteStall(at dry: Instant) { seconds[place(dry)].stalls += 1 }

    mutating func noteAudience(watching: Int, dry: Int, bound: Double, mode: DeliveryMode?, at now: Instant) {
        let place = place(now)
        seconds[place].mode = mode
        seconds[place].watching = watching
        seconds[place].dry = dry
        seconds[place].bound = bound
    }

    mutating func noteRenditions(_ count: Int, at now: Instant) { seconds[place(now)].renditions = count }

    private mutating func place(_ now: Instant) -> Int {
        let place = Int(max(0, now.nanoseconds - 1) / 1_000_000_000)
        while seconds.count <= place { seconds.append(Second()) }
        return place
    }

    /// The bound of all seconds from a moment on: each counts by how many watch. Nil when nobody does.
    package func bound(from start: Instant) -> Double? {
        let counted = seconds.dropFirst(Int(start.nanoseconds / 1_000_000_000))
        let watched = counted.reduce(0) { $0 + $1.watching }
        guard watched > 0 else { return nil }
        return counted.reduce(0) { $0 + $1.bound * Double($1.watching) } / Double(watched)
    }
}

/// Where a player is in one rendition, inferred from what its socket drained.
///
/// The buffer is a lower bound at normal speed: media time drained since start or seek, less the wall time since the
/// first media byte, never below zero.
struct Playhead {
    /// First segment since start or seek.
    private(set) var start: UInt64
    /// One past the highest requested in sequence.
    private(set) var next: UInt64
    private(set) var lastRequest: Instant
    private var credited: [UInt64: Duration] = [:]
    private var drained = Duration.zero
    private var clockStart: Instant?
    /// Numbers below are wholly drained.
    private(set) var drainedTo: UInt64

    /// How far ahead of the expected number a request may be and still be the same viewing: players skip a segment
    /// that fails, and audio and video requests overtake each other.
    static let skip: UInt64 = 3

    init(start: UInt64, at now: Instant) {
        self.start = start
        next = start + 1
        drainedTo = start
        lastRequest = now
    }

    /// Notes a request. False when it is a seek: the playhead has begun anew there.
    mutating func request(_ number: UInt64, at now: Instant) -> Bool {
        lastRequest = now
        if number &+ Playhead.skip >= drainedTo, number <= next &+ Playhead.skip {
            next = max(next, number + 1)
            return true
        }
        self = Playhead(start: number, at: now)
        return false
    }

    /// Notes drained media. The answer is how long the player had run dry before, if it had.
    mutating func credit(_ time: Duration, of number: UInt64, whole duration: Duration, at now: Instant) -> Duration {
        guard number >= start else { return .zero }
        var dry = Duration.zero
        if let begun = clockStart {
            dry = ((now - begun) - drained).orZero
            // A stalled player's clock stands still.
            clockStart = begun + dry
        } else {
            clockStart = now
        }
        let before = credited[number] ?? .zero
        let after = min(duration, before + time)
        credited[number] = after
        drained = drained + (after - before)
        return dry
    }

    /// The whole of a segment left for the player's socket.
    mutating func finish(_ number: UInt64) {
        guard number >= drainedTo else { return }
        drainedTo = number + 1
        credited = credited.filter { $0.key >= drainedTo }
    }

    func buffer(at now: Instant) -> Duration {
        guard let clockStart else { return .zero }
        return (drained - (now - clockStart)).orZero
    }

    func creditedTime(of number: UInt64) -> Duration { credited[number] ?? .zero }

    var hasStarted: Bool { clockStart != nil }
}

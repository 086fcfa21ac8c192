/// Where a player is in one rendition, inferred from what its socket drained.
///
/// The buffer is a lower bound at normal speed: contiguous media time drained since start or seek, less the wall time
/// since the first media byte, never below zero. What was drained beyond a gap counts once the gap is filled.
struct Playhead {
    /// First segment since start or seek.
    private(set) var start: UInt64
    /// One past the highest requested in sequence.
    private(set) var next: UInt64
    private(set) var lastRequest: Instant
    /// Numbers below are drained, or the player goes on without them.
    private(set) var drainedTo: UInt64
    /// Media drained of numbers below `drainedTo`.
    private var settled = Duration.zero
    /// Media drained of each number from `drainedTo` on.
    private var credited: [UInt64: Duration] = [:]
    /// Requested, and neither wholly drained nor given up.
    private var open: Set<UInt64>
    /// One past the highest that was wholly drained.
    private var finishedTo: UInt64
    private var clockStart: Instant?
    /// Segments that the player has asked of other qualities since it last asked one of this.
    private var passedOver = 0

    /// How far ahead of the expected number a request may be and still be the same viewing: players skip a segment
    /// that fails, and requests on several connections overtake each other.
    static let skip = 3
    /// Segments that were drained in part and then left: more than these are a player that samples, not one that waits.
    static let mostParts = 64

    /// - Parameter buffer: what is left of a rendition that this one continues: its clock runs on.
    init(start: Range<UInt64>, continuing buffer: Duration, at now: Instant) {
        self.init(start: start, at: now)
        settled = buffer
        clockStart = now
    }

    init(start: Range<UInt64>, at now: Instant) {
        self.start = start.lowerBound
        next = start.upperBound
        drainedTo = start.lowerBound
        finishedTo = start.lowerBound
        open = [start.lowerBound]
        lastRequest = now
    }

    /// Notes a request. False when it is a seek: the playhead has begun anew there.
    ///
    /// - Parameters:
    ///   - numbers: from the segment's number to the next one's.
    ///   - reach: the highest number that is no seek: `skip` segments beyond `next`.
    mutating func request(_ numbers: Range<UInt64>, reach: UInt64, at now: Instant) -> Bool {
        lastRequest = now
        passedOver = 0
        let number = numbers.lowerBound
        guard number >= drainedTo, number <= reach else {
            // Whoever asks again for what it had wholly drained has thrown its buffer away.
            self = Playhead(start: numbers, at: now)
            return false
        }
        next = max(next, numbers.upperBound)
        // A player that asks one by one goes on without what it gave up.
        if open.isEmpty { settle(to: number) }
        open.insert(number)
        return true
    }

    /// The player asked a segment of another quality.
    mutating func passOver() { passedOver = min(passedOver, Playhead.left) + 1 }

    /// The player has gone to another quality. One request alone may be a second player's that was taken for this one.
    var isLeft: Bool { passedOver >= Playhead.left }
    private static let left = 2

    /// Whether a request goes on where this player would, if it had not changed to another quality.
    func goesOn(at number: UInt64) -> Bool { number >= drainedTo && number <= next + UInt64(Playhead.skip) }

    /// How far a request is from what this player would ask next; nil: it has asked that already, or is elsewhere.
    ///
    /// - Parameter reach: as for `request`.
    func distance(to number: UInt64, reach: UInt64) -> UInt64? {
        if number >= next { return number <= reach ? number - next : nil }
        // What failed is asked again.
        return number >= max(drainedTo, finishedTo) && !open.contains(number) ? 1 : nil
    }

    /// Notes drained media. The answer is how long the player had run dry before, if it had.
    mutating func credit(_ time: Duration, of number: UInt64, whole duration: Duration, at now: Instant) -> Duration {
        guard number >= drainedTo else { return .zero }
        var dry = Duration.zero
        if let begun = clockStart {
            if number == drainedTo { dry = ((now - begun) - drained).orZero }
            // A stalled player's clock stands still.
            clockStart = begun + dry
        } else {
            clockStart = now
        }
        credited[number] = min(duration, (credited[number] ?? .zero) + time)
        return dry
    }

    /// The whole of a segment left for the player's socket.
    mutating func finish(_ numbers: Range<UInt64>) {
        finishedTo = max(finishedTo, numbers.upperBound)
        giveUp(numbers.lowerBound)
    }

    /// The answer to a request is over, whether or not it was whole.
    mutating func giveUp(_ number: UInt64) {
        open.remove(number)
        if credited.count > Playhead.mostParts, let last = credited.keys.max() { finishedTo = max(finishedTo, last) }
        settle(to: min(finishedTo, open.min() ?? finishedTo))
    }

    private mutating func settle(to number: UInt64) {
        guard number > drainedTo else { return }
        for key in credited.keys.sorted() where key < number {
            settled = settled + (credited.removeValue(forKey: key) ?? .zero)
        }
        drainedTo = number
    }

    private var drained: Duration { settled + (credited[drainedTo] ?? .zero) }

    func buffer(at now: Instant) -> Duration {
        guard let clockStart else { return .zero }
        return (drained - (now - clockStart)).orZero
    }

    /// What a player has to play before it needs `number`, as far as that is drained. Of a segment that comes bit by bit
    /// the first bits do not count: many players show nothing of a segment before they have the whole. Of the first one
    /// they do, because before it nothing plays that could run dry.
    func buffer(before number: UInt64, at now: Instant) -> Duration {
        guard number == drainedTo, number != start, let clockStart else { return buffer(at: now) }
        return (settled - (now - clockStart)).orZero
    }

    /// The part of a segment that the buffer already counts.
    func creditedTime(of number: UInt64) -> Duration { number == drainedTo ? credited[number] ?? .zero : .zero }

    var hasStarted: Bool { clockStart != nil }
    /// Entries of its tables, for the limits' sake.
    var recordCount: Int { credited.count + open.count }
}

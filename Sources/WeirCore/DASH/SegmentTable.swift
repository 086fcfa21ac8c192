/// Consecutive segments of equal duration: what one `S` with its repetitions says.
struct SegmentRun: Hashable, Sendable {
    /// Of the first, counted from the table's first segment.
    let place: UInt64
    /// `$Number$` of the first.
    let number: UInt64
    /// Ticks of media time of the first.
    let time: UInt64
    /// Ticks of each; at least 1.
    let ticks: UInt64
    /// At least 1.
    let count: UInt64

    /// One past the last segment's media time.
    var end: UInt64 { time + ticks * count }
}

/// The segments of a DASH representation in one period, as runs: a timeline that repeats an entry 10^9 times costs as
/// much as one that repeats it once.
///
/// Numbers, times and places ascend from run to run. All stay below 2^62, so that sums of two never overflow.
package struct SegmentTable: Sendable {
    /// One segment of it.
    struct Slot: Hashable, Sendable {
        let place: UInt64
        let number: UInt64
        /// Ticks of media time.
        let time: UInt64
        let ticks: UInt64
    }

    static let greatest: UInt64 = 1 << 62

    /// Ticks per second; at least 1.
    package let timescale: UInt64
    /// Segments are named by `$Time$`, not by `$Number$`.
    package let isTimed: Bool
    private(set) var runs: [SegmentRun] = []

    init(timescale: UInt64, isTimed: Bool) {
        self.timescale = max(1, timescale)
        self.isTimed = isTimed
    }

    package var isEmpty: Bool { runs.isEmpty }
    /// Its segments have the places 0 to this one.
    package var lastPlace: UInt64? { runs.last.map { $0.place + $0.count - 1 } }
    /// One past the last segment's media time.
    var end: UInt64 { runs.last?.end ?? 0 }
    /// The greatest of all segments' durations, in ticks.
    private(set) var longest: UInt64 = 0

    /// Adds a run behind the last. What does not ascend, or would pass 2^62, is cut off or left out.
    mutating func append(number: UInt64, time: UInt64, ticks: UInt64, count: UInt64) {
        guard ticks > 0, count > 0, ticks < SegmentTable.greatest, time < SegmentTable.greatest - ticks else { return }
        if let last = runs.last {
            // The media may overlap by a little; what names a segment must not repeat.
            guard time > last.time + last.ticks * (last.count - 1), number >= last.number + last.count else { return }
        }
        let next = lastPlace.map { $0 + 1 } ?? 0
        let room = SegmentTable.greatest - max(number, next)
        guard number < SegmentTable.greatest, next < SegmentTable.greatest else { return }
        let count = min(count, (SegmentTable.greatest - time) / ticks, room)
        guard count > 0 else { return }
        longest = max(longest, ticks)
        if let last = runs.last, last.ticks == ticks, last.end == time, last.number + last.count == number {
            runs[runs.count - 1] = SegmentRun(
                place: last.place,
                number: last.number,
                time: last.time,
                ticks: ticks,
                count: min(last.count + count, (SegmentTable.greatest - last.time) / ticks)
            )
            return
        }
        runs.append(SegmentRun(place: next, number: number, time: time, ticks: ticks, count: count))
    }

    func slot(at place: UInt64) -> Slot? {
        guard let run = run(where: { $0.place <= place }), place - run.place < run.count else { return nil }
        return slot(run, place - run.place)
    }

    /// By what names it: its time, which must be its very beginning, or its number.
    func slot(named name: UInt64) -> Slot? {
        guard isTimed else {
            guard let run = run(where: { $0.number <= name }), name - run.number < run.count else { return nil }
            return slot(run, name - run.number)
        }
        guard let run = run(where: { $0.time <= name }) else { return nil }
        let (offset, rest) = (name - run.time).quotientAndRemainder(dividingBy: run.ticks)
        return rest == 0 && offset < run.count ? slot(run, offset) : nil
    }

    /// The last segment that ends at this media time or before it.
    func lastSlot(endingBy time: UInt64) -> Slot? {
        guard let index = lastIndex(where: { $0.time + $0.ticks <= time }) else { return nil }
        let run = runs[index]
        return slot(run, min(run.count, (time - run.time) / run.ticks) - 1)
    }

    /// The first segment that ends behind this media time.
    func firstSlot(endingAfter time: UInt64) -> Slot? {
        guard let before = lastSlot(endingBy: time) else { return runs.first.map { slot($0, 0) } }
        return slot(at: before.place + 1)
    }

    private func slot(_ run: SegmentRun, _ offset: UInt64) -> Slot {
        Slot(
            place: run.place + offset,
            number: run.number + offset,
            time: run.time + run.ticks * offset,
            ticks: run.ticks
        )
    }

    private func run(where isAtOrBefore: (SegmentRun) -> Bool) -> SegmentRun? {
        lastIndex(where: isAtOrBefore).map { runs[$0] }
    }

    /// The condition holds for a beginning of the runs.
    private func lastIndex(where condition: (SegmentRun) -> Bool) -> Int? {
        var low = 0
        var high = runs.count
        while low < high {
            let middle = (low + high) / 2
            if condition(runs[middle]) { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? low - 1 : nil
    }

    // MARK: Units

    /// Ticks in a span of time, saturating; 0 for a negative one.
    static func ticks(of time: Duration, timescale: UInt64) -> UInt64 {
        guard time.nanoseconds > 0 else { return 0 }
        let product = UInt128(UInt64(time.nanoseconds)) * UInt128(timescale)
        return UInt64(min(UInt128(greatest), product / 1_000_000_000))
    }

    static func duration(of ticks: UInt64, timescale: UInt64) -> Duration {
        let nanoseconds = UInt128(ticks) * 1_000_000_000 / UInt128(max(1, timescale))
        return Duration(nanoseconds: Int64(min(UInt128(Int64.max), nanoseconds)))
    }

    func duration(of ticks: UInt64) -> Duration { SegmentTable.duration(of: ticks, timescale: timescale) }
}

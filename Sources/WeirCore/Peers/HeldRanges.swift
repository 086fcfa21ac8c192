/// A bounded set of segment numbers, as sorted disjoint ranges.
package struct HeldRanges: Sendable, Equatable {
    /// Half-open, ascending, never adjacent.
    package private(set) var ranges: [Range<UInt64>] = []

    package init() {}

    package var isEmpty: Bool { ranges.isEmpty }
    /// Saturates: a hostile announcer may claim more numbers than an `Int` counts.
    package var count: Int {
        Int(
            clamping: ranges.reduce(UInt64(0)) { sum, range in
                let (more, overflow) = sum.addingReportingOverflow(range.upperBound - range.lowerBound)
                return overflow ? .max : more
            }
        )
    }
    package var last: UInt64? { ranges.last.map { $0.upperBound - 1 } }

    package func contains(_ number: UInt64) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound <= number { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(number)
    }

    /// Adds `count` numbers from `first`. Numbers beyond 2^64 − 1 are cut off.
    package mutating func insert(first: UInt64, count: UInt64) {
        guard count > 0 else { return }
        let (end, overflow) = first.addingReportingOverflow(count)
        var merged = first..<(overflow ? .max : end)
        guard !merged.isEmpty else { return }
        // Live streams grow at their end.
        if let newest = ranges.last, newest.lowerBound <= merged.lowerBound, merged.lowerBound <= newest.upperBound {
            if merged.upperBound > newest.upperBound {
                ranges[ranges.count - 1] = newest.lowerBound..<merged.upperBound
            }
            return
        }
        var result: [Range<UInt64>] = []
        var placed = false
        for range in ranges {
            if range.upperBound < merged.lowerBound {
                result.append(range)
            } else if merged.upperBound < range.lowerBound {
                if !placed { result.append(merged) }
                placed = true
                result.append(range)
            } else {
                merged = min(range.lowerBound, merged.lowerBound)..<max(range.upperBound, merged.upperBound)
            }
        }
        if !placed { result.append(merged) }
        ranges = result
    }

    package mutating func remove(first: UInt64, count: UInt64) {
        let (end, overflow) = first.addingReportingOverflow(count)
        let gone = first..<max(first, overflow ? .max : end)
        ranges = ranges.flatMap { range -> [Range<UInt64>] in
            guard range.overlaps(gone) else { return [range] }
            return [
                range.lowerBound..<max(range.lowerBound, gone.lowerBound),
                min(range.upperBound, gone.upperBound)..<range.upperBound,
            ].filter { !$0.isEmpty }
        }
    }

    /// Keeps the memory of a hostile announcer bounded: the lowest ranges go first.
    package mutating func limit(to count: Int) {
        if ranges.count > count { ranges.removeFirst(ranges.count - count) }
    }
}

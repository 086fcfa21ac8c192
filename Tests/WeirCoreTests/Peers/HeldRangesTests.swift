import Testing
import WeirCore

@Suite("Ranges of held segments")
struct HeldRangesTests {
    @Test("Ranges say the same as a set of numbers and stay apart", arguments: 1...20 as ClosedRange<UInt64>)
    func agreesWithASet(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var ranges = HeldRanges()
        var numbers: Set<UInt64> = []
        var end: UInt64 = 0
        for _ in 0..<300 {
            // Half of the time as live streams grow: at the end, or beside it.
            let isAtEnd = random.next() % 2 == 0
            let first = isAtEnd ? end + random.next() % 3 - min(end, random.next() % 2) : random.next() % 200
            let count = 1 + random.next() % 4
            if random.next() % 4 == 0 {
                ranges.remove(first: first, count: count)
                numbers.subtract(first..<first + count)
            } else {
                ranges.insert(first: first, count: count)
                numbers.formUnion(first..<first + count)
            }
            end = numbers.max() ?? 0
            #expect(ranges.count == numbers.count)
            #expect((0...end + 4).allSatisfy { ranges.contains($0) == numbers.contains($0) })
            #expect(zip(ranges.ranges, ranges.ranges.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
        }
    }
}

import Testing
import WeirCore

@Suite("What a recording decides") struct CaptureRulesTests {
    @Test("Media that follow are no gap; a jump within a timeline is as long as it is")
    func gaps() {
        var watch = GapWatch()
        #expect(watch.next(timeline: 0, time: 5_000_000, end: 5_040_000, segment: 7) == nil)
        #expect(watch.next(timeline: 0, time: 5_040_000, end: 5_080_000, segment: 8) == nil)
        // Frames that an encoder left out.
        #expect(watch.next(timeline: 0, time: 5_400_000, end: 5_440_000, segment: 8) == nil)
        #expect(watch.next(timeline: 0, time: 13_440_000, end: 13_480_000, segment: 12) == .some(8_000_000))
        #expect(watch.next(timeline: 0, time: 13_480_000, end: 13_520_000, segment: 12) == nil)
    }

    @Test(
        "From one timeline to the next something is missing if their segments do not follow each other",
        arguments: [
            (UInt64?.some(8), UInt64?.some(9), false), (8, 8, false), (8, 12, true), (8, 0, true), (nil, nil, false),
            (UInt64.max, 0, false),
        ]
    )
    func timelines(before: UInt64?, after: UInt64?, isMissing: Bool) {
        var watch = GapWatch(timeline: 3, end: 900, segment: before)
        let found = watch.next(timeline: 4, time: 0, end: 40_000, segment: after)
        #expect((found != nil) == isMissing)
        if let found { #expect(found == nil) }
    }

    @Test("Times at the ends of what can be counted are no gap and no trap")
    func extremes() {
        var watch = GapWatch(timeline: 0, end: Int64.min, segment: nil)
        #expect(watch.next(timeline: 0, time: Int64.max, end: Int64.max, segment: nil) == nil)
        #expect(watch.next(timeline: 0, time: Int64.min, end: Int64.min, segment: nil) == nil)
    }

    @Test("What is in the file already does not pass again, and from the first new packet on all pass")
    func sieve() {
        var sieve = PacketSieve(after: 100)
        let passed = [40, 80, 100, 140, 120, 180].filter { sieve.passes($0) }
        #expect(passed == [140, 120, 180])
        var none = PacketSieve()
        #expect([5, 3].filter { none.passes($0) } == [5, 3])
    }

    @Test("A live segment is asked for as long as it is listed, others some times, refused ones fewer")
    func retries() {
        func tries(isRefused: Bool = false, isListed: Bool = true, isLive: Bool = true) -> Int {
            (1..<1_000).first {
                !SegmentRetry.again(attempts: $0, isRefused: isRefused, isListed: isListed, isLive: isLive)
            } ?? 1_000
        }
        #expect(tries() == 1_000)
        #expect(tries(isListed: false) == 1)
        #expect(tries(isRefused: true) == 4)
        #expect(tries(isLive: false) == 40)
    }

    @Test("The floor is kept before a byte is written, and only the system can say that there is none")
    func floor() {
        let floor = FreeSpaceFloor(1_000)
        #expect(floor.allows(500, free: 1_500))
        #expect(!floor.allows(501, free: 1_500))
        #expect(!floor.allows(1, free: Int64.min))
        #expect(floor.allows(1 << 40, free: nil))
    }

    @Test("A recording of limited length ends by its media, and a live one by the clock if they do not come")
    func length() {
        let length = CaptureLength(.seconds(10))
        #expect(!length.isOver(time: 9_999_999, passed: .seconds(30), isLive: true))
        #expect(length.isOver(time: 10_000_000, passed: .zero, isLive: true))
        #expect(length.isOver(time: 0, passed: .seconds(70), isLive: true))
        #expect(!length.isOver(time: 0, passed: .seconds(700), isLive: false))
        #expect(!CaptureLength(nil).isOver(time: Int64.max, passed: .seconds(1_000_000), isLive: true))
    }
}

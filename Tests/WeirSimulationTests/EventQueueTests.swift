import Testing
import WeirCore
import WeirSimulation

@Suite("Virtual clock")
struct EventQueueTests {
    @Test("Events come in order of time, and of insertion where the time is the same", arguments: 1...20)
    func order(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let queue = EventQueue()
        var expected: [(time: Int64, number: Int)] = []
        for number in 0..<500 {
            let time = Int64(random.below(50))
            queue.schedule(Event(.script, number), at: Instant(nanoseconds: time))
            expected.append((time, number))
        }
        expected.sort { ($0.time, $0.number) < ($1.time, $1.number) }
        for entry in expected {
            #expect(queue.next(until: .never)?.subject == Int32(entry.number))
            #expect(queue.now.nanoseconds == entry.time)
        }
        #expect(queue.next(until: .never) == nil)
    }

    @Test("Nothing beyond the end is taken, and the clock stays")
    func end() {
        let queue = EventQueue()
        queue.schedule(Event(.script, 1), at: Instant(nanoseconds: 10))
        #expect(queue.next(until: Instant(nanoseconds: 9)) == nil)
        #expect(queue.now == .start)
        #expect(queue.next(until: Instant(nanoseconds: 10)) != nil)
    }

    @Test("The digest depends on time, kind, subject and detail of each event and on their order")
    func digest() {
        func digest(_ events: [(Event, Int64)]) -> EventDigest {
            let queue = EventQueue()
            for (event, time) in events { queue.schedule(event, at: Instant(nanoseconds: time)) }
            while queue.next(until: .never) != nil {}
            return queue.digest
        }
        let base = digest([(Event(.script, 1), 1), (Event(.script, 2), 1)])
        #expect(base == digest([(Event(.script, 1), 1), (Event(.script, 2), 1)]))
        #expect(base != digest([(Event(.script, 2), 1), (Event(.script, 1), 1)]))
        #expect(base != digest([(Event(.script, 1), 1), (Event(.script, 2), 2)]))
        #expect(base != digest([(Event(.start, 1), 1), (Event(.script, 2), 1)]))
        #expect(base != digest([(Event(.script, 1, detail: 1), 1), (Event(.script, 2), 1)]))
        #expect(base.description.count == 32)
    }

    @Test("Random numbers repeat with the seed and are spread evenly")
    func random() {
        var one = SeededGenerator(seed: 7)
        var two = SeededGenerator(seed: 7)
        var counts = [Int](repeating: 0, count: 10)
        for _ in 0..<10_000 {
            let value = one.below(10)
            #expect(value == two.below(10))
            counts[value] += 1
        }
        #expect(counts.allSatisfy { (850...1150).contains($0) })
        #expect(Set(one.choose(5, from: Array(0..<8))).count == 5)
    }
}

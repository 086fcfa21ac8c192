import Testing
import WeirCore

@Suite("A continuous output's readers") struct ContinuousFeedTests {
    /// A block of a quarter of a second whose bytes tell its number.
    private func block(_ number: Int, start: Bool = false, bytes: Int = 100) -> ContinuousFeed.Block {
        var body = [UInt8](repeating: 0, count: bytes)
        for place in 0..<4 { body[place] = UInt8(truncatingIfNeeded: number >> (8 * place)) }
        return .init(bytes: ByteArrayPayload(body), isStart: start, time: Int64(number) * 250_000)
    }

    private func number(_ taking: ContinuousFeed.Taking) -> Int? {
        guard case .bytes(let payload) = taking, payload.count >= 100 else { return nil }
        return payload.bytes()[0..<4].enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
    }

    private func isHeader(_ taking: ContinuousFeed.Taking) -> Bool {
        if case .bytes(let payload) = taking { payload.count == 4 } else { false }
    }

    private func feed(limit: Int = 10_000, burst: Duration = .zero, isLossless: Bool = false) -> ContinuousFeed {
        var feed = ContinuousFeed(limit: limit, burst: burst, isLossless: isLossless)
        feed.begin(ByteArrayPayload([1, 2, 3, 4]))
        return feed
    }

    @Test("A reader begins with the container's beginning and the latest keyframe that is held")
    func join() {
        var feed = feed()
        for number in 0..<25 { feed.append(block(number, start: number % 10 == 0)) }
        feed.join(1, at: .start)
        #expect(isHeader(feed.take(1, at: .start)))
        #expect((20..<25).map { _ in number(feed.take(1, at: .start)) } == [20, 21, 22, 23, 24])
        #expect(number(feed.take(1, at: .start)) == nil)
    }

    @Test(
        "A reader gets at once as much as players look at, from a keyframe on, or else all that is held",
        arguments: [(Duration.seconds(1), 20), (.milliseconds(1_001), 10), (.seconds(3), 10), (.seconds(60), 10)]
    )
    func burst(burst: Duration, begins: Int) {
        // Of 25 blocks of 100 bytes the last 20 are held: keyframes at 10 and 20, the end's block at 6 seconds.
        var feed = feed(limit: 2_000, burst: burst)
        for number in 0..<25 { feed.append(block(number, start: number % 10 == 0)) }
        feed.join(1, at: .start)
        #expect(isHeader(feed.take(1, at: .start)))
        #expect((begins..<25).map { _ in number(feed.take(1, at: .start)) } == Array(begins..<25))
        #expect(number(feed.take(1, at: .start)) == nil)
    }

    @Test("Without a keyframe a reader gets nothing until one comes")
    func waits() {
        var feed = feed()
        feed.join(1, at: .start)
        feed.append(block(0))
        #expect(!isHeader(feed.take(1, at: .start)))
        feed.append(block(1, start: true))
        #expect(isHeader(feed.take(1, at: .start)))
        #expect(number(feed.take(1, at: .start)) == 1)
    }

    @Test(
        "What is held is bounded, whatever readers do, and a reader sees keyframes and rows alone",
        arguments: UInt64(1)...40
    )
    func bounded(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var feed = feed(limit: 5_000)
        var expected: [UInt64: Int?] = [:]
        var appended = 0
        var starts: Set<Int> = []
        var now = Instant.start
        for _ in 0..<2_000 {
            now = now + .milliseconds(10)
            let reader = random.next() % 4
            switch random.next() % 5 {
            case 0, 1:
                let isStart = appended == 0 || random.next() % 12 == 0
                if isStart { starts.insert(appended) }
                feed.append(block(appended, start: isStart, bytes: 100 + Int(random.next() % 400)))
                appended += 1
            case 2 where expected[reader] == nil:
                feed.join(reader, at: now)
                expected[reader] = .some(nil)
            case 3 where random.next() % 20 == 0:
                feed.leave(reader)
                expected[reader] = nil
            default:
                guard let before = expected[reader], let got = number(feed.take(reader, at: now)) else { continue }
                // The next one, or a keyframe further on: never back, never into the middle.
                if let before { #expect(got == before + 1 || got > before && starts.contains(got)) }
                if before == nil { #expect(starts.contains(got)) }
                expected[reader] = got
            }
            #expect(feed.heldBytes <= 5_000)
            #expect(feed.readerCount == expected.count)
        }
        #expect(feed.skips > 0)
    }

    @Test("A slow reader goes on at the latest keyframe; the quick one misses nothing")
    func slow() {
        var feed = feed(limit: 1_000)
        feed.append(block(0, start: true))
        for id in [UInt64(1), 2] {
            feed.join(id, at: .start)
            #expect(isHeader(feed.take(id, at: .start)))
            #expect(number(feed.take(id, at: .start)) == 0)
        }
        var quick: [Int] = []
        for number in 1..<40 {
            feed.append(block(number, start: number % 5 == 0))
            if let got = self.number(feed.take(1, at: .start)) { quick.append(got) }
        }
        #expect(quick == Array(1..<40))
        #expect(number(feed.take(2, at: .start)) == 35)
        #expect(feed.skips == 1)
    }

    @Test("Who takes nothing though there is something is stuck; who has everything is not")
    func stuck() {
        var feed = feed()
        feed.append(block(0, start: true))
        feed.join(1, at: .start)
        feed.join(2, at: .start)
        let later = Instant.start + .seconds(29)
        _ = feed.take(1, at: later)
        _ = feed.take(1, at: later)
        _ = feed.take(1, at: later)
        #expect(feed.stuck(for: .seconds(30), at: later) == [])
        #expect(feed.stuck(for: .seconds(30), at: later + .seconds(2)) == [2])
        #expect(feed.stuck(for: .seconds(30), at: later + .seconds(200)) == [2])
    }

    @Test("A container that begins anew alike goes on for its readers, another one ends them")
    func beginsAnew() {
        var feed = feed()
        feed.append(block(0, start: true))
        feed.join(1, at: .start)
        #expect(isHeader(feed.take(1, at: .start)))
        #expect(number(feed.take(1, at: .start)) == 0)
        feed.begin(ByteArrayPayload([1, 2, 3, 4]))
        feed.append(block(1, start: true))
        #expect(number(feed.take(1, at: .start)) == 1)
        feed.begin(ByteArrayPayload([9, 9, 9, 9]))
        feed.append(block(2, start: true))
        guard case .over = feed.take(1, at: .start) else {
            Issue.record("a reader got two containers in one")
            return
        }
    }

    @Test("A recording's writer waits for its reader, who gets all of it", arguments: UInt64(1)...10)
    func lossless(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var feed = feed(limit: 1_000, isLossless: true)
        feed.join(1, at: .start)
        var written = 0
        var taken: [Int] = []
        while taken.count < 500 {
            if written < 500, feed.wantsMore {
                feed.append(block(written, start: written % 50 == 0))
                written += 1
            }
            if random.next() % 3 == 0, let got = number(feed.take(1, at: .start)) { taken.append(got) }
            #expect(feed.heldBytes <= 1_100)
        }
        #expect(taken == Array(0..<500))
        #expect(feed.skips == 0)
    }
}

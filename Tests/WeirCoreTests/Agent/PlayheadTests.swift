import Testing

@testable import WeirCore

@Suite("Where a player is")
struct PlayheadTests {
    private func at(_ seconds: Double) -> Instant { .start + .seconds(seconds) }
    private let four = Duration.seconds(4)

    @Test("The buffer is what was drained less the time since the first byte, and never negative")
    func buffer() {
        var head = Playhead(start: 0, at: .start)
        #expect(head.buffer(at: at(5)) == .zero)
        _ = head.credit(four, of: 0, whole: four, at: at(1))
        head.finish(0)
        #expect(head.buffer(at: at(1)) == four)
        #expect(head.buffer(at: at(3)) == .seconds(2))
        #expect(head.buffer(at: at(9)) == .zero)
    }

    @Test("The first part of a segment does not put off the need of its rest, and does put off that of the next one")
    func part() {
        var head = Playhead(start: 0, at: .start)
        _ = head.credit(four, of: 0, whole: four, at: .start)
        head.finish(0)
        _ = head.request(1, at: at(1))
        _ = head.credit(.seconds(3), of: 1, whole: four, at: at(1))
        #expect(head.buffer(before: 1, at: at(1)) == .seconds(3))
        #expect(head.buffer(before: 1, at: at(5)) == .zero)
        #expect(head.buffer(before: 2, at: at(1)) == .seconds(6))
    }

    @Test("Media drained beyond a gap does not count before the gap is filled")
    func parallel() {
        var head = Playhead(start: 0, at: .start)
        for number in 1...5 { _ = head.request(UInt64(number), at: .start) }
        _ = head.credit(.seconds(1), of: 0, whole: four, at: .start)
        for number in 1...5 {
            _ = head.credit(four, of: UInt64(number), whole: four, at: .start)
            head.finish(UInt64(number))
        }
        // One second of the first segment, then a hole.
        #expect(head.buffer(at: at(0.5)) == .seconds(0.5))
        #expect(head.drainedTo == 0)
        _ = head.credit(.seconds(3), of: 0, whole: four, at: at(0.5))
        head.finish(0)
        #expect(head.buffer(at: at(0.5)) == .seconds(23.5))
        #expect(head.drainedTo == 6)
    }

    @Test("A segment that the player gave up does not hold back those behind it")
    func givenUp() {
        var head = Playhead(start: 0, at: .start)
        _ = head.request(1, at: .start)
        _ = head.credit(.seconds(1), of: 0, whole: four, at: .start)
        head.giveUp(0)
        _ = head.credit(four, of: 1, whole: four, at: .start)
        head.finish(1)
        #expect(head.drainedTo == 2)
        #expect(head.buffer(at: .start) == .seconds(5))
    }

    @Test("Going back or far ahead begins anew; skipping a little does not")
    func seeks() {
        var head = Playhead(start: 10, at: .start)
        let answer1 = head.request(11, at: .start)
        #expect(answer1)
        let answer2 = head.request(14, at: .start)
        #expect(answer2)
        let answer3 = head.request(40, at: .start)
        #expect(!answer3)
        #expect(head.start == 40)
        #expect(!head.hasStarted)
        _ = head.credit(four, of: 40, whole: four, at: .start)
        head.finish(40)
        // What was wholly drained is asked again: its player has thrown its buffer away.
        let answer4 = head.request(40, at: at(1))
        #expect(!answer4)
        #expect(head.buffer(at: at(1)) == .zero)
        let answer5 = head.request(0, at: at(2))
        #expect(!answer5)
        let answer6 = head.request(.max - 1, at: at(3))
        #expect(!answer6)
    }

    @Test("A request again for what is still being drained is the same viewing")
    func retry() {
        var head = Playhead(start: 5, at: .start)
        _ = head.credit(.seconds(2), of: 5, whole: four, at: .start)
        head.giveUp(5)
        let answer7 = head.request(5, at: at(0.5))
        #expect(answer7)
        #expect(head.start == 5)
        #expect(head.buffer(at: at(0.5)) == .seconds(1.5))
    }

    @Test("Running dry stops the clock and is reported once")
    func dry() {
        var head = Playhead(start: 0, at: .start)
        let answer8 = head.credit(four, of: 0, whole: four, at: .start)
        #expect(answer8 == .zero)
        head.finish(0)
        _ = head.request(1, at: at(3))
        let answer9 = head.credit(.seconds(2), of: 1, whole: four, at: at(7))
        #expect(answer9 == .seconds(3))
        #expect(head.buffer(at: at(7)) == .seconds(2))
        let answer10 = head.credit(.seconds(2), of: 1, whole: four, at: at(8))
        #expect(answer10 == .zero)
        #expect(head.buffer(at: at(8)) == .seconds(3))
    }

    @Test("Nothing a player asks makes the record grow")
    func bounded() {
        var head = Playhead(start: 0, at: .start)
        var random = RandomSource(seed: 3)
        for step in 0..<20_000 {
            let number = random.next() % 40
            _ = head.request(number, at: at(Double(step)))
            _ = head.credit(.seconds(1), of: number, whole: four, at: at(Double(step)))
            if random.next() % 3 == 0 { head.finish(number) }
            #expect(head.recordCount <= 128)
        }
    }
}

@Suite("What is inferred from players' requests")
struct PlayerTests {
    let url = "http://o.example/film/index.m3u8"
    private let bytes = [UInt8](repeating: 3, count: 40_000)

    private func vod(_ count: Int) -> String { Playlists.live(0...count - 1, target: 4, end: true, type: "VOD") }

    private func serveAll(_ probe: AgentProbe, _ answered: inout Int) {
        let media = probe.fetches(".ts")
        while answered < media.count {
            if !probe.isCancelled(media[answered].id) { probe.answer(media[answered].id, body: bytes) }
            answered += 1
        }
    }

    @Test("Fifteen segments asked at once with bytes=0- cost one GET each, and count as one minute of buffer")
    func mpv() {
        let probe = AgentProbe()
        let path = probe.open(url, vod(15))
        var answered = 0
        var ids: [RequestID] = []
        for number in 0..<15 {
            ids.append(probe.ask(path.replacingIndex(with: "\(number).ts"), range: "bytes=0-"))
            serveAll(probe, &answered)
            probe.drain(ids[number])
            probe.wait(.milliseconds(8))
        }
        #expect(ids.allSatisfy { probe.status($0) == 206 && probe.received($0) == bytes })
        #expect(probe.fetches(".ts").count == 15)
        #expect(probe.statistics.buffer_seconds > 59)
        #expect(probe.statistics.stalls == 0)
    }

    @Test("A player that asks for one segment per duration has about one duration of buffer and no stall")
    func ffplay() {
        let probe = AgentProbe()
        let path = probe.open(url, vod(10))
        var answered = 0
        for number in 0..<10 {
            let id = probe.ask(path.replacingIndex(with: "\(number).ts"))
            probe.wait(.milliseconds(60))
            serveAll(probe, &answered)
            probe.drain(id)
            #expect(probe.statistics.buffer_seconds > 3.5)
            probe.wait(.milliseconds(3_800))
        }
        #expect(probe.statistics.stalls == 0)
    }

    @Test("A pause of the player is no stall; a wait for us is one, at the beginning of a segment or in its middle")
    func stalls() {
        let probe = AgentProbe()
        let path = probe.open(url, vod(10))
        var answered = 0
        let first = probe.ask(path.replacingIndex(with: "0.ts"))
        serveAll(probe, &answered)
        probe.drain(first)
        probe.wait(.seconds(60))
        let second = probe.ask(path.replacingIndex(with: "1.ts"))
        probe.wait(.milliseconds(50))
        serveAll(probe, &answered)
        probe.drain(second)
        #expect(probe.statistics.stalls == 0)
        let third = probe.ask(path.replacingIndex(with: "2.ts"))
        probe.wait(.seconds(6))
        serveAll(probe, &answered)
        probe.drain(third)
        #expect(probe.statistics.stalls == 1)
        let fourth = probe.ask(path.replacingIndex(with: "3.ts"))
        let fetch = probe.fetches("3.ts")[0].id
        probe.head(fetch, 200, [("content-length", "40000")])
        probe.body(fetch, Array(bytes[..<20_000]))
        probe.drain(fourth)
        probe.wait(.milliseconds(3_900))
        probe.wait(.milliseconds(3_900))
        for again in probe.fetches("3.ts") where !probe.isCancelled(again.id) {
            if again.id != fetch {
                probe.head(again.id, 206, [("content-range", "bytes 20000-39999/40000")])
            }
            probe.body(again.id, Array(bytes[20_000...]))
        }
        probe.drain(fourth)
        #expect(probe.received(fourth) == bytes)
        #expect(probe.statistics.stalls == 2)
    }

    @Test("F74: a hundred seeks in five seconds leave one exchange and no memory behind")
    func seeks() {
        let probe = AgentProbe()
        let path = probe.open(url, vod(500))
        _ = probe.linkPeer(7)
        var last: RequestID?
        for step in 0..<100 {
            let id = probe.ask(path.replacingIndex(with: "\((step * 37) % 500).ts"))
            if let last { probe.feed(.requestClosed(last)) }
            last = id
            let fetch = probe.fetches("/\((step * 37) % 500).ts")[0].id
            probe.head(fetch, 200, [("content-length", "400000")])
            probe.body(fetch, bytes)
            probe.wait(.milliseconds(50))
        }
        let open = probe.fetches(".ts").filter { !probe.isCancelled($0.id) }
        #expect(open.count <= 1 + 3)
        #expect(probe.statistics.ledger_bytes <= 2_000_000)
        if let last { probe.feed(.requestClosed(last)) }
        probe.wait(.seconds(40))
        #expect(probe.fetches(".ts").allSatisfy { probe.isCancelled($0.id) })
        #expect(probe.statistics.ledger_bytes == 0)
    }

    @Test("F80: a hundred players that come and go push out the idle ones, not the active one")
    func manyPlayers() {
        let probe = AgentProbe()
        let path = probe.open(url, vod(200))
        _ = probe.linkPeer(7)
        var answered = 0
        for step in 0..<200 {
            probe.wait(.milliseconds(100))
            let id = probe.ask(path.replacingIndex(with: "\(step).ts"), userAgent: "steady")
            serveAll(probe, &answered)
            probe.drain(id)
            _ = probe.ask(path.replacingIndex(with: "0.ts"), userAgent: "visitor \(step)")
        }
        // 200 segments of 4 s in 20 s: the steady player has a long buffer that nobody reset.
        #expect(probe.agent.sessions(at: probe.now)[0].stalls == 0)
        #expect(probe.agent.longestBuffer(at: probe.now) > 700)
    }
}

extension Agent {
    fileprivate func longestBuffer(at now: Instant) -> Double {
        streams.flatMap { $0.players }.compactMap { $0.buffer(at: now, idleAfter: .seconds(60))?.seconds }.max() ?? 0
    }
}

/// As media sequence numbers have it.
extension Playhead {
    fileprivate init(start number: UInt64, at now: Instant) { self.init(start: number..<number + 1, at: now) }

    fileprivate mutating func request(_ number: UInt64, at now: Instant) -> Bool {
        request(number..<number + 1, reach: next + UInt64(Playhead.skip), at: now)
    }

    fileprivate mutating func finish(_ number: UInt64) { finish(number..<number + 1) }
}

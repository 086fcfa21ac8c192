import Testing

@testable import WeirCore

@Suite("What leaves the cache first")
struct EvictionTests {
    private let film = "http://o.example/film/index.m3u8"
    private let other = "http://o.example/other/index.m3u8"
    private func vod(_ count: Int) -> String { Playlists.live(0...count - 1, target: 4, end: true, type: "VOD") }

    private func probe(_ bytes: Int = 1_000_000, seedTime: Duration? = .seconds(600)) -> AgentProbe {
        var settings = AgentSettings()
        settings.cacheBytes = bytes
        settings.seedTime = seedTime
        return AgentProbe(settings)
    }

    private func read(_ probe: AgentProbe, _ path: String, _ number: Int, agent: String = "test") {
        let id = probe.ask(path.replacingIndex(with: "\(number).ts"), userAgent: agent)
        // Another one may be elected, and never reads.
        if probe.fetches("/\(number).ts").isEmpty { probe.wait(.seconds(1)) }
        for fetch in probe.fetches("/\(number).ts").suffix(1) where !probe.isCancelled(fetch.id) {
            probe.answer(fetch.id, body: [UInt8](repeating: 1, count: 100_000))
        }
        probe.drain(id)
    }

    private func path(_ probe: AgentProbe, _ url: String) -> String {
        probe.open(url, vod(60))
        return probe.agent.sessions(at: probe.now).first { $0.url == url }?.path ?? ""
    }

    private func held(_ probe: AgentProbe, _ url: String) -> Set<UInt64> {
        let stream = probe.agent.streams.first { $0.url.description == url }
        return Set(stream?.renditions[0].media.values.filter { $0.isHeld }.map { $0.id.number } ?? [])
    }

    private func have(_ numbers: ClosedRange<UInt64>, handle: UInt32 = 0) -> Message {
        .have(
            Have(
                handle: handle,
                rendition: .main,
                ranges: [
                    Have.Range(kind: .media, first: numbers.lowerBound, count: UInt64(numbers.count), state: .held)
                ]
            )
        )
    }

    private func plays(_ position: UInt64?, handle: UInt32 = 0) -> Message {
        .interest(Interest(handle: handle, rendition: .main, position: position, newest: nil))
    }

    @Test("Two that hold the same drop different parts: each keeps what its hash is the lowest for")
    func keepers() {
        let probe = probe()
        let path = path(probe, film)
        let link = probe.linkPeer(7)
        for number in 0..<9 { read(probe, path, number) }
        probe.say(link, have(0...8))
        for number in 9..<13 { read(probe, path, number) }
        let kept = held(probe, film)
        let mine = (UInt64(0)..<9).filter { number in
            let id = SegmentID(rendition: .main, number: number)
            return Election.score(probe.signer.id, id) < Election.score(TestSigner(7).id, id)
        }
        let dropped = (UInt64(0)..<9).filter { !kept.contains($0) }
        #expect(!mine.isEmpty && mine.count < 9 && !dropped.isEmpty)
        #expect(dropped.allSatisfy { !mine.contains($0) })
    }

    @Test("What others begin to watch stays longer than what nobody asked for, whatever was used last")
    func popularity() {
        let probe = probe()
        let filmPath = path(probe, film)
        let otherPath = path(probe, other)
        for number in 0..<4 { read(probe, filmPath, number) }
        for number in 10..<14 { read(probe, otherPath, number) }
        let link = probe.linkPeer(7)
        let swarm = probe.agent.streams[0].swarm
        let handle = probe.agent.links[0].theirSwarms.first { $0.value == swarm }?.key ?? 9
        for _ in 0..<3 {
            probe.say(link, plays(30, handle: handle))
            probe.say(link, plays(nil, handle: handle))
            probe.wait(.seconds(61))
            // Its player is long past what is held: only the count of viewings speaks for it.
        }
        let third = path(probe, "http://o.example/third/index.m3u8")
        for number in 20..<25 { read(probe, third, number) }
        #expect(held(probe, film).count == 4)
        #expect(held(probe, other).count < 4)
    }

    @Test("What a peer's player is coming up to stays longer than what it has passed")
    func approaching() {
        let probe = probe()
        let path = path(probe, film)
        let link = probe.linkPeer(7)
        for number in 0..<9 { read(probe, path, number) }
        probe.say(link, plays(5))
        for number in 9..<13 { read(probe, path, number) }
        let kept = held(probe, film)
        #expect((5...8).allSatisfy { kept.contains($0) })
        #expect(!(0...4).allSatisfy { kept.contains($0) })
    }

    @Test("When too little is behind players, what lies far ahead goes first; their next ten seconds never")
    func ahead() {
        let probe = probe()
        let path = path(probe, film)
        for number in 20..<29 { read(probe, path, number, agent: "first") }
        read(probe, path, 19, agent: "second")
        for number in 0..<8 { read(probe, path, number, agent: "third") }
        let kept = held(probe, film)
        // 20, 21 and 22 begin within 10 s after 19.
        #expect([20, 21, 22].allSatisfy { kept.contains($0) })
        #expect(!kept.contains(28) && !kept.contains(27))
        #expect(kept.contains(7))
        #expect(probe.statistics.ledger_bytes <= 1_000_000)
    }

    @Test("A viewing counts half after an hour, and older ones ever less")
    func fading() {
        var popularity = Popularity()
        popularity.note(1, at: .start)
        #expect(popularity.viewings(at: .start) == 1)
        #expect(popularity.viewings(at: .start + .seconds(1800)) == 0.75)
        #expect(popularity.viewings(at: .start + .seconds(3600)) == 0.5)
        popularity.note(1, at: .start + .seconds(3600))
        #expect(popularity.viewings(at: .start + .seconds(7200)) == 0.75)
        #expect(popularity.viewings(at: .never) == 0)
    }

    @Test("A peer that begins again and again counts once a minute")
    func flapping() {
        let probe = probe()
        let path = path(probe, film)
        read(probe, path, 0)
        let link = probe.linkPeer(7)
        for _ in 0..<50 {
            probe.say(link, plays(3))
            probe.say(link, plays(nil))
        }
        #expect(probe.agent.streams[0].popularity.viewings(at: probe.now) == 2)
    }

    @Test("A recording whose session was ended goes on serving peers, leads nowhere for players, and is there again")
    func ended() {
        let probe = probe()
        let path = path(probe, film)
        for number in 0..<3 { read(probe, path, number) }
        let link = probe.linkPeer(7)
        let id = StreamID(probe.agent.sessions(at: probe.now)[0].id)
        probe.feed(.close(id))
        #expect(probe.agent.sessions(at: probe.now).isEmpty)
        #expect(probe.status(probe.ask(path.replacingIndex(with: "1.ts"))) == 404)
        let request = RunRequest(
            request: 5,
            handle: 0,
            segment: SegmentID(rendition: .main, number: 1),
            edition: Edition(
                length: nil,
                validator: 0,
                name: Edition.nameHash(of: WebURL("http://o.example/film/1.ts")!)
            ),
            chunks: ChunkRun(first: 0, count: 2)
        )
        probe.say(link, .request(request))
        #expect(probe.told(link).contains { if case .data(5, _) = $0 { true } else { false } })
        let fetched = probe.fetches("/1.ts").count
        probe.feed(.open(OpenID(99), StreamRequest(url: film)))
        let again = probe.ask(path.replacingIndex(with: "1.ts"))
        #expect(probe.received(again).count == 100_000)
        #expect(probe.fetches("/1.ts").count == fetched)
    }

    @Test("It goes for good when its time as a seeder is over", arguments: [600, nil] as [Int?])
    func seedTime(seconds: Int?) {
        let probe = probe(seedTime: seconds.map { .seconds($0) })
        let path = path(probe, film)
        read(probe, path, 0)
        probe.feed(.close(StreamID(probe.agent.sessions(at: probe.now)[0].id)))
        probe.wait(.seconds(590))
        #expect(probe.agent.streams.count == 1)
        probe.wait(.seconds(30))
        #expect(probe.agent.streams.count == (seconds == nil ? 1 : 0))
        #expect(probe.statistics.ledger_bytes == (seconds == nil ? 100_000 : 0))
    }

    @Test("Who holds nothing of a recording any more leaves its swarm")
    func nothingLeft() {
        let probe = probe()
        let filmPath = path(probe, film)
        let link = probe.linkPeer(7)
        read(probe, filmPath, 0)
        let otherPath = path(probe, other)
        for number in 0..<12 { read(probe, otherPath, number) }
        #expect(held(probe, film).isEmpty)
        for nonce in 0..<4 as Range<UInt64> {
            // A link on which nothing is heard would be taken for dead.
            probe.say(link, .ping(nonce))
            probe.wait(.seconds(20))
        }
        #expect(!probe.agent.streams[0].isMember && probe.agent.streams[1].isMember)
        #expect(probe.told(link).contains { if case .leave = $0 { true } else { false } })
    }

    @Test("Of what a recording's player needs later the rarest is fetched first, what it needs soon in order")
    func rarestFirst() {
        let probe = probe(20_000_000)
        let path = path(probe, film)
        let everything = probe.linkPeer(7)
        let half = probe.linkPeer(8, host: "10.9.1.1")
        read(probe, path, 0)
        read(probe, path, 1)
        probe.say(everything, have(0...59))
        probe.say(half, have(2...8))
        probe.wait(.milliseconds(20))
        let asked = (probe.told(everything) + probe.told(half)).compactMap { message -> UInt64? in
            if case .request(let run) = message { run.segment.number } else { nil }
        }
        #expect(!asked.isEmpty)
        let wishes = probe.agent.wishOrder(of: 0)
        // Eight seconds are buffered: segments 2 to 5 are due within 20 s, 9 and later have one holder only.
        #expect(wishes.prefix(4) == [2, 3, 4, 5])
        #expect(wishes.firstIndex(of: 9)! < wishes.firstIndex(of: 6)!)
    }
}

extension Agent {
    /// Numbers in the order in which the plan would go through them.
    mutating func wishOrder(of place: Int) -> [UInt64] { wishes(of: streams[place]).map { $0.segment.id.number } }
}

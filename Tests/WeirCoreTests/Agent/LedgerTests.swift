import Testing

@testable import WeirCore

@Suite("The ledger")
struct LedgerTests {
    let url = "http://o.example/film/index.m3u8"
    private func vod(_ count: Int) -> String { Playlists.live(0...count - 1, target: 4, end: true, type: "VOD") }

    private func settings(_ bytes: Int) -> AgentSettings {
        var settings = AgentSettings()
        settings.cacheBytes = bytes
        return settings
    }

    private func read(_ probe: AgentProbe, _ path: String, _ number: Int, _ size: Int, agent: String = "test") {
        let id = probe.ask(path.replacingIndex(with: "\(number).ts"), userAgent: agent)
        for fetch in probe.fetches("/\(number).ts").suffix(1) where !probe.isCancelled(fetch.id) {
            probe.answer(fetch.id, body: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: size))
        }
        probe.drain(id)
        #expect(probe.received(id).count == size)
    }

    @Test("It never holds more than its capacity, over seeds", arguments: 0..<8)
    func capacity(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var settings = settings(1_000_000)
        // A session's end is the end of what it held.
        settings.seedTime = .zero
        let probe = AgentProbe(settings)
        let path = probe.open(url, vod(100))
        var open: [RequestID] = []
        var answered: Set<UInt64> = []
        for _ in 0..<200 {
            switch random.next() % 5 {
            case 0, 1: open.append(probe.ask(path.replacingIndex(with: "\(random.next() % 100).ts")))
            case 2: if let id = open.popLast() { probe.feed(.requestClosed(id)) }
            case 3: for id in open { probe.drain(id) }
            default: probe.wait(.milliseconds(Int(random.next() % 2000)))
            }
            for fetch in probe.fetches(".ts") where !probe.isCancelled(fetch.id) && !answered.contains(fetch.id.value) {
                let size = Int(random.next() % 400_000)
                probe.head(fetch.id, 200, random.next() % 4 == 0 ? [] : [("content-length", String(size))])
                if !probe.isCancelled(fetch.id) { probe.body(fetch.id, [UInt8](repeating: 1, count: size)) }
                if !probe.isCancelled(fetch.id), size > 0 { probe.end(fetch.id) }
                answered.insert(fetch.id.value)
                #expect(probe.statistics.ledger_bytes <= 1_000_000)
            }
            #expect(probe.statistics.ledger_bytes >= 0)
        }
        let session = probe.agent.sessions(at: probe.now)[0]
        probe.feed(.close(StreamID(session.id)))
        #expect(probe.statistics.ledger_bytes == 0)
    }

    @Test("What is behind the player goes before what is ahead, and what others keep before what they lack")
    func order() {
        let probe = AgentProbe(settings(1_000_000))
        let path = probe.open(url, vod(50))
        let link = probe.linkPeer(7)
        for number in 0..<9 { read(probe, path, number, 100_000) }
        // Of two holders the one with the lower hash keeps a segment.
        let theirs = (UInt64(1)..<9).filter { number in
            let id = SegmentID(rendition: .main, number: number)
            return Election.score(TestSigner(7).id, id) < Election.score(probe.signer.id, id)
        }.prefix(2)
        for number in theirs {
            let range = Have.Range(kind: .media, first: number, count: 1, state: .held)
            probe.say(link, .have(Have(handle: 0, rendition: .main, ranges: [range])))
        }
        read(probe, path, 9, 100_000)
        for number in 10..<12 { read(probe, path, number, 100_000) }
        let held = probe.agent.heldNumbers
        #expect(theirs.count == 2 && theirs.allSatisfy { !held.contains($0) })
        #expect((UInt64(0)..<12).filter { !theirs.contains($0) }.allSatisfy { held.contains($0) })
        #expect(probe.statistics.ledger_bytes <= 1_000_000)
    }

    @Test("Of what is ahead the farthest goes first")
    func farthestFirst() {
        let probe = AgentProbe(settings(1_000_000))
        let path = probe.open(url, vod(50))
        // Another player read 20...28 and went; ours is at 0, then at 19.
        for number in 20..<29 { read(probe, path, number, 100_000, agent: "other") }
        read(probe, path, 19, 90_000)
        read(probe, path, 5, 250_000, agent: "third")
        let held = probe.agent.heldNumbers
        #expect(held.contains(20) && held.contains(21))
        #expect(!held.contains(28))
    }

    @Test("What a player reads and what is being sent stays")
    func inUse() {
        let probe = AgentProbe(settings(1_000_000))
        let path = probe.open(url, vod(50))
        let link = probe.linkPeer(7)
        for number in 0..<9 { read(probe, path, number, 100_000) }
        let reading = probe.ask(path.replacingIndex(with: "0.ts"), userAgent: "slow")
        let request = RunRequest(
            request: 1,
            handle: 0,
            segment: SegmentID(rendition: .main, number: 1),
            edition: Edition(
                length: nil,
                validator: 0,
                name: Edition.nameHash(of: WebURL("http://o.example/film/1.ts")!)
            ),
            chunks: ChunkRun(first: 0, count: 7)
        )
        for _ in 0..<9 {
            var again = request
            again.request = UInt32.random(in: 10...1_000_000)
            probe.say(link, .request(again))
        }
        for number in 9..<20 { read(probe, path, number, 100_000) }
        let held = probe.agent.heldNumbers
        #expect(held.contains(0))
        #expect(held.contains(1))
        probe.drain(reading)
        #expect(probe.received(reading).count == 100_000)
    }

    @Test("At most half of the cache is ahead of players, over all streams together")
    func ahead() {
        let probe = AgentProbe(settings(2_000_000))
        var paths: [String] = []
        for name in ["a", "b", "c"] {
            paths.append(probe.open("http://o.example/\(name)/index.m3u8", vod(50)))
        }
        let link = probe.linkPeer(7)
        var answered: Set<FetchID> = []
        for (handle, path) in paths.enumerated() {
            for number in 0..<2 {
                let id = probe.ask(path.replacingIndex(with: "\(number).ts"))
                for fetch in probe.fetches("/\(["a", "b", "c"][handle])/\(number).ts") {
                    probe.answer(fetch.id, body: [UInt8](repeating: 1, count: 100_000))
                    answered.insert(fetch.id)
                }
                probe.drain(id)
            }
        }
        #expect(probe.statistics.peers == 1 && !probe.told(link).isEmpty)
        // Elected or not, the agent reads ahead as far as it may.
        for _ in 0..<200 {
            probe.wait(.milliseconds(50))
            for fetch in probe.fetches(".ts") where !answered.contains(fetch.id) {
                answered.insert(fetch.id)
                if !probe.isCancelled(fetch.id) { probe.answer(fetch.id, body: [UInt8](repeating: 1, count: 100_000)) }
            }
        }
        let held = probe.agent.heldNumbersByStream
        let ahead = held.reduce(0) { $0 + $1.filter { $0 > 1 }.count }
        #expect(ahead > 3)
        #expect(ahead * 100_000 <= 1_000_000 + 100_000)
    }

    @Test("A segment for which there is no room just now passes through, and is held when asked again later")
    func noRoomNow() {
        let probe = AgentProbe(settings(900_000))
        let path = probe.open(url, vod(20))
        var reading: [RequestID] = []
        for number in 0..<3 {
            reading.append(probe.ask(path.replacingIndex(with: "\(number).ts"), userAgent: "slow \(number)"))
            probe.head(probe.fetches("/\(number).ts")[0].id, 200, [("content-length", "290000")])
        }
        let fourth = probe.ask(path.replacingIndex(with: "3.ts"), userAgent: "d")
        probe.head(probe.fetches("/3.ts")[0].id, 200, [("content-length", "200000")])
        #expect(probe.fetches("/3.ts").count == 2)
        probe.answer(probe.fetches("/3.ts")[1].id, body: [UInt8](repeating: 1, count: 200_000))
        #expect(probe.received(fourth).count == 200_000)
        probe.drain(fourth)
        for id in reading { probe.feed(.requestClosed(id)) }
        probe.wait(.seconds(3))
        read(probe, path, 3, 200_000)
        #expect(probe.agent.heldNumbers.contains(3))
    }
}

extension Agent {
    var heldNumbers: Set<UInt64> { heldNumbersByStream.reduce(into: []) { $0.formUnion($1) } }
    var heldNumbersByStream: [Set<UInt64>] {
        streams.map { stream in
            Set(stream.renditions.flatMap { $0.media.values.filter { $0.isHeld }.map { $0.id.number } })
        }
    }
}

import Testing
import WeirCore

@Suite("Renditions")
struct RenditionTests {
    private let master = """
        #EXTM3U
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",URI="audio/en.m3u8"
        #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="en",URI="subs/en.m3u8"
        #EXT-X-STREAM-INF:BANDWIDTH=1000000,AUDIO="a",SUBTITLES="s"
        low/index.m3u8
        #EXT-X-STREAM-INF:BANDWIDTH=4000000,AUDIO="a",SUBTITLES="s"
        high/index.m3u8
        #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=100000,URI="frames/index.m3u8"

        """
    private let url = "http://o.example/film/master.m3u8"

    private func paths(_ text: String) -> [String] {
        text.split { $0 == "\n" || $0 == "\"" }.filter { $0.hasPrefix("/s/") }.map { String($0) }
    }

    private func list(_ probe: AgentProbe, _ path: String, _ name: String, _ text: String) -> [String] {
        let id = probe.ask(path)
        if let fetch = probe.fetches(name).last, probe.status(id) == nil {
            probe.answer(fetch.id, body: Array(text.utf8), url: fetch.request.url)
        }
        return paths(probe.text(id))
    }

    @Test("Every rendition has its own paths; subtitles and I-frame lists are never told to peers, nor fetched ahead")
    func multivariant() {
        let probe = AgentProbe()
        let path = probe.open(url, master)
        #expect(path.hasSuffix("/master.m3u8"))
        let lists = paths(probe.text(probe.ask(path)))
        #expect(lists.count == 5 && Set(lists).count == 5)
        let link = probe.linkPeer(7)
        let names = ["audio/en.m3u8", "subs/en.m3u8", "low/index.m3u8", "high/index.m3u8", "frames/index.m3u8"]
        var told: [Int] = []
        for (list, name) in zip(lists, names) {
            let isText = name.hasPrefix("subs")
            let media = Playlists.live(0...5, target: 4, end: true, type: "VOD") { isText ? "\($0).vtt" : "\($0).ts" }
            let segments = self.list(probe, list, name, media)
            #expect(segments.count == 6)
            #expect(segments[0].hasSuffix(isText ? "/0.vtt" : "/0.ts"))
            let id = probe.ask(segments[0])
            let directory = name.split(separator: "/")[0]
            guard let fetch = probe.fetches("/\(directory)/0.\(isText ? "vtt" : "ts")").first else {
                Issue.record("\(name) was not fetched")
                continue
            }
            probe.answer(fetch.id, body: Array(name.utf8))
            #expect(probe.received(id) == Array(name.utf8))
            probe.drain(id)
            told.append(
                probe.told(link).count {
                    if case .have(let have) = $0 { have.ranges.contains { $0.state == .held } } else { false }
                }
            )
        }
        #expect(told == [1, 1, 2, 3, 3])
        for _ in 0..<20 { probe.wait(.milliseconds(500)) }
        #expect(probe.fetches(".vtt").count == 1)
        #expect(!probe.fetches(".ts").contains { $0.request.url.contains("/frames/1") })
    }

    @Test("A reloaded multivariant list with new tokens keeps its renditions and takes the new addresses")
    func newTokens() {
        let probe = AgentProbe()
        let path = probe.open(url, master)
        let first = paths(probe.text(probe.ask(path)))
        probe.wait(.seconds(20))
        let id = probe.ask(path)
        let minted = master.replacing(".m3u8", with: ".m3u8?token=2")
        probe.answer(probe.fetches("master.m3u8").last!.id, body: Array(minted.utf8), url: url)
        #expect(paths(probe.text(id)) == first)
        _ = probe.ask(first[2])
        #expect(probe.fetches("low/index.m3u8?token=2").count == 1)
    }

    @Test("A list that turns into one of another kind is an honest error, not silence")
    func changedKind() {
        let probe = AgentProbe()
        let path = probe.open(url, master)
        _ = probe.ask(path)
        probe.wait(.seconds(20))
        let id = probe.ask(path)
        probe.answer(
            probe.fetches("master.m3u8").last!.id,
            body: Array(Playlists.live(0...3).utf8),
            url: url
        )
        #expect(probe.status(id) == 502)
    }

    @Test("Pacing: an adaptive player gets what is held no faster than the network gave it lately")
    func pacing() {
        for (agent, isPaced) in [("Mozilla/5.0", true), ("Lavf/60.16.100", false)] {
            let probe = AgentProbe()
            let path = probe.open(url, master)
            let lists = paths(probe.text(probe.ask(path, userAgent: agent)))
            let media = Playlists.live(0...9, target: 4, end: true, type: "VOD")
            let segments = list(probe, lists[2], "low/index.m3u8", media)
            let bytes = [UInt8](repeating: 1, count: 500_000)
            // Three segments that are not held, at 1 MB/s.
            for number in 0..<3 {
                let id = probe.ask(segments[number], userAgent: agent)
                let fetch = probe.fetches("low/\(number).ts")[0].id
                probe.head(fetch, 200, [("content-length", "500000")])
                for start in stride(from: 0, to: 500_000, by: 50_000) {
                    probe.wait(.milliseconds(50))
                    probe.body(fetch, Array(bytes[start..<start + 50_000]))
                    probe.drain(id)
                }
                probe.end(fetch)
            }
            // The next one is held, read by another player.
            let other = probe.ask(segments[3], userAgent: "other")
            probe.answer(probe.fetches("low/3.ts")[0].id, body: bytes)
            probe.drain(other)
            let id = probe.ask(segments[3], userAgent: agent)
            probe.drain(id)
            if isPaced {
                #expect(probe.received(id).count < 200_000)
                probe.wait(.milliseconds(100))
                probe.drain(id)
                let early = probe.received(id).count
                #expect(early < 350_000)
                for _ in 0..<60 {
                    probe.wait(.milliseconds(20))
                    probe.drain(id)
                }
            }
            #expect(probe.received(id).count == 500_000, "\(agent)")
            #expect(probe.isEnded(id))
            // The first two segments of a session are never paced.
            let fresh = probe.ask(segments[3], userAgent: "\(agent) fresh")
            probe.drain(fresh)
            #expect(probe.received(fresh).count == 500_000)
        }
    }

    @Test(
        "Pacing: what is being fetched already when a player asks for it is no measure of the network",
        arguments: [true, false]
    )
    func pacingOfWhatComes(isInSwarm: Bool) throws {
        let probe = AgentProbe()
        let path = probe.open(url, master)
        if isInSwarm { _ = probe.linkPeer(7) }
        let lists = paths(probe.text(probe.ask(path, userAgent: "Mozilla/5.0")))
        let segments = list(
            probe,
            lists[2],
            "low/index.m3u8",
            Playlists.live(0...9, target: 4, end: true, type: "VOD")
        )
        let bytes = [UInt8](repeating: 1, count: 500_000)
        for number in 0..<3 {
            let id = probe.ask(segments[number], userAgent: "Mozilla/5.0")
            let fetch = try #require(probe.fetches("low/\(number).ts").first).id
            probe.head(fetch, 200, [("content-length", "500000")])
            for start in stride(from: 0, to: 500_000, by: 50_000) {
                probe.wait(.milliseconds(50))
                probe.body(fetch, Array(bytes[start..<start + 50_000]))
                probe.drain(id)
            }
            probe.end(fetch)
        }
        // In a swarm it was begun ahead of the player, and nearly all of it is here.
        #expect(probe.fetches("low/3.ts").count == (isInSwarm ? 1 : 0))
        if isInSwarm {
            let fetch = probe.fetches("low/3.ts")[0].id
            probe.head(fetch, 200, [("content-length", "500000")])
            probe.body(fetch, Array(bytes[..<450_000]))
        }
        let id = probe.ask(segments[3], userAgent: "Mozilla/5.0")
        let fetch = try #require(probe.fetches("low/3.ts").first).id
        if !isInSwarm { probe.head(fetch, 200, [("content-length", "500000")]) }
        probe.body(fetch, isInSwarm ? Array(bytes[450_000...]) : bytes)
        probe.end(fetch)
        probe.drain(id)
        #expect(isInSwarm ? probe.received(id).count < 200_000 : probe.received(id).count == 500_000)
        for _ in 0..<100 {
            probe.wait(.milliseconds(20))
            probe.drain(id)
        }
        #expect(probe.received(id).count == 500_000 && probe.isEnded(id))
    }
}

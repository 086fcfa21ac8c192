import Testing

@testable import WeirCore

@Suite("Channels of a list")
struct ChannelTests {
    static let vod = Playlists.live(0...5, end: true)

    static func list(_ count: Int) throws -> ChannelList {
        let channels = (1...count).map { "#EXTINF:-1 tvg-id=\"c\($0)\",C \($0)\nhttp://o.example/\($0)/index.m3u8\n" }
        return try ChannelList(parsing: Array(("#EXTM3U\n" + channels.joined()).utf8))
    }

    private func probe(_ count: Int = 3, limits: Limits = Limits(), zapBudget: Int = 0) throws -> AgentProbe {
        var settings = AgentSettings()
        settings.zapBudget = zapBudget
        let probe = AgentProbe(settings, limits: limits)
        probe.feed(.channels(try ChannelTests.list(count)))
        return probe
    }

    private func location(_ probe: AgentProbe, _ id: RequestID) -> String? {
        probe.fields(id).first { $0.name == "location" }?.value
    }

    @Test("A channel's address opens its stream and leads to it; the next player is led there at once")
    func opens() throws {
        let probe = try probe()
        let first = probe.ask("/c/c2.m3u8")
        let fetch = try #require(probe.fetches("/2/index.m3u8").first)
        #expect(probe.status(first) == nil)
        probe.answer(fetch.id, body: Array(ChannelTests.vod.utf8), url: fetch.request.url)
        #expect(probe.status(first) == 302)
        let path = try #require(location(probe, first))
        #expect(LocalPath(target: path) != nil)
        let second = probe.ask("/c/c2")
        #expect(probe.status(second) == 302 && location(probe, second) == path)
        #expect(probe.fetches().count == 1)
        let list = probe.ask(path)
        #expect(probe.status(list) == 200 && probe.fetches().count == 1)
        #expect(probe.status(probe.ask("/c/c9.m3u8")) == 404)
    }

    @Test("The list names us as the player does; without a list there is nothing")
    func serves() throws {
        let probe = try probe(2)
        let list = probe.ask("/channels.m3u")
        #expect(probe.text(list).contains("tvg-id=\"c1\",C 1\nhttp://127.0.0.1:8090/c/c1.m3u8\n"))
        #expect(probe.isEnded(list))
        #expect(probe.fields(list).contains(HeaderField("content-type", "audio/x-mpegurl")))
        let head = probe.ask("/channels.m3u", method: .head)
        #expect(probe.received(head).isEmpty && probe.isEnded(head))
        #expect(probe.fields(head).contains(HeaderField("content-length", String(probe.received(list).count))))
        let bare = AgentProbe()
        #expect(bare.status(bare.ask("/channels.m3u")) == 404)
        #expect(bare.status(bare.ask("/c/c1")) == 404)
    }

    @Test("A long list is given as fast as the player takes it")
    func longList() throws {
        let probe = try probe(20_000)
        let list = probe.ask("/channels.m3u")
        #expect(!probe.isEnded(list))
        let length = probe.fields(list).first { $0.name == "content-length" }?.value
        #expect(length == nil)
        #expect(probe.received(list).count <= Agent.relayWindow + 2 * Agent.channelListPart)
        probe.drain(list)
        #expect(probe.isEnded(list))
        #expect(try ChannelList(parsing: probe.received(list)).count == 20_000)
    }

    @Test("The list permits its channels' addresses, and none beside them")
    func permits() throws {
        let probe = try probe()
        let other = probe.ask("/play?url=http://o.example/4/index.m3u8")
        #expect(probe.status(other) == 403)
        _ = probe.ask("/play?url=http://o.example/3/index.m3u8")
        #expect(probe.fetches("/3/index.m3u8").count == 1)
    }

    @Test("Every request to a channel's servers carries what its list demands")
    func fields() throws {
        let probe = AgentProbe()
        let text =
            "#EXTM3U\n#EXTVLCOPT:http-user-agent=Box\nhttp://o.example/1/index.m3u8\nhttp://o.example/2/index.m3u8\n"
        let list = try ChannelList(parsing: Array(text.utf8))
        probe.feed(.channels(list))
        for place in 0..<2 {
            let asked = probe.ask(list.localPath(at: place))
            let fetch = try #require(probe.fetches("/\(place + 1)/index.m3u8").first)
            let media =
                "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=AES-128,URI=\"key\"\n#EXTINF:4,\n0.ts\n#EXT-X-ENDLIST\n"
            probe.answer(fetch.id, body: Array(media.utf8), url: fetch.request.url)
            let path = try #require(location(probe, asked))
            let index = probe.text(probe.ask(path))
            for line in index.split(separator: "\n") where line.contains("/s/") {
                _ = probe.ask(String(line.split(separator: "\"").first { $0.hasPrefix("/s/") } ?? line))
            }
        }
        #expect(probe.fetches().count == 6)
        for fetch in probe.fetches() {
            let agent = fetch.request.fields.first { $0.name == "user-agent" }?.value
            #expect(agent == (fetch.request.url.hasPrefix("http://o.example/1/") ? "Box" : nil), "\(fetch.request.url)")
        }
    }

    @Test("An earlier programme is asked of the channel's own server, and is a stream and a swarm of its own")
    func catchUp() throws {
        let probe = try probe()
        let now = probe.ask("/c/c1.m3u8")
        let then = probe.ask("/c/c1.m3u8?utc=1700000000")
        let fetches = probe.fetches()
        #expect(
            fetches.map { $0.request.url } == [
                "http://o.example/1/index.m3u8", "http://o.example/1/index.m3u8?utc=1700000000",
            ]
        )
        for fetch in fetches { probe.answer(fetch.id, body: Array(ChannelTests.vod.utf8), url: fetch.request.url) }
        #expect(location(probe, now) != location(probe, then) && location(probe, then) != nil)
        #expect(Set(probe.agent.streams.map { $0.swarm }).count == 2)
    }

    @Test("A channel that is no manifest is played past weir as soon as its first bytes tell, were it endless")
    func passedBy() throws {
        let probe = try probe()
        let asked = probe.ask("/c/c1.m3u8")
        let fetch = try #require(probe.fetches().first)
        probe.head(fetch.id, 200, [("content-type", "video/mp2t")])
        var packet = [UInt8](repeating: 0xFF, count: 188)
        packet[0] = 0x47
        for _ in 0..<7 { probe.body(fetch.id, packet) }
        #expect(probe.isCancelled(fetch.id))
        #expect(probe.status(asked) == 302 && location(probe, asked) == "http://o.example/1/index.m3u8")
        #expect(probe.agent.streams.isEmpty)
        // An origin that does not answer is no reason to send players elsewhere.
        let second = probe.ask("/c/c2")
        try probe.answer(#require(probe.fetches("/2/index.m3u8").first).id, 500, body: [])
        #expect(probe.status(second) == 502)
    }

    @Test("A new list keeps what plays, and a channel that left it has no address any more")
    func reload() throws {
        let probe = try probe()
        let path = probe.open("http://o.example/3/index.m3u8", ChannelTests.vod)
        probe.feed(.channels(try ChannelTests.list(2)))
        #expect(probe.status(probe.ask("/c/c3")) == 404)
        #expect(probe.status(probe.ask(path)) == 200)
    }

    @Test("Channels beyond the limit take the place of those that nobody watches, never of one that is watched")
    func room() throws {
        var limits = Limits()
        limits.streams = 3
        let probe = try probe(9, limits: limits)
        let session = probe.open("http://o.example/other.m3u8", ChannelTests.vod)
        func zap(_ number: Int) -> String? {
            let asked = probe.ask("/c/c\(number)", userAgent: "p\(number)")
            guard let fetch = probe.fetches("/\(number)/index.m3u8").last else { return nil }
            probe.answer(fetch.id, body: Array(ChannelTests.vod.utf8), url: fetch.request.url)
            return location(probe, asked)
        }
        let watched = try #require(zap(1))
        let segment = probe.ask(watched.replacing("index.m3u8", with: "0.ts"), userAgent: "p1")
        for number in 2...9 {
            #expect(zap(number) != nil, "channel \(number)")
            #expect(probe.agent.streams.count <= 3)
            probe.wait(.milliseconds(100))
        }
        #expect(probe.status(probe.ask(session)) == 200)
        #expect(probe.status(probe.ask(watched)) == 200)
        #expect(probe.status(segment) == nil)
    }
}

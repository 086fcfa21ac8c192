import Testing

@testable import WeirCore

@Suite("Time shift of an agent")
struct TimeShiftAgentTests {
    private func settings(cache: Int = 4_000_000, dvr: Int = 0, length: Duration = .zero) -> AgentSettings {
        var settings = AgentSettings()
        settings.cacheBytes = cache
        settings.dvrBytes = dvr
        settings.dvrLength = length
        return settings
    }

    @Test("Without a setting what is held is offered, and what is missing of it is a gap")
    func heldIsOffered() {
        let world = AgentWorld()
        let origin = LiveOrigin(world)
        let agent = world.add(settings())
        let path = world.open(agent, LiveOrigin.url)
        origin.go(20) { if origin.newest != 12 { world.play(agent, path, origin.newest - 2) } }
        let list = world.text(agent, AgentWorld.window(path))
        #expect(AgentWorld.numbers(list) == Array(4...25))
        #expect(list.contains("#EXT-X-GAP\n#EXTINF:2.000000,\n" + path.replacingIndex(with: "10.ts")))
        #expect(list.components(of: "#EXT-X-GAP") == 1)
        #expect(list.contains("#EXT-X-MEDIA-SEQUENCE:4\n") && !list.contains("ENDLIST"))
        let old = world.get(agent, path.replacingIndex(with: "5.ts"))
        world.run(.seconds(1))
        #expect(world.body(old, is: origin.body(5)))
    }

    @Test("A list that is told late begins where it was asked for, ends two segments behind and grows with the clock")
    func late() throws {
        let world = AgentWorld()
        let origin = LiveOrigin(world)
        let agent = world.add(settings())
        let path = world.open(agent, LiveOrigin.url)
        origin.go(30) { world.play(agent, path, origin.newest - 2) }
        let top = world.text(agent, AgentWorld.window(path) + "?at=-30")
        let address = try #require(top.split(separator: "\n").last.map { String($0) })
        #expect(top.contains("#EXT-X-STREAM-INF:BANDWIDTH=") && address.contains("/dvr.m3u8?first="))
        let first = AgentWorld.numbers(world.text(agent, address))
        // Half a minute before the edge, give or take what has passed since.
        let begin = try #require(first.first)
        #expect((origin.newest - 16...origin.newest - 13).contains(begin) && first.count >= 3)
        origin.go(10) { world.play(agent, path, origin.newest - 2) }
        let later = world.text(agent, address)
        #expect(AgentWorld.numbers(later).first == begin)
        #expect((first.count + 9...first.count + 13).contains(AgentWorld.numbers(later).count))
        #expect(later.contains("#EXT-X-START:TIME-OFFSET="))
        // All up to the edge for who catches up.
        let all = world.text(agent, AgentWorld.window(path) + "?at=-30&catchup=1").split(separator: "\n").last
        #expect(AgentWorld.numbers(world.text(agent, String(try #require(all)))).last == origin.newest)
    }

    @Test("What is asked beyond the window leads to its beginning, and the answer says so; nonsense is refused")
    func beyond() {
        let world = AgentWorld()
        let origin = LiveOrigin(world)
        let agent = world.add(settings())
        let path = world.open(agent, LiveOrigin.url)
        origin.go(10) { world.play(agent, path, origin.newest - 2) }
        let id = world.get(agent, AgentWorld.window(path) + "?at=-7200")
        let near = world.get(agent, AgentWorld.window(path) + "?at=-10")
        let wrong = world.get(agent, AgentWorld.window(path) + "?at=yesterday")
        world.run(.seconds(3))
        let field = world.answers[id]?.fields.first { $0.name == "weir-time-shift" }?.value
        #expect(field?.hasSuffix("; nearest") == true)
        #expect(world.answers[near]?.fields.first { $0.name == "weir-time-shift" }?.value == "-10.000000")
        #expect(world.answers[wrong]?.status == 400)
    }

    @Test("After the end of the stream the window ends with it, and times count back from there")
    func over() throws {
        let world = AgentWorld()
        let origin = LiveOrigin(world)
        let agent = world.add(settings())
        let path = world.open(agent, LiveOrigin.url)
        origin.go(20) { world.play(agent, path, origin.newest - 2) }
        let late = try #require(world.text(agent, AgentWorld.window(path) + "?at=-20").split(separator: "\n").last)
        origin.end()
        for number in 23...25 { world.play(agent, path, number) }
        world.run(.seconds(1))
        #expect(!world.text(agent, String(late)).contains("ENDLIST"))
        world.run(.seconds(600))
        // A list that is told late comes to the end in its own time.
        #expect(world.text(agent, String(late)).hasSuffix("25.ts\n#EXT-X-ENDLIST\n"))
        let all = world.text(agent, AgentWorld.window(path))
        #expect(AgentWorld.numbers(all) == Array(4...25) && all.hasSuffix("#EXT-X-ENDLIST\n"))
        let address = try #require(world.text(agent, AgentWorld.window(path) + "?at=-10").split(separator: "\n").last)
        let list = world.text(agent, String(address))
        #expect(AgentWorld.numbers(list) == Array(21...25) && list.hasSuffix("#EXT-X-ENDLIST\n"))
    }

    @Test("The origin gone, what is held can be watched on; what it refuses cannot")
    func gone() {
        let world = AgentWorld()
        let origin = LiveOrigin(world)
        let agent = world.add(settings())
        let path = world.open(agent, LiveOrigin.url)
        origin.go(10) { world.play(agent, path, origin.newest - 2) }
        origin.goAway()
        world.run(.seconds(120))
        let list = world.text(agent, AgentWorld.window(path))
        #expect(AgentWorld.numbers(list).first == 4 && list.contains("ENDLIST"))
        let old = world.get(agent, path.replacingIndex(with: "6.ts"))
        world.run(.seconds(1))
        #expect(world.body(old, is: origin.body(6)))
        world.resources[LiveOrigin.url] = .init(bytes: [], status: 403)
        let refused = world.get(agent, AgentWorld.window(path))
        world.run(.seconds(3))
        #expect(world.answers[refused]?.status == 403)
    }

    @Test("While its player pauses the window goes on, for as long as it is long, and no longer")
    func pause() {
        let world = AgentWorld()
        let origin = LiveOrigin(world)
        let agent = world.add(settings(dvr: 8_000_000, length: .seconds(120)))
        let path = world.open(agent, LiveOrigin.url)
        origin.go(5) { world.play(agent, path, origin.newest - 2) }
        origin.go(45)
        let list = world.text(agent, AgentWorld.window(path))
        #expect(!list.contains("GAP") && AgentWorld.numbers(list).first ?? 99 <= 8)
        let asked = world.log.filter { $0.agent == agent && $0.url.hasSuffix(".ts") }
        #expect(asked.count <= origin.newest - 3 && Set(asked.map(\.url)).count == asked.count)
        // Once a target duration, no more.
        let lists = world.log.filter { $0.url == LiveOrigin.url }
        #expect(lists.count <= 5 + 50 + 5)
        origin.go(60)
        let before = world.log.count
        origin.go(30)
        #expect(world.log.count == before)
    }

    @Test("Two hours: neither the cache nor the window ever takes more than it may")
    func budgets() {
        let world = AgentWorld()
        let origin = LiveOrigin(world, bytes: 10_000, seconds: 8)
        let agent = world.add(settings(cache: 500_000, dvr: 3_000_000, length: .seconds(3600)))
        let path = world.open(agent, LiveOrigin.url)
        var most: Int64 = 0
        origin.go(900) {
            world.play(agent, path, origin.newest - 2)
            most = max(most, world.agents[agent].agent.ledgerBytes)
        }
        #expect(most <= 3_500_000 && most > 3_400_000)
        let stream = world.agents[agent].agent.streams[0]
        let held = stream.renditions[0].media.values.filter(\.isHeld).map { Int($0.id.number) }
        // Three megabytes are three hundred segments, and the cache has some more.
        #expect(Set(held).isSuperset(of: origin.newest - 302...origin.newest - 4))
        #expect(stream.renditions[0].window.entries.count <= 451)
        let report = world.agents[agent].agent.sessions(at: world.now)[0]
        #expect(report.window_seconds > 600 && report.window_bytes <= 3_500_000)
    }

    @Test("A look at one picture is no viewing: nothing is fetched ahead or kept for it")
    func glance() {
        let world = AgentWorld()
        let origin = LiveOrigin(world)
        let agent = world.add(settings(dvr: 8_000_000, length: .seconds(120)))
        let path = world.open(agent, LiveOrigin.url)
        let id = RequestID(9000)
        world.answers[id] = .init()
        let target = path.replacingIndex(with: "3.ts")
        world.feed(
            agent,
            .request(PlayerRequest(id: id, method: .get, target: target, userAgent: PlayerRequest.glance))
        )
        world.run(.seconds(1))
        #expect(world.body(id, is: origin.body(3)))
        let before = world.log.count
        origin.go(20)
        #expect(world.log.count == before)
        #expect(world.agents[agent].agent.sessions(at: world.now)[0].players == 0)
    }

    @Test("What one agent keeps another one plays, when the origin has it no more")
    func fromPeers() {
        let world = AgentWorld()
        let origin = LiveOrigin(world)
        let keeper = world.add(settings(dvr: 8_000_000, length: .seconds(600)))
        let small = world.add(settings(cache: 600_000))
        let paths = [world.open(keeper, LiveOrigin.url), world.open(small, LiveOrigin.url)]
        world.link(keeper, small)
        origin.go(60) { for agent in 0...1 { world.play(agent, paths[agent], origin.newest - 2) } }
        let held = world.agents[small].agent.streams[0].renditions[0].media.filter { $0.value.isHeld }.keys
        #expect(!held.contains(10))
        let list = world.text(small, AgentWorld.window(paths[1]))
        #expect(AgentWorld.numbers(list).contains(10) && !list.contains("GAP"))
        let before = world.log.count
        let old = (10...14).map { world.get(small, paths[1].replacingIndex(with: "\($0).ts")) }
        world.run(.seconds(4))
        for (number, id) in zip(10...14, old) { #expect(world.body(id, is: origin.body(number)), "\(number)") }
        #expect(!world.log[before...].contains { $0.url.hasSuffix("/10.ts") && $0.bytes > 0 })
    }
}

@Suite("What a window's list says")
struct WindowListTests {
    private let url = "http://o.example/live/index.m3u8"

    private func path(_ probe: AgentProbe) -> String {
        let head = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-DISCONTINUITY-SEQUENCE:3\n"
        let first = "#EXT-X-MAP:URI=\"a.mp4\"\n#EXT-X-KEY:METHOD=AES-128,URI=\"k1\"\n#EXTINF:4,\n7.m4s\n"
        let second = "#EXT-X-KEY:METHOD=AES-128,URI=\"k2\",IV=0x00000000000000000000000000000009\n#EXTINF:3.5,\n8.m4s\n"
        let third = "#EXT-X-DISCONTINUITY\n#EXT-X-KEY:METHOD=NONE\n#EXT-X-MAP:URI=\"b.mp4\"\n"
        let rest = "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T20:00:00Z\n#EXTINF:4,\n9.m4s\n"
        return probe.open(url, head + first + second + third + rest)
    }

    @Test("Keys, sections, discontinuities and dates are those of the origin; vectors that follow from numbers stay so")
    func tags() throws {
        let probe = AgentProbe()
        let path = path(probe)
        _ = probe.ask(path.replacingIndex(with: "9.m4s"))
        let list = probe.text(probe.ask(path.replacingIndex(with: "dvr.m3u8")))
        let base = path.replacingIndex(with: "")
        #expect(list.contains("#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-DISCONTINUITY-SEQUENCE:3\n"))
        #expect(list.contains("#EXT-X-KEY:METHOD=AES-128,URI=\"\(base)k0.key\"\n#EXT-X-MAP:URI=\"\(base)i"))
        let vector = "IV=0x00000000000000000000000000000009"
        #expect(list.contains("#EXT-X-KEY:METHOD=AES-128,URI=\"\(base)k1.key\",\(vector)\n#EXTINF:3.500000,\n"))
        let last = "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T20:00:00.000Z\n#EXTINF:4.000000,\n\(base)9.m4s\n"
        #expect(
            list.contains("#EXT-X-DISCONTINUITY\n#EXT-X-KEY:METHOD=NONE\n#EXT-X-MAP:URI=\"") && list.hasSuffix(last)
        )
        // The same text is read as the same list.
        let local = try #require(WebURL("http://127.0.0.1\(path.replacingIndex(with: "dvr.m3u8"))"))
        guard case .media(let read) = try HLSPlaylist.parse(Array(list.utf8), url: local, limits: Limits()) else {
            Issue.record("no media playlist")
            return
        }
        #expect(read.segments.map(\.duration.seconds) == [4, 3.5, 4] && read.maps.count == 2)
        let key = probe.ask("\(base)k1.key")
        #expect(probe.fetches("/k2").count == 1 && probe.status(key) == nil)
    }

    @Test("A list begins in the middle with the key and the section that apply there")
    func middle() {
        let probe = AgentProbe()
        let path = path(probe)
        _ = probe.ask(path.replacingIndex(with: "9.m4s"))
        let list = probe.text(probe.ask(path.replacingIndex(with: "dvr.m3u8?first=8&offset=1.25")))
        #expect(
            list.contains("#EXT-X-MEDIA-SEQUENCE:8\n#EXT-X-DISCONTINUITY-SEQUENCE:3\n#EXT-X-START:TIME-OFFSET=1.250000")
        )
        #expect(list.contains("IV=0x") && list.contains("#EXT-X-MAP"))
        let last = probe.text(probe.ask(path.replacingIndex(with: "dvr.m3u8?first=9")))
        #expect(
            last.contains("#EXT-X-DISCONTINUITY-SEQUENCE:3\n#EXT-X-DISCONTINUITY\n") && !last.contains("METHOD=AES")
        )
    }

    @Test("Of several qualities the one that is played has a window, with its sound")
    func qualities() {
        let probe = AgentProbe()
        let top = "http://o.example/top.m3u8"
        let sound = "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"en\",DEFAULT=YES,URI=\"en.m3u8\"\n"
        let variants = ["low", "high"].enumerated().map { place, name in
            "#EXT-X-STREAM-INF:BANDWIDTH=\(place + 1)000000,CODECS=\"avc1.64001f,mp4a.40.2\",AUDIO=\"a\"\n\(name).m3u8\n"
        }
        let master = probe.open(top, "#EXTM3U\n\(sound)\(variants.joined())#EXT-X-START:TIME-OFFSET=-20\n")
        let text = probe.text(probe.ask(master))
        let lists = text.split(separator: "\n")
        let paths = [
            "high": lists.last { !$0.hasPrefix("#") },
            "en": lists.first { $0.contains("TYPE=AUDIO") }?.split(separator: "\"").last,
        ]
        for stem in ["high", "en"] {
            let path = String((paths[stem] ?? nil) ?? "")
            _ = probe.ask(path)
            for fetch in probe.fetches("/\(stem).m3u8").suffix(1) {
                probe.answer(fetch.id, body: Array(Playlists.live(1...6).utf8), url: "http://o.example/\(stem).m3u8")
            }
            _ = probe.ask(path.replacingIndex(with: "4.ts"))
        }
        let window = probe.text(probe.ask(master.replacingIndex(with: "dvr.m3u8")))
        let lines = window.split(separator: "\n")
        #expect(lines.filter { $0.hasSuffix("/dvr.m3u8") }.count == 1 && window.contains("BANDWIDTH=2000000"))
        #expect(
            window.contains("TYPE=AUDIO") && !window.contains("BANDWIDTH=1000000") && !window.contains("EXT-X-START")
        )
    }

    @Test("DASH and streams whose keys only players have are refused with the reason")
    func refused() {
        let probe = AgentProbe()
        let head = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://x\","
        let path = probe.open(url, head + "KEYFORMAT=\"com.apple.streamingkeydelivery\"\n#EXTINF:4,\n0.ts\n")
        let id = probe.ask(path.replacingIndex(with: "dvr.m3u8"))
        #expect(probe.status(id) == 404 && probe.text(id).contains("DRM"))
    }
}

extension String {
    fileprivate func components(of text: String) -> Int { split(separator: "\n").count { $0 == text } }
}

import Testing

@testable import WeirCore

@Suite("Zapping")
struct ZappingTests {
    /// A player at an agent whose origin answers at once, but for what a test holds back.
    private final class Viewer {
        let probe: AgentProbe
        var resources: [String: String] = [:]
        var connection: UInt64 = 0
        var held: Set<String> = []
        private var answered: Set<FetchID> = []

        init(_ count: Int, budget: Int, limits: Limits = Limits()) throws {
            var settings = AgentSettings()
            settings.zapBudget = budget
            probe = AgentProbe(settings, limits: limits)
            probe.feed(.channels(try ChannelTests.list(count)))
            for number in 1...count {
                resources["http://o.example/\(number)/index.m3u8"] = """
                    #EXTM3U
                    #EXT-X-STREAM-INF:BANDWIDTH=1000000
                    video.m3u8
                    """
                resources["http://o.example/\(number)/video.m3u8"] = """
                    #EXTM3U
                    #EXT-X-TARGETDURATION:4
                    #EXT-X-MEDIA-SEQUENCE:10
                    #EXT-X-KEY:METHOD=AES-128,URI="key"
                    #EXT-X-MAP:URI="init.mp4"

                    """ + (10...14).map { "#EXTINF:4,\n\($0).m4s\n" }.joined()
                resources["http://o.example/\(number)/key"] = "0123456789abcdef"
                resources["http://o.example/\(number)/init.mp4"] = String(repeating: "i", count: 800)
                for segment in 10...14 {
                    resources["http://o.example/\(number)/\(segment).m4s"] = String(repeating: "m", count: 20_000)
                }
            }
        }

        func serve() {
            var isDone = false
            while !isDone {
                isDone = true
                for fetch in probe.fetches() where !answered.contains(fetch.id) && !probe.isCancelled(fetch.id) {
                    guard !held.contains(fetch.request.url) else { continue }
                    answered.insert(fetch.id)
                    isDone = false
                    let text = resources[fetch.request.url]
                    probe.answer(
                        fetch.id,
                        text == nil ? 404 : 200,
                        body: Array((text ?? "").utf8),
                        url: fetch.request.url
                    )
                }
            }
        }

        func get(_ target: String) -> [UInt8] {
            connection += 1
            let id = probe.ask(target, userAgent: "mpv", connection: connection)
            serve()
            probe.drain(id)
            if let location = probe.fields(id).first(where: { $0.name == "location" })?.value { return get(location) }
            return probe.received(id)
        }

        /// Opens a channel as a player does, and reads `segments` of it.
        func watch(_ number: Int, segments: Int = 3) {
            let master = String(decoding: get("/c/c\(number).m3u8"), as: UTF8.self)
            let index = master.split(separator: "\n").first { $0.hasPrefix("/s/") } ?? ""
            let list = String(decoding: get(String(index)), as: UTF8.self)
            for line in list.split(separator: "\n") where line.contains("URI=") {
                _ = get(String(line.split(separator: "\"")[1]))
            }
            for line in list.split(separator: "\n").filter({ $0.hasPrefix("/s/") }).suffix(3).prefix(segments) {
                _ = get(String(line))
            }
        }

        func pass(_ seconds: Int) {
            for _ in 0..<(seconds * 10) {
                probe.wait(.milliseconds(100))
                serve()
            }
        }

        func asked(_ number: Int) -> [String] {
            probe.fetches().map { $0.request.url }.filter { $0.hasPrefix("http://o.example/\(number)/") }
                .map { String($0.split(separator: "/").last ?? "") }
        }
    }

    @Test("Once the channel has enough, its neighbours' playlists, initialisation sections and keys are fetched")
    func warms() throws {
        let viewer = try Viewer(5, budget: 100_000)
        viewer.watch(3)
        viewer.pass(2)
        for neighbour in [2, 4] {
            #expect(Set(viewer.asked(neighbour)) == ["index.m3u8", "video.m3u8", "init.mp4", "key"])
        }
        for other in [1, 5] { #expect(viewer.asked(other).isEmpty) }
        #expect(viewer.probe.agent.sessions(at: viewer.probe.now).count == 1)
        // Zapping on waits for media alone.
        let before = viewer.probe.fetches().count
        viewer.watch(4, segments: 1)
        #expect(viewer.probe.fetches().dropFirst(before).map { $0.request.url } == ["http://o.example/4/12.m4s"])
        viewer.watch(4, segments: 3)
        viewer.pass(2)
        #expect(Set(viewer.asked(5)).contains("key"))
        #expect(viewer.probe.agent.streams.count == 3)
    }

    @Test("A warmed channel enters its swarm when its address is asked, not when its media is")
    func entersSwarm() throws {
        let viewer = try Viewer(5, budget: 100_000)
        let link = viewer.probe.linkPeer(7)
        func joins() -> Int { viewer.probe.told(link).count { if case .join = $0 { true } else { false } } }
        viewer.watch(3)
        viewer.pass(2)
        #expect(Set(viewer.asked(4)).contains("init.mp4"), "it was warmed")
        #expect(joins() == 1, "of those that are only warmed nobody hears")
        _ = viewer.get("/c/c4.m3u8")
        #expect(joins() == 2)
        #expect(!viewer.asked(4).contains { $0.hasSuffix(".m4s") })
        viewer.watch(4)
        #expect(joins() == 2)
    }

    @Test("Nothing is fetched ahead while the player lacks media, nor with a budget of nothing")
    func unhealthy() throws {
        let starving = try Viewer(3, budget: 100_000)
        for segment in 10...14 { starving.held.insert("http://o.example/2/\(segment).m4s") }
        starving.watch(2)
        starving.pass(5)
        #expect(starving.asked(1).isEmpty && starving.asked(3).isEmpty)
        let off = try Viewer(3, budget: 0)
        off.watch(2)
        off.pass(5)
        #expect(off.asked(1).isEmpty && off.asked(3).isEmpty)
    }

    @Test("The budget holds, whatever the neighbours send")
    func budget() throws {
        let viewer = try Viewer(3, budget: 2000)
        viewer.resources["http://o.example/3/video.m3u8"] =
            "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"
            + String(repeating: "#\(String(repeating: "x", count: 99))\n", count: 900)
        viewer.resources["http://o.example/1/init.mp4"] = String(repeating: "i", count: 5_000_000)
        viewer.watch(2)
        viewer.pass(60)
        #expect(viewer.probe.agent.zap?.spent ?? 0 <= 2000 + 70_000)
        let after = viewer.probe.fetches().count
        viewer.pass(30)
        #expect(viewer.probe.fetches().count == after)
        // What was too large for the budget still plays.
        viewer.resources["http://o.example/3/video.m3u8"] = viewer.resources["http://o.example/2/video.m3u8"]
        viewer.watch(3, segments: 1)
        #expect(viewer.asked(3).contains("12.m4s"))
    }

    @Test("A neighbour's live list is kept fresh for a minute at a player's own rate, then left alone")
    func attention() throws {
        let viewer = try Viewer(3, budget: 1_000_000)
        viewer.watch(2)
        let stream = viewer.probe.agent.streams[0]
        for number in 15..<42 {
            // The viewer goes on watching.
            viewer.resources["http://o.example/2/\(number).m4s"] = "media"
            viewer.resources["http://o.example/2/video.m3u8"] = Playlists.live(number - 4...number, target: 4) {
                "\($0).m4s"
            }
            _ = viewer.get(LocalPath.index(stream.id, stream.renditions[0].key).text)
            _ = viewer.get(
                LocalPath.segment(stream.id, stream.renditions[0].key, number: UInt64(number), suffix: "m4s").text
            )
            viewer.pass(4)
        }
        let lists = viewer.asked(3).count { $0 == "video.m3u8" }
        #expect(lists > 1 && lists <= 60 / 3)
        #expect(viewer.asked(3).count { $0 == "index.m3u8" } == 1)
        #expect(viewer.asked(3).count { $0 == "key" } <= 2)
    }

    @Test("F81 Ten channels in five seconds: what was left ends, and nothing grows")
    func tenChannels() throws {
        var limits = Limits()
        limits.streams = 6
        let viewer = try Viewer(40, budget: 100_000, limits: limits)
        for number in 1...40 { viewer.held.insert("http://o.example/\(number)/13.m4s") }
        for round in 0..<4 {
            for number in (1...10).map({ $0 + 10 * round }) {
                viewer.watch(number, segments: 1)
                // A request that the player gives up by zapping.
                let stream = try #require(viewer.probe.agent.streams.first { $0.url.path == "/\(number)/index.m3u8" })
                let path = LocalPath.segment(stream.id, stream.renditions[0].key, number: 13, suffix: "m4s").text
                let open = viewer.probe.ask(path, userAgent: "mpv", connection: 1_000_000 + UInt64(number))
                viewer.probe.wait(.milliseconds(400))
                #expect(viewer.probe.fetches("/\(number)/13.m4s").count == 1)
                viewer.probe.feed(.requestClosed(open))
                viewer.probe.wait(.milliseconds(100))
                viewer.serve()
                let fetch = try #require(viewer.probe.fetches("/\(number)/13.m4s").first)
                #expect(viewer.probe.isCancelled(fetch.id), "channel \(number)")
            }
            #expect(viewer.probe.agent.streams.count <= 6)
        }
        let left = viewer.probe.agent.streams.filter { $0.url.path != "/40/index.m3u8" }
        #expect(left.allSatisfy { stream in stream.racing.isEmpty && stream.players.allSatisfy { $0.isAside } })
        #expect(viewer.probe.agent.answers.isEmpty)
        #expect(viewer.probe.agent.fetches.isEmpty)
        #expect(viewer.probe.statistics.ledger_bytes < 6 * 25_000)
    }
}

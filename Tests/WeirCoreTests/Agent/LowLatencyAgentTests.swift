import Testing
import WeirCore

@Suite("Low latency")
struct LowLatencyAgentTests {
    let url = "http://o.example/live/index.m3u8"

    /// Segments up to `newest`, then this many parts of the next one, and a hint.
    private func list(newest: Int, parts: Int, isLast: Bool = false) -> String {
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-PART-INF:PART-TARGET=0.5\n"
            + "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5,CAN-SKIP-UNTIL=12\n"
            + "#EXT-X-MEDIA-SEQUENCE:\(newest - 9)\n#EXT-X-MAP:URI=\"i.mp4\"\n"
            + (newest - 9...newest).map { "#EXTINF:2.0,\n\($0).mp4\n" }.joined()
            + (0..<parts).map { "#EXT-X-PART:DURATION=0.5,URI=\"\(newest + 1).\($0).mp4\"\n" }.joined()
            + (isLast ? "#EXTINF:2.0,\n\(newest + 1).mp4\n" : "")
            + "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"\(isLast ? "\(newest + 2).0" : "\(newest + 1).\(parts)").mp4\"\n"
    }

    private func manifests(_ probe: AgentProbe) -> [AgentProbe.Asked] {
        probe.fetches().filter { $0.request.url.contains(".m3u8") }
    }

    private func serve(_ probe: AgentProbe, newest: Int, parts: Int) {
        probe.answer(manifests(probe).last!.id, body: Array(list(newest: newest, parts: parts).utf8), url: url)
    }

    @Test("Blocking reloads of several players are one hold upstream, answered together")
    func oneHold() {
        let probe = AgentProbe()
        let path = probe.open(url, list(newest: 20, parts: 1))
        let first = probe.ask(path + "?_HLS_msn=21&_HLS_part=1")
        let second = probe.ask(path + "?_HLS_msn=21&_HLS_part=1", userAgent: "other")
        let later = probe.ask(path + "?_HLS_msn=21&_HLS_part=2", userAgent: "third")
        #expect(manifests(probe).count == 2)
        #expect(manifests(probe)[1].request.url == url + "?_HLS_msn=21&_HLS_part=1")
        probe.wait(.milliseconds(1900))
        #expect(probe.status(first) == nil, "held longer than a silent upstream would be waited for")
        serve(probe, newest: 20, parts: 2)
        #expect(probe.status(first) == 200 && probe.status(second) == 200)
        #expect(probe.text(first).contains("21.1.mp4") && probe.status(later) == nil)
        #expect(manifests(probe)[2].request.url == url + "?_HLS_msn=21&_HLS_part=2", "held on for the third")
        let plain = probe.ask(path, userAgent: "fourth")
        #expect(probe.status(plain) == 200, "while a hold is out the copy is the newest")
        serve(probe, newest: 20, parts: 3)
        #expect(probe.status(later) == 200)
        #expect(manifests(probe).count == 3)
    }

    @Test("What the list has is answered at once, what is too far ahead is refused, what never comes gets 503")
    func answers() {
        let probe = AgentProbe()
        let path = probe.open(url, list(newest: 20, parts: 1))
        #expect(probe.status(probe.ask(path + "?_HLS_msn=20")) == 200)
        #expect(probe.status(probe.ask(path + "?_HLS_msn=24")) == 400)
        let waiting = probe.ask(path + "?_HLS_msn=21&_HLS_part=1")
        probe.wait(.seconds(7))
        #expect(probe.status(waiting) == 503)
    }

    @Test("A server that answers holds at once and without news is not asked in a loop")
    func noLoop() {
        let probe = AgentProbe()
        let path = probe.open(url, list(newest: 20, parts: 1))
        _ = probe.ask(path + "?_HLS_msn=21&_HLS_part=1")
        for _ in 0..<40 {
            serve(probe, newest: 20, parts: 1)
            probe.wait(.milliseconds(50))
        }
        #expect(manifests(probe).count <= 12, "two seconds, half a part of half a second")
    }

    @Test("Older segments are skipped for who asks so")
    func skips() {
        let probe = AgentProbe()
        let path = probe.open(url, list(newest: 20, parts: 1))
        let whole = probe.text(probe.ask(path))
        let update = probe.text(probe.ask(path + "?_HLS_skip=YES"))
        #expect(update.contains("#EXT-X-SKIP:SKIPPED-SEGMENTS=4\n"))
        #expect(update.contains("#EXT-X-MEDIA-SEQUENCE:11\n"))
        let tail = whole.split(separator: "\n").suffix(14).joined(separator: "\n")
        #expect(update.hasSuffix(tail + "\n"))
        #expect(!update.contains("EXT-X-MAP"))
    }

    @Test("A hinted part is asked of the origin once for all players, and streamed while it arrives")
    func hint() {
        let probe = AgentProbe()
        let path = probe.open(url, list(newest: 20, parts: 1))
        let part = path.replacingIndex(with: "21.1.mp4")
        let first = probe.ask(part)
        let second = probe.ask(part, userAgent: "other")
        let asked = probe.fetches("/21.1.mp4")
        #expect(asked.count == 1)
        probe.head(asked[0].id, 200, [("content-length", "40000")])
        probe.body(asked[0].id, [UInt8](repeating: 1, count: 20000))
        #expect(probe.received(first).count == 16384 && probe.received(second).count == 16384)
        probe.body(asked[0].id, [UInt8](repeating: 2, count: 20000))
        probe.end(asked[0].id)
        #expect(probe.isEnded(first) && probe.isEnded(second))
        #expect(probe.received(first).count == 40000)
    }

    @Test("F28 A hint that the origin does not honour is no harm: once listed, the part is read")
    func vanishedHint() {
        let probe = AgentProbe()
        let path = probe.open(url, list(newest: 20, parts: 1))
        let hinted = probe.ask(path.replacingIndex(with: "21.1.mp4"))
        for _ in 0..<8 {
            for fetch in probe.fetches("/21.1.mp4") where !probe.isCancelled(fetch.id) {
                probe.answer(fetch.id, 404, body: [])
            }
            probe.wait(.milliseconds(250))
        }
        #expect(probe.status(hinted) == 404)
        let reload = probe.ask(path)
        serve(probe, newest: 20, parts: 2)
        #expect(probe.status(reload) == 200)
        let listed = probe.ask(path.replacingIndex(with: "21.1.mp4"))
        probe.answer(probe.fetches("/21.1.mp4").last!.id, body: [1, 2, 3])
        #expect(probe.received(listed) == [1, 2, 3])
    }

    @Test("Two linked agents read each part once: the elected one, and the other has it from there", arguments: 1...6)
    func elected(seed: Int) {
        let world = AgentWorld()
        let parts = 4
        func publish(_ newest: Int, _ count: Int) {
            let text = list(newest: newest, parts: count, isLast: count == parts)
            world.resources[url] = AgentWorld.Resource(bytes: Array(text.utf8))
            // The hinted one as well: this origin has what it hints at.
            let hinted = count == parts ? "\(newest + 2).0" : "\(newest + 1).\(count)"
            for name in ["\(newest + 1).\(count - 1)", hinted] {
                let bytes = [UInt8](repeating: UInt8(count), count: 50_000)
                world.resources["http://o.example/live/\(name).mp4"] = AgentWorld.Resource(bytes: bytes)
            }
        }
        publish(20, 1)
        let agents = [world.add(seed: UInt64(seed)), world.add(seed: UInt64(seed))]
        let paths = agents.map { world.open($0, url) }
        world.link(agents[0], agents[1])
        world.run(.milliseconds(100))
        var answers: [RequestID] = []
        for place in 0..<12 {
            let (segment, part) = (20 + place / parts, place % parts)
            publish(segment, part + 1)
            for (agent, path) in zip(agents, paths) { _ = world.get(agent, path) }
            world.run(.milliseconds(50))
            for (agent, path) in zip(agents, paths) {
                answers.append(world.get(agent, path.replacingIndex(with: "\(segment + 1).\(part).mp4")))
            }
            world.run(.milliseconds(450))
        }
        world.run(.seconds(2))
        let whole = answers.count { world.answers[$0]?.isEnded ?? false && world.answers[$0]?.body.count == 50_000 }
        #expect(whole == 24)
        let read = world.log.filter { $0.url.hasSuffix(".mp4") && !($0.range?.hasPrefix("bytes=0-") ?? false) }
        let payload = read.reduce(0) { $0 + $1.bytes }
        #expect(payload <= 16 * 50_000, "thirteen parts, the first of them twice, and samples: \(payload / 50_000)")
        #expect(world.statistics(agents[0]).peer_bytes + world.statistics(agents[1]).peer_bytes > 9 * 50_000)
    }
}

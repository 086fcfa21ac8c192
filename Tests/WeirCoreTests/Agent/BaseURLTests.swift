import Testing
import WeirCore

/// Several base URLs of a DASH manifest: further servers, between which weir chooses and the player does not.
@Suite("Base URLs and DASH steering")
struct BaseURLTests {
    typealias Source = Presentations

    static let twoBases =
        "<BaseURL serviceLocation='A'>http://a.example/x/</BaseURL>"
        + "<BaseURL serviceLocation='B'>http://b.example/y/</BaseURL>"

    static func steered(_ attributes: String = "") -> String {
        Source.text(
            Source.counted,
            before: "<ContentSteering defaultServiceLocation='A' \(attributes)>/steer</ContentSteering>" + twoBases
        )
    }

    @Test("The player gets one base URL, weir asks the first, and names do not depend on it")
    func first() {
        let probe = AgentProbe()
        let path = probe.open(Source.url, Source.text(Source.counted, before: BaseURLTests.twoBases))
        let text = probe.text(probe.ask(path))
        #expect(!text.contains("a.example") && !text.contains("b.example"))
        #expect(text.contains("\(Source.key.padded)/</BaseURL>"))
        let segment = probe.ask(Source.local(path, "1.m4s"))
        #expect(probe.fetches("1.m4s").map(\.request.url) == ["http://a.example/x/1.m4s"])
        probe.answer(probe.fetches("1.m4s")[0].id, body: Source.bytes(1, count: 1000))
        #expect(probe.received(segment) == Source.bytes(1, count: 1000))
        _ = probe.ask(Source.local(path, "init.mp4"))
        #expect(probe.fetches("init.mp4").map(\.request.url) == ["http://a.example/x/init.mp4"])
        #expect(probe.agent.sessions(at: probe.now)[0].pathway == "A")
    }

    @Test(
        "A base URL whose server fails is left for the next, within the player's request",
        arguments: [FetchFailure.refused, .connectTimeout, .nameUnknown]
    )
    func failOver(failure: FetchFailure) {
        let probe = AgentProbe()
        let path = probe.open(Source.url, Source.text(Source.counted, before: BaseURLTests.twoBases))
        let start = probe.ask(Source.local(path, "init.mp4"))
        probe.answer(probe.fetches("init.mp4")[0].id, body: [1, 2, 3])
        probe.drain(start)
        let segment = probe.ask(Source.local(path, "1.m4s"))
        probe.end(probe.fetches("/x/1.m4s")[0].id, .failed(failure))
        probe.wait(.milliseconds(10))
        #expect(probe.fetches("/y/1.m4s").count == 1)
        probe.answer(probe.fetches("/y/1.m4s")[0].id, body: Source.bytes(1, count: 1000))
        #expect(probe.received(segment) == Source.bytes(1, count: 1000))
        _ = probe.ask(Source.local(path, "2.m4s"))
        #expect(probe.fetches("2.m4s").map(\.request.url) == ["http://b.example/y/2.m4s"])
        #expect(probe.agent.sessions(at: probe.now)[0].pathway == "B")
        #expect(probe.messages("a server of the stream failed").count == 1)
        #expect(probe.fetches(".mpd").count == 1)
    }

    @Test("A 404 is asked of the other server and then passed on; nothing spins", arguments: [404, 503, 403])
    func refusals(status: Int) {
        let probe = AgentProbe()
        let path = probe.open(Source.url, Source.text(Source.counted, before: BaseURLTests.twoBases))
        let request = probe.ask(Source.local(path, "1.m4s"))
        var answered: Set<FetchID> = []
        for _ in 0..<100 {
            for fetch in probe.fetches(".m4s") where answered.insert(fetch.id).inserted {
                probe.answer(fetch.id, status, body: [])
            }
            for fetch in probe.fetches(".mpd").dropFirst() where answered.insert(fetch.id).inserted {
                let text = Source.text(Source.counted, before: BaseURLTests.twoBases)
                probe.answer(fetch.id, body: Array(text.utf8), url: Source.url)
            }
            probe.wait(.milliseconds(100))
        }
        #expect(probe.status(request) == status || status == 503 && probe.status(request) == 504)
        #expect(probe.fetches("/x/1.m4s").count >= 1)
        #expect(probe.fetches("/y/1.m4s").count >= 1)
        #expect(probe.fetches(".m4s").count <= 10, "\(probe.fetches(".m4s").map(\.request.url))")
    }

    @Test("The one segment that is only computed may be missing everywhere: no server is left for it")
    func looseEnd() {
        let probe = AgentProbe()
        let path = probe.open(Source.url, Source.text(Source.counted, before: BaseURLTests.twoBases))
        let last = probe.ask(Source.local(path, "11.m4s"))
        probe.answer(probe.fetches("/x/11.m4s")[0].id, 404, body: [])
        #expect(probe.status(last) == 404)
        _ = probe.ask(Source.local(path, "1.m4s"))
        #expect(probe.fetches("1.m4s").last?.request.url == "http://a.example/x/1.m4s")
    }

    @Test("An expired token is renewed by a reload of the manifest, and only then refused")
    func renewal() {
        let probe = AgentProbe()
        func manifest(_ token: String) -> String {
            Source.text("<SegmentTemplate duration='2' media='$Number$.m4s?t=\(token)'/>")
        }
        let path = probe.open(Source.url, manifest("1"))
        let segment = probe.ask(Source.local(path, "1.m4s"))
        probe.answer(probe.fetches("1.m4s?t=1")[0].id, 403, body: [])
        #expect(probe.fetches(".mpd").count == 2)
        probe.answer(probe.fetches(".mpd")[1].id, body: Array(manifest("2").utf8), url: Source.url)
        #expect(probe.fetches("1.m4s?t=2").count == 1)
        probe.answer(probe.fetches("1.m4s?t=2")[0].id, body: [1, 2, 3])
        #expect(probe.received(segment) == [1, 2, 3])
        // No newer token: the player hears of it.
        let other = probe.ask(Source.local(path, "2.m4s"))
        probe.answer(probe.fetches("2.m4s?t=2")[0].id, 403, body: [])
        for fetch in probe.fetches(".mpd").dropFirst(2) {
            probe.answer(fetch.id, body: Array(manifest("2").utf8), url: Source.url)
        }
        #expect(probe.status(other) == 403)
    }

    @Test("The steering server moves segments, is told what was measured, and the player sees no steering")
    func steering() {
        let probe = AgentProbe()
        let path = probe.open(Source.url, BaseURLTests.steered())
        #expect(!probe.text(probe.ask(path)).contains("ContentSteering"))
        probe.wait(.milliseconds(1))
        #expect(probe.fetches("http://o.example/steer").count == 1, "nothing was measured yet")
        _ = probe.ask(Source.local(path, "1.m4s"))
        let first = probe.fetches("/x/1.m4s")[0]
        probe.head(first.id, 200, [("content-length", "200000")])
        probe.wait(.milliseconds(100))
        probe.body(first.id, Source.bytes(1))
        probe.end(first.id)
        #expect(probe.agent.sessions(at: probe.now)[0].pathway == "A")
        probe.steer(SteeringManifest(lifetime: .seconds(20), priority: ["B", "A"]))
        #expect(probe.agent.sessions(at: probe.now)[0].pathway == "B")
        #expect(probe.messages("another pathway").count == 1)
        _ = probe.ask(Source.local(path, "2.m4s"))
        #expect(probe.fetches("2.m4s").map(\.request.url) == ["http://b.example/y/2.m4s"])
        let second = probe.fetches("/y/2.m4s")[0]
        probe.head(second.id, 200, [("content-length", "200000")])
        probe.wait(.milliseconds(200))
        probe.body(second.id, Source.bytes(2))
        probe.end(second.id)
        probe.wait(.seconds(20))
        let asked = probe.fetches().last { $0.request.url.contains("/steer") }?.request.url ?? ""
        #expect(asked.hasPrefix("http://o.example/steer?_DASH_pathway=B%2CA&_DASH_throughput="), "\(asked)")
        // 200 kB in 0.2 and in 0.1 s.
        #expect(asked.hasSuffix("=8000000%2C16000000"), "\(asked)")
    }

    @Test("A pathway made by cloning is asked at its own host, with its parameters")
    func clones() {
        let probe = AgentProbe()
        let path = probe.open(Source.url, BaseURLTests.steered())
        probe.wait(.milliseconds(1))
        let clone = PathwayClone(base: "A", id: "C", host: "c.example:8080", parameters: ["z": "1"])
        probe.steer(SteeringManifest(priority: ["C"], clones: [clone]))
        _ = probe.ask(Source.local(path, "1.m4s"))
        #expect(probe.fetches().last?.request.url == "http://c.example:8080/x/1.m4s?z=1")
        _ = probe.ask(Source.local(path, "init.mp4"))
        #expect(probe.fetches().last?.request.url == "http://c.example:8080/x/init.mp4?z=1")
    }

    @Test("queryBeforeStart waits for the server's word, and no longer than two seconds", arguments: [true, false])
    func queryBeforeStart(answers: Bool) {
        let probe = AgentProbe()
        let proxied = "queryBeforeStart='true' proxyServerURL='http://proxy.example/p'"
        #expect(probe.open(Source.url, BaseURLTests.steered(proxied)) == "")
        probe.wait(.milliseconds(1))
        let asked = probe.fetches().last?.request.url ?? ""
        #expect(asked == "http://proxy.example/p?url=http%3A%2F%2Fo.example%2Fsteer", "\(asked)")
        if answers {
            probe.answer(probe.fetches().last!.id, body: Array("{}".utf8), url: asked)
            for case .readSteering(let id, _) in probe.outputs.suffix(3) {
                probe.feed(.steering(id, SteeringManifest(lifetime: .seconds(10), reloadURI: "n", priority: ["B"])))
            }
        } else {
            probe.wait(.milliseconds(1900))
            #expect(!probe.isOpened)
            probe.wait(.milliseconds(200))
        }
        #expect(probe.isOpened)
        let path = "/s/\(StreamID.derive(url: WebURL(Source.url)!).text)/manifest.mpd"
        _ = probe.ask(Source.local(path, "1.m4s"))
        #expect(
            probe.fetches("1.m4s").map(\.request.url) == [
                answers ? "http://b.example/y/1.m4s" : "http://a.example/x/1.m4s"
            ]
        )
        guard answers else { return }
        probe.wait(.seconds(11))
        #expect(probe.fetches().last?.request.url.contains("url=http%3A%2F%2Fo.example%2Fn") ?? false)
    }

    @Test("Agents on different base URLs share one swarm and each other's segments")
    func sharing() {
        let world = AgentWorld()
        for (query, bases) in [("a", BaseURLTests.twoBases), ("b", BaseURLTests.reversed)] {
            let text = Source.text(Source.counted, before: bases)
            world.resources[Source.url + "?" + query] = .init(bytes: Array(text.utf8))
        }
        for host in ["http://a.example/x/", "http://b.example/y/"] {
            for number in 1...4 { world.resources["\(host)\(number).m4s"] = .init(bytes: Source.bytes(number)) }
        }
        for (agent, query) in ["a", "b"].enumerated() {
            world.add()
            let path = world.open(agent, Source.url + "?" + query)
            if agent == 1 { world.link(0, 1) }
            _ = world.get(agent, path)
            world.run(.milliseconds(200))
            for number in 1...4 {
                let request = world.get(agent, Source.local(path, "\(number).m4s"))
                world.run(.seconds(2))
                #expect(world.body(request, is: Source.bytes(number)))
            }
        }
        // Its first segment, what time was short for, and audits.
        let read = world.log.filter { $0.agent == 1 && $0.url.hasSuffix("m4s") }
        #expect(read.first?.url == "http://b.example/y/1.m4s")
        #expect(read.reduce(0) { $0 + $1.bytes } < 400_000)
        // What neither server has is not asked of them in turns for ever.
        #expect(read.count < 120)
        #expect(world.agents[1].agent.statistics(at: world.now).banned_peers == 0)
    }

    static let reversed =
        "<BaseURL serviceLocation='B'>http://b.example/y/</BaseURL>"
        + "<BaseURL serviceLocation='A'>http://a.example/x/</BaseURL>"

    @Test("DVB's priorities order servers, and its weights spread viewers")
    func weights() {
        var firsts: [String: Int] = [:]
        for index in 1...60 as ClosedRange<UInt8> {
            let bases =
                "<BaseURL dvb:priority='2'>http://late.example/</BaseURL>"
                + "<BaseURL dvb:priority='1' dvb:weight='3'>http://much.example/</BaseURL>"
                + "<BaseURL dvb:priority='1' dvb:weight='1'>http://few.example/</BaseURL>"
            let text = Source.text(
                Source.counted,
                attributes: "xmlns:dvb='urn:dvb:dash:dash-extensions:2014-1' mediaPresentationDuration='PT20S'",
                before: bases
            )
            let probe = AgentProbe(index: index)
            let path = probe.open(Source.url, text)
            _ = probe.ask(Source.local(path, "1.m4s"))
            firsts[WebURL(probe.fetches("1.m4s")[0].request.url)?.host ?? "", default: 0] += 1
        }
        #expect(firsts["late.example"] == nil)
        #expect((30...57).contains(firsts["much.example"] ?? 0), "\(firsts)")
    }

    @Test("An index is read from the next base URL when the first one fails")
    func index() {
        let probe = AgentProbe()
        let inner = "<SegmentBase indexRange='0-55'/>"
        let bases = "<BaseURL>http://a.example/v.mp4</BaseURL><BaseURL>http://b.example/v.mp4</BaseURL>"
        probe.open(Source.url, Source.text(inner, before: bases))
        probe.answer(probe.fetches("http://a.example/v.mp4")[0].id, 500, body: [])
        let fetch = probe.fetches("http://b.example/v.mp4")[0]
        probe.head(fetch.id, 206, [("content-range", "bytes 0-55/9056")])
        probe.body(
            fetch.id,
            IndexBox.bytes(timescale: 1000, time: 0, [.init(size: 5000, ticks: 2000), .init(size: 4000, ticks: 2000)])
        )
        #expect(probe.isOpened)
    }
}

extension AgentProbe {
    fileprivate var isOpened: Bool {
        outputs.contains { if case .opened(_, .ready) = $0 { true } else { false } }
    }
}

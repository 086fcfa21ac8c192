import Testing
import WeirCore

/// Several servers for one rendition: content steering, pathways, and plain second addresses.
@Suite("Steering and pathways")
struct SteeringTests {
    private let master = "http://o.example/master.m3u8"
    private let list = Playlists.live(1...4, target: 2, end: true)

    private static func steered(server: Bool = true) -> String {
        "#EXTM3U\n" + (server ? "#EXT-X-CONTENT-STEERING:SERVER-URI=\"/steer\",PATHWAY-ID=\"A\"\n" : "")
            + "#EXT-X-STREAM-INF:BANDWIDTH=1,PATHWAY-ID=\"A\"\nhttp://a.example/x/v.m3u8\n"
            + "#EXT-X-STREAM-INF:BANDWIDTH=1,PATHWAY-ID=\"B\"\nhttp://b.example/y/v.m3u8\n"
    }

    /// Opens the stream; the paths of its rendition's list and of a segment.
    private func open(_ probe: AgentProbe, _ text: String) -> (index: String, segment: (Int) -> String) {
        let path = probe.open(master, text)
        let lines = probe.text(probe.ask(path)).split(separator: "\n").filter { $0.hasPrefix("/s/") }
        let index = lines.first.map { String($0) } ?? ""
        #expect(Set(lines).count == 1, "one rendition has one local address")
        return (index, { index.replacingIndex(with: "\($0).ts") })
    }

    private func answerList(_ probe: AgentProbe, _ host: String) {
        guard let fetch = probe.fetches("v.m3u8").last, fetch.request.url.contains(host) else {
            Issue.record("no list asked of \(host)")
            return
        }
        probe.answer(fetch.id, body: Array(list.utf8), url: fetch.request.url)
    }

    @Test("The steering server is asked with the pathway, and again after its TTL while somebody plays")
    func asking() {
        let probe = AgentProbe()
        let (index, segment) = open(probe, SteeringTests.steered())
        probe.wait(.milliseconds(1))
        #expect(probe.fetches("/steer?_HLS_pathway=A").count == 1)
        probe.steer(SteeringManifest(lifetime: .seconds(20), reloadURI: "/steer2?s=1", priority: ["A", "B"]))
        _ = probe.ask(index)
        answerList(probe, "a.example")
        func steered() -> [AgentProbe.Asked] {
            probe.fetches().filter { $0.request.url.contains("/steer2?s=1&_HLS_pathway=A&_HLS_throughput=") }
        }
        _ = probe.ask(segment(1))
        probe.answer(probe.fetches("/x/1.ts")[0].id, body: [1])
        probe.wait(.seconds(19))
        #expect(steered().isEmpty)
        probe.wait(.seconds(2))
        #expect(steered().count == 1)
        probe.steer(SteeringManifest(lifetime: .zero, priority: ["A"]))
        _ = probe.ask(segment(2))
        probe.answer(probe.fetches("/x/2.ts")[0].id, body: [1])
        probe.wait(.milliseconds(9900))
        #expect(probe.fetches().count { $0.request.url.contains("/steer") } == 2, "a TTL of nothing is no loop")
        // Nobody plays: nobody is asked, until somebody plays again.
        probe.wait(.seconds(300))
        let asked = probe.fetches().count { $0.request.url.contains("/steer") }
        #expect(asked <= 3)
        if asked == 3 { probe.steer(nil) }
        probe.wait(.seconds(600))
        #expect(probe.fetches().count { $0.request.url.contains("/steer") } == asked)
        _ = probe.ask(segment(3))
        probe.wait(.milliseconds(1))
        #expect(probe.fetches().count { $0.request.url.contains("/steer") } == asked + 1)
    }

    @Test("410 ends the steering; other failures and garbage wait for the usual time, Retry-After counts")
    func failures() {
        let probe = AgentProbe()
        let (_, segment) = open(probe, SteeringTests.steered())
        func asked() -> [AgentProbe.Asked] { probe.fetches().filter { $0.request.url.contains("/steer") } }
        func keepPlaying(_ seconds: Int) {
            for _ in 0..<seconds / 10 {
                _ = probe.ask(segment(1))
                probe.wait(.seconds(10))
            }
        }
        _ = probe.ask(open(probe, SteeringTests.steered()).index)
        answerList(probe, "a.example")
        probe.wait(.milliseconds(1))
        probe.head(asked()[0].id, 429, [("retry-after", "40")])
        probe.end(asked()[0].id)
        keepPlaying(30)
        #expect(asked().count == 1)
        keepPlaying(20)
        #expect(asked().count == 2)
        probe.steer(nil)
        keepPlaying(290)
        #expect(asked().count == 2)
        keepPlaying(20)
        #expect(asked().count == 3)
        probe.answer(asked()[2].id, 410, body: [])
        keepPlaying(700)
        #expect(asked().count == 3)
    }

    @Test("The server's priority moves lists and segments; the player notices nothing")
    func priority() {
        let probe = AgentProbe()
        let (index, segment) = open(probe, SteeringTests.steered())
        _ = probe.ask(index)
        answerList(probe, "a.example")
        _ = probe.ask(segment(1))
        #expect(probe.fetches("/x/1.ts").count == 1)
        #expect(probe.agent.sessions(at: probe.now)[0].pathway == "A")
        probe.wait(.milliseconds(1))
        probe.steer(SteeringManifest(priority: ["B", "A"]))
        answerList(probe, "b.example")
        _ = probe.ask(segment(2))
        #expect(probe.fetches("/y/2.ts").count == 1 && probe.fetches("/x/2.ts").isEmpty)
        #expect(probe.agent.sessions(at: probe.now)[0].pathway == "B")
        // What was being read goes on where it began.
        probe.answer(probe.fetches("/x/1.ts")[0].id, body: [1, 2, 3])
        #expect(probe.messages("another pathway").count == 1)
    }

    @Test("A pathway made by cloning is asked at its own host, with its parameters or its own addresses")
    func clones() {
        let probe = AgentProbe()
        let text = SteeringTests.steered().replacing(
            "PATHWAY-ID=\"B\"",
            with: "PATHWAY-ID=\"B\",STABLE-VARIANT-ID=\"v\""
        )
        .replacing("BANDWIDTH=1,PATHWAY-ID=\"A\"", with: "BANDWIDTH=1,PATHWAY-ID=\"A\",STABLE-VARIANT-ID=\"v\"")
        let (index, segment) = open(probe, text)
        _ = probe.ask(index)
        answerList(probe, "a.example")
        _ = probe.ask(segment(1))
        probe.wait(.milliseconds(1))
        let clone = PathwayClone(base: "A", id: "C", host: "c.example:8080", parameters: ["z": "1 2", "a": "x"])
        let second = PathwayClone(base: "C", id: "D", variantURIs: ["v": "http://d.example/own/v.m3u8"])
        probe.steer(SteeringManifest(lifetime: .seconds(10), priority: ["C"], clones: [clone, second]))
        let fetch = probe.fetches().last
        #expect(fetch?.request.url == "http://c.example:8080/x/v.m3u8?a=x&z=1%202")
        if let fetch { probe.answer(fetch.id, body: Array(list.utf8), url: fetch.request.url) }
        _ = probe.ask(segment(2))
        #expect(probe.fetches("/2.ts").map(\.request.url) == ["http://c.example:8080/x/2.ts"])
        probe.wait(.seconds(11))
        probe.steer(SteeringManifest(priority: ["D"], clones: [clone, second]))
        #expect(probe.fetches("/own/v.m3u8").count == 1)
    }

    @Test(
        "A pathway that fails is left for another, and the player that waits gets its segment",
        arguments: [FetchFailure.refused, .connectTimeout, .nameUnknown]
    )
    func failOver(failure: FetchFailure) {
        let probe = AgentProbe()
        let (index, segment) = open(probe, SteeringTests.steered(server: false))
        _ = probe.ask(index)
        answerList(probe, "a.example")
        let request = probe.ask(segment(1))
        probe.end(probe.fetches("/x/1.ts")[0].id, .failed(failure))
        answerList(probe, "b.example")
        #expect(probe.fetches("/y/1.ts").count == 1)
        probe.answer(probe.fetches("/y/1.ts")[0].id, body: [1, 2, 3])
        #expect(probe.status(request) == 200 && probe.received(request) == [1, 2, 3])
        #expect(probe.messages("a server of the stream failed").count == 1)
    }

    @Test("404 and repeated 5xx move on as well; when every server refuses, the player hears it, and nothing spins")
    func refusals() {
        for status in [404, 503] {
            let probe = AgentProbe()
            let (index, segment) = open(probe, SteeringTests.steered(server: false))
            _ = probe.ask(index)
            answerList(probe, "a.example")
            let request = probe.ask(segment(1))
            var answered: Set<FetchID> = []
            for _ in 0..<100 {
                for fetch in probe.fetches() where !answered.contains(fetch.id) && !probe.isCancelled(fetch.id) {
                    guard fetch.id != probe.fetches()[0].id, answered.insert(fetch.id).inserted else { continue }
                    if fetch.request.url.hasSuffix("/y/v.m3u8") {
                        probe.answer(fetch.id, body: Array(list.utf8), url: fetch.request.url)
                    } else if fetch.request.url.hasSuffix(".ts") {
                        probe.answer(fetch.id, status, body: [])
                    }
                }
                probe.wait(.milliseconds(100))
            }
            #expect(probe.status(request) == (status == 503 ? 504 : 404) || probe.status(request) == status)
            #expect(probe.fetches("/y/1.ts").count >= 1)
            #expect(probe.fetches().count <= 14, "\(status): \(probe.fetches().map(\.request.url))")
        }
    }

    @Test("A list that fails is asked of the other server within the same request; both failing is told once")
    func lists() {
        let probe = AgentProbe()
        let (index, _) = open(probe, SteeringTests.steered(server: false))
        let request = probe.ask(index)
        probe.answer(probe.fetches("/x/v.m3u8")[0].id, 502, body: [])
        #expect(probe.status(request) == nil)
        answerList(probe, "b.example")
        #expect(probe.status(request) == 200)

        let other = AgentProbe()
        let (second, _) = open(other, SteeringTests.steered(server: false))
        let both = other.ask(second)
        other.end(other.fetches("/x/v.m3u8")[0].id, .failed(.refused))
        other.end(other.fetches("/y/v.m3u8")[0].id, .failed(.refused))
        #expect(other.status(both) == 502)
        other.wait(.seconds(30))
        #expect(other.fetches("v.m3u8").count == 2)
        // Each further request tries one of them.
        _ = other.ask(second)
        #expect(other.fetches("v.m3u8").count == 3)
    }

    @Test("Redundant variants without pathways are second servers, too")
    func redundant() {
        let probe = AgentProbe()
        let text =
            "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://a.example/v.m3u8\n"
            + "#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://b.example/v.m3u8\n"
        let (index, _) = open(probe, text)
        _ = probe.ask(index)
        #expect(probe.fetches("v.m3u8").map(\.request.url) == ["http://a.example/v.m3u8"])
        probe.end(probe.fetches("v.m3u8")[0].id, .failed(.refused))
        #expect(probe.fetches("v.m3u8").map(\.request.url).last == "http://b.example/v.m3u8")
    }

    @Test("Agents on different pathways share one swarm and each other's segments")
    func sharing() {
        let world = AgentWorld()
        let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for (host, first) in [("a.example/x", "A"), ("b.example/y", "B")] {
            let text = SteeringTests.steered(server: false)
                .replacing("#EXTM3U\n", with: "#EXTM3U\n#EXT-X-CONTENT-STEERING:PATHWAY-ID=\"\(first)\"\n")
            world.resources["http://o.example/master.m3u8?\(first)"] = .init(bytes: Array(text.utf8))
            world.resources["http://\(host)/v.m3u8"] = .init(bytes: Array(list.utf8))
            for number in 1...4 { world.resources["http://\(host)/\(number).ts"] = .init(bytes: bytes) }
        }
        for (agent, first) in ["A", "B"].enumerated() {
            world.add()
            let path = world.open(agent, "http://o.example/master.m3u8?\(first)")
            let asked = world.get(agent, path)
            world.run(.milliseconds(50))
            let text = String(decoding: world.answers[asked]?.body ?? [], as: UTF8.self)
            let index = text.split(separator: "\n").last { $0.hasPrefix("/s/") }.map { String($0) } ?? ""
            if agent == 1 { world.link(0, 1) }
            _ = world.get(agent, index)
            world.run(.milliseconds(200))
            for number in 1...4 {
                let request = world.get(agent, index.replacingIndex(with: "\(number).ts"))
                world.run(.seconds(2))
                #expect(world.body(request, is: bytes))
            }
        }
        #expect(
            world.log.count { $0.url.hasPrefix("http://b.example/y/") && $0.url.hasSuffix("ts") && $0.bytes > 16_384 }
                <= 1
        )
        #expect(world.agents[1].agent.statistics(at: world.now).banned_peers == 0)
    }
}

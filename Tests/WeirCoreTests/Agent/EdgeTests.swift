import Testing
import WeirCore

@Suite("Edges")
struct EdgeTests {
    let url = "http://o.example/film/index.m3u8"
    private let vod = Playlists.live(0...9, target: 4, end: true, type: "VOD")
    private let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 3) }

    private func start() -> (AgentProbe, String) {
        var settings = AgentSettings()
        settings.edges = ["http://edge.lan:8080/cache/"]
        let probe = AgentProbe(settings)
        return (probe, probe.open(url, vod))
    }

    private func edge(_ probe: AgentProbe, _ name: String) -> [AgentProbe.Asked] {
        probe.fetches(name).filter { $0.request.url.hasPrefix("http://edge.lan:8080/cache/film/") }
    }

    private func origin(_ probe: AgentProbe, _ name: String) -> [AgentProbe.Asked] {
        probe.fetches(name).filter { $0.request.url.hasPrefix("http://o.example/film/") }
    }

    @Test("An edge is asked before the origin, and its bytes are counted apart")
    func first() {
        let (probe, path) = start()
        let id = probe.ask(path.replacingIndex(with: "0.ts"))
        #expect(origin(probe, "0.ts").isEmpty)
        probe.answer(edge(probe, "0.ts")[0].id, body: bytes)
        #expect(probe.received(id) == bytes)
        #expect(probe.statistics.edge_bytes == 100_000)
        #expect(probe.statistics.origin_bytes == 0)
        #expect(probe.fetches(".m3u8").allSatisfy { $0.request.url == url })
    }

    @Test(
        "An edge that refuses is passed over at once, whatever its status",
        arguments: [404, 500, 503, 403, 302, 416]
    )
    func refuses(status: Int) {
        let (probe, path) = start()
        let id = probe.ask(path.replacingIndex(with: "0.ts"))
        probe.answer(edge(probe, "0.ts")[0].id, status, body: [])
        #expect(origin(probe, "0.ts").count == 1)
        probe.answer(origin(probe, "0.ts")[0].id, body: bytes)
        #expect(probe.received(id) == bytes)
        _ = probe.ask(path.replacingIndex(with: "1.ts"))
        #expect(origin(probe, "1.ts").count == 1)
    }

    @Test("F01 F05: an edge that cannot be reached or breaks off is replaced by the origin, which sends only the rest")
    func breaks() {
        let (probe, path) = start()
        let id = probe.ask(path.replacingIndex(with: "0.ts"))
        let fetch = edge(probe, "0.ts")[0].id
        probe.head(fetch, 200, [("content-length", "100000")])
        probe.body(fetch, Array(bytes[..<30_000]))
        probe.end(fetch, .failed(.truncated))
        #expect(origin(probe, "0.ts").map { $0.range } == ["bytes=30000-"])
        let rest = origin(probe, "0.ts")[0].id
        probe.head(rest, 206, [("content-range", "bytes 30000-99999/100000")])
        probe.body(rest, Array(bytes[30_000...]))
        probe.end(rest)
        #expect(probe.received(id) == bytes)
        let (dead, other) = start()
        _ = dead.ask(other.replacingIndex(with: "0.ts"))
        dead.end(edge(dead, "0.ts")[0].id, .failed(.refused))
        #expect(origin(dead, "0.ts").count == 1)
    }

    @Test("F03: an edge that says nothing loses the segment long before a player gives up, and is then left alone")
    func silent() {
        let (probe, path) = start()
        _ = probe.ask(path.replacingIndex(with: "0.ts"))
        probe.wait(.milliseconds(2_300))
        #expect(probe.isCancelled(edge(probe, "0.ts")[0].id))
        #expect(origin(probe, "0.ts").count == 1)
        #expect(edge(probe, "0.ts").count == 1)
    }

    @Test("Retry-After of a host is kept to, up to a minute")
    func retryAfter() {
        let probe = AgentProbe()
        let path = probe.open(url, vod)
        _ = probe.ask(path.replacingIndex(with: "0.ts"))
        probe.head(probe.fetches("0.ts")[0].id, 503, [("retry-after", "3")])
        probe.wait(.milliseconds(2_900))
        #expect(probe.fetches("0.ts").count == 1)
        probe.wait(.milliseconds(500))
        #expect(probe.fetches("0.ts").count == 2)
    }
}

import Testing
import WeirCore

/// Several servers in one race: by the deadline rule, and never when the one in use keeps up.
@Suite("Racing servers of one rendition")
struct PathwayRaceTests {
    typealias Source = Presentations
    private let bytes = Presentations.bytes(1, count: 400_000)

    private func start() -> (AgentProbe, segment: RequestID, first: FetchID) {
        let probe = AgentProbe()
        let path = probe.open(Source.url, Source.text(Source.counted, before: BaseURLTests.twoBases))
        let segment = probe.ask(Source.local(path, "1.m4s"))
        let first = probe.fetches("/x/1.m4s")[0]
        probe.head(first.id, 200, [("content-length", "400000"), ("etag", "\"v1\"")])
        return (probe, segment, first.id)
    }

    /// One server sends this many bytes every 100 ms, from where it is to where it is cut; what was sent.
    @discardableResult
    private func drip(_ probe: AgentProbe, _ id: FetchID, from start: Int, _ step: Int, times: Int) -> Int {
        var place = start
        for _ in 0..<times where place < bytes.count && !probe.isCancelled(id) {
            let end = min(bytes.count, place + step)
            probe.body(id, Array(bytes[place..<end]))
            place = end
            probe.wait(.milliseconds(100))
        }
        return place
    }

    /// The first server drips until the other one is asked; what it sent.
    private func dripUntilOther(_ probe: AgentProbe, _ id: FetchID, _ step: Int, other: String = "/y/1.m4s") -> Int {
        var sent = 0
        while sent < 20 * step, probe.fetches(other).isEmpty { sent = drip(probe, id, from: sent, step, times: 1) }
        return sent
    }

    private func others(_ probe: AgentProbe) -> [AgentProbe.Asked] { probe.fetches("/y/1.m4s") }

    /// The range that was asked, answered as its server has it.
    private func serve(_ probe: AgentProbe, _ asked: AgentProbe.Asked, tag: String = "v1", pause: Duration = .zero) {
        let parts = (asked.range ?? "").dropFirst(6).split(separator: "-")
        guard let first = Int(parts[0]) else { return }
        let last = parts.count > 1 ? Int(parts[1]) ?? bytes.count - 1 : bytes.count - 1
        probe.head(
            asked.id,
            206,
            [("content-range", "bytes \(first)-\(last)/400000"), ("etag", "\"\(tag)\"")]
        )
        probe.wait(pause)
        guard !probe.isCancelled(asked.id) else { return }
        probe.body(asked.id, Array(bytes[first...last]))
        if !probe.isCancelled(asked.id) { probe.end(asked.id) }
    }

    @Test("A server that is slower than the player plays loses its tail to the next one; the bytes are joined")
    func slow() {
        let (probe, segment, first) = start()
        // 100 kB/s: 4 s for 2 s of media, and the player has nothing.
        let sent = dripUntilOther(probe, first, 10_000)
        #expect(others(probe).count == 1)
        guard let asked = others(probe).first else { return }
        let begin = Int((asked.range ?? "").dropFirst(6).split(separator: "-")[0]) ?? 0
        #expect((sent..<350_000).contains(begin), "\(asked.range ?? "")")
        serve(probe, asked)
        #expect(!probe.isCancelled(first))
        drip(probe, first, from: sent, 10_000, times: 40)
        #expect(probe.isCancelled(first), "the first server is cut where the other's bytes begin")
        #expect(probe.received(segment) == bytes)
        #expect(probe.isEnded(segment))
        #expect(probe.statistics.wasted_bytes < 30_000)
        // Nothing was wrong with it but its speed.
        #expect(probe.messages("a server of the stream failed").isEmpty)
    }

    @Test("A server that keeps up is the only one that is asked", arguments: [25_000, 40_000, 200_000])
    func keepsUp(step: Int) {
        let (probe, segment, first) = start()
        drip(probe, first, from: 0, step, times: 100)
        probe.end(first)
        #expect(probe.received(segment) == bytes)
        #expect(others(probe).isEmpty)
        #expect(probe.fetches().count == 2)
    }

    @Test("With a buffer that a slow server does not endanger, the other is left alone")
    func buffered() {
        let probe = AgentProbe()
        let path = probe.open(Source.url, Source.text(Source.counted, before: BaseURLTests.twoBases))
        for number in 1...8 {
            let id = probe.ask(Source.local(path, "\(number).m4s"))
            let fetch = probe.fetches("/x/\(number).m4s")[0]
            probe.head(fetch.id, 200, [("content-length", "400000"), ("etag", "\"v1\"")])
            probe.wait(.milliseconds(100))
            probe.body(fetch.id, bytes)
            probe.end(fetch.id)
            probe.drain(id)
        }
        _ = probe.ask(Source.local(path, "9.m4s"))
        let fetch = probe.fetches("/x/9.m4s")[0]
        probe.head(fetch.id, 200, [("content-length", "400000"), ("etag", "\"v1\"")])
        // 3 s for 2 s of media, with nearly 16 s in hand.
        drip(probe, fetch.id, from: 0, 13_000, times: 28)
        #expect(probe.fetches("/y/9.m4s").isEmpty)
    }

    @Test("A server that falls silent amid a body loses the rest within a second when the player is dry")
    func silent() {
        let (probe, segment, first) = start()
        let sent = drip(probe, first, from: 0, 50_000, times: 2)
        probe.wait(.milliseconds(1300))
        guard let asked = others(probe).first else {
            Issue.record("the other server was not asked")
            return
        }
        serve(probe, asked)
        probe.wait(.milliseconds(1200))
        for later in others(probe).dropFirst() where !probe.isCancelled(later.id) { serve(probe, later) }
        #expect(probe.isCancelled(first))
        #expect(probe.received(segment) == bytes)
        #expect(probe.isEnded(segment))
        #expect(sent == 100_000)
    }

    @Test("Another edition at the other server is not mixed in; the segment goes on from the one, untouched")
    func editions() {
        let (probe, segment, first) = start()
        let sent = dripUntilOther(probe, first, 10_000)
        guard let asked = others(probe).first else {
            Issue.record("the other server was not asked")
            return
        }
        serve(probe, asked, tag: "other")
        #expect(probe.isCancelled(asked.id))
        drip(probe, first, from: sent, 10_000, times: 40)
        probe.end(first)
        #expect(probe.received(segment) == bytes)
        #expect(!probe.isAborted(segment))
        #expect(others(probe).count == 1, "asked once, not again")
        #expect(probe.messages("segments come whole from one").count == 1)
    }

    @Test("A refusal by the other server is no refusal of the segment", arguments: [404, 500, 416])
    func refusal(status: Int) {
        let (probe, segment, first) = start()
        let sent = dripUntilOther(probe, first, 10_000)
        guard let asked = others(probe).first else {
            Issue.record("the other server was not asked")
            return
        }
        probe.answer(asked.id, status, body: [])
        drip(probe, first, from: sent, 10_000, times: 40)
        probe.end(first)
        #expect(probe.received(segment) == bytes)
        #expect(probe.messages("a server of the stream failed").isEmpty)
    }

    @Test("A segment whose server is known to be too slow is asked of both at once when the player is dry")
    func fromTheStart() {
        let (probe, segment, first) = start()
        let sent = dripUntilOther(probe, first, 12_500)
        // The other one has no such segment: nothing is known of its speed.
        for asked in others(probe) { probe.answer(asked.id, 404, body: []) }
        drip(probe, first, from: sent, 12_500, times: 60)
        probe.end(first)
        #expect(probe.isEnded(segment))
        probe.wait(.seconds(5))
        let path = "/s/\(StreamID.derive(url: WebURL(Source.url)!).text)/manifest.mpd"
        _ = probe.ask(Source.local(path, "2.m4s"))
        #expect(probe.fetches("/x/2.m4s").count == 1)
        #expect(probe.fetches("/y/2.m4s").count == 1)
        #expect(probe.fetches("/2.m4s").allSatisfy { $0.range != nil })
    }

    @Test("Of HLS the next pathway's list is read beside, once, and its segments take part")
    func playlists() {
        let probe = AgentProbe()
        let list = Array(Playlists.live(1...4, target: 2, end: true).utf8)
        let master =
            "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,PATHWAY-ID=\"A\"\nhttp://a.example/x/v.m3u8\n"
            + "#EXT-X-STREAM-INF:BANDWIDTH=1,PATHWAY-ID=\"B\"\nhttp://b.example/y/v.m3u8\n"
        let path = probe.open("http://o.example/master.m3u8", master)
        let lines = probe.text(probe.ask(path)).split(separator: "\n").filter { $0.hasPrefix("/s/") }
        let index = lines.first.map { String($0) } ?? ""
        _ = probe.ask(index)
        probe.answer(probe.fetches("/x/v.m3u8")[0].id, body: list, url: "http://a.example/x/v.m3u8")
        let segment = probe.ask(index.replacingIndex(with: "1.ts"))
        let first = probe.fetches("/x/1.ts")[0]
        probe.head(first.id, 200, [("content-length", "400000"), ("etag", "\"v1\"")])
        let sent = dripUntilOther(probe, first.id, 10_000, other: "/y/v.m3u8")
        #expect(probe.fetches("/y/v.m3u8").count == 1)
        guard !probe.fetches("/y/v.m3u8").isEmpty else { return }
        probe.answer(probe.fetches("/y/v.m3u8")[0].id, body: list, url: "http://b.example/y/v.m3u8")
        #expect(probe.fetches("/y/1.ts").count == 1)
        guard let asked = probe.fetches("/y/1.ts").first else { return }
        serve(probe, asked)
        drip(probe, first.id, from: sent, 10_000, times: 40)
        #expect(probe.received(segment) == bytes)
        #expect(probe.fetches("/y/v.m3u8").count == 1)
    }

    @Test("Lists with other keys or other names are no second source", arguments: ["key", "name"])
    func otherLists(difference: String) {
        let probe = AgentProbe()
        let own = Playlists.live(1...4, target: 2, end: true)
        let other =
            difference == "name"
            ? Playlists.live(1...4, target: 2, end: true) { "other\($0).ts" }
            : own.replacing("#EXTINF", with: "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF", maxReplacements: 1)
        let master =
            "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,PATHWAY-ID=\"A\"\nhttp://a.example/x/v.m3u8\n"
            + "#EXT-X-STREAM-INF:BANDWIDTH=1,PATHWAY-ID=\"B\"\nhttp://b.example/y/v.m3u8\n"
        let path = probe.open("http://o.example/master.m3u8", master)
        let lines = probe.text(probe.ask(path)).split(separator: "\n").filter { $0.hasPrefix("/s/") }
        let index = lines.first.map { String($0) } ?? ""
        _ = probe.ask(index)
        probe.answer(probe.fetches("/x/v.m3u8")[0].id, body: Array(own.utf8), url: "http://a.example/x/v.m3u8")
        _ = probe.ask(index.replacingIndex(with: "1.ts"))
        let first = probe.fetches("/x/1.ts")[0]
        probe.head(first.id, 200, [("content-length", "400000")])
        let sent = dripUntilOther(probe, first.id, 10_000, other: "/y/v.m3u8")
        #expect(probe.fetches("/y/v.m3u8").count == 1)
        guard !probe.fetches("/y/v.m3u8").isEmpty else { return }
        probe.answer(probe.fetches("/y/v.m3u8")[0].id, body: Array(other.utf8), url: "http://b.example/y/v.m3u8")
        drip(probe, first.id, from: sent, 10_000, times: 20)
        #expect(
            probe.fetches().allSatisfy {
                !$0.request.url.hasPrefix("http://b.example/y/") || $0.request.url.hasSuffix("m3u8")
            }
        )
        #expect(probe.fetches("/y/v.m3u8").count == 1)
    }
}

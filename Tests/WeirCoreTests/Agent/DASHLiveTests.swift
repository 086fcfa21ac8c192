import Testing
import WeirCore

@Suite("Live DASH streams")
struct DASHLiveTests {
    typealias Source = Presentations

    @Test("A live manifest is reloaded once for all players, and by the agent itself only when there are peers")
    func reloads() {
        let probe = AgentProbe()
        let path = probe.open(Source.url, Source.live(100...104))
        let first = probe.ask(path)
        #expect(probe.status(first) == 200)
        _ = probe.ask(Source.local(path, "206000.m4s"))
        probe.wait(.seconds(6))
        #expect(probe.fetches(".mpd").count == 1)
        _ = probe.linkPeer(7)
        _ = probe.ask(Source.local(path, "208000.m4s"))
        probe.wait(.seconds(4))
        #expect(probe.fetches(".mpd").count == 2)
        probe.answer(probe.fetches(".mpd")[1].id, body: Array(Source.live(101...105).utf8), url: Source.url)
        let second = probe.ask(path)
        #expect(probe.text(second).contains("t='202000'"))
        #expect(probe.fetches(".mpd").count == 2)
    }

    @Test("Reloads follow Location, and go back to where it was opened when that fails")
    func location() {
        let probe = AgentProbe()
        let manifest = Source.live(100...104).replacingFirst(
            "<Period",
            "<Location>http://o.example/session/7.mpd</Location><Period"
        )
        let path = probe.open(Source.url, manifest)
        _ = probe.ask(path)
        probe.wait(.seconds(2))
        let list = probe.ask(path)
        #expect(probe.fetches("/session/7.mpd").count == 1)
        probe.answer(probe.fetches("/session/7.mpd")[0].id, 404, body: [])
        #expect(probe.status(list) == 404)
        probe.wait(.seconds(2))
        _ = probe.ask(path)
        #expect(probe.fetches("/dash/manifest.mpd").count == 2)
    }

    @Test(
        "F29 A box whose clock is a day off finds the live edge by the origin's clock",
        arguments: ["date", "xsdate", "direct"]
    )
    func clocks(means: String) {
        let probe = AgentProbe()
        // Started 100 s ago: 50 segments of 2 s.
        let timing =
            switch means {
            case "xsdate": "<UTCTiming schemeIdUri='urn:mpeg:dash:utc:http-xsdate:2014' value='/time'/>"
            case "direct": "<UTCTiming schemeIdUri='urn:mpeg:dash:utc:direct:2014' value='2026-01-01T00:01:40Z'/>"
            default: ""
            }
        let manifest = Source.text(
            Source.counted,
            attributes: "type='dynamic' availabilityStartTime='2026-01-01T00:00:00Z' minimumUpdatePeriod='PT10S'",
            before: timing
        )
        probe.feed(.wallClock(milliseconds: (WallTime(dateTime: "2026-01-02T07:00:00Z")!.nanoseconds) / 1_000_000))
        probe.feed(.open(OpenID(77), StreamRequest(url: Source.url)))
        let fetch = probe.fetches(".mpd")[0]
        probe.head(
            fetch.id,
            200,
            means == "date" ? [("date", "Thu, 01 Jan 2026 00:01:40 GMT")] : [],
            url: Source.url
        )
        probe.body(fetch.id, Array(manifest.utf8))
        probe.end(fetch.id)
        let path = "/s/\(StreamID.derive(url: WebURL(Source.url)!).text)/manifest.mpd"
        let peer = probe.linkPeer(7, swarms: [Source.swarm])
        if means == "xsdate" {
            probe.wait(.seconds(1))
            _ = probe.ask(path)
            guard let reload = probe.fetches(".mpd").dropFirst().first else {
                Issue.record("no reload")
                return
            }
            probe.answer(reload.id, body: Array(manifest.utf8), url: Source.url)
            let time = probe.fetches("/time")
            #expect(time.count == 1)
            probe.answer(time[0].id, body: Array("2026-01-01T00:01:40Z".utf8))
        } else if means == "direct" {
            _ = probe.ask(path)
            probe.wait(.milliseconds(600))
            _ = probe.ask(path)
            for reload in probe.fetches(".mpd").dropFirst() {
                probe.answer(reload.id, body: Array(manifest.utf8), url: Source.url)
            }
        }
        let segment = probe.ask(Source.local(path, "45.m4s"))
        probe.wait(.milliseconds(10))
        let first = probe.fetches("/45.m4s")[0]
        probe.answer(first.id, body: Source.bytes(45))
        probe.drain(segment)
        // What a peer holds is fetched ahead up to the live edge, and nothing beyond it.
        probe.say(
            peer,
            .have(
                Have(
                    handle: 0,
                    rendition: Source.key,
                    ranges: [Have.Range(kind: .media, first: 40, count: 40, state: .held)]
                )
            )
        )
        probe.wait(.seconds(1))
        let asked = probe.told(peer).compactMap { message -> UInt64? in
            if case .request(let request) = message { return request.segment.number }
            return nil
        }
        #expect(!asked.isEmpty)
        #expect(asked.allSatisfy { (46...52).contains($0) }, "\(asked)")
    }

    @Test("What the origin is still making leaves for the player byte by byte, long before a chunk is whole")
    func arriving() {
        let probe = AgentProbe()
        let path = probe.open(Source.url, Source.live(100...104))
        let segment = probe.ask(Source.local(path, "208000.m4s"))
        let fetch = probe.fetches("/208000.m4s")[0]
        probe.head(fetch.id, 200, [("transfer-encoding", "chunked")])
        let bytes = Source.bytes(104, count: 40_000)
        var sent = 0
        for end in [100, 1000, 16_000, 16_384, 16_390, 39_999] {
            probe.body(fetch.id, Array(bytes[sent..<end]))
            sent = end
            #expect(probe.received(segment) == Array(bytes[..<end]))
            probe.drain(segment)
        }
        #expect(!probe.isEnded(segment))
        probe.body(fetch.id, [bytes[39_999]])
        probe.end(fetch.id)
        #expect(probe.received(segment) == bytes)
        #expect(probe.isEnded(segment))
        // And it is kept like any other.
        let again = probe.ask(Source.local(path, "208000.m4s"))
        #expect(probe.received(again) == bytes)
    }

    @Test("A 404 at the live edge is tried again within a segment's duration, then passed on")
    func liveEdge() {
        let probe = AgentProbe()
        let path = probe.open(Source.url, Source.live(100...104))
        let early = probe.ask(Source.local(path, "208000.m4s"))
        probe.answer(probe.fetches("/208000.m4s")[0].id, 404, body: [])
        probe.wait(.milliseconds(400))
        #expect(probe.fetches("/208000.m4s").count == 2)
        probe.answer(probe.fetches("/208000.m4s")[1].id, body: Source.bytes(1, count: 100))
        #expect(probe.received(early).count == 100)
        let late = probe.ask(Source.local(path, "206000.m4s"))
        for _ in 0..<12 {
            if let fetch = probe.fetches("/206000.m4s").last, probe.status(late) == nil {
                probe.answer(fetch.id, 404, body: [])
            }
            probe.wait(.milliseconds(600))
        }
        #expect(probe.status(late) == 404)
        #expect(probe.fetches("/206000.m4s").count < 10)
    }
}

extension String {
    fileprivate func replacingFirst(_ old: String, _ new: String) -> String {
        guard let range = firstRange(of: old) else { return self }
        return String(self[..<range.lowerBound]) + new + String(self[range.upperBound...])
    }
}

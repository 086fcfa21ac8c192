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
        arguments: ["date", "xsdate", "iso", "head", "direct", "ntp, then xsdate"]
    )
    func clocks(means: String) {
        let probe = AgentProbe()
        // Started 100 s ago: 50 segments of 2 s.
        let timing =
            switch means {
            case "xsdate", "iso", "head":
                "<UTCTiming schemeIdUri='urn:mpeg:dash:utc:http-\(means):2014' value='/time'/>"
            case "ntp, then xsdate":
                "<UTCTiming schemeIdUri='urn:mpeg:dash:utc:http-ntp:2014' value='/ntp'/>"
                    + "<UTCTiming schemeIdUri='urn:mpeg:dash:utc:ntp:2014' value='pool.example'/>"
                    + "<UTCTiming schemeIdUri='urn:mpeg:dash:utc:http-xsdate:2014' value='/time'/>"
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
        if means != "date", means != "direct" {
            probe.wait(.seconds(1))
            _ = probe.ask(path)
            guard let reload = probe.fetches(".mpd").dropFirst().first else {
                Issue.record("no reload")
                return
            }
            probe.answer(reload.id, body: Array(manifest.utf8), url: Source.url)
            let time = probe.fetches("/time")
            #expect(time.count == 1)
            #expect(probe.fetches("/ntp").isEmpty)
            #expect(time[0].request.method == (means == "head" ? .head : .get))
            if means == "head" {
                probe.head(time[0].id, 200, [("date", "Thu, 01 Jan 2026 00:01:40 GMT")])
                probe.end(time[0].id)
            } else {
                probe.answer(time[0].id, body: Array("2026-01-01T00:01:40Z".utf8))
            }
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

    @Test(
        "F22 Whatever a manifest says of its update period, it is reloaded at most once a second",
        arguments: ["PT0S", "PT0.001S", "NaN", "-PT5S", "PT", "P99999999999999Y", "PT1e9S", ""]
    )
    func updatePeriods(text: String) {
        let probe = AgentProbe()
        let manifest = Source.live(100...104).replacingFirst(
            "'PT2S'",
            "'\(text)' timeShiftBufferDepth='\(text)' "
                + "maxSegmentDuration='\(text)' suggestedPresentationDelay='\(text)'"
        )
        let path = probe.open(Source.url, manifest)
        let peer = probe.linkPeer(7, swarms: [Source.swarm])
        _ = probe.ask(path)
        var answered = 1
        for second in 0..<30 {
            if second % 5 == 0 { _ = probe.ask(Source.local(path, "206000.m4s")) }
            for fetch in probe.fetches(".mpd").dropFirst(answered) where !probe.isCancelled(fetch.id) {
                probe.answer(fetch.id, body: Array(manifest.utf8), url: Source.url)
                answered += 1
            }
            probe.wait(.seconds(1))
        }
        #expect(probe.fetches(".mpd").count <= 31, "\(probe.fetches(".mpd").count)")
        #expect(probe.told(peer).count < 200)
    }

    @Test("D6 A live stream of several periods begins in the last, and its boundaries are crossed without a stall")
    func periods() {
        let world = AgentWorld()
        // Five segments of 2 s in each period; at step n, n segments are there, and eight are listed.
        func manifest(_ count: Int) -> String {
            let numbers = max(0, count - 8)..<count
            let periods = Set(numbers.map { $0 / 5 }).sorted().map { period in
                let own = numbers.filter { $0 / 5 == period }
                return "<Period id='\(period)' start='PT\(period * 10)S'><AdaptationSet id='v' mimeType='video/mp4'>"
                    + "<SegmentTemplate timescale='1' media='\(period)-$Time$.m4s'><SegmentTimeline>"
                    + "<S t='\(own[0] % 5 * 2)' d='2' r='\(own.count - 1)'/></SegmentTimeline></SegmentTemplate>"
                    + "<Representation id='v' bandwidth='800000'/></AdaptationSet></Period>"
            }.joined()
            return "<MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='dynamic' minimumUpdatePeriod='PT2S' "
                + "availabilityStartTime='2026-01-01T00:00:00Z'>\(periods)</MPD>"
        }
        func publish(_ count: Int) {
            world.resources[Source.url] = AgentWorld.Resource(bytes: Array(manifest(count).utf8), fields: [])
            let last = count - 1
            world.resources["\(Source.base)\(last / 5)-\(last % 5 * 2).m4s"] = .init(bytes: Source.bytes(last))
        }
        for count in 1...12 { publish(count) }
        let (first, second) = (world.add(), world.add())
        let path = world.open(first, Source.url)
        world.open(second, Source.url)
        world.link(first, second)
        world.run(.milliseconds(500))
        let start = world.log.count
        var answers: [(RequestID, Int)] = []
        for count in 13...28 {
            publish(count)
            for agent in [first, second] {
                _ = world.get(agent, path)
                world.run(.milliseconds(100))
                // Three behind the newest; the first is in the last period that is listed.
                let number = count - 3
                let key = RenditionKey(Digest.sha256(Array("dash|\(number / 5)|v|v".utf8)).prefix)
                let name = "\(key.padded)/\(number % 5 * 2).m4s"
                answers.append((world.get(agent, path.replacingManifest(with: name)), number))
                world.run(.milliseconds(100))
            }
            world.run(.milliseconds(1600))
        }
        for (request, number) in answers { #expect(world.body(request, is: Source.bytes(number)), "\(number)") }
        for agent in [first, second] {
            #expect(world.agents[agent].agent.statistics(at: world.now).stalls == 0)
        }
        // Nearly every segment was read once for both.
        let bytes = world.log[start...].filter { $0.url.hasSuffix(".m4s") }.reduce(0) { $0 + $1.bytes }
        #expect(bytes < 200_000 * 22, "\(bytes)")
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
    func replacingFirst(_ old: String, _ new: String) -> String {
        guard let range = firstRange(of: old) else { return self }
        return String(self[..<range.lowerBound]) + new + String(self[range.upperBound...])
    }
}

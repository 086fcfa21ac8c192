import Testing
import WeirCore

/// Manifests in a line, and an origin that has what they name.
enum Presentations {
    static let base = "http://o.example/dash/"
    static let url = base + "manifest.mpd"
    static let swarm = SwarmID.derive(url: WebURL(url)!, name: nil)

    static func text(
        _ inner: String,
        attributes: String = "type='static' mediaPresentationDuration='PT20S'",
        before: String = ""
    )
        -> String
    {
        """
        <MPD xmlns="urn:mpeg:dash:schema:mpd:2011" \(attributes)>\(before)<Period id="p" start="PT0S">\
        <AdaptationSet id="v" mimeType="video/mp4"><Representation id="v" bandwidth="1000000">\(inner)\
        </Representation></AdaptationSet></Period></MPD>
        """
    }

    static let timed =
        "<SegmentTemplate timescale='1000' media='$Time$.m4s' initialization='init.mp4'><SegmentTimeline>"
        + "<S t='5000' d='2000' r='9'/></SegmentTimeline></SegmentTemplate>"
    static let counted =
        "<SegmentTemplate duration='2' startNumber='1' media='$Number$.m4s' initialization='init.mp4'/>"
    static let key = RenditionKey(Digest.sha256(Array("dash|p|v|v".utf8)).prefix)

    static func local(_ path: String, _ name: String) -> String {
        path.replacingManifest(with: "\(key.padded)/\(name)")
    }

    static func live(_ window: ClosedRange<Int>) -> String {
        text(
            "<SegmentTemplate timescale='1000' media='$Time$.m4s'><SegmentTimeline>"
                + "<S t='\(window.lowerBound * 2000)' d='2000' r='\(window.count - 1)'/></SegmentTimeline></SegmentTemplate>",
            attributes: "type='dynamic' availabilityStartTime='2026-01-01T00:00:00Z' minimumUpdatePeriod='PT2S'"
        )
    }

    static func bytes(_ name: Int, count: Int = 200_000) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ name &* 7 &+ ($0 >> 8)) }
    }
}

extension String {
    func replacingManifest(with name: String) -> String { dropLast("manifest.mpd".count) + name }
}

@Suite("DASH streams")
struct DASHAgentTests {
    typealias Source = Presentations

    private func world(_ manifest: String, _ names: [Int]) -> AgentWorld {
        let world = AgentWorld()
        world.resources[Source.url] = AgentWorld.Resource(bytes: Array(manifest.utf8))
        world.resources[Source.base + "init.mp4"] = AgentWorld.Resource(bytes: Source.bytes(0, count: 900))
        for name in names {
            world.resources["\(Source.base)\(name).m4s"] = AgentWorld.Resource(bytes: Source.bytes(name))
        }
        return world
    }

    @Test("A manifest is told from a playlist by its content, and players get one with local addresses")
    func manifest() {
        let probe = AgentProbe()
        let path = probe.open(Source.url, Source.text(Source.timed))
        #expect(path.hasSuffix("/manifest.mpd"))
        let list = probe.ask(path)
        #expect(probe.fields(list).contains(HeaderField("content-type", "application/dash+xml")))
        // From the root: some players take relative addresses by a channel's, which only leads here.
        let folder = path.dropLast("manifest.mpd".utf8.count)
        #expect(probe.text(list).contains("<BaseURL>\(folder)\(Source.key.padded)/</BaseURL>"))
        #expect(probe.text(list).contains("media='$Time$.m4s'"))
        #expect(probe.fetches().count == 1)
        #expect(probe.status(probe.ask(Source.local(path, "5001.m4s"))) == 404)
        _ = probe.ask(Source.local(path, "7000.m4s"))
        #expect(probe.fetches("/dash/7000.m4s").count == 1)
        _ = probe.ask(Source.local(path, "init.mp4"))
        #expect(probe.fetches("/dash/init.mp4").count == 1)
    }

    @Test("Segments named by time or number come from a peer that has them", arguments: [true, false])
    func sharing(isTimed: Bool) {
        let names = isTimed ? (0..<10).map { 5000 + 2000 * $0 } : Array(1...10)
        let world = world(Source.text(isTimed ? Source.timed : Source.counted), names)
        let (first, second) = (world.add(), world.add())
        let path = world.open(first, Source.url)
        #expect(world.open(second, Source.url) == path)
        world.link(first, second)
        world.run(.seconds(1))
        for agent in [first, second] {
            let start = world.log.count
            _ = world.get(agent, path)
            let answers = (["init.mp4"] + names.map { "\($0).m4s" }).map { name in
                let id = world.get(agent, Source.local(path, name))
                world.run(.milliseconds(700))
                return id
            }
            #expect(world.body(answers[0], is: Source.bytes(0, count: 900)))
            for (name, id) in zip(names, answers.dropFirst()) {
                #expect(world.body(id, is: Source.bytes(name)), "\(name)")
            }
            guard agent == second else { continue }
            let media = world.log[start...].filter { $0.agent == second && $0.url.hasSuffix(".m4s") }
            let bytes = media.reduce(0) { $0 + $1.bytes }
            // Its first segment and audits.
            #expect(bytes < 200_000 * 3, "\(bytes)")
        }
        let held = world.sent.compactMap { from, message -> [Have.Range]? in
            guard from == first, case .have(let have) = message else { return nil }
            return have.ranges.filter { $0.kind == .media && $0.state == .held }
        }.flatMap { $0 }
        #expect(held.allSatisfy { $0.count == (isTimed ? 2000 : 1) })
    }

    @Test("A late peer hears of all that is held as one range")
    func merged() {
        let names = (0..<10).map { 5000 + 2000 * $0 }
        let world = world(Source.text(Source.timed), names)
        let (first, second) = (world.add(), world.add())
        let path = world.open(first, Source.url)
        world.open(second, Source.url)
        for name in names {
            _ = world.get(first, Source.local(path, "\(name).m4s"))
            world.run(.milliseconds(300))
        }
        world.link(first, second)
        world.run(.seconds(1))
        let ranges = world.sent.compactMap { from, message -> [Have.Range]? in
            guard from == first, case .have(let have) = message else { return nil }
            return have.ranges
        }.flatMap { $0 }.filter { $0.kind == .media }
        #expect(ranges.map(\.first) == [5000])
        #expect(ranges.map(\.count) == [20_000])
    }

    @Test("An index is read before the manifest is given, and its subsegments are the segments")
    func index() {
        let probe = AgentProbe()
        let inner =
            "<BaseURL>v.mp4</BaseURL><SegmentBase indexRange='800-855'><Initialization range='0-799'/></SegmentBase>"
        let box = IndexBox.bytes(
            timescale: 1000,
            time: 0,
            [.init(size: 5000, ticks: 2000), .init(size: 4000, ticks: 2000)]
        )
        #expect(box.count == 56)
        #expect(probe.open(Source.url, Source.text(inner)) == "")
        let fetch = probe.fetches("/v.mp4")[0]
        #expect(fetch.range == "bytes=800-855")
        probe.head(fetch.id, 206, [("content-range", "bytes 800-855/9856")])
        probe.body(fetch.id, box)
        let opened = probe.outputs.compactMap { output -> String? in
            if case .opened(_, .ready(_, let path)) = output { return path }
            return nil
        }
        let path = opened.first ?? ""
        let list = probe.ask(path)
        #expect(probe.text(list).contains("<S t=\"0\" d=\"2000\" r=\"1\"/>"))
        _ = probe.ask(Source.local(path, "2.mp4"))
        #expect(probe.fetches("/v.mp4").last?.range == "bytes=5856-9855")
        _ = probe.ask(Source.local(path, "init.mp4"))
        #expect(probe.fetches("/v.mp4").last?.range == "bytes=0-799")
    }

    @Test("An index that cannot be read leaves its representation to the origin", arguments: [404, 200, 206])
    func noIndex(status: Int) {
        let probe = AgentProbe()
        let inner = "<BaseURL>v.mp4</BaseURL><SegmentBase indexRange='0-99'/>"
        probe.open(Source.url, Source.text(inner))
        let fetch = probe.fetches("/v.mp4")[0]
        probe.head(fetch.id, status, status == 206 ? [("content-range", "bytes 0-99/1000")] : [])
        probe.body(fetch.id, [UInt8](repeating: 7, count: 100))
        if !probe.isCancelled(fetch.id) { probe.end(fetch.id) }
        let path = probe.outputs.compactMap { output -> String? in
            if case .opened(_, .ready(_, let path)) = output { return path }
            return nil
        }.first
        let list = probe.ask(path ?? "")
        #expect(probe.text(list).contains("<BaseURL>http://o.example/dash/v.mp4</BaseURL>"))
        #expect(probe.text(list).contains("<SegmentBase"))
    }

    @Test("Before a period ends, a peer's next period is fetched ahead, and its segments do not come late")
    func periodBoundary() {
        let world = AgentWorld()
        let sets =
            "<AdaptationSet id='v' mimeType='video/mp4'><Representation id='v' bandwidth='1000000'/></AdaptationSet>"
        let text =
            "<MPD xmlns='urn:mpeg:dash:schema:mpd:2011' mediaPresentationDuration='PT24S'>"
            + (0..<2).map {
                "<Period id='\($0)' duration='PT12S'><SegmentTemplate duration='2' media='\($0)-$Number$.m4s'/>\(sets)</Period>"
            }.joined() + "</MPD>"
        world.resources[Source.url] = AgentWorld.Resource(bytes: Array(text.utf8))
        for period in 0..<2 {
            for number in 1...6 {
                let bytes = Source.bytes(period * 10 + number)
                world.resources["\(Source.base)\(period)-\(number).m4s"] = AgentWorld.Resource(bytes: bytes)
            }
        }
        let (first, second) = (world.add(), world.add())
        let path = world.open(first, Source.url)
        world.open(second, Source.url)
        func local(_ period: Int, _ number: Int) -> String {
            let key = RenditionKey(Digest.sha256(Array("dash|\(period)|v|v".utf8)).prefix)
            return path.replacingManifest(with: "\(key.padded)/\(number).m4s")
        }
        world.link(first, second)
        for period in 0..<2 {
            for number in 1...6 {
                _ = world.get(first, local(period, number))
                world.run(.milliseconds(200))
            }
        }
        for number in 1...4 {
            _ = world.get(second, local(0, number))
            world.run(.milliseconds(500))
        }
        world.run(.seconds(1))
        let start = world.log.count
        // Two segments before its end the next period is there already.
        let answers = (1...2).map { world.get(second, local(1, $0)) }
        world.run(.milliseconds(20))
        #expect(answers.enumerated().allSatisfy { world.body($0.element, is: Source.bytes(11 + $0.offset)) })
        #expect(world.log[start...].filter { $0.agent == second && $0.bytes > 20_000 }.isEmpty)
    }

    @Test("Periods that are over are forgotten, with their segments")
    func periods() {
        let probe = AgentProbe()
        func manifest(_ periods: ClosedRange<Int>) -> String {
            let inner = periods.map { period in
                "<Period id='\(period)' start='PT\(period * 10)S'><AdaptationSet id='v' mimeType='video/mp4'>"
                    + "<SegmentTemplate duration='2' media='\(period)-$Number$.m4s'/>"
                    + "<Representation id='v' bandwidth='1'/></AdaptationSet></Period>"
            }.joined()
            return "<MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='dynamic' minimumUpdatePeriod='PT1S' "
                + "availabilityStartTime='2026-01-01T00:00:00Z'>\(inner)</MPD>"
        }
        func local(_ period: Int) -> String {
            let key = RenditionKey(Digest.sha256(Array("dash|\(period)|v|v".utf8)).prefix)
            return "/s/\(StreamID.derive(url: WebURL(Source.url)!).text)/\(key.padded)/3.m4s"
        }
        let path = probe.open(Source.url, manifest(0...1))
        _ = probe.ask(path)
        let old = probe.ask(local(0))
        probe.answer(probe.fetches("/0-3.m4s")[0].id, body: Source.bytes(3))
        probe.drain(old)
        let held = probe.statistics.ledger_bytes
        #expect(held >= 200_000)
        for step in 1...3 {
            probe.wait(.seconds(20))
            _ = probe.ask(path)
            probe.answer(probe.fetches(".mpd").last!.id, body: Array(manifest(step...(step + 1)).utf8), url: Source.url)
        }
        #expect(probe.statistics.ledger_bytes == 0)
        #expect(probe.status(probe.ask(local(0))) == 404)
        #expect(probe.status(probe.ask(local(3))) == nil)
    }

    @Test("A remote period makes local addresses whole, by the authority that the player asked")
    func remote() throws {
        let probe = AgentProbe()
        let path = probe.open(Source.url, text(try MPDFixture.bytes("periods")))
        let id = RequestID(4711)
        probe.feed(.request(PlayerRequest(id: id, method: .get, target: path, authority: "127.0.0.1:8080")))
        #expect(probe.text(id).contains("<BaseURL>http://127.0.0.1:8080\(path.replacingManifest(with: ""))"))
    }
}

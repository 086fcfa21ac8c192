import Testing
import WeirCore

/// What origins answer that is not what was asked, and what of it reaches players and peers.
@Suite("Odd answers of origins")
struct OriginAnswerTests {
    private let url = "http://o.example/live/index.m3u8"

    private func pattern(_ count: Int, _ salt: Int = 0) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 + $0 >> 8 + salt) }
    }

    private func vod(_ count: Int = 4) -> String { Playlists.live(0...count - 1, target: 4, end: true) }

    @Test("F06 A body longer than announced is cut where it was to end, and what is kept is as long as announced")
    func longer() {
        let probe = AgentProbe()
        let path = probe.open(url, vod())
        let request = probe.ask(path.replacingIndex(with: "0.ts"))
        let fetch = probe.fetches("0.ts")[0].id
        probe.head(fetch, 200, [("content-length", "20000")])
        probe.body(fetch, pattern(25_000))
        probe.end(fetch)
        #expect(probe.received(request) == Array(pattern(25_000)[..<20_000]) && probe.isEnded(request))
        probe.drain(request)
        #expect(probe.statistics.ledger_bytes == 20_000)
        let again = probe.ask(path.replacingIndex(with: "0.ts"))
        #expect(probe.received(again).count == 20_000 && probe.fetches("0.ts").count == 1)
    }

    @Test("F11 A body that changes between two ranges of it is never mixed: whole and new, or broken off")
    func changes() {
        for isRead in [true, false] {
            let probe = AgentProbe()
            let path = probe.open(url, vod())
            let request = probe.ask(path.replacingIndex(with: "0.ts"))
            let first = probe.fetches("0.ts")[0].id
            probe.head(first, 200, [("content-length", "60000"), ("etag", "\"old\"")])
            if isRead { probe.body(first, Array(pattern(60_000)[..<40_000])) }
            probe.end(first, .failed(.truncated))
            probe.wait(.seconds(1))
            var answered: Set<FetchID> = [first]
            func serve() {
                for fetch in probe.fetches("0.ts")
                where !probe.isCancelled(fetch.id) && answered.insert(fetch.id).inserted {
                    let body = pattern(60_000, 1)
                    let start = fetch.range.flatMap { Int($0.dropFirst(6).prefix { $0 != "-" }) } ?? 0
                    var fields = [("content-length", String(60_000 - start)), ("etag", "\"new\"")]
                    if start > 0 { fields.append(("content-range", "bytes \(start)-59999/60000")) }
                    probe.head(fetch.id, start > 0 ? 206 : 200, fields)
                    guard !probe.isCancelled(fetch.id) else { continue }
                    probe.body(fetch.id, Array(body[start...]))
                    probe.end(fetch.id)
                }
                probe.wait(.milliseconds(500))
            }
            for _ in 0..<5 { serve() }
            let received = probe.received(request)
            if isRead {
                #expect(probe.isAborted(request) && received == Array(pattern(60_000)[..<received.count]))
            } else {
                #expect((received == pattern(60_000, 1) && probe.isEnded(request)) == true)
            }
            let again = probe.ask(path.replacingIndex(with: "0.ts"))
            serve()
            #expect((probe.received(again) == pattern(60_000, 1)) == true, "read \(isRead)")
        }
    }

    @Test("F12 A segment in a coding that was not asked for passes through as it is, and nobody else gets it")
    func codedSegment() {
        let probe = AgentProbe()
        let path = probe.open(url, vod())
        let link = probe.linkPeer(7)
        let request = probe.ask(path.replacingIndex(with: "0.ts"))
        let fields = [("content-length", "5"), ("content-encoding", "gzip"), ("content-type", "video/mp2t")]
        probe.head(probe.fetches("0.ts")[0].id, 200, fields)
        #expect(probe.isCancelled(probe.fetches("0.ts")[0].id))
        let relayed = probe.fetches("0.ts")[1].id
        probe.head(relayed, 200, fields)
        probe.body(relayed, [1, 2, 3, 4, 5])
        probe.end(relayed)
        #expect(probe.received(request) == [1, 2, 3, 4, 5])
        #expect(probe.fields(request).contains(HeaderField("content-encoding", "gzip")))
        #expect(probe.statistics.ledger_bytes == 0)
        let held = probe.told(link).contains { message in
            guard case .have(let have) = message else { return false }
            return have.ranges.contains { $0.state == .held }
        }
        #expect(!held)
    }

    @Test("F12 A compressed playlist is read; one in an unknown coding is refused in plain words") func codedPlaylist()
    {
        let probe = AgentProbe()
        let gzip: [UInt8] = [
            0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x53, 0x76, 0x8D, 0x08, 0xF1, 0x35,
            0x0E, 0xE5, 0x52, 0x06, 0xD2, 0xBA, 0x11, 0xBA, 0x21, 0x8E, 0x41, 0xEE, 0xAE, 0x21, 0x2E, 0xA1,
            0x41, 0x8E, 0x21, 0x9E, 0xFE, 0x7E, 0x56, 0x46, 0x60, 0x71, 0x4F, 0x3F, 0x37, 0x2B, 0x23, 0x1D,
            0xAE, 0x44, 0xBD, 0x92, 0x62, 0x98, 0x3A, 0x57, 0x3F, 0x17, 0x1F, 0xCF, 0xE0, 0x10, 0x2E, 0x00,
            0x6D, 0x22, 0xA7, 0x9C, 0x3F, 0x00, 0x00, 0x00,
        ]
        for (coding, isRead) in [("gzip", true), ("", true), ("br", true)] {
            let open = OpenID(coding.isEmpty ? 1 : UInt64(coding.utf8.count) + 1)
            probe.feed(.open(open, StreamRequest(url: "\(url)?\(coding)")))
            let fetch = probe.fetches("?\(coding)")[0].id
            probe.head(fetch, 200, coding.isEmpty ? [] : [("content-encoding", coding)])
            probe.body(fetch, gzip)
            probe.end(fetch)
            let isReady = probe.outputs.contains { if case .opened(open, .ready) = $0 { true } else { false } }
            #expect(isReady == isRead, "\(coding)")
        }
        let open = OpenID(99)
        probe.feed(.open(open, StreamRequest(url: "\(url)?brotli")))
        probe.head(probe.fetches("?brotli")[0].id, 200, [("content-encoding", "br")])
        probe.body(probe.fetches("?brotli")[0].id, [0x1B, 0x30, 0, 0])
        probe.end(probe.fetches("?brotli")[0].id)
        let refusal = probe.outputs.compactMap { output -> String? in
            if case .opened(open, .failed(.notAManifest, let text)) = output { text } else { nil }
        }
        #expect(refusal.first?.contains("coding \"br\"") == true)
    }

    @Test(
        "F16 An HTML error page with the status and type of media reaches neither player nor cache",
        arguments: [
            "\n<!DOCTYPE html><html><body>502</body></html>", "<HTML>busy</HTML>", "<?xml version=\"1.0\"?><Error/>",
        ],
        [true, false]
    )
    func errorPage(page: String, saysLength: Bool) {
        let probe = AgentProbe()
        let path = probe.open(url, vod())
        let request = probe.ask(path.replacingIndex(with: "0.ts"))
        func answer(_ fetch: FetchID, _ bytes: [UInt8]) {
            let length = saysLength ? [("content-length", String(bytes.count))] : []
            probe.head(fetch, 200, length + [("content-type", "video/mp2t")])
            #expect(probe.status(request) == nil)
            probe.body(fetch, bytes)
            if !probe.isCancelled(fetch) { probe.end(fetch) }
        }
        answer(probe.fetches("0.ts")[0].id, Array(page.utf8))
        #expect(probe.status(request) == nil && probe.statistics.ledger_bytes == 0)
        probe.wait(.seconds(1))
        #expect(probe.fetches("0.ts").count == 2)
        answer(probe.fetches("0.ts")[1].id, pattern(30_000))
        #expect((probe.received(request) == pattern(30_000)) == true)
        // An origin that has nothing else is told as such.
        let hopeless = probe.ask(path.replacingIndex(with: "1.ts"))
        for _ in 0..<60 {
            if let fetch = probe.fetches("1.ts").last, !probe.isCancelled(fetch.id) {
                probe.head(fetch.id, 200, [("content-type", "video/mp2t")])
                probe.body(fetch.id, Array(page.utf8))
            }
            probe.wait(.milliseconds(100))
        }
        #expect(probe.status(hopeless) == 502 && probe.fetches("1.ts").count <= 6)
    }

    @Test("F19 A live list with a new key for each segment, a gap and a discontinuity is played as it says")
    func rotation() {
        let probe = AgentProbe()
        func list(_ first: Int) -> String {
            "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:\(first)\n#EXT-X-DISCONTINUITY-SEQUENCE:3\n"
                + (first..<first + 6).map { number in
                    (number % 4 == 2 ? "#EXT-X-GAP\n" : "") + (number % 5 == 0 ? "#EXT-X-DISCONTINUITY\n" : "")
                        + "#EXT-X-KEY:METHOD=AES-128,URI=\"key-\(number)\"\n#EXTINF:2,\n\(number).ts\n"
                }.joined()
        }
        let path = probe.open(url, list(10))
        let link = probe.linkPeer(7)
        for number in 10..<30 {
            if number > 10 {
                probe.wait(.seconds(2))
                let reload = probe.ask(path)
                if let fetch = probe.fetches("index.m3u8").last, !probe.isCancelled(fetch.id) {
                    probe.answer(fetch.id, body: Array(list(number).utf8), url: url)
                }
                let text = probe.text(reload)
                #expect(text.contains("#EXT-X-DISCONTINUITY-SEQUENCE:3\n"))
                #expect(text.split(separator: "\n").count { $0 == "#EXT-X-GAP" } >= 1)
            }
            let asked = probe.ask(path.replacingIndex(with: "\(number).ts"))
            for fetch in probe.fetches(".ts") where !probe.isCancelled(fetch.id) {
                probe.answer(fetch.id, body: pattern(1000))
            }
            if number % 4 == 2 {
                #expect(probe.status(asked) == 404, "a gap has no media")
            } else {
                #expect(probe.received(asked) == pattern(1000))
                probe.drain(asked)
            }
            let keys = probe.text(probe.ask(path)).split(separator: "\"").filter { $0.hasSuffix(".key") }
            #expect(keys.count == 6 && Set(keys).count == 6)
        }
        #expect(!probe.fetches(".ts").contains { ($0.request.url.dropLast(3).last?.wholeNumberValue ?? 0) < 0 })
        for number in [10, 14, 18, 22, 26, 30, 34] { #expect(probe.fetches("/\(number).ts").isEmpty) }
        // Nobody was told of a key, nor of a gap.
        for case .have(let have) in probe.told(link) {
            #expect(
                !have.ranges.contains { $0.kind == .media && $0.count == 1 && $0.first % 4 == 2 && $0.state == .held }
            )
        }
    }

    @Test("F26 A switch of rendition in mid-segment ends one exchange, serves the other, and keeps the link")
    func rendition() {
        let probe = AgentProbe()
        let master = "http://o.example/master.m3u8"
        let path = probe.open(
            master,
            "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nhigh.m3u8\n"
        )
        let link = probe.linkPeer(7)
        let lists = probe.text(probe.ask(path)).split(separator: "\n").filter { $0.hasPrefix("/s/") }.map { String($0) }
        for (list, name) in zip(lists, ["low", "high"]) {
            _ = probe.ask(list)
            let text = Playlists.live(0...5, target: 4, end: true) { "\(name)-\($0).ts" }
            probe.answer(
                probe.fetches("\(name).m3u8")[0].id,
                body: Array(text.utf8),
                url: "http://o.example/\(name).m3u8"
            )
        }
        let low = probe.ask(lists[0].replacingIndex(with: "0.ts"))
        let fetch = probe.fetches("low-0.ts")[0].id
        probe.head(fetch, 200, [("content-length", "100000")])
        probe.body(fetch, pattern(40_000))
        probe.feed(.requestClosed(low))
        let high = probe.ask(lists[1].replacingIndex(with: "0.ts"))
        probe.answer(probe.fetches("high-0.ts")[0].id, body: pattern(50_000))
        #expect(probe.received(high) == pattern(50_000))
        probe.drain(high)
        probe.wait(.seconds(1))
        #expect(probe.isCancelled(fetch))
        #expect(probe.agent.sessions(at: probe.now)[0].peers == 1)
        #expect(!probe.told(link).contains { if case .goodbye = $0 { true } else { false } })
    }

    @Test("F77 Suffix, open, unsatisfiable, several ranges, and If-Range: exact, or the whole") func ranges() {
        let probe = AgentProbe()
        let path = probe.open(url, vod()).replacingIndex(with: "0.ts")
        let whole = pattern(50_000)
        _ = probe.ask(path)
        probe.answer(probe.fetches("0.ts")[0].id, body: whole)
        let cases: [(range: String, status: Int, body: ArraySlice<UInt8>)] = [
            ("bytes=-100", 206, whole[49_900...]), ("bytes=100-", 206, whole[100...]),
            ("bytes=16383-16385", 206, whole[16_383...16_385]), ("bytes=49999-99999", 206, whole[49_999...]),
            ("bytes=-99999", 206, whole[...]), ("bytes=0-1,5-6", 200, whole[...]), ("bytes=9-1", 200, whole[...]),
            ("lines=1-2", 200, whole[...]), ("bytes=", 200, whole[...]), ("bytes=50000-", 416, []),
            ("bytes=-0", 416, []),
        ]
        for (range, status, body) in cases {
            let request = probe.ask(path, range: range)
            #expect(probe.status(request) == status, "\(range)")
            if status != 416 { #expect(probe.received(request) == Array(body), "\(range)") }
            if status == 416 {
                #expect(probe.fields(request).contains(HeaderField("content-range", "bytes */50000")))
            }
        }
        let conditional = RequestID(9_000)
        probe.feed(
            .request(
                PlayerRequest(id: conditional, method: .get, target: path, range: "bytes=5-9", ifRange: "\"x\"")
            )
        )
        #expect(probe.status(conditional) == 200 && probe.received(conditional) == whole)
        #expect(probe.fetches("0.ts").count == 1)
    }

    @Test("F80 A hundred players, two on each of fifty streams, cost one request for each segment") func hundred() {
        let probe = AgentProbe()
        var paths: [String] = []
        for number in 0..<50 { paths.append(probe.open("http://o.example/\(number)/index.m3u8", vod())) }
        for (number, path) in paths.enumerated() {
            let asked = ["a", "b"].map { probe.ask(path.replacingIndex(with: "1.ts"), userAgent: $0) }
            let fetches = probe.fetches("/\(number)/1.ts")
            #expect(fetches.count == 1)
            probe.answer(fetches[0].id, body: pattern(2000, number))
            for request in asked { #expect(probe.received(request) == pattern(2000, number)) }
        }
        #expect(probe.agent.sessions(at: probe.now).allSatisfy { $0.players == 2 })
    }

    @Test("F81 Ten channels in five seconds: each begins, and nothing of those left behind goes on") func zapping() {
        let probe = AgentProbe()
        var left: [FetchID] = []
        for number in 0..<10 {
            let path = probe.open("http://o.example/\(number)/index.m3u8", Playlists.live(10...15))
            let request = probe.ask(path.replacingIndex(with: "13.ts"))
            let fetch = probe.fetches("/\(number)/13.ts")[0].id
            probe.head(fetch, 200, [("content-length", "500000")])
            probe.body(fetch, pattern(100_000))
            #expect(probe.status(request) == 200)
            probe.wait(.milliseconds(500))
            if number < 9 {
                probe.feed(.requestClosed(request))
                left.append(fetch)
            }
        }
        probe.wait(.seconds(1))
        #expect(left.allSatisfy { probe.isCancelled($0) })
        let lists = probe.fetches(".m3u8").count
        probe.wait(.seconds(60))
        #expect(probe.fetches(".m3u8").count == lists)
    }

    @Test("F25 Two peers see other segments under one number, inserted for each: read from the origin, nobody banned")
    func perViewer() {
        let world = AgentWorld()
        let shared = pattern(100_000)
        for viewer in 0...1 {
            let list = Playlists.live(0...5, target: 2, end: true) { number in
                number == 2 || number == 3 ? "ads/\(viewer)-\(number).ts" : "\(number).ts"
            }
            world.resources["http://o.example/index.m3u8?v=\(viewer)"] = .init(bytes: Array(list.utf8))
            for number in 2...3 {
                world.resources["http://o.example/ads/\(viewer)-\(number).ts"] = .init(
                    bytes: pattern(80_000, viewer * 10 + number)
                )
            }
        }
        for number in [0, 1, 4, 5] { world.resources["http://o.example/\(number).ts"] = .init(bytes: shared) }
        for viewer in 0...1 {
            world.add()
            let path = world.open(viewer, "http://o.example/index.m3u8?v=\(viewer)")
            if viewer == 1 { world.link(0, 1) }
            world.run(.milliseconds(100))
            for number in 0...5 {
                let request = world.get(viewer, path.replacingIndex(with: "\(number).ts"))
                world.run(.seconds(3))
                let isAd = number == 2 || number == 3
                #expect(world.body(request, is: isAd ? pattern(80_000, viewer * 10 + number) : shared))
            }
        }
        for agent in world.agents {
            let statistics = agent.agent.statistics(at: world.now)
            #expect(statistics.banned_peers == 0 && statistics.peers == 1)
        }
        #expect(world.agents[1].agent.statistics(at: world.now).peer_bytes > 100_000)
    }
}

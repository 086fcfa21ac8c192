import Testing
import WeirCore

@Suite("What players are answered")
struct EndpointAnswerTests {
    let url = "http://o.example/film/index.m3u8"

    private func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 + $0 >> 8) } }

    private func vod(_ count: Int = 6) -> String { Playlists.live(0...count - 1, target: 4, end: true, type: "VOD") }

    @Test("F10: an origin that ignores ranges never shifts bytes, wherever its bodies break off")
    func ignoredRanges() {
        for cuts in [[10_000], [90_000], [90_000, 95_000], [10_000, 40_000, 90_000], [30_000, 20_000, 99_000]] {
            let probe = AgentProbe()
            let path = probe.open(url, vod())
            let bytes = pattern(100_000)
            let id = probe.ask(path.replacingIndex(with: "0.ts"))
            var answered = 0
            var breaks = cuts
            for _ in 0..<40 {
                for fetch in probe.fetches("0.ts").dropFirst(answered) {
                    answered += 1
                    probe.head(fetch.id, 200, [("content-length", "100000")])
                    let cut = breaks.isEmpty ? bytes.count : breaks.removeFirst()
                    for start in stride(from: 0, to: cut, by: 9_000) where !probe.isCancelled(fetch.id) {
                        probe.body(fetch.id, Array(bytes[start..<min(cut, start + 9_000)]))
                    }
                    guard !probe.isCancelled(fetch.id) else { continue }
                    probe.end(fetch.id, cut < bytes.count ? .failed(.truncated) : .complete)
                }
                probe.wait(.milliseconds(250))
            }
            let isExact = probe.received(id) == bytes
            #expect(isExact, "\(cuts)")
            #expect(probe.isEnded(id))
            #expect(probe.fetches("0.ts").count <= cuts.count + 3, "\(cuts)")
        }
    }

    @Test("A host that answered a range with everything is not asked for ranges for ten minutes")
    func wholeBodyHost() {
        let probe = AgentProbe()
        let path = probe.open(url, vod())
        let bytes = pattern(100_000)
        let id = probe.ask(path.replacingIndex(with: "0.ts"))
        let first = probe.fetches("0.ts")[0].id
        probe.head(first, 200, [("content-length", "100000")])
        probe.body(first, Array(bytes[..<20_000]))
        probe.end(first, .failed(.truncated))
        probe.wait(.milliseconds(300))
        let second = probe.fetches("0.ts")[1]
        #expect(second.range == "bytes=20000-")
        // Early in the body: read on by skipping.
        probe.head(second.id, 200, [("content-length", "100000")])
        #expect(!probe.isCancelled(second.id))
        probe.body(second.id, Array(bytes[..<50_000]))
        probe.end(second.id, .failed(.truncated))
        probe.wait(.milliseconds(600))
        guard let third = probe.fetches("0.ts").dropFirst(2).first else {
            Issue.record("not resumed: \(probe.outputs.suffix(12))")
            return
        }
        #expect(third.range == nil)
        probe.head(third.id, 200, [("content-length", "100000")])
        probe.body(third.id, bytes)
        probe.end(third.id)
        #expect(probe.received(id) == bytes)
    }

    private let ranged =
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MAP:URI=\"all.mp4\",BYTERANGE=\"1000@0\"\n"
        + "#EXTINF:4,\n#EXT-X-BYTERANGE:20000@1000\nall.mp4\n#EXTINF:4,\n#EXT-X-BYTERANGE:30000\nall.mp4\n#EXT-X-ENDLIST\n"

    @Test("Byte-range segments ask for exactly their bytes, and their initialisation section for its own")
    func byteRanges() {
        let probe = AgentProbe()
        let path = probe.open(url, ranged)
        let text = probe.text(probe.ask(path))
        let names = text.split { $0 == "\n" || $0 == "\"" }.filter { $0.hasPrefix("/s/") }.map { String($0) }
        #expect(names.count == 3)
        let whole = pattern(51_000)
        for (name, range) in zip(names, ["bytes=0-999", "bytes=1000-20999", "bytes=21000-50999"]) {
            let id = probe.ask(name)
            guard let fetch = probe.fetches("all.mp4").last else { continue }
            #expect(fetch.range == range)
            let ends = range.dropFirst(6).split(separator: "-").map { Int($0) ?? 0 }
            probe.head(
                fetch.id,
                206,
                [("content-range", "bytes \(ends[0])-\(ends[1])/51000")]
            )
            probe.body(fetch.id, Array(whole[ends[0]...ends[1]]))
            probe.end(fetch.id)
            #expect(probe.received(id) == Array(whole[ends[0]...ends[1]]))
            #expect(probe.status(id) == 200)
            probe.drain(id)
        }
    }

    @Test("F10: a 206 of another part of a byte-range segment's resource is never taken for it")
    func wrongContentRange() {
        let probe = AgentProbe()
        let path = probe.open(url, ranged)
        let id = probe.ask(path.replacingIndex(with: "0.mp4"))
        let target = probe.text(probe.ask(path)).split(separator: "\n").first {
            $0.hasSuffix("/0.mp4") || $0.contains("/0.")
        }
        #expect(target != nil)
        let other = target.map { probe.ask(String($0)) } ?? id
        let fetch = probe.fetches("all.mp4")[0].id
        probe.head(fetch, 206, [("content-range", "bytes 0-19999/51000")])
        if !probe.isCancelled(fetch) { probe.body(fetch, [UInt8](repeating: 9, count: 20_000)) }
        #expect(probe.received(other).isEmpty)
    }

    @Test("A byte-range segment of an origin without ranges is read by skipping, without a storm of requests")
    func byteRangeOfWholeBodies() {
        let probe = AgentProbe()
        let path = probe.open(url, ranged)
        let text = probe.text(probe.ask(path))
        let name = text.split(separator: "\n").filter { $0.hasPrefix("/s/") }.map { String($0) }.last ?? ""
        let whole = pattern(51_000)
        let id = probe.ask(name)
        var answered = 0
        for _ in 0..<20 {
            for fetch in probe.fetches("all.mp4").dropFirst(answered) {
                answered += 1
                probe.head(fetch.id, 200, [("content-length", "51000")])
                if !probe.isCancelled(fetch.id) { probe.body(fetch.id, whole) }
                if !probe.isCancelled(fetch.id) { probe.end(fetch.id) }
            }
            probe.wait(.milliseconds(100))
        }
        #expect(answered <= 3)
        #expect(probe.received(id) == Array(whole[21_000...]))
    }

    @Test("Keys pass through each time, with the player's own request, and are never shared")
    func keys() {
        let probe = AgentProbe()
        let list = vod().replacing(
            "#EXTINF",
            with: "#EXT-X-KEY:METHOD=AES-128,URI=\"secret.key\"\n#EXTINF",
            maxReplacements: 1
        )
        let path = probe.open(url, list)
        let link = probe.linkPeer(7)
        let key =
            probe.text(probe.ask(path)).split(separator: "\"").first { $0.hasSuffix(".key") }.map { String($0) } ?? ""
        for count in 1...3 {
            let id = probe.ask(key)
            #expect(probe.fetches("secret.key").count == count)
            #expect(probe.fetches("secret.key").last?.request.purpose == .key)
            probe.answer(probe.fetches("secret.key")[count - 1].id, body: pattern(16))
            #expect(probe.received(id) == pattern(16))
            probe.drain(id)
        }
        #expect(!probe.told(link).contains { if case .have = $0 { true } else { false } })
        #expect(probe.statistics.ledger_bytes == 0)
    }

    @Test("Relative URIs resolve against the address that answered")
    func redirect() {
        let probe = AgentProbe()
        let path = probe.open(url, vod(), answeredBy: "http://cdn.example/deep/down/index.m3u8?t=1")
        _ = probe.ask(path.replacingIndex(with: "2.ts"))
        #expect(probe.fetches("2.ts").map { $0.request.url } == ["http://cdn.example/deep/down/2.ts"])
    }

    @Test("F75: a player that leaves in the middle ends the exchange and frees what it took")
    func leaves() {
        let probe = AgentProbe()
        let path = probe.open(url, vod())
        let id = probe.ask(path.replacingIndex(with: "0.ts"))
        let fetch = probe.fetches("0.ts")[0].id
        probe.head(fetch, 200, [("content-length", "200000")])
        probe.body(fetch, pattern(50_000))
        probe.drain(id)
        #expect(probe.statistics.ledger_bytes == 200_000)
        probe.feed(.requestClosed(id))
        #expect(probe.isCancelled(fetch))
        #expect(probe.statistics.ledger_bytes == 0)
    }

    @Test("F76: a player that reads nothing is given one window and no more")
    func slowReader() {
        let probe = AgentProbe()
        let path = probe.open(url, vod())
        let id = probe.ask(path.replacingIndex(with: "0.ts"))
        let bytes = pattern(3_000_000)
        probe.answer(probe.fetches("0.ts")[0].id, body: bytes)
        #expect(probe.received(id).count <= 1024 * 1024 + 16_384)
        probe.wait(.seconds(60))
        #expect(probe.received(id).count <= 1024 * 1024 + 16_384)
        probe.drain(id)
        #expect(probe.received(id) == bytes)
        #expect(probe.isEnded(id))
    }

    @Test("F76: what passes through is paused for a slow player and resumed")
    func slowRelay() {
        var settings = AgentSettings()
        settings.cacheBytes = 300_000
        let probe = AgentProbe(settings)
        let path = probe.open(url, vod())
        let id = probe.ask(path.replacingIndex(with: "0.ts"))
        let bytes = pattern(900_000)
        probe.head(probe.fetches("0.ts")[0].id, 200, [("content-length", "900000")])
        let relay = probe.fetches("0.ts")[1].id
        probe.head(relay, 200, [("content-length", "900000")])
        var sent = 0
        while sent < bytes.count, !isPaused(probe, relay) {
            probe.body(relay, Array(bytes[sent..<sent + 50_000]))
            sent += 50_000
        }
        #expect(sent <= 350_000)
        probe.drain(id)
        #expect(!isPaused(probe, relay))
        while sent < bytes.count {
            probe.body(relay, Array(bytes[sent..<sent + 50_000]))
            probe.drain(id)
            sent += 50_000
        }
        probe.end(relay)
        #expect(probe.received(id) == bytes)
        #expect(probe.isEnded(id))
        #expect(probe.statistics.ledger_bytes == 0)
    }

    private func isPaused(_ probe: AgentProbe, _ id: FetchID) -> Bool {
        var paused = false
        for output in probe.outputs {
            switch output {
            case .pauseFetch(id): paused = true
            case .resumeFetch(id): paused = false
            default: break
            }
        }
        return paused
    }

    @Test("A body without length that grows beyond what is held ends in an abort, not in silence, and frees its room")
    func endlessBody() {
        var settings = AgentSettings()
        settings.cacheBytes = 900_000
        let probe = AgentProbe(settings)
        let path = probe.open(url, vod())
        let id = probe.ask(path.replacingIndex(with: "0.ts"))
        let fetch = probe.fetches("0.ts")[0].id
        probe.head(fetch)
        for _ in 0..<20 where !probe.isCancelled(fetch) {
            probe.body(fetch, pattern(32_768))
            #expect(probe.statistics.ledger_bytes <= 900_000)
        }
        #expect(probe.isCancelled(fetch))
        #expect(probe.isAborted(id))
        #expect(probe.statistics.ledger_bytes == 0)
        let again = probe.ask(path.replacingIndex(with: "0.ts"))
        guard probe.fetches("0.ts").count == 2 else {
            Issue.record("not asked again")
            return
        }
        probe.head(probe.fetches("0.ts")[1].id)
        probe.body(probe.fetches("0.ts")[1].id, pattern(2_000))
        #expect(probe.received(again) == pattern(2_000))
    }

    @Test("HEAD is answered with the length and begins no body; ranges in the middle and at the end are exact")
    func headAndRanges() {
        let probe = AgentProbe()
        let path = probe.open(url, vod())
        let bytes = pattern(60_000)
        let head = probe.ask(path.replacingIndex(with: "0.ts"), method: .head)
        probe.head(probe.fetches("0.ts")[0].id, 200, [("content-length", "60000")])
        #expect(probe.status(head) == 200)
        #expect(probe.fields(head).contains(HeaderField("content-length", "60000")))
        #expect(probe.isCancelled(probe.fetches("0.ts")[0].id))
        let tail = probe.ask(path.replacingIndex(with: "0.ts"), range: "bytes=-100")
        let middle = probe.ask(path.replacingIndex(with: "0.ts"), range: "bytes=16383-16385")
        let many = probe.ask(path.replacingIndex(with: "0.ts"), range: "bytes=0-1,5-6")
        probe.answer(probe.fetches("0.ts")[1].id, body: bytes)
        #expect(probe.received(tail) == Array(bytes.suffix(100)))
        #expect(probe.received(middle) == Array(bytes[16_383...16_385]))
        #expect(probe.status(many) == 200 && probe.received(many) == bytes)
    }

    @Test("F82: what the playlist does not list is 404 at once, what it once listed and is still held is given")
    func unlisted() {
        let probe = AgentProbe()
        let live = "http://o.example/live.m3u8"
        let path = probe.open(live, Playlists.live(10...12))
        #expect(probe.status(probe.ask(path.replacingIndex(with: "13.ts"))) == 404)
        #expect(probe.status(probe.ask(path.replacingIndex(with: "18446744073709551615.ts"))) == 404)
        let id = probe.ask(path.replacingIndex(with: "10.ts"))
        probe.answer(probe.fetches("10.ts")[0].id, body: [1])
        probe.drain(id)
        probe.wait(.seconds(3))
        _ = probe.ask(path)
        probe.answer(probe.fetches("live.m3u8").last!.id, body: Array(Playlists.live(11...13).utf8), url: live)
        #expect(probe.received(probe.ask(path.replacingIndex(with: "10.ts"))) == [1])
    }

    @Test("A stream that cannot be opened answers the player that asked for it with the origin's status")
    func playFails() {
        var settings = AgentSettings()
        settings.allowedURLPrefixes = ["http://o.example/"]
        let probe = AgentProbe(settings)
        let id = probe.ask("/play?url=http%3A%2F%2Fo.example%2Fgone.m3u8")
        probe.answer(probe.fetches("gone.m3u8")[0].id, 404, body: [])
        #expect(probe.status(id) == 404)
        let refused = probe.ask("/play?url=http%3A%2F%2Fother.example%2Fgone.m3u8")
        #expect(probe.status(refused) == 403)
    }

    @Test("F20: a playlist beyond the limit is cut off")
    func hugePlaylist() {
        var limits = Limits()
        limits.manifestBytes = 1000
        let probe = AgentProbe(limits: limits)
        probe.feed(.open(OpenID(900), StreamRequest(url: url)))
        let fetch = probe.fetches(".m3u8")[0].id
        probe.head(fetch)
        probe.body(fetch, Array(vod(2).utf8))
        probe.body(fetch, [UInt8](repeating: 10, count: 1000))
        #expect(probe.isCancelled(fetch))
        #expect(probe.agent.sessions(at: probe.now).isEmpty)
    }

    @Test("More streams than allowed are refused")
    func streamLimit() {
        var limits = Limits()
        limits.streams = 2
        let probe = AgentProbe(limits: limits)
        probe.open("http://o.example/1.m3u8", vod())
        probe.open("http://o.example/2.m3u8", vod())
        probe.feed(.open(OpenID(900), StreamRequest(url: "http://o.example/3.m3u8")))
        guard case .opened(OpenID(900), .failed(.refused, _))? = probe.outputs.last else {
            Issue.record("opened")
            return
        }
    }

    @Test("Closing a session while everything is under way leaves nothing behind and traps nowhere")
    func closeInFlight() {
        var settings = AgentSettings()
        settings.seedTime = .zero
        let probe = AgentProbe(settings)
        let path = probe.open(url, vod())
        // Three anchored bodies make the agent ask for digests by HEAD.
        for number in 0..<3 {
            let id = probe.ask(path.replacingIndex(with: "\(number).ts"))
            let fetch = probe.fetches("\(number).ts")[0].id
            probe.head(
                fetch,
                200,
                [("content-length", "3"), ("repr-digest", "sha-256=:A5BYxvLAy0ksUzsKTRTvd8wPeKvMztUofYShogEcfjE=:")]
            )
            probe.body(fetch, [1, 2, 3])
            probe.end(fetch)
            probe.drain(id)
        }
        let link = probe.linkPeer(7)
        let have = Have(
            handle: 0,
            rendition: .main,
            ranges: [Have.Range(kind: .media, first: 3, count: 3, state: .held)]
        )
        probe.say(link, .have(have))
        let reading = probe.ask(path.replacingIndex(with: "3.ts"))
        let relayed = probe.ask(path)
        guard let session = probe.agent.sessions(at: probe.now).first else { return }
        probe.feed(.close(StreamID(session.id)))
        #expect(probe.status(reading) == 410)
        #expect(probe.status(relayed) != nil)
        for fetch in probe.fetches() {
            probe.head(fetch.id)
            probe.body(fetch.id, [1])
            probe.end(fetch.id)
        }
        for request in 0..<20 { probe.say(link, .absent(request: UInt32(request), reason: .notHeld)) }
        probe.wait(.seconds(20))
        #expect(probe.statistics.ledger_bytes == 0)
        #expect(probe.agent.sessions(at: probe.now).isEmpty)
    }
}

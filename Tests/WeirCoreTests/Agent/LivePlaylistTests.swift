import Testing
import WeirCore

@Suite("Live playlists")
struct LivePlaylistTests {
    let url = "http://o.example/live/index.m3u8"

    private func playing(_ probe: AgentProbe) -> (path: String, link: LinkID) {
        let path = probe.open(url, Playlists.live(10...15))
        let link = probe.linkPeer(7)
        let list = probe.ask(path)
        probe.drain(list)
        _ = probe.ask(path.replacingIndex(with: "13.ts"))
        return (path, link)
    }

    @Test("A player's reload goes upstream once; a copy younger than 500 ms is given again")
    func reuse() {
        let probe = AgentProbe()
        let path = probe.open(url, Playlists.live(10...15))
        let first = probe.ask(path)
        #expect(probe.status(first) == 200)
        #expect(probe.fetches(".m3u8").count == 1)
        probe.wait(.milliseconds(300))
        #expect(probe.status(probe.ask(path)) == 200)
        #expect(probe.fetches(".m3u8").count == 1)
        probe.wait(.milliseconds(300))
        let third = probe.ask(path)
        let fourth = probe.ask(path)
        #expect(probe.status(third) == nil)
        #expect(probe.fetches(".m3u8").count == 2)
        probe.answer(probe.fetches(".m3u8")[1].id, body: Array(Playlists.live(11...16).utf8), url: url)
        #expect(probe.text(third).contains("16.ts") && probe.text(fourth).contains("16.ts"))
        #expect(probe.fetches(".m3u8").count == 2)
    }

    @Test("F17: an upstream that is silent for 1.5 s lets the last list stand in, for a minute")
    func silentUpstream() {
        let probe = AgentProbe()
        let path = probe.open(url, Playlists.live(10...15))
        _ = probe.ask(path)
        probe.wait(.seconds(2))
        let waiting = probe.ask(path)
        probe.wait(.milliseconds(1400))
        #expect(probe.status(waiting) == nil)
        probe.wait(.milliseconds(200))
        #expect(probe.status(waiting) == 200)
        #expect(probe.text(waiting).contains("15.ts"))
        probe.wait(.seconds(60))
        let late = probe.ask(path)
        probe.wait(.seconds(8))
        #expect(probe.status(late) == 504)
    }

    @Test("Alone the agent never reloads by itself")
    func noTimerAlone() {
        let probe = AgentProbe()
        let path = probe.open(url, Playlists.live(10...15))
        _ = probe.ask(path)
        _ = probe.ask(path.replacingIndex(with: "13.ts"))
        probe.wait(.seconds(30))
        #expect(probe.fetches(".m3u8").count == 1)
    }

    @Test("Linked and playing it reloads at its own moment of each target duration, after half of one without news")
    func ownTimer() {
        let probe = AgentProbe()
        _ = playing(probe)
        // Its moment lies half a target duration away at least, and one and a half at most.
        probe.wait(.milliseconds(900))
        #expect(probe.fetches(".m3u8").count == 1)
        var waited = 900
        while probe.fetches(".m3u8").count == 1, waited < 3100 {
            probe.wait(.milliseconds(50))
            waited += 50
        }
        #expect(probe.fetches(".m3u8").count == 2)
        probe.answer(probe.fetches(".m3u8")[1].id, body: Array(Playlists.live(10...15).utf8), url: url)
        probe.wait(.milliseconds(900))
        #expect(probe.fetches(".m3u8").count == 2)
        probe.wait(.milliseconds(200))
        #expect(probe.fetches(".m3u8").count == 3)
    }

    @Test("A failing origin is not asked more often than a working one")
    func failingReloads() {
        let probe = AgentProbe()
        _ = playing(probe)
        var answered = 1
        for _ in 0..<50 {
            probe.wait(.milliseconds(100))
            let lists = probe.fetches(".m3u8")
            while answered < lists.count {
                probe.end(lists[answered].id, .failed(.refused))
                answered += 1
            }
        }
        // Five seconds of a target duration of two: at most one a second.
        #expect(probe.fetches(".m3u8").count <= 6)
    }

    @Test("F47: a peer that keeps hinting at a next segment makes no more than a few reloads a target duration")
    func hintFlood() {
        let probe = AgentProbe()
        let (path, link) = playing(probe)
        let rendition = LocalPath(target: path).flatMap { if case .index(_, let key) = $0 { key } else { nil } }
        var answered = 1
        for step in 0..<100 {
            probe.wait(.milliseconds(100))
            let have = Have(
                handle: 0,
                rendition: rendition ?? .main,
                ranges: [Have.Range(kind: .media, first: 1000 + UInt64(step), count: 1, state: .held)]
            )
            probe.say(link, .have(have))
            if step % 20 == 0 { _ = probe.ask(path.replacingIndex(with: "13.ts")) }
            let lists = probe.fetches(".m3u8")
            while answered < lists.count {
                probe.answer(lists[answered].id, body: Array(Playlists.live(10...15).utf8), url: url)
                answered += 1
            }
        }
        // Ten seconds, half a target duration of one second each: ten by the timer, and a few for the hints.
        #expect(probe.fetches(".m3u8").count <= 16)
    }

    @Test("A hint makes the agent look again at once")
    func hint() {
        let probe = AgentProbe()
        let (_, link) = playing(probe)
        probe.wait(.milliseconds(700))
        #expect(probe.fetches(".m3u8").count == 1)
        probe.say(link, .interest(Interest(handle: 0, rendition: .main, position: 15, newest: 16)))
        #expect(probe.fetches(".m3u8").count == 2)
    }

    @Test("EVENT lists grow; ENDLIST ends the reloads")
    func event() {
        let probe = AgentProbe()
        let path = probe.open(url, Playlists.live(0...3, type: "EVENT"))
        _ = probe.linkPeer(7)
        _ = probe.ask(path)
        _ = probe.ask(path.replacingIndex(with: "3.ts"))
        probe.wait(.seconds(1))
        let again = probe.ask(path)
        probe.answer(
            probe.fetches(".m3u8")[1].id,
            body: Array(Playlists.live(0...4, end: true, type: "EVENT").utf8),
            url: url
        )
        #expect(probe.text(again).contains("#EXT-X-ENDLIST"))
        let count = probe.fetches(".m3u8").count
        probe.wait(.seconds(20))
        #expect(probe.fetches(".m3u8").count == count)
        #expect(probe.agent.sessions(at: probe.now)[0].live == false)
    }

    @Test("F18: after a packager's restart the same number means the new file, held or being read")
    func restart() {
        for isHeld in [true, false] {
            let probe = AgentProbe()
            let path = probe.open(url, Playlists.live(0...5) { "a\($0).ts" })
            _ = probe.ask(path)
            let old = probe.ask(path.replacingIndex(with: "3.ts"))
            let oldBytes = [UInt8](repeating: 1, count: 40_000)
            let fetch = probe.fetches("a3.ts")[0].id
            probe.head(fetch, 200, [("content-length", "40000")])
            probe.body(fetch, Array(oldBytes[..<20_000]))
            if isHeld {
                probe.body(fetch, Array(oldBytes[20_000...]))
                probe.end(fetch)
                probe.drain(old)
            }
            probe.wait(.seconds(1))
            let list = probe.ask(path)
            probe.answer(
                probe.fetches(".m3u8")[1].id,
                body: Array(Playlists.live(0...4) { "b\($0).ts" }.utf8),
                url: url
            )
            #expect(probe.status(list) == 200)
            let new = probe.ask(path.replacingIndex(with: "3.ts"))
            #expect(probe.fetches("b3.ts").count == 1, "held \(isHeld)")
            guard let next = probe.fetches("b3.ts").first else { continue }
            let newBytes = [UInt8](repeating: 2, count: 30_000)
            probe.answer(next.id, body: newBytes)
            #expect(probe.received(new) == newBytes)
            if !isHeld {
                probe.body(fetch, Array(oldBytes[20_000...]))
                probe.end(fetch)
                #expect(probe.received(old) == oldBytes)
                probe.drain(old)
            }
            probe.drain(new)
            #expect(probe.statistics.ledger_bytes == 30_000, "held \(isHeld)")
            guard let session = probe.agent.sessions(at: probe.now).first else { continue }
            probe.feed(.close(StreamID(session.id)))
            #expect(probe.statistics.ledger_bytes == 0)
        }
    }

    @Test("F18: a restart under the same names gives the new bytes, and a new initialisation section")
    func restartWithSameNames() {
        let probe = AgentProbe()
        let map = "#EXT-X-MAP:URI=\"init.mp4\"\n"
        func list(_ numbers: ClosedRange<Int>) -> String {
            Playlists.live(numbers).replacing("#EXTINF", with: map + "#EXTINF", maxReplacements: 1)
        }
        let path = probe.open(url, list(0...3))
        _ = probe.ask(path)
        func read(_ name: String, _ byte: UInt8) -> [UInt8] {
            let before = probe.fetches().count
            let id = probe.ask(path.replacingIndex(with: name))
            for fetch in probe.fetches().dropFirst(before) {
                probe.answer(fetch.id, body: [UInt8](repeating: byte, count: 20_000))
            }
            probe.drain(id)
            return probe.received(id)
        }
        let list1 = probe.text(probe.ask(path))
        let initName =
            list1.split(separator: "\"").first { $0.contains("/i") }.map { String($0.split(separator: "/").last ?? "") }
            ?? ""
        #expect(read("0.ts", 1) == [UInt8](repeating: 1, count: 20_000))
        #expect(read(initName, 1).first == 1)
        for (count, numbers) in [(2, 50...53), (3, 0...3)] {
            probe.wait(.seconds(1))
            _ = probe.ask(path)
            probe.answer(probe.fetches(".m3u8")[count - 1].id, body: Array(list(numbers).utf8), url: url)
        }
        #expect(read("0.ts", 2).first == 2)
        #expect(read(initName, 2).first == 2)
    }

    @Test("F17: a list that a stale cache node gives, a little back in time, costs nothing")
    func staleList() {
        let probe = AgentProbe()
        let path = probe.open(url, Playlists.live(10...15))
        _ = probe.ask(path)
        let id = probe.ask(path.replacingIndex(with: "12.ts"))
        probe.answer(probe.fetches("12.ts")[0].id, body: [1, 2, 3])
        probe.drain(id)
        for (count, numbers) in [(2, 12...17), (3, 11...16)] {
            probe.wait(.seconds(1))
            _ = probe.ask(path)
            probe.answer(probe.fetches(".m3u8")[count - 1].id, body: Array(Playlists.live(numbers).utf8), url: url)
        }
        let again = probe.ask(path.replacingIndex(with: "12.ts"))
        #expect(probe.received(again) == [1, 2, 3])
        #expect(probe.fetches("12.ts").count == 1)
    }

    @Test("The newest address of a segment is asked: tokens are minted anew with each list")
    func freshTokens() {
        let probe = AgentProbe()
        let path = probe.open(url, Playlists.live(10...15) { "\($0).ts?token=old" })
        _ = probe.ask(path)
        probe.wait(.seconds(1))
        _ = probe.ask(path)
        probe.answer(
            probe.fetches(".m3u8")[1].id,
            body: Array(Playlists.live(11...16) { "\($0).ts?token=new" }.utf8),
            url: url
        )
        _ = probe.ask(path.replacingIndex(with: "14.ts"))
        #expect(probe.fetches("14.ts?token=new").count == 1)
    }

    @Test("A segment's 404 near the live edge is retried, an old one's is passed on")
    func notFound() {
        let probe = AgentProbe()
        let path = probe.open(url, Playlists.live(10...15))
        _ = probe.ask(path)
        let young = probe.ask(path.replacingIndex(with: "15.ts"))
        probe.answer(probe.fetches("15.ts")[0].id, 404, body: [])
        #expect(probe.status(young) == nil)
        probe.wait(.milliseconds(300))
        #expect(probe.fetches("15.ts").count == 2)
        probe.answer(probe.fetches("15.ts")[1].id, body: [5])
        #expect(probe.received(young) == [5])
        probe.wait(.seconds(3))
        let old = probe.ask(path.replacingIndex(with: "14.ts"))
        probe.answer(probe.fetches("14.ts")[0].id, 404, body: [])
        #expect(probe.status(old) == 404)
    }

    @Test("F08: 403 on the rendition's playlist withdraws what peers were told; the next success tells it again")
    func gate() {
        let probe = AgentProbe()
        let (path, link) = playing(probe)
        probe.answer(probe.fetches("13.ts")[0].id, body: [1, 2, 3])
        func last() -> Have.State? {
            probe.told(link).compactMap { message -> Have.State? in
                guard case .have(let have) = message else { return nil }
                return have.ranges.first { $0.first == 13 }?.state
            }.last
        }
        #expect(last() == .held)
        probe.wait(.seconds(1))
        let list = probe.ask(path)
        probe.answer(probe.fetches(".m3u8")[1].id, 403, body: [])
        #expect(probe.status(list) == 403)
        #expect(last() == .gone)
        let request = RunRequest(
            request: 1,
            handle: 0,
            segment: SegmentID(rendition: .main, number: 13),
            edition: Edition(length: nil, validator: 0, name: 0),
            chunks: ChunkRun(first: 0, count: 1)
        )
        probe.say(link, .request(request))
        #expect(probe.told(link).last == .absent(request: 1, reason: .notHeld))
        probe.wait(.seconds(1))
        _ = probe.ask(path)
        probe.answer(probe.fetches(".m3u8").last!.id, body: Array(Playlists.live(11...16).utf8), url: url)
        #expect(last() == .held)
    }

    @Test("T7: a thousand players that ask for one cold segment cost one GET, and all get it")
    func thunderingHerd() {
        let probe = AgentProbe()
        let path = probe.open(url, Playlists.live(10...15))
        let ids = (0..<1000).map { probe.ask(path.replacingIndex(with: "12.ts"), userAgent: "player \($0)") }
        #expect(probe.fetches("12.ts").count == 1)
        let bytes = (0..<50_000).map { UInt8(truncatingIfNeeded: $0) }
        probe.answer(probe.fetches("12.ts")[0].id, body: bytes)
        for id in [ids[0], ids[499], ids[999]] { #expect(probe.received(id) == bytes) }
        #expect(probe.fetches("12.ts").count == 1)
    }

    @Test("Rotating keys and initialisation sections leave no growing tables, and are never cached")
    func rotation() {
        let probe = AgentProbe()
        func list(_ first: Int) -> String {
            Playlists.live(first...first + 3) { "\($0).ts" }.replacing(
                "#EXT-X-MEDIA",
                with:
                    "#EXT-X-KEY:METHOD=AES-128,URI=\"k.bin?t=\(first)\"\n#EXT-X-MAP:URI=\"init\(first).mp4\"\n#EXT-X-MEDIA"
            )
        }
        let path = probe.open(url, list(0))
        var lists = 1
        for step in 1..<40 {
            _ = probe.ask(path)
            probe.wait(.seconds(1))
            let id = probe.ask(path)
            probe.answer(probe.fetches(".m3u8")[lists].id, body: Array(list(step).utf8), url: url)
            lists += 1
            let names = probe.text(id).split(separator: "\"").filter { $0.hasPrefix("/s/") }.map { String($0) }
            for name in names {
                let before = probe.fetches().count
                let got = probe.ask(name)
                for fetch in probe.fetches().dropFirst(before) {
                    probe.answer(fetch.id, body: [UInt8](repeating: 9, count: 1000))
                }
                probe.drain(got)
                #expect(probe.received(got).count == 1000)
                #expect(probe.fetches().count == before + 1)
            }
        }
        // Only the sections that the newest lists name are kept.
        #expect(probe.statistics.ledger_bytes <= 4000)
    }
}

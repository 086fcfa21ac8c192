import Testing
import WeirCore

@Suite("Where live players start")
struct LiveOffsetTests {
    private let url = "http://o.example/live/index.m3u8"

    private func probe(_ offset: Duration? = .seconds(9)) -> AgentProbe {
        var settings = AgentSettings()
        settings.liveOffset = offset
        return AgentProbe(settings)
    }

    private func given(_ playlist: String, _ probe: AgentProbe) -> String {
        let path = probe.open(url, playlist)
        return probe.text(probe.ask(path))
    }

    @Test("live_offset puts a start into live playlists that have none, and into no others")
    func playlists() {
        let start = "#EXTM3U\n#EXT-X-START:TIME-OFFSET=-9.0\n"
        let live = Playlists.live(10...15)
        #expect(given(live, probe()).hasPrefix(start))
        #expect(!given(live, probe(nil)).contains("EXT-X-START"))
        #expect(!given(Playlists.live(10...15, end: true), probe()).contains("EXT-X-START"))
        #expect(!given(Playlists.live(0...5, type: "EVENT"), probe()).contains("EXT-X-START"))
        let own = live.replacingFirst("#EXT-X-TARGET", "#EXT-X-START:TIME-OFFSET=-20\n#EXT-X-TARGET")
        #expect(given(own, probe()).contains("-20\n") && !given(own, probe()).contains("-9"))
    }

    @Test("live_offset becomes a live presentation's suggested delay, unless it has one")
    func presentations() {
        func given(_ manifest: String) -> String {
            let probe = probe()
            let path = probe.open(Presentations.url, manifest)
            return probe.text(probe.ask(path))
        }
        let live = Presentations.live(100...104)
        #expect(given(live).contains("suggestedPresentationDelay=\"PT9.0S\""))
        let own = live.replacingFirst("type='dynamic'", "type='dynamic' suggestedPresentationDelay='PT4S'")
        #expect(given(own).contains("'PT4S'") && !given(own).contains("PT9"))
        #expect(!given(Presentations.text(Presentations.timed)).contains("suggested"))
    }

    @Test("A hinted initialisation section is asked once at the address that the list's own tag will have")
    func hintedMap() {
        let head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-PART-INF:PART-TARGET=0.5\n#EXT-X-MEDIA-SEQUENCE:5\n"
        let list = head + "#EXTINF:2,\n5.mp4\n#EXT-X-PRELOAD-HINT:TYPE=MAP,URI=\"new.mp4\"\n"
        let probe = probe(nil)
        let path = probe.open(url, list)
        let text = probe.text(probe.ask(path))
        guard let hint = text.firstRange(of: "TYPE=MAP,URI=\"") else {
            Issue.record("no hint: \(text)")
            return
        }
        let address = String(text[hint.upperBound...].prefix { $0 != "\"" })
        let first = probe.ask(address)
        let second = probe.ask(address, userAgent: "other")
        #expect(probe.fetches("/new.mp4").count == 1)
        probe.answer(probe.fetches("/new.mp4")[0].id, body: [1, 2, 3])
        #expect(probe.received(first) == [1, 2, 3] && probe.received(second) == [1, 2, 3])
        let ranged = list.replacingFirst("URI=\"new.mp4\"", "URI=\"new.mp4\",BYTERANGE-START=7")
        #expect(!given(ranged, self.probe(nil)).contains("PRELOAD-HINT"), "it could be another section later")
    }
}

import Testing
import WeirCore

/// Odd live playlists are states with a reason, told once in the log and shown in the session.
@Suite("Conditions of playlists")
struct PlaylistConditionTests {
    private let url = "http://o.example/live/index.m3u8"

    private func state(_ probe: AgentProbe) -> (state: String, reason: String) {
        guard let report = probe.agent.sessions(at: probe.now).first?.playlists.first else { return ("none", "") }
        return (report.state, report.reason)
    }

    /// The player reloads, and the origin answers with this.
    @discardableResult
    private func reload(_ probe: AgentProbe, _ path: String, _ list: String) -> String {
        let count = probe.fetches(".m3u8").count
        let request = probe.ask(path)
        if probe.fetches(".m3u8").count > count, let fetch = probe.fetches(".m3u8").last {
            probe.answer(fetch.id, body: Array(list.utf8), url: url)
        }
        return probe.text(request)
    }

    @Test("F17 A list without news for three target durations is stale, and current again with news") func stale() {
        let probe = AgentProbe()
        let path = probe.open(url, Playlists.live(10...15))
        #expect(state(probe) == ("current", ""))
        for second in 1...12 {
            probe.wait(.seconds(1))
            reload(probe, path, Playlists.live(10...15))
            #expect(state(probe).state == (second > 6 ? "stale" : "current"), "after \(second) s")
        }
        #expect(state(probe).reason == "nothing was added for three target durations")
        #expect(probe.messages("a playlist is stale").count == 1)
        // One request for each of the player's, however stale.
        #expect(probe.fetches(".m3u8").count == 13)
        probe.wait(.seconds(1))
        reload(probe, path, Playlists.live(11...16))
        #expect(state(probe).state == "current")
    }

    @Test("F18 An older copy does not take the newer one's place, for three target durations") func rollback() {
        let probe = AgentProbe()
        let path = probe.open(url, Playlists.live(10...15))
        probe.wait(.seconds(1))
        #expect(reload(probe, path, Playlists.live(12...17)).contains("/17.ts"))
        for second in 1...6 {
            probe.wait(.seconds(1))
            let text = reload(probe, path, Playlists.live(11...16))
            #expect(text.contains("/17.ts") && text.contains("MEDIA-SEQUENCE:12"), "after \(second) s")
        }
        #expect(state(probe) == ("rolled back", "the origin sent an older copy that ends with segment 16"))
        #expect(probe.messages("a playlist is rolled back").count == 1)
        probe.wait(.seconds(1))
        // The origin means it.
        #expect(reload(probe, path, Playlists.live(11...16)).contains("MEDIA-SEQUENCE:11"))
        #expect(state(probe).state == "current")
    }

    @Test("F18 Overlapping numbers with other names are a restart, not an older copy") func restart() {
        let probe = AgentProbe()
        let path = probe.open(url, Playlists.live(0...5) { "a\($0).ts" })
        probe.wait(.seconds(1))
        #expect(!reload(probe, path, Playlists.live(0...3) { "b\($0).ts" }).contains("/5.ts"))
        probe.wait(.seconds(1))
        reload(probe, path, Playlists.live(100...105))
        probe.wait(.seconds(1))
        reload(probe, path, Playlists.live(0...5) { "c\($0).ts" })
        #expect(state(probe) == ("restarted", "its media sequence numbers began anew"))
        #expect(probe.messages("a playlist is restarted").count == 1)
        #expect(probe.messages("a playlist skipped segments").count == 1)
        probe.wait(.seconds(1))
        reload(probe, path, Playlists.live(1...6) { "c\($0).ts" })
        #expect(state(probe).state == "current")
    }

    @Test("A segment that is listed before it is there, a list that fails, and the end are told as such") func others()
    {
        let probe = AgentProbe()
        let path = probe.open(url, Playlists.live(10...15, type: "EVENT"))
        _ = probe.ask(path)
        _ = probe.ask(path.replacingIndex(with: "15.ts"))
        probe.answer(probe.fetches("15.ts")[0].id, 404, body: [])
        #expect(state(probe) == ("ahead of its segments", "the origin lists segment 15 and answers 404"))
        probe.wait(.seconds(2))
        _ = probe.ask(path)
        probe.answer(probe.fetches(".m3u8")[1].id, 503, body: [])
        #expect(state(probe) == ("failing", "the server answered 503"))
        probe.wait(.seconds(5))
        reload(probe, path, Playlists.live(10...16, end: true, type: "EVENT"))
        #expect(state(probe) == ("ended", ""))
        #expect(probe.agent.sessions(at: probe.now)[0].live == false)
    }
}

import Testing
import WeirCore

@Suite("Whom an agent tells what")
struct TellingTests {
    private let url = "http://o.example/film/index.m3u8"

    private func newest(_ probe: AgentProbe, told link: LinkID) -> [UInt64] {
        probe.told(link).compactMap { if case .interest(let interest) = $0 { interest.newest } else { nil } }
    }

    @Test("What is newest is told to those who have not told it themselves")
    func newest() {
        let probe = AgentProbe()
        let path = probe.open(url, Playlists.live(0...5))
        _ = probe.ask(path.replacingIndex(with: "3.ts"))
        let (first, second) = (probe.linkPeer(7, host: "10.9.0.7"), probe.linkPeer(8, host: "10.9.0.8"))
        #expect(newest(probe, told: first) == [5] && newest(probe, told: second) == [5])
        probe.wait(.seconds(1))
        probe.say(first, .interest(Interest(handle: 0, rendition: .main, position: 5, newest: 6)))
        probe.wait(.seconds(1))
        guard let reload = probe.fetches("index.m3u8").last, probe.fetches("index.m3u8").count > 1 else {
            Issue.record("a hint has the playlist read again")
            return
        }
        probe.answer(reload.id, body: Array(Playlists.live(1...6).utf8), url: url)
        #expect(newest(probe, told: first) == [5])
        #expect(newest(probe, told: second) == [5, 6])
    }
}

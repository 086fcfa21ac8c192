import Testing

@testable import WeirCore

@Suite("Players that change to another quality")
struct QualitySwitchTests {
    private static let master = """
        #EXTM3U
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",URI="audio/index.m3u8"
        #EXT-X-STREAM-INF:BANDWIDTH=1000000,AUDIO="a"
        low/index.m3u8
        #EXT-X-STREAM-INF:BANDWIDTH=4000000,AUDIO="a"
        high/index.m3u8

        """

    /// One agent with a peer; its segments' local paths by rendition.
    private final class Scene {
        let probe = AgentProbe()
        let link: LinkID
        private(set) var segments: [String: [String]] = [:]

        init() {
            let path = probe.open("http://o.example/film/master.m3u8", QualitySwitchTests.master)
            let lists = Scene.paths(probe.text(probe.ask(path)))
            link = probe.linkPeer(7)
            for (list, name) in zip(lists, ["audio", "low", "high"]) {
                let id = probe.ask(list)
                let media = Playlists.live(0...20, target: 4, end: true, type: "VOD")
                if let fetch = probe.fetches("\(name)/index.m3u8").last {
                    probe.answer(fetch.id, body: Array(media.utf8), url: fetch.request.url)
                }
                segments[name] = Scene.paths(probe.text(id))
            }
        }

        private static func paths(_ text: String) -> [String] {
            text.split { $0 == "\n" || $0 == "\"" }.filter { $0.hasPrefix("/s/") }.map { String($0) }
        }

        /// The player takes a whole segment, from the origin where that is asked.
        func play(_ name: String, _ number: Int) {
            guard let path = segments[name]?[number] else { return }
            let id = probe.ask(path)
            for fetch in probe.fetches("/\(name)/\(number).ts") { probe.answer(fetch.id, body: Array(name.utf8)) }
            probe.drain(id)
        }

        /// What the peer was told last of where the player is, by rendition in the order in which they were first told.
        var positions: [UInt64?] {
            var order: [RenditionKey] = []
            var last: [RenditionKey: UInt64] = [:]
            for case .interest(let interest) in probe.told(link) {
                if !order.contains(interest.rendition) { order.append(interest.rendition) }
                last[interest.rendition] = interest.position
            }
            return order.map { last[$0] }
        }
    }

    @Test("The quality that was left is nobody's to read here, as soon as that is certain, and its sound still is")
    func left() {
        let scene = Scene()
        scene.play("low", 0)
        scene.play("audio", 0)
        scene.play("high", 1)
        #expect(scene.positions == [1, 1, 2], "one request may have been another player's")
        scene.play("audio", 1)
        scene.play("high", 2)
        // The peer heard of sound, low, high, in the order in which their lists were read.
        #expect(scene.positions == [2, nil, 3])
        // And back.
        scene.play("low", 3)
        #expect(scene.positions == [2, 4, 3])
        scene.play("low", 4)
        #expect(scene.positions == [2, 5, nil])
    }

    @Test("Two players of one kind at two qualities leave neither")
    func two() {
        let scene = Scene()
        for number in 0..<6 {
            scene.play("low", number)
            scene.play("high", number)
        }
        #expect(scene.positions == [nil, 6, 6], "nobody plays the sound")
    }

    @Test("A playhead is left after two requests elsewhere, and comes back with its own next one")
    func playhead() {
        var head = Playhead(start: 4..<5, at: .start)
        head.passOver()
        #expect(!head.isLeft)
        head.passOver()
        #expect(head.isLeft)
        for _ in 0..<1000 { head.passOver() }
        _ = head.request(5..<6, reach: 8, at: .start)
        #expect(!head.isLeft)
        #expect(head.goesOn(at: 6) && head.goesOn(at: 9))
        #expect(!head.goesOn(at: 3) && !head.goesOn(at: 10))
    }
}

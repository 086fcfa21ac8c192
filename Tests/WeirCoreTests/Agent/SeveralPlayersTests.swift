import Testing

@testable import WeirCore

/// An agent with one recording of 40 segments of four seconds, all in its cache as soon as they are asked.
private final class Recording {
    let probe: AgentProbe
    let path: String
    let bytes = [UInt8](repeating: 7, count: 4000)

    init() {
        probe = AgentProbe()
        path = probe.open("http://o.example/index.m3u8", Playlists.live(0...39, target: 4, end: true))
    }

    var stream: WeirCore.Stream { probe.agent.streams[0] }
    var awake: [Player] { stream.players.filter { !$0.isAside } }

    func segmentPath(_ number: Int) -> String { path.replacing("index.m3u8", with: "\(number).ts") }

    /// Begins a request and leaves it open.
    func begin(_ number: Int, on connection: UInt64, agent: String = "mpv") -> RequestID {
        probe.ask(segmentPath(number), userAgent: agent, connection: connection)
    }

    func serve(_ number: Int) {
        guard let fetch = probe.fetches("/\(number).ts").last, !served.contains(fetch.id) else { return }
        served.insert(fetch.id)
        probe.answer(fetch.id, body: bytes)
    }
    private var served: Set<FetchID> = []

    /// Asks and takes the whole.
    func read(_ number: Int, on connection: UInt64, agent: String = "mpv") {
        let id = begin(number, on: connection, agent: agent)
        serve(number)
        probe.drain(id)
    }

    /// Where each awake player will go on.
    var places: [UInt64] { awake.compactMap { $0.playheads.first?.head.next }.sorted() }
}

/// An agent with a recording whose sound is a rendition of its own, all in its cache as soon as it is asked.
private final class SoundAndPicture {
    let probe = AgentProbe()
    var stream: WeirCore.Stream { probe.agent.streams[0] }

    init() throws {
        let master = """
            #EXTM3U
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="audio.m3u8"
            #EXT-X-STREAM-INF:BANDWIDTH=1000,AUDIO="a"
            video.m3u8
            """
        _ = probe.open("http://o.example/master.m3u8", master)
        for rendition in stream.renditions {
            _ = probe.ask(LocalPath.index(stream.id, rendition.key).text, connection: 1)
            let fetch = try #require(probe.fetches(rendition.manifest.url.lastPathPart).last)
            probe.answer(
                fetch.id,
                body: Array(Playlists.live(0...39, target: 4, end: true).utf8),
                url: fetch.request.url
            )
        }
    }

    /// Asks and takes the whole of a segment of the rendition at this place.
    func read(_ number: UInt64, of place: Int, on connection: UInt64) {
        let path = LocalPath.segment(stream.id, stream.renditions[place].key, number: number, suffix: "ts").text
        let id = probe.ask(path, connection: connection)
        for fetch in probe.fetches(".ts") where !probe.isCancelled(fetch.id) {
            probe.answer(fetch.id, body: [UInt8](repeating: 1, count: 100))
        }
        probe.drain(id)
    }
}

@Suite("Several players")
struct SeveralPlayersTests {
    @Test("Two players of one kind on connections of their own keep playheads of their own, seeks too")
    func connections() {
        let recording = Recording()
        for step in 0..<5 {
            recording.read(step, on: 1)
            recording.read(20 + step, on: 2)
        }
        #expect(recording.places == [5, 25])
        // The second seeks; the first loses nothing.
        let buffer = recording.awake[0].buffer(at: recording.probe.now, idleAfter: .seconds(30))
        recording.read(10, on: 2)
        #expect(recording.places == [5, 11])
        #expect(recording.awake[0].buffer(at: recording.probe.now, idleAfter: .seconds(30)) == buffer)
    }

    @Test("Two that make a connection for each request are told apart by where they are")
    func places() {
        let recording = Recording()
        var connection: UInt64 = 0
        func read(_ number: Int) {
            connection += 1
            recording.read(number, on: connection)
        }
        for step in 0..<6 {
            read(step)
            read(20 + step)
        }
        #expect(recording.places == [6, 26])
        #expect(recording.probe.statistics.stalls == 0)
    }

    @Test("A player that begins where another is just reading is another one")
    func sameStart() {
        let recording = Recording()
        let first = recording.begin(0, on: 1)
        let second = recording.begin(0, on: 2)
        recording.serve(0)
        recording.probe.drain(first)
        recording.probe.drain(second)
        #expect(recording.awake.count == 2)
        for step in 1..<4 {
            recording.read(step, on: 1)
            recording.read(step, on: 2)
        }
        #expect(recording.awake.count == 2 && recording.places == [4, 4])
        #expect(recording.probe.fetches(".ts").count == 4)
    }

    @Test("A seek on a new connection is one player that went elsewhere: its old place draws nothing any more")
    func seek() {
        let recording = Recording()
        for step in 0..<3 { recording.read(step, on: UInt64(step)) }
        recording.read(30, on: 10)
        #expect(recording.awake.count == 1 && recording.places == [31])
        // It turns out that there are two: the first goes on.
        recording.read(3, on: 11)
        #expect(recording.places == [4, 31])
    }

    @Test("Of several, one without a connection is the one that went elsewhere, even to where another might skip")
    func seekOfOneThatClosed() {
        let recording = Recording()
        for step in 0..<3 { recording.read(step, on: 1) }
        for step in 0..<2 { recording.read(step, on: 2) }
        recording.read(3, on: 1)
        recording.probe.feed(.connectionClosed(ConnectionID(2)))
        // The first goes on at 4 and could skip to 6, but would ask that on its connection.
        recording.read(6, on: 3)
        recording.read(4, on: 1)
        recording.read(7, on: 3)
        #expect(recording.awake.count == 2 && recording.places == [5, 8])
    }

    @Test("Players that begin at one moment on what is cached are as many as they are, with sound apart too")
    func beginTogether() throws {
        let scene = try SoundAndPicture()
        // Each asks its picture, then its sound, on connections of their own.
        for player in 0..<3 { scene.read(0, of: 0, on: UInt64(player)) }
        for player in 0..<3 { scene.read(0, of: 1, on: UInt64(10 + player)) }
        for number in 1..<4 {
            for player in 0..<3 {
                scene.read(UInt64(number), of: 0, on: UInt64(player))
                scene.read(UInt64(number), of: 1, on: UInt64(10 + player))
            }
        }
        #expect(scene.stream.players.map { $0.isAside } == [false, false, false])
        #expect(scene.stream.players.allSatisfy { $0.playheads.map { $0.head.next } == [4, 4] })
    }

    @Test("One player's sound and picture are one player, also after a seek")
    func soundAndPicture() throws {
        let scene = try SoundAndPicture()
        var connection: UInt64 = 0
        for number in [0, 1, 2, 20, 21] {
            for rendition in 0..<2 {
                connection += 1
                scene.read(UInt64(number), of: rendition, on: connection)
            }
        }
        let awake = scene.stream.players.filter { !$0.isAside }
        #expect(awake.count == 1)
        #expect(awake.first?.playheads.map { $0.head.next } == [22, 22])
    }

    @Test("F80 A hundred players on one stream cost the origin one copy of everything", arguments: [2, 100])
    func oneUpstream(players: Int) throws {
        let probe = AgentProbe()
        let path = probe.open("http://o.example/live.m3u8", Playlists.live(0...5, target: 4))
        for number in 0..<3 {
            var waiting: [RequestID] = []
            for player in 0..<players {
                waiting.append(probe.ask(path, userAgent: "vlc", connection: UInt64(player)))
                let segment = path.replacing("index.m3u8", with: "\(number + 3).ts")
                waiting.append(probe.ask(segment, userAgent: "vlc", connection: UInt64(player)))
            }
            for fetch in probe.fetches("live.m3u8").suffix(1) where number > 0 {
                probe.answer(fetch.id, body: Array(Playlists.live(number...number + 5, target: 4).utf8))
            }
            let fetches = probe.fetches("/\(number + 3).ts")
            #expect(fetches.count == 1)
            for fetch in fetches { probe.answer(fetch.id, body: [UInt8](repeating: 1, count: 20_000)) }
            for id in waiting {
                #expect(probe.status(id) == 200)
                probe.drain(id)
                #expect(probe.isEnded(id))
            }
            #expect(probe.fetches("live.m3u8").count == number + 1)
            probe.wait(.seconds(4))
        }
        let stream = probe.agent.streams[0]
        #expect(stream.players.count == players)
        #expect(stream.players.allSatisfy { !$0.isAside && $0.playheads.first?.head.next == 6 })
        #expect(probe.statistics.delivered_bytes >= Int64(60_000 * players))
        #expect(probe.statistics.origin_bytes == 60_000)
    }

    @Test("Streams that are watched at the same time get equal parts of what may be fetched ahead")
    func shares() throws {
        var settings = AgentSettings()
        settings.cacheBytes = 6_000_000
        let probe = AgentProbe(settings)
        let paths = (0..<3).map { number in
            probe.open("http://o.example/\(number)/index.m3u8", Playlists.live(0...199, target: 4, end: true))
        }
        let link = probe.linkPeer(7)
        for stream in probe.agent.streams {
            // Somebody to share with: then segments are fetched ahead.
            let handle = UInt32(probe.agent.streams.firstIndex { $0 === stream } ?? 0) + 50
            probe.say(link, .join(handle: handle, swarm: stream.swarm))
        }
        var answered: Set<FetchID> = []
        func serve() {
            for fetch in probe.fetches(".ts") where !probe.isCancelled(fetch.id) && !answered.contains(fetch.id) {
                answered.insert(fetch.id)
                probe.answer(fetch.id, body: [UInt8](repeating: 1, count: 200_000))
            }
        }
        func ahead(_ stream: WeirCore.Stream) -> Int {
            stream.renditions[0].media.values.count { $0.isHeld && $0.id.number > 0 }
        }
        let asked = paths.map { probe.ask($0.replacing("index.m3u8", with: "0.ts"), userAgent: $0) }
        serve()
        for id in asked { probe.drain(id) }
        for _ in 0..<200 {
            probe.wait(.milliseconds(100))
            serve()
        }
        let counts = probe.agent.streams.map { ahead($0) }
        // Half of six megabytes, in three parts, of 200 kB each.
        #expect(counts.allSatisfy { $0 >= 3 } && counts.reduce(0, +) <= 15, "\(counts)")
    }

    @Test("F80 More players than are remembered change nothing but what is known of them")
    func bounded() {
        var limits = Limits()
        limits.playersPerStream = 8
        let probe = AgentProbe(limits: limits)
        let path = probe.open("http://o.example/index.m3u8", Playlists.live(0...39, target: 4, end: true))
        for player in 0..<50 {
            let id = probe.ask(
                path.replacing("index", with: "0").replacing("m3u8", with: "ts"),
                connection: UInt64(player)
            )
            if player == 0, let fetch = probe.fetches(".ts").first { probe.answer(fetch.id, body: [1, 2, 3]) }
            probe.drain(id)
            #expect(probe.isEnded(id))
        }
        #expect(probe.agent.streams[0].players.count == 8)
    }
}

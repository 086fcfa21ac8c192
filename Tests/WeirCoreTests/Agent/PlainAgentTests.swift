import Testing
import WeirCore

@Suite("A single agent behaves as a plain player does")
struct PlainAgentTests {
    @Test("Each segment costs one request without range and arrives bit-exact")
    func plainProxy() {
        let world = AgentWorld()
        let agent = world.add()
        let film = Film(segments: 5, bytes: 100_000)
        film.publish(in: world)
        let path = world.open(agent, film.url)
        let list = world.get(agent, path)
        world.run(.milliseconds(100))
        #expect(world.answers[list]?.status == 200)
        for number in 0..<5 {
            let id = world.get(agent, film.path(of: number, in: world, agent))
            world.run(.milliseconds(100))
            #expect(world.answers[id]?.status == 200)
            #expect(world.body(id, is: film.bytes(of: number)))
            #expect(world.answers[id]?.isEnded == true)
        }
        let media = world.log.filter { $0.url.hasSuffix(".ts") }
        #expect(media.count == 5)
        #expect(media.allSatisfy { $0.range == nil && $0.method == "GET" })
        #expect(world.log.count(where: { $0.url == film.url }) == 1)
    }

    @Test("bytes=0- is answered with 206, an unsatisfiable range with 416")
    func ranges() {
        let world = AgentWorld()
        let agent = world.add()
        let film = Film(segments: 2, bytes: 50_000)
        film.publish(in: world)
        world.open(agent, film.url)
        let whole = world.get(agent, film.path(of: 0, in: world, agent), range: "bytes=0-")
        let part = world.get(agent, film.path(of: 0, in: world, agent), range: "bytes=20000-29999")
        let beyond = world.get(agent, film.path(of: 0, in: world, agent), range: "bytes=50000-")
        world.run(.milliseconds(200))
        #expect(world.answers[whole]?.status == 206)
        #expect(world.body(whole, is: film.bytes(of: 0)))
        #expect(world.body(part, is: Array(film.bytes(of: 0)[20000..<30000])))
        #expect(world.answers[beyond]?.status == 416)
        #expect(world.log.count(where: { $0.url.hasSuffix("0.ts") }) == 1)
    }

    @Test("F04 F05: a body that breaks off is resumed at the byte where it broke, and nothing is read twice")
    func resume() {
        for cut in [10, 16_384, 40_000, 70_001] {
            let world = AgentWorld()
            let agent = world.add()
            let film = Film(segments: 1, bytes: 100_000)
            film.publish(in: world)
            world.resources[film.address(of: 0)]?.cutAfter = cut
            world.open(agent, film.url)
            let id = world.get(agent, film.path(of: 0, in: world, agent))
            world.run(.milliseconds(30))
            world.resources[film.address(of: 0)]?.cutAfter = nil
            world.run(.seconds(3))
            #expect(world.body(id, is: film.bytes(of: 0)), "cut at \(cut)")
            #expect(world.log.last?.range == "bytes=\(cut)-")
        }
    }

    @Test("F07: 503 is retried with growing pauses; 404 reaches the player")
    func statuses() {
        let world = AgentWorld()
        let agent = world.add()
        let film = Film(segments: 2, bytes: 50_000)
        film.publish(in: world)
        world.open(agent, film.url)
        world.resources[film.address(of: 0)]?.status = 503
        world.resources[film.address(of: 1)]?.status = 404
        let first = world.get(agent, film.path(of: 0, in: world, agent))
        let second = world.get(agent, film.path(of: 1, in: world, agent))
        world.run(.milliseconds(600))
        #expect(world.answers[second]?.status == 404)
        world.resources[film.address(of: 0)]?.status = 200
        world.run(.seconds(5))
        #expect(world.body(first, is: film.bytes(of: 0)))
    }

    @Test("F03: headers and then silence end in 504 after seven seconds, not in a cut body")
    func silence() {
        let world = AgentWorld()
        let agent = world.add()
        let film = Film(segments: 1, bytes: 50_000)
        film.publish(in: world)
        world.open(agent, film.url)
        world.resources[film.address(of: 0)]?.isSilent = true
        let id = world.get(agent, film.path(of: 0, in: world, agent))
        world.run(.seconds(6))
        #expect(world.answers[id]?.status == nil)
        world.run(.seconds(2))
        #expect(world.answers[id]?.status == 504)
    }

    @Test("A body of unknown length is passed on in chunked coding")
    func unknownLength() {
        let world = AgentWorld()
        let agent = world.add()
        let film = Film(segments: 1, bytes: 50_000)
        film.publish(in: world)
        world.resources[film.address(of: 0)]?.hidesLength = true
        world.open(agent, film.url)
        let id = world.get(agent, film.path(of: 0, in: world, agent))
        world.run(.milliseconds(200))
        #expect(world.answers[id]?.status == 200)
        #expect(world.body(id, is: film.bytes(of: 0)))
        #expect(world.answers[id]?.isEnded == true)
    }

    @Test("A segment larger than the cache passes through and is not kept")
    func passThrough() {
        let world = AgentWorld()
        var settings = AgentSettings()
        settings.cacheBytes = 200_000
        let agent = world.add(settings)
        let film = Film(segments: 1, bytes: 150_000)
        film.publish(in: world)
        world.open(agent, film.url)
        let id = world.get(agent, film.path(of: 0, in: world, agent))
        world.run(.seconds(1))
        #expect(world.body(id, is: film.bytes(of: 0)))
        #expect(world.agents[agent].agent.statistics(at: world.now).ledger_bytes == 0)
    }
}

/// A film on demand at a scripted origin.
struct Film {
    var segments: Int
    var bytes: Int
    var url = "http://o.example/film/index.m3u8"
    var duration = 4
    /// Films of different seeds have different bytes.
    var seed: UInt64 = 77
    /// Its segments are ranges of one file.
    var isOneFile = false

    func address(of number: Int) -> String { url.replacingIndex(with: "\(number).ts") }

    /// Made once: the same bytes are asked for over and over.
    let made = FilmBytes()

    func bytes(of number: Int) -> [UInt8] {
        if let known = made.good[number] { return known }
        var random = SeededBytes(UInt64(number) + seed)
        let fresh = (0..<bytes).map { _ in random.next() }
        made.good[number] = fresh
        return fresh
    }

    var playlist: String {
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:\(duration)\n#EXT-X-PLAYLIST-TYPE:VOD\n"
            + (0..<segments).map { "#EXTINF:\(duration).0,\n\(isOneFile ? range(of: $0) : "\($0).ts")\n" }.joined()
            + "#EXT-X-ENDLIST\n"
    }

    private func range(of number: Int) -> String { "#EXT-X-BYTERANGE:\(bytes)@\(number * bytes)\nall.ts" }

    func publish(in world: AgentWorld) {
        world.resources[url] = AgentWorld.Resource(bytes: Array(playlist.utf8))
        guard !isOneFile else {
            let all = (0..<segments).flatMap { bytes(of: $0) }
            world.resources[url.replacingIndex(with: "all.ts")] = AgentWorld.Resource(bytes: all)
            return
        }
        for number in 0..<segments {
            world.resources[address(of: number)] = AgentWorld.Resource(bytes: bytes(of: number))
        }
    }

    func session(in world: AgentWorld, _ agent: Int) -> SessionReport {
        let sessions = world.agents[agent].agent.sessions(at: world.now)
        return sessions.first { $0.url == url } ?? sessions[0]
    }

    func stream(in world: AgentWorld, _ agent: Int) -> StreamID { StreamID(session(in: world, agent).id) }

    func path(of number: Int, in world: AgentWorld, _ agent: Int) -> String {
        session(in: world, agent).path.replacingIndex(with: "\(number).ts")
    }
}

final class FilmBytes {
    var good: [Int: [UInt8]] = [:]
    var forged: [Int: [UInt8]] = [:]
}

struct SeededBytes {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
    mutating func next() -> UInt8 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 33)
    }
}

extension String {
    func replacingIndex(with name: String) -> String {
        split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/" + name
    }
}

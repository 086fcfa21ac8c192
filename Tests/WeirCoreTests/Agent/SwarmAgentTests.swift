import Testing
import WeirCore

@Suite("Agents that are linked share")
struct SwarmAgentTests {
    @Test("A second viewer takes all but the first segment from the first")
    func follower() {
        let world = AgentWorld()
        let film = Film(segments: 8, bytes: 200_000)
        film.publish(in: world)
        let leader = world.add()
        let follower = world.add()
        world.open(leader, film.url)
        for number in 0..<8 {
            let id = world.get(leader, film.path(of: number, in: world, leader))
            world.run(.milliseconds(200))
            #expect(world.body(id, is: film.bytes(of: number)))
        }
        let before = world.log.count
        world.open(follower, film.url)
        world.link(leader, follower)
        world.run(.milliseconds(100))
        for number in 0..<8 {
            let id = world.get(follower, film.path(of: number, in: world, follower))
            world.run(.seconds(1))
            #expect(world.body(id, is: film.bytes(of: number)), "segment \(number)")
        }
        let media = world.log.dropFirst(before).filter { $0.url.hasSuffix(".ts") }
        let bytes = media.reduce(0) { $0 + $1.bytes }
        #expect(bytes <= 200_000 + 8 * 200_000 * 3 / 100 + 16_384 * 4, "\(media)")
        let statistics = world.agents[follower].agent.statistics(at: world.now)
        #expect(statistics.stalls == 0)
        #expect(statistics.rejected_bytes == 0)
    }

    @Test("P18: every stream of two linked agents is shared, though their segments have the same names")
    func severalStreams() {
        let world = AgentWorld()
        let (leader, follower) = (world.add(), world.add())
        world.link(leader, follower)
        for index in 0..<3 {
            let url = "http://o.example/film\(index)/index.m3u8"
            let film = Film(segments: 8, bytes: 100_000, url: url, seed: UInt64(1000 * index), isOneFile: true)
            film.publish(in: world)
            world.open(leader, film.url)
            #expect(world.play(leader, film, 0..<8) == [])
            world.open(follower, film.url)
            #expect(world.play(follower, film, 0..<8) == [])
            // The start, and little besides.
            #expect(originShare(of: film, world, follower) <= 0.2, "film \(index)")
        }
        #expect(world.statistics(follower).rejected_bytes == 0)
        #expect(world.statistics(follower).wasted_bytes == 0)
        #expect(world.closed.isEmpty)
    }

    @Test("A stream that was closed and is opened anew on the same link is shared again", arguments: [true, false])
    func openedAnew(byFollower: Bool) {
        let world = AgentWorld()
        let film = Film(segments: 8, bytes: 100_000, isOneFile: true)
        film.publish(in: world)
        let (leader, follower) = (world.add(), world.add())
        world.link(leader, follower)
        for _ in 0..<2 {
            world.open(leader, film.url)
            #expect(world.play(leader, film, 0..<8) == [])
            world.open(follower, film.url)
            #expect(world.play(follower, film, 0..<8) == [])
            #expect(originShare(of: film, world, follower) <= 0.2)
            let closing = byFollower ? follower : leader
            world.feed(closing, .close(film.stream(in: world, closing)))
            if !byFollower { world.feed(follower, .close(film.stream(in: world, follower))) }
            world.run(.seconds(1))
        }
        #expect(world.statistics(follower).wasted_bytes == 0)
    }

    /// Of the bytes of a stream that is open.
    private func originShare(of film: Film, _ world: AgentWorld, _ agent: Int) -> Double {
        let reports = world.agents[agent].agent.segments(of: film.stream(in: world, agent))
        let origin = reports.reduce(0) { $0 + $1.origin_bytes }
        return Double(origin) / Double(film.segments * film.bytes)
    }

    @Test("Who is elected twice and does not read is passed over, and the rest is read without waiting for it")
    func muteElectee() {
        let world = AgentWorld()
        let film = Film(segments: 20, bytes: 60_000)
        film.publish(in: world)
        let viewer = world.add()
        world.open(viewer, film.url)
        let mute = HostilePeer(world, victim: viewer, film: film)
        mute.say(.interest(Interest(handle: 0, rendition: .main, position: 0, newest: 19)))
        #expect(world.play(viewer, film, 0..<20) == [])
        let me = world.agents[viewer].signer.id
        let expected = (1..<20).count { number in
            Election.rank(of: .init(peer: me), among: [.init(peer: mute.signer.id)], for: film.id(number)) == 1
        }
        let session = world.agents[viewer].agent.sessions(at: world.now)[0]
        let reports = world.agents[viewer].agent.segments(of: StreamID(session.id))
        let reasons = reports.map(\.origin_reason)
        #expect(expected > 4, "it was elected often")
        #expect(reasons.count { $0 == "stood in for the elected" } == 2)
        #expect(reasons.count { $0 == "elected" } >= 15)
    }
}

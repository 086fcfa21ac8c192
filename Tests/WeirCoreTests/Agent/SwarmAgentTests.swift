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
}

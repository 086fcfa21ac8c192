import Testing
import WeirCore

@Suite("A start that all sources share")
struct SharedStartTests {
    private let film = Film(segments: 10, bytes: 1_500_000)

    /// One agent that has seen the film's ninth segment, and a viewer with one edge that has seen the first.
    private func world() -> (AgentWorld, viewer: Int) {
        let world = AgentWorld()
        film.publish(in: world)
        for number in 0..<film.segments {
            world.resources["http://edge.example/film/\(number).ts"] = world.resources[film.address(of: number)]
        }
        let holder = world.add()
        world.open(holder, film.url)
        world.get(holder, film.path(of: 8, in: world, holder))
        world.run(.seconds(1))
        var settings = AgentSettings()
        settings.edges = ["http://edge.example/"]
        // Nothing is fetched ahead.
        settings.minimumBuffer = .seconds(1)
        settings.maximumBuffer = .seconds(1)
        let viewer = world.add(settings)
        world.open(viewer, film.url)
        world.get(viewer, film.path(of: 0, in: world, viewer))
        world.run(.seconds(1))
        world.link(holder, viewer)
        world.run(.milliseconds(200))
        world.log = []
        world.sent = []
        return (world, viewer)
    }

    private func asked(_ world: AgentWorld, _ number: Int) -> [AgentWorld.LogLine] {
        world.log.filter { $0.url.hasSuffix("/\(number).ts") }
    }

    @Test("Where a peer holds the segment, edge, origin and peer all bring a part, and nothing comes twice")
    func shared() {
        let (world, viewer) = world()
        let id = world.get(viewer, film.path(of: 8, in: world, viewer))
        world.run(.seconds(2))
        #expect(world.body(id, is: film.bytes(of: 8)))
        let asked = asked(world, 8)
        #expect(asked.contains { $0.url.hasPrefix("http://edge.example/") })
        #expect(asked.contains { $0.url.hasPrefix("http://o.example/") })
        #expect(asked.allSatisfy { $0.range != nil })
        let fromPeer = world.sent.count { if case .data = $0.message { true } else { false } }
        #expect(fromPeer > 0)
        #expect(asked.reduce(0) { $0 + $1.bytes } < film.bytes)
        #expect(world.agents[viewer].agent.statistics(at: world.now).wasted_bytes == 0)
    }

    @Test("Where no peer holds it, the one edge is asked alone, for all of it")
    func alone() {
        let (world, viewer) = world()
        let id = world.get(viewer, film.path(of: 4, in: world, viewer))
        world.run(.seconds(2))
        #expect(world.body(id, is: film.bytes(of: 4)))
        #expect(asked(world, 4).map { $0.url } == ["http://edge.example/film/4.ts"])
        #expect(asked(world, 4).allSatisfy { $0.range == nil })
    }
}

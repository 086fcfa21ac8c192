import Testing
import WeirCore

@Suite("Which links are kept")
struct NeighbourTests {
    private let world = AgentWorld()
    private let film = Film(segments: 6, bytes: 300_000)
    private let stranger = PeerAddress(host: "198.51.100.44", port: 4000)

    /// An agent whose four places are taken.
    private func full(local: Int? = nil) -> (seeder: Int, peers: [HostilePeer]) {
        film.publish(in: world)
        var limits = Limits()
        limits.dialledLinks = 4
        var settings = AgentSettings()
        settings.localNetworks = [NetworkPrefix("10.0.0.0/8")].compactMap { $0 }
        let seeder = world.add(settings, limits: limits)
        world.fill(seeder, film)
        let peers = (0..<4).map { place in
            let host = place == local ? "10.1.2.3" : "203.0.113.\(place)"
            return HostilePeer(world, victim: seeder, film: film, key: UInt8(200 + place), host: host)
        }
        return (seeder, peers)
    }

    /// Each of these asks for a chunk a second; all say that they are there.
    private func run(_ seconds: Int, _ peers: [HostilePeer], asking: Range<Int>) {
        for second in 0..<seconds {
            for (place, peer) in peers.enumerated() where !peer.isClosed {
                peer.say(.ping(UInt64(second)))
                if asking.contains(place) { peer.request(second % 6, UInt32(second % 18), 1, id: UInt32(second)) }
            }
            world.run(.seconds(1))
        }
    }

    private func name(_ stranger: PeerAddress, by peer: HostilePeer) {
        peer.say(.peers(handle: 0, [PeerHint(id: TestSigner(99).id, address: stranger)]))
    }

    @Test("With all places taken, the link that carries nothing makes room for a stranger, and is not dialled at once")
    func makesRoom() {
        let (_, peers) = full()
        name(stranger, by: peers[0])
        run(55, peers, asking: 0..<3)
        #expect(peers.allSatisfy { !$0.isClosed }, "a newcomer is given time")
        #expect(world.dialled.isEmpty)
        run(40, peers, asking: 0..<3)
        #expect(peers.map(\.isClosed) == [false, false, false, true])
        #expect(peers[3].heard.contains(.goodbye(.tooManyLinks)))
        #expect(world.dialled.contains(stranger))
    }

    @Test("Nobody is let go where nobody waits, where nothing flows, or where all carry their part")
    func keeps() {
        let (_, peers) = full()
        run(120, peers, asking: 0..<3)
        #expect(peers.allSatisfy { !$0.isClosed })
        run(40, peers, asking: 0..<0)
        name(stranger, by: peers[0])
        run(120, peers, asking: 0..<0)
        #expect(peers.allSatisfy { !$0.isClosed })
        run(40, peers, asking: 0..<4)
        run(120, peers, asking: 0..<4)
        #expect(peers.allSatisfy { !$0.isClosed })
    }

    @Test("A peer of the household keeps its place")
    func household() {
        let (_, peers) = full(local: 3)
        name(stranger, by: peers[0])
        run(150, peers, asking: 0..<3)
        #expect(peers.allSatisfy { !$0.isClosed })
    }

    @Test("Where dials alone fill all places there is nothing to compare")
    func onlyDials() {
        var limits = Limits()
        limits.dialledLinks = 1
        var settings = AgentSettings()
        settings.peers = [PeerAddress(host: "198.51.100.1", port: 4000)]
        let probe = AgentProbe(settings, limits: limits)
        probe.open(film.url, Playlists.live(0...9, target: 4, end: true, type: "VOD"))
        let link = probe.linkPeer(7, host: "203.0.113.7")
        probe.say(link, .peers(handle: 0, [PeerHint(id: TestSigner(99).id, address: stranger)]))
        probe.feed(.linkDown(link, .closedByPeer))
        // The dial of the named peer is never answered.
        probe.wait(.seconds(90))
        #expect(probe.outputs.contains { if case .dial = $0 { true } else { false } })
    }

    @Test("One at a time: two idle links are not let go in one review")
    func oneAtATime() {
        let (_, peers) = full()
        name(stranger, by: peers[0])
        name(PeerAddress(host: "198.51.100.45", port: 4000), by: peers[0])
        run(92, peers, asking: 0..<2)
        #expect(peers.count { $0.isClosed } == 1)
    }
}

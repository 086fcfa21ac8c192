import Testing
import WeirCore

@Suite("Coming back to a swarm")
struct RejoinTests {
    private let world = AgentWorld()
    private let film = Film(segments: 6, bytes: 100_000)

    /// An agent that holds a film, and a peer of it that has said something each second for a while.
    private func known() -> (seeder: Int, peer: HostilePeer) {
        film.publish(in: world)
        let seeder = world.add()
        world.fill(seeder, film)
        let peer = HostilePeer(world, victim: seeder, film: film)
        live(10, peer)
        return (seeder, peer)
    }

    private func live(_ seconds: Int, _ peer: HostilePeer) {
        for second in 0..<seconds {
            if !peer.isClosed { peer.say(.ping(UInt64(second))) }
            world.run(.seconds(1))
        }
    }

    @Test("A peer that was switched off and is back is served over its new link, and its old one is closed at once")
    func restarted() {
        let (seeder, gone) = known()
        let back = HostilePeer(world, victim: seeder, film: film)
        #expect(gone.isClosed)
        world.run(.milliseconds(100))
        #expect(world.statistics(seeder).peers == 1)
        back.request(0, 0, 2)
        live(60, back)
        #expect(!back.isClosed && back.receivedBytes == 2 * Chunk.byteCount)
    }

    @Test("From another address it is believed once the old link is silent", arguments: [true, false])
    func moved(isSilent: Bool) {
        let (seeder, old) = known()
        if isSilent { world.run(.seconds(3)) }
        let new = HostilePeer(world, victim: seeder, film: film, host: "198.51.100.20")
        #expect(old.isClosed == isSilent)
        // The other one may be a copy of its key: it finds no place while the first one answers.
        live(20, old)
        if isSilent { live(20, new) } else { #expect(!old.isClosed) }
        #expect(new.isClosed != isSilent)
    }

    @Test("Of two links that come at once the one that answers stays, though the other was first")
    func unnoticed() {
        film.publish(in: world)
        let seeder = world.add()
        world.fill(seeder, film)
        let first = HostilePeer(world, victim: seeder, film: film)
        world.run(.seconds(1))
        let second = HostilePeer(world, victim: seeder, film: film)
        #expect(!first.isClosed && !second.isClosed)
        live(20, second)
        #expect(first.isClosed && !second.isClosed)
    }

    @Test("When the network is back, peers that were met are dialled at once, however often that had failed")
    func networkIsBack() throws {
        var settings = AgentSettings()
        settings.seedTime = nil
        settings.peers = []
        settings.trackerCount = 1
        settings.trackerHosts = ["tracker.example"]
        settings.ownAddresses = [PeerAddress(host: "203.0.113.7", port: 4000)]
        let probe = AgentProbe(settings)
        let url = "http://o.example/live/index.m3u8"
        let path = probe.open(url, Playlists.live(0...9, target: 4))
        func dials() -> [DialID] {
            probe.outputs.compactMap { if case .dial(let id, _, _) = $0 { id } else { nil } }
        }
        // A tracker names a peer, and it is met.
        probe.feed(.trackerUp(TrackerID(0)))
        let announced = probe.outputs.compactMap { output -> SwarmID? in
            if case .announce(_, .announce(let announce)) = output { announce.swarm } else { nil }
        }
        let swarm = try #require(announced.first)
        let other = TestSigner(9)
        let address = PeerAddress(host: "198.51.100.9", port: 4100)
        let name = try #require(TrackerPeerID(Array(repeating: 9, count: 20)))
        let endpoints = Endpoints(addresses: [address], identity: other.id)
        probe.feed(.trackerReply(TrackerID(0), .offer(swarm: swarm, from: name, offer: OfferID([1]), endpoints)))
        let link = LinkID(500)
        let peer = LinkPeer(id: other.id, publicKey: other.publicKey, address: address)
        #expect(dials().count == 1)
        probe.feed(.linkUp(link, peer, dial: dials()[0]))
        probe.say(link, .hello(Hello(listenPort: 4100, uploads: true, swarms: [])))
        probe.wait(.seconds(10))
        // The line goes down: the link, what the player asks for, and every dial fail.
        probe.feed(.linkDown(link, .failed("no route")))
        var failed = 1
        func wait(_ seconds: Int) {
            for _ in 0..<seconds {
                probe.wait(.seconds(1))
                while failed < dials().count {
                    probe.feed(.dialFailed(dials()[failed], .timeout))
                    failed += 1
                }
            }
        }
        wait(300)
        #expect(failed > 6, "it is not forgotten like somebody who was never met")
        _ = probe.ask(path)
        probe.end(try #require(probe.fetches(url).last).id, .failed(.connectTimeout))
        wait(5)
        // And comes back: the first answer of the origin is the sign.
        let before = dials().count
        _ = probe.ask(path)
        let fetch = try #require(probe.fetches(url).last)
        probe.answer(fetch.id, body: Array(Playlists.live(80...89, target: 4).utf8), url: url)
        probe.wait(.milliseconds(10))
        #expect(dials().count == before + 1)
    }
}

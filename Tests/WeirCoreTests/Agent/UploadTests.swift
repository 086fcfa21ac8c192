import Testing
import WeirCore

@Suite("Uploads")
struct UploadTests {
    let world = AgentWorld()
    let film = Film(segments: 6, bytes: 300_000)

    private func seeder(_ settings: AgentSettings = AgentSettings()) -> Int {
        film.publish(in: world)
        let seeder = world.add(settings)
        world.fill(seeder, film)
        return seeder
    }

    @Test("The cap holds within five percent over a minute", arguments: [100_000, 1_000_000])
    func cap(rate: Int) {
        var settings = AgentSettings()
        settings.uploadBytesPerSecond = rate
        let seeder = seeder(settings)
        let peers = (0..<3).map { HostilePeer(world, victim: seeder, film: film, key: UInt8(200 + $0)) }
        for (place, peer) in peers.enumerated() {
            var next: UInt32 = 1
            for _ in 0..<60 where place < 3 {
                peer.request(Int(next) % 6, 0, 19, id: next)
                next += 1
            }
        }
        let begun = world.statistics(seeder).uploaded_bytes
        for second in 0..<60 {
            world.run(.seconds(1))
            for peer in peers {
                for extra in 0..<60 { peer.request(extra % 6, 0, 19, id: UInt32(1000 + second * 60 + extra)) }
            }
        }
        let sent = world.statistics(seeder).uploaded_bytes - begun
        #expect(abs(Double(sent) / Double(rate * 60) - 1) < 0.05, "\(sent)")
        // Three askers, three equal shares.
        #expect(peers.allSatisfy { $0.receivedBytes > Int(sent) / 5 })
    }

    @Test("With cap 0 nothing is uploaded and nothing announced")
    func off() {
        var settings = AgentSettings()
        settings.uploadBytesPerSecond = 0
        let seeder = seeder(settings)
        let peer = HostilePeer(world, victim: seeder, film: film)
        peer.request(0, 0, 19)
        peer.request(0, 0, 0, id: 2)
        world.run(.seconds(5))
        #expect(world.statistics(seeder).uploaded_bytes == 0)
        #expect(
            !peer.heard.contains { message in
                if case .have = message { return true }
                if case .partial = message { return true }
                if case .data = message { return true }
                return false
            }
        )
    }

    @Test("F43: the same chunk asked a million times is answered within the limits")
    func repeated() {
        var settings = AgentSettings()
        settings.uploadBytesPerSecond = 1_000_000
        let seeder = seeder(settings)
        let peer = HostilePeer(world, victim: seeder, film: film)
        for id in 0..<20_000 { peer.request(0, 3, 1, id: UInt32(id)) }
        world.run(.seconds(1))
        let busy = peer.heard.count { if case .absent(_, .busy) = $0 { true } else { false } }
        #expect(busy > 19_000)
        #expect(world.statistics(seeder).uploaded_bytes < 1_400_000)
    }

    @Test("F44: a peer that asks and never reads gets one window and does not pin the cache")
    func neverReads() {
        var settings = AgentSettings()
        settings.cacheBytes = 1_000_000
        film.publish(in: world)
        let seeder = world.add(settings)
        world.open(seeder, film.url)
        let peer = HostilePeer(world, victim: seeder, film: film)
        world.unread.insert(peer.link)
        for number in 0..<3 {
            _ = world.get(seeder, film.path(of: number, in: world, seeder))
            world.run(.milliseconds(200))
            for id in 0..<10 { peer.request(number, 0, 19, id: UInt32(number * 100 + id)) }
        }
        world.run(.seconds(1))
        #expect(world.statistics(seeder).uploaded_bytes <= 128 * 1024 + Int64(Chunk.byteCount))
        #expect(world.play(seeder, film, 3..<6, pace: .seconds(2)) == [])
        for second in 0..<40 {
            // It stays alive.
            if !peer.isClosed { peer.say(.ping(UInt64(second))) }
            world.run(.seconds(1))
        }
        #expect(peer.isClosed)
        world.expectSound(seeder, capacity: 1_000_000)
        #expect(world.statistics(seeder).ledger_bytes > 0, "what was played is held")
    }

    @Test("F45: what does not exist is refused, and chunks beyond the end do not pin a segment")
    func beyond() {
        film.publish(in: world)
        var settings = AgentSettings()
        settings.cacheBytes = 1_000_000
        let seeder = world.add(settings)
        world.open(seeder, film.url)
        let peer = HostilePeer(world, victim: seeder, film: film)
        for number in 0..<6 {
            world.resources[film.address(of: number)]?.hidesLength = true
            let id = world.get(seeder, film.path(of: number, in: world, seeder))
            world.run(.milliseconds(7))
            peer.request(number, 100_000, 8, id: UInt32(number))
            world.run(.milliseconds(500))
            #expect(world.body(id, is: film.bytes(of: number)), "segment \(number)")
        }
        peer.request(77, 0, 4, id: 100)
        peer.request(5, 200, 4, id: 101)
        world.run(.seconds(1))
        let refused = peer.heard.count { if case .absent = $0 { true } else { false } }
        #expect(refused == 8, "\(refused)")
        #expect(world.statistics(seeder).uploaded_bytes == 0)
        world.expectSound(seeder, capacity: 1_000_000)
    }

    @Test("F46: request and cancel in turns cost no more than what was sent")
    func flapping() {
        let seeder = seeder()
        let peer = HostilePeer(world, victim: seeder, film: film)
        world.unread.insert(peer.link)
        for id in 0..<5_000 {
            peer.request(id % 6, 0, 19, id: UInt32(id))
            peer.say(.cancel(request: UInt32(id), fromChunk: 0))
        }
        world.run(.seconds(1))
        #expect(world.statistics(seeder).uploaded_bytes <= 128 * 1024 + Int64(Chunk.byteCount))
    }

    @Test("Cut-through: a follower gets chunks while its source still reads them, each behind its digest and in order")
    func cutThrough() {
        let big = Film(segments: 3, bytes: 2_000_000)
        big.publish(in: world)
        let reader = world.add()
        world.open(reader, big.url)
        let peer = HostilePeer(world, victim: reader, film: big)
        world.run(.milliseconds(50))
        let id = world.get(reader, big.path(of: 0, in: world, reader))
        world.run(.milliseconds(10))
        #expect(
            peer.heard.contains { if case .have(let have) = $0 { have.ranges[0].state == .fetching } else { false } }
        )
        peer.request(0, 0, 60)
        world.run(.milliseconds(30))
        #expect(world.answers[id]?.isEnded == false)
        var vouched: Set<Int> = []
        var next = 0
        for message in peer.heard {
            if case .digests(let vouch) = message {
                vouched.formUnion(Int(vouch.firstChunk)..<Int(vouch.firstChunk) + vouch.digests.count)
            }
            if case .data(_, let first) = message {
                #expect(Int(first) == next)
                #expect(vouched.contains(next))
                next += 1
            }
        }
        #expect(next > 4)
        world.run(.seconds(2))
        #expect(peer.receivedBytes == 60 * Chunk.byteCount)
        #expect(world.body(id, is: big.bytes(of: 0)))
    }

    @Test("A segment that was evicted and read again is served with its digests again")
    func servedAgain() {
        var settings = AgentSettings()
        settings.cacheBytes = 1_000_000
        film.publish(in: world)
        let seeder = world.add(settings)
        world.open(seeder, film.url)
        let peer = HostilePeer(world, victim: seeder, film: film)
        func lists() -> Int {
            peer.heard.count { if case .digests(let vouch) = $0 { vouch.segment.number == 0 } else { false } }
        }
        for number in [0, 1, 2, 3, 4, 5, 0] {
            _ = world.get(seeder, film.path(of: number, in: world, seeder))
            world.run(.milliseconds(300))
            if number == 0 { peer.request(0, 0, 19, id: UInt32(lists())) }
            world.run(.milliseconds(300))
        }
        #expect(lists() == 2)
    }
}

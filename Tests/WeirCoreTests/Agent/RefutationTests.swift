import Testing
import WeirCore

@Suite("Refutations and lists that are named")
struct RefutationTests {
    private let film = Film(segments: 6, bytes: 300_000)

    /// Segment 4 with one false chunk, which samples seldom hit.
    private var seldomForged: [UInt8] {
        var bytes = film.bytes(of: 4)
        for place in 3 * Chunk.byteCount..<4 * Chunk.byteCount { bytes[place] = ~bytes[place] }
        return bytes
    }

    /// A viewer that holds segments of a voucher, and a peer that will speak of that voucher.
    private func stage(seed: UInt64 = 1, lies: Bool) -> (world: AgentWorld, voucher: HostilePeer, teller: HostilePeer) {
        let world = AgentWorld()
        film.publish(in: world)
        let viewer = world.add(seed: seed)
        world.open(viewer, film.url)
        let voucher = HostilePeer(world, victim: viewer, film: film)
        voucher.have(1...5)
        voucher.onRequest = { [film, seldomForged] request in
            let number = Int(request.segment.number)
            voucher.serve(request, lies && number == 4 ? seldomForged : film.bytes(of: number))
        }
        let teller = HostilePeer(world, victim: viewer, film: film, key: 210, host: "198.51.100.7")
        world.run(.milliseconds(50))
        for number in 0..<2 {
            _ = world.get(viewer, film.path(of: number, in: world, viewer))
            world.run(.milliseconds(400))
        }
        return (world, voucher, teller)
    }

    private func digest(_ bytes: [UInt8], chunk: Int) -> Digest {
        .sha256(Array(bytes[chunk * Chunk.byteCount..<min(bytes.count, (chunk + 1) * Chunk.byteCount)]))
    }

    private func readsOfChunk(_ chunk: Int, of number: Int, in world: AgentWorld) -> Int {
        let first = chunk * Chunk.byteCount
        return world.log.count {
            $0.url == film.address(of: number) && $0.range?.hasPrefix("bytes=\(first)-") ?? false
                && $0.bytes <= Chunk.byteCount
        }
    }

    @Test(
        "F34 F39 One reading of one's own bans a voucher that another peer refutes, and passes the proof on",
        arguments: 1...5 as ClosedRange<UInt64>
    )
    func refuted(seed: UInt64) {
        let (world, liar, teller) = stage(seed: seed, lies: true)
        let other = HostilePeer(world, victim: 0, film: film, key: 211, host: "198.51.100.130")
        world.run(.milliseconds(50))
        #expect(world.statistics(0).peer_bytes > 500_000, "the attack took place")
        #expect(!liar.isClosed, "no sample of its own has found it out")
        let vouch = liar.vouch(4, seldomForged)
        let before = readsOfChunk(3, of: 4, in: world)
        teller.say(.refutation(Refutation(vouch: vouch, chunk: 3, read: digest(film.bytes(of: 4), chunk: 3))))
        world.run(.milliseconds(300))
        #expect(readsOfChunk(3, of: 4, in: world) == before + 1, "it looked for itself, once")
        #expect(liar.isClosed)
        #expect(!teller.isClosed)
        #expect(world.statistics(0).banned_peers == 1)
        #expect(world.statistics(0).proved_lies == 1)
        let passedOn = other.heard.contains { message in
            if case .refutation(let refutation) = message { return refutation.vouch.voucherKey == vouch.voucherKey }
            return false
        }
        #expect(passedOn)
        // Nothing of its lies is left for players.
        #expect(world.play(0, film, 2..<6, pace: .seconds(2)) == [])
        world.expectSound(0)
    }

    @Test("F34 Who calls true statements false bans nobody, and is heard twice at most")
    func falselyRefuted() {
        let (world, honest, teller) = stage(lies: false)
        for round in 0..<5 {
            let vouch = honest.vouch(3, film.bytes(of: 3))
            let read = digest(film.forged(3), chunk: round)
            teller.say(.refutation(Refutation(vouch: vouch, chunk: UInt32(round), read: read)))
            world.run(.seconds(11))
            honest.say(.ping(1))
            teller.say(.ping(1))
        }
        let reads = (0..<5).map { readsOfChunk($0, of: 3, in: world) }
        #expect(reads.reduce(0, +) >= 2, "it looked")
        #expect(reads.suffix(2) == [0, 0], "and not for ever: \(reads)")
        #expect(world.statistics(0).banned_peers == 0)
        #expect(world.statistics(0).proved_lies == 0)
        #expect(!honest.isClosed)
        #expect(!honest.heard.contains { if case .refutation = $0 { true } else { false } })
        world.expectSound(0)
    }

    @Test("F34 A refutation of what a voucher never signed ends the link that it came by")
    func forgedRefutation() {
        let (world, honest, teller) = stage(lies: false)
        var vouch = honest.vouch(3, film.forged(3), signer: TestSigner(212))
        vouch.voucherKey = honest.signer.publicKey
        teller.say(.refutation(Refutation(vouch: vouch, chunk: 0, read: digest(film.bytes(of: 3), chunk: 0))))
        world.run(.milliseconds(100))
        #expect(teller.isClosed)
        #expect(!honest.isClosed)
        #expect(world.statistics(0).banned_peers == 0)
    }

    // MARK: Lists

    private func request(_ number: Int, list: Digest?, from peer: HostilePeer) {
        peer.say(
            .request(
                RunRequest(
                    request: 7,
                    handle: 0,
                    segment: film.id(number),
                    edition: film.edition(of: number),
                    chunks: ChunkRun(first: 2, count: 1),
                    list: list
                )
            )
        )
    }

    private func root(_ bytes: [UInt8]) -> Digest {
        let count = Chunk.count(ofBytes: Int64(bytes.count))
        return .root(of: (0..<count).map { digest(bytes, chunk: $0) }, length: Int64(bytes.count))
    }

    @Test("Who names the list that the holder has gets chunks and no list; who names another gets the holder's first")
    func namedList() {
        for (named, isSame) in [(root(film.bytes(of: 1)), true), (root(film.forged(1)), false)] {
            let world = AgentWorld()
            film.publish(in: world)
            let holder = world.add()
            world.fill(holder, film)
            let asker = HostilePeer(world, victim: holder, film: film)
            world.run(.milliseconds(50))
            request(1, list: named, from: asker)
            world.run(.milliseconds(200))
            let statements = asker.heard.count { if case .digests = $0 { true } else { false } }
            let chunks = asker.heard.count { if case .data = $0 { true } else { false } }
            #expect(chunks == 1)
            #expect((statements == 0) == isSame)
        }
    }

    @Test("F31 Bytes against the list that was named to their sender ban it, without a list of its own")
    func againstNamedList() {
        let world = AgentWorld()
        film.publish(in: world)
        let viewer = world.add()
        world.open(viewer, film.url)
        let voucher = HostilePeer(world, victim: viewer, film: film, key: 210, host: "198.51.100.7")
        let polluter = HostilePeer(world, victim: viewer, film: film)
        var named = 0
        voucher.have(1...5)
        polluter.have(1...5)
        // The list comes from one peer, which then leaves all chunks to the other.
        voucher.onRequest = { [film] request in
            let number = Int(request.segment.number)
            voucher.say(.digests(voucher.vouch(number, film.bytes(of: number))))
            voucher.say(.absent(request: request.request, reason: .busy))
        }
        polluter.onRequest = { [film] request in
            guard request.list != nil, request.chunks.count > 0 else {
                return polluter.say(.absent(request: request.request, reason: .busy))
            }
            named += 1
            let start = Int(request.chunks.first) * Chunk.byteCount
            let bytes = film.forged(Int(request.segment.number))
            let piece = Array(bytes[start..<min(bytes.count, start + Chunk.byteCount)])
            polluter.say(.data(request: request.request, firstChunk: request.chunks.first), piece)
        }
        world.run(.milliseconds(50))
        #expect(world.play(viewer, film, 0..<6, pace: .seconds(2)) == [])
        #expect(named == 1, "the attack took place, once")
        #expect(polluter.isClosed)
        #expect(!voucher.isClosed)
        #expect(world.statistics(viewer).banned_peers == 1)
        world.expectSound(viewer)
    }
}

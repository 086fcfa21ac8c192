import Testing
import WeirCore

@Suite("Integrity")
struct IntegrityTests {
    let film = Film(segments: 6, bytes: 300_000)

    private func stage(
        _ settings: AgentSettings = AgentSettings(),
        seed: UInt64 = 1,
        film: Film? = nil,
        prepare: (AgentWorld) -> Void = { _ in }
    ) -> (AgentWorld, HostilePeer) {
        let world = AgentWorld()
        let film = film ?? self.film
        film.publish(in: world)
        prepare(world)
        let viewer = world.add(settings, seed: seed)
        world.open(viewer, film.url)
        let liar = HostilePeer(world, victim: viewer, film: film)
        liar.have(0...(film.segments - 1))
        liar.onRequest = { liar.serve($0, film.forged(Int($0.segment.number))) }
        world.run(.milliseconds(100))
        return (world, liar)
    }

    @Test(
        "F39: vouched: a liar is caught at the audit rate and banned, with much prefetched and with little",
        arguments: [60, 8]
    )
    func auditRate(ahead: Int) {
        var settings = AgentSettings()
        settings.maximumBuffer = .seconds(ahead)
        settings.minimumBuffer = .seconds(1)
        let long = Film(segments: 30, bytes: 100_000, duration: 4)
        let chunks = Chunk.count(ofBytes: 100_000)
        var caught = 0
        var badChunks: [Int] = []
        let seeds = 6
        for seed in 0..<UInt64(seeds) {
            let (world, liar) = stage(settings, seed: seed &* 7919, film: long)
            // It tells the truth where the viewer reads for itself.
            liar.onRequest = { request in
                let number = Int(request.segment.number)
                liar.serve(request, number < 10 ? long.bytes(of: number) : long.forged(number))
            }
            var bad = 0
            for number in 0..<long.segments {
                let id = world.get(0, long.path(of: number, in: world, 0))
                // A buffer well above `min_buffer_size`, so that peers alone carry what follows.
                world.run(.milliseconds(number < 8 ? 300 : 4000))
                let good = long.bytes(of: number)
                let body = world.answers[id]?.body ?? []
                #expect(body.count == good.count)
                for chunk in 0..<chunks where body.count == good.count {
                    let range = chunk * Chunk.byteCount..<min(good.count, (chunk + 1) * Chunk.byteCount)
                    bad += body[range] == good[range] ? 0 : 1
                }
            }
            if world.statistics(0).proved_lies > 0 {
                caught += 1
                #expect(liar.isClosed)
                #expect(world.statistics(0).peer_bytes > 700_000, "the attack took place")
            }
            badChunks.append(bad)
            world.expectSound(0)
        }
        let mean = Double(badChunks.reduce(0, +)) / Double(seeds)
        print(
            "audits: caught \(caught) of \(seeds), bad chunks mean \(mean), worst \(badChunks.max() ?? 0); 1/rate = 100"
        )
        #expect(caught == seeds)
        // After seventy true chunks one of at most a hundred is compared. A segment is seven chunks, and those of the
        // last one are counted whole.
        #expect(mean <= 50 + 7)
    }

    @Test("Own reading against a vouch proves the voucher wrong; a relay that only passed it on stays")
    func ownReading() {
        let world = AgentWorld()
        film.publish(in: world)
        let viewer = world.add()
        world.open(viewer, film.url)
        let relay = HostilePeer(world, victim: viewer, film: film, key: 210, host: "198.51.100.7")
        relay.have(0...5)
        let liar = TestSigner(211)
        relay.onRequest = { [film] request in
            let number = Int(request.segment.number)
            relay.say(.digests(relay.vouch(number, film.forged(number), signer: liar)))
            guard request.chunks.count > 0 else { return relay.say(.absent(request: request.request, reason: .busy)) }
            for chunk in Int(request.chunks.first)..<Int(request.chunks.first + request.chunks.count) {
                let bytes = film.forged(number)
                let range = chunk * Chunk.byteCount..<min(bytes.count, (chunk + 1) * Chunk.byteCount)
                relay.say(.data(request: request.request, firstChunk: UInt32(chunk)), Array(bytes[range]))
            }
        }
        world.run(.milliseconds(50))
        // The start is read from the origin while the relay serves the rest.
        let wrong = world.play(viewer, film, 0..<1)
        #expect(wrong == [])
        #expect(world.statistics(viewer).proved_lies >= 1)
        #expect(world.statistics(viewer).banned_peers == 1)
        #expect(!relay.isClosed)
        world.expectSound(viewer)
        // The banned key may not link.
        let end = world.attach(
            viewer,
            LinkPeer(id: liar.id, publicKey: liar.publicKey, address: PeerAddress(host: "198.51.100.8", port: 1))
        ) { _, _ in }
        #expect(world.closed.contains(end))
    }

    @Test("Two vouchers that disagree: the origin decides, the liar is banned, the honest one is not")
    func dispute() {
        let world = AgentWorld()
        film.publish(in: world)
        let honest = world.add()
        world.fill(honest, film)
        let viewer = world.add()
        world.open(viewer, film.url)
        let liar = HostilePeer(world, victim: viewer, film: film)
        liar.have(0...5)
        liar.onRequest = { [film] in liar.serve($0, film.forged(Int($0.segment.number))) }
        world.link(viewer, honest)
        world.run(.milliseconds(100))
        #expect(world.play(viewer, film, 0..<6, pace: .seconds(2)) == [])
        #expect(liar.isClosed)
        let statistics = world.statistics(viewer)
        #expect(statistics.banned_peers == 1)
        #expect(statistics.peers == 1)
        world.expectSound(viewer)
    }

    @Test("F25 F33 An edition that changed at the origin is nobody's lie")
    func changedEdition() {
        for seed in 0..<5 as Range<UInt64> {
            let long = Film(segments: 20, bytes: 300_000)
            let world = AgentWorld()
            long.publish(in: world)
            let honest = world.add()
            world.fill(honest, long)
            for number in 0..<long.segments {
                world.resources[long.address(of: number)] = AgentWorld.Resource(
                    bytes: long.forged(number),
                    fields: [HeaderField("etag", "\"v2\"")]
                )
            }
            let viewer = world.add(seed: seed)
            world.open(viewer, long.url)
            world.link(viewer, honest)
            world.run(.milliseconds(100))
            for number in 0..<long.segments {
                let id = world.get(viewer, long.path(of: number, in: world, viewer))
                world.run(.seconds(2))
                let body = world.answers[id]?.body
                #expect(
                    body == long.bytes(of: number) || body == long.forged(number),
                    "segment \(number), seed \(seed)"
                )
            }
            #expect(world.statistics(viewer).banned_peers == 0)
            world.expectSound(viewer)
        }
    }

    private func digested(_ world: AgentWorld, _ film: Film, _ name: String) {
        for number in 0..<film.segments {
            let digest = Digest.sha256(film.bytes(of: number)).bytes
            world.resources[film.address(of: number)]?.fields.append(HeaderField(name, "sha-256=:\(base64(digest)):"))
        }
    }

    @Test("Anchored: after three bodies with a digest HEADs go out, and a lying voucher gets no byte through")
    func anchored() {
        let long = Film(segments: 12, bytes: 200_000)
        let (world, liar) = stage(film: long) { digested($0, long, "repr-digest") }
        liar.have(0...2, .gone)
        let wrong = world.play(0, long, 0..<12, pace: .seconds(2))
        #expect(wrong.allSatisfy { $0 < 3 }, "\(wrong)")
        #expect(world.log.contains { $0.method == "HEAD" })
        world.expectSound(0)
    }

    @Test(
        "integrity = anchored at a host without digests, and integrity = origin: peers are not used",
        arguments: [IntegrityLevel.anchored, .origin]
    )
    func withoutPeers(level: IntegrityLevel) {
        var settings = AgentSettings()
        settings.integrity = level
        let (world, _) = stage(settings)
        #expect(world.play(0, film, 0..<6, pace: .seconds(2)) == [])
        #expect(world.statistics(0).peer_bytes == 0)
        #expect(world.log.allSatisfy { $0.method == "GET" })
        world.expectSound(0)
    }

    @Test("HEAD answered 405 is never asked again, and an honest peer is used again at the vouched level")
    func headRefused() {
        let long = Film(segments: 12, bytes: 200_000)
        let world = AgentWorld()
        long.publish(in: world)
        digested(world, long, "repr-digest")
        world.headStatus = 405
        let honest = world.add()
        world.fill(honest, long)
        let viewer = world.add()
        let early = world.log.count
        world.open(viewer, long.url)
        #expect(world.play(viewer, long, 0..<4, pace: .seconds(1)) == [])
        world.link(viewer, honest)
        world.run(.milliseconds(100))
        #expect(world.play(viewer, long, 4..<12, pace: .seconds(2)) == [])
        #expect(world.log.dropFirst(early).count(where: { $0.method == "HEAD" }) <= 4)
        #expect(world.statistics(viewer).peer_bytes > 400_000)
        world.expectSound(viewer)
    }

    @Test("A HEAD and audits that the origin does not answer are waived without a stall", arguments: [false, true])
    func silentOrigin(digests: Bool) {
        let long = Film(segments: 16, bytes: 300_000)
        let world = AgentWorld()
        long.publish(in: world)
        if digests { digested(world, long, "repr-digest") }
        let honest = world.add()
        world.fill(honest, long)
        let viewer = world.add()
        world.open(viewer, long.url)
        #expect(world.play(viewer, long, 0..<4, pace: .seconds(1)) == [])
        for number in 4..<long.segments { world.resources[long.address(of: number)]?.isSilent = true }
        world.link(viewer, honest)
        world.run(.milliseconds(100))
        #expect(world.play(viewer, long, 4..<16, pace: .seconds(4)) == [])
        #expect(world.statistics(viewer).stalls == 0)
        world.expectSound(viewer)
    }

    @Test("Peers of local networks are not audited")
    func localNetworks() {
        let long = Film(segments: 30, bytes: 300_000)
        let world = AgentWorld()
        long.publish(in: world)
        let honest = world.add()
        world.fill(honest, long)
        var settings = AgentSettings()
        settings.localNetworks = [NetworkPrefix("10.0.0.0/8")!]
        let viewer = world.add(settings)
        world.open(viewer, long.url)
        world.link(viewer, honest)
        #expect(world.play(viewer, long, 0..<30, pace: .seconds(2)) == [])
        #expect(world.statistics(viewer).audit_bytes == 0)
        #expect(world.statistics(viewer).peer_bytes > 6_000_000)
    }

    @Test("A proof that comes to nothing does not let the doubtful bytes pass")
    func proofLost() {
        for seed in 0..<8 as Range<UInt64> {
            let (world, _) = stage(seed: seed)
            world.onServe = { request in
                // The origin answers the audit, and not the second reading.
                request.freshConnection ? .silent : nil
            }
            let wrong = world.play(0, film, 0..<6, pace: .seconds(4))
            let audited = world.logs.contains { $0.event.message == "an audit found other bytes" }
            if audited { #expect(wrong.count < 6, "seed \(seed): \(wrong)") }
            for number in wrong {
                #expect(!world.auditedSegments.contains(film.address(of: number)), "seed \(seed)")
            }
        }
    }

    @Test("Closing a stream while its HEADs and audits are under way leaves nothing behind")
    func closeMeanwhile() {
        let long = Film(segments: 12, bytes: 200_000)
        var settings = AgentSettings()
        settings.seedTime = .zero
        let (world, _) = stage(settings, film: long) { digested($0, long, "repr-digest") }
        _ = world.play(0, long, 0..<5, pace: .seconds(1))
        world.delay = .milliseconds(400)
        _ = world.get(0, long.path(of: 9, in: world, 0))
        world.run(.milliseconds(300))
        world.feed(0, .close(StreamID(world.agents[0].agent.sessions(at: world.now)[0].id)))
        world.run(.seconds(5))
        #expect(world.statistics(0).ledger_bytes == 0)
    }
}

private func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let part = Array(bytes[start..<min(bytes.count, start + 3)])
        let word = part.enumerated().reduce(UInt32(0)) { $0 | UInt32($1.element) << UInt32(16 - 8 * $1.offset) }
        for place in 0..<4 {
            text.append(place <= part.count ? alphabet[Int(word >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
        }
    }
    return String(decoding: text, as: UTF8.self)
}

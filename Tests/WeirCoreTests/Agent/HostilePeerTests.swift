import Testing
import WeirCore

@Suite("Hostile peers")
struct HostilePeerTests {
    let world = AgentWorld()
    let film = Film(segments: 6, bytes: 300_000)

    /// A viewer with an honest holder and a scripted attacker beside it.
    private func stage(honest isHonest: Bool = true, settings: AgentSettings = AgentSettings()) -> (Int, HostilePeer) {
        film.publish(in: world)
        let viewer = world.add(settings)
        let honest = world.add()
        if isHonest { world.fill(honest, film) }
        world.open(viewer, film.url)
        let attacker = HostilePeer(world, victim: viewer, film: film)
        attacker.have(0...5)
        if isHonest { world.link(viewer, honest) }
        world.run(.milliseconds(100))
        return (viewer, attacker)
    }

    private func expectUnharmed(_ viewer: Int, _ wrong: [Int], location: SourceLocation = #_sourceLocation) {
        #expect(wrong == [], sourceLocation: location)
        #expect(world.statistics(viewer).stalls == 0, sourceLocation: location)
        world.expectSound(viewer, location: location)
    }

    @Test("F30 F31: bytes against the sender's own list get it banned, and nobody else", arguments: [false, true])
    func contradiction(onlyOneBit: Bool) {
        let (viewer, attacker) = stage()
        var served = 0
        attacker.onRequest = { [film] request in
            let number = Int(request.segment.number)
            let good = film.bytes(of: number)
            served += Int(request.chunks.count)
            // It contributes first.
            guard served > 6 else { return attacker.serve(request, good) }
            var bad = onlyOneBit ? good : film.forged(number)
            for chunk in stride(from: 0, to: bad.count, by: Chunk.byteCount) where onlyOneBit { bad[chunk + 77] ^= 4 }
            attacker.serve(request, bad, list: good)
        }
        let wrong = world.play(viewer, film, 0..<6)
        #expect(served > 6)
        #expect(attacker.isClosed)
        let statistics = world.statistics(viewer)
        #expect(statistics.banned_peers == 1)
        #expect(statistics.rejected_bytes > 0)
        #expect(statistics.peers == 1)
        #expect(statistics.peer_bytes > 600_000, "the honest peer goes on")
        expectUnharmed(viewer, wrong)
    }

    @Test("F32 F33 F34: other segments, old editions and false sizes are not used", arguments: 0..<6)
    func falseStatements(kind: Int) {
        let (viewer, attacker) = stage()
        var asked = 0
        attacker.onRequest = { [film] request in
            asked += 1
            let number = Int(request.segment.number)
            switch kind {
            case 0: attacker.serve(request, film.bytes(of: (number + 1) % 6), list: film.bytes(of: number))
            case 1:
                attacker.serve(request, film.forged(number), edition: film.edition(of: number, version: "old"))
            case 2: attacker.serve(request, film.bytes(of: number), edition: film.edition(of: number, bytes: 1 << 45))
            case 3: attacker.serve(request, film.bytes(of: number), edition: film.edition(of: number, bytes: 0))
            case 4: attacker.serve(request, film.bytes(of: number), edition: film.edition(of: number, bytes: 5_000_000))
            default: attacker.serve(request, film.bytes(of: number) + film.bytes(of: number))
            }
        }
        let wrong = world.play(viewer, film, 0..<6)
        #expect(asked > 0)
        if kind == 1 { #expect(world.statistics(viewer).banned_peers == 0) }
        expectUnharmed(viewer, wrong)
    }

    @Test(
        "F34: false sizes from the only peer cut no answer and cost no playback",
        arguments: [0, 1000, 5_000_000, 1 << 45]
    )
    func falseSizes(length: Int) {
        let (viewer, attacker) = stage(honest: false)
        attacker.onRequest = { [film] request in
            let number = Int(request.segment.number)
            attacker.serve(request, film.bytes(of: number), edition: film.edition(of: number, bytes: length))
        }
        expectUnharmed(viewer, world.play(viewer, film, 0..<6))
        // Too long a size is found out when the last chunk comes too short, unless the origin has spoken before that.
        #expect(world.statistics(viewer).banned_peers <= (length == 5_000_000 ? 1 : 0))
    }

    @Test("F34: an unasked statement about a segment that is being read from the origin changes nothing")
    func unasked() {
        let (viewer, attacker) = stage(honest: false)
        let wrong = (0..<6).filter { number in
            let id = world.get(viewer, film.path(of: number, in: world, viewer))
            for length in [1_000, 4_000_000] {
                attacker.say(
                    .digests(
                        attacker.vouch(number, film.forged(number), edition: film.edition(of: number, bytes: length))
                    )
                )
            }
            // It is asked for the list, does not answer for a second, and is passed over.
            world.run(.seconds(2))
            return !world.body(id, is: film.bytes(of: number))
        }
        expectUnharmed(viewer, wrong)
        #expect(world.log.count(where: { $0.url.hasSuffix(".ts") && $0.agent == viewer }) <= 6)
    }

    @Test(
        "F36 F38: a peer that claims everything and sends nothing, or all but the last chunk",
        arguments: [false, true]
    )
    func silence(allButLast: Bool) {
        let (viewer, attacker) = stage()
        attacker.onRequest = { [film] request in
            guard allButLast else { return }
            let number = Int(request.segment.number)
            attacker.say(.digests(attacker.vouch(number, film.bytes(of: number))))
            guard request.chunks.count > 0 else {
                return attacker.say(.absent(request: request.request, reason: .busy))
            }
            var part = request
            part.chunks.count -= 1
            if part.chunks.count > 0 { attacker.serve(part, film.bytes(of: number)) }
        }
        expectUnharmed(viewer, world.play(viewer, film, 0..<6))
        #expect(world.statistics(viewer).banned_peers == 0, "never for slowness")
        #expect(world.statistics(viewer).peer_bytes > 600_000)
    }

    @Test("F36: six mute peers that came first do not hide the one that holds the film")
    func muteCrowd() {
        film.publish(in: world)
        let viewer = world.add()
        let honest = world.add()
        world.fill(honest, film)
        world.open(viewer, film.url)
        let crowd = (0..<6).map { HostilePeer(world, victim: viewer, film: film, key: UInt8(200 + $0)) }
        for mute in crowd { mute.have(0...5) }
        world.link(viewer, honest)
        world.run(.milliseconds(100))
        expectUnharmed(viewer, world.play(viewer, film, 0..<6, pace: .seconds(4)))
        #expect(world.statistics(viewer).peer_bytes > 600_000, "\(world.statistics(viewer).peer_bytes)")
    }

    @Test("F42: numbers at the edges of their types change nothing")
    func edges() {
        let (viewer, attacker) = stage()
        let wild: [UInt32] = [0, 1, .max - 1, .max]
        attacker.onRequest = { [film] request in
            for first in wild {
                attacker.say(.data(request: request.request, firstChunk: first), film.bytes(of: 0))
                attacker.say(.cancel(request: request.request, fromChunk: first))
            }
        }
        for number in [0, 5] {
            _ = world.get(viewer, film.path(of: number, in: world, viewer))
            for handle in [0, .max] as [UInt32] {
                for value in wild {
                    var vouch = attacker.vouch(number, film.forged(number))
                    vouch.firstChunk = value
                    vouch.handle = handle
                    vouch.signature = attacker.signer.sign(vouch.signedDigest(in: film.swarm))
                    attacker.say(.digests(vouch))
                    attacker.request(number, value, value)
                    attacker.say(.cancel(request: value, fromChunk: value))
                    attacker.say(.absent(request: value, reason: .notHeld))
                    attacker.say(.leave(handle: .max))
                    attacker.say(.join(handle: value, swarm: film.swarm))
                }
                let wide = [UInt64.max, UInt64.max - 1, 1 << 63, 0]
                for first in wide {
                    for count in wide {
                        for state in [Have.State.held, .fetching, .gone] {
                            for kind in [SegmentID.Kind.media, .initialisation] {
                                let range = Have.Range(kind: kind, first: first, count: count, state: state)
                                attacker.say(.have(Have(handle: handle, rendition: .main, ranges: [range])))
                            }
                        }
                        attacker.say(
                            .interest(Interest(handle: handle, rendition: .main, position: first, newest: count))
                        )
                    }
                }
                let runs = wild.map { ChunkRun(first: $0, count: .max) }
                attacker.say(.partial(Partial(handle: handle, segment: film.id(number), runs: runs)))
            }
        }
        attacker.have(0...3)
        attacker.say(
            .have(
                Have(
                    handle: 0,
                    rendition: .main,
                    ranges: [
                        .init(kind: .media, first: 0, count: 1 << 63, state: .held),
                        .init(kind: .media, first: (1 << 63) + 7, count: (1 << 63) - 9, state: .held),
                    ]
                )
            )
        )
        #expect(world.agents[viewer].agent.peers(at: world.now).count >= 1)
        expectUnharmed(viewer, world.play(viewer, film, 0..<6))
    }

    @Test("F48: a public peer may not send us to private addresses, nor to ourselves")
    func introductions() {
        var settings = AgentSettings()
        settings.ownAddresses = [PeerAddress(host: "203.0.113.1", port: 4000)]
        let (viewer, attacker) = stage(honest: false, settings: settings)
        let forbidden = ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "::1", "fe80::1", "203.0.113.1"]
        let hints = (forbidden + ["203.0.113.77"]).map {
            PeerHint(id: PeerID(.sha256(Array($0.utf8))), address: PeerAddress(host: $0, port: 4000))
        }
        attacker.say(.peers(handle: 0, hints))
        world.run(.seconds(2))
        #expect(Set(world.dialled.map { $0.host }) == ["203.0.113.77"])
        world.expectSound(viewer)
    }

    @Test("F40: of a thousand names on one host four are linked to, and the honest peer is served")
    func thousandNames() {
        film.publish(in: world)
        let viewer = world.add()
        let honest = world.add()
        world.fill(honest, film)
        world.open(viewer, film.url)
        var greeted = 0
        var refused = 0
        var first: LinkID?
        for name in 0..<1000 {
            let key = Digest.sha256(Array("name \(name)".utf8)).bytes
            let address = PeerAddress(host: "203.0.113.9", port: 5000 + name)
            let peer = LinkPeer(id: PeerID(.sha256(key)), publicKey: key, address: address)
            let link = world.attach(viewer, peer) { message, _ in
                if case .hello = message { greeted += 1 }
                if case .goodbye(.tooManyLinks) = message { refused += 1 }
            }
            first = first ?? link
            let hello = Hello(listenPort: 5000, uploads: true, swarms: [film.swarm])
            world.feed(viewer, .linkMessage(link, .hello(hello), payload: nil))
        }
        world.run(.milliseconds(100))
        #expect(greeted == 4 && refused == 996)
        let hints = (0..<20).map { name in
            let address = PeerAddress(host: "203.0.113.9", port: 6000 + name)
            return PeerHint(id: PeerID(.sha256(Array("other \(name)".utf8))), address: address)
        }
        if let first { world.feed(viewer, .linkMessage(first, .peers(handle: 0, hints), payload: nil)) }
        world.link(viewer, honest)
        let wrong = world.play(viewer, film, 0..<6)
        // The honest peer was told of one of them, and may try.
        #expect(world.dialled.allSatisfy { $0.port < 6000 })
        #expect(world.statistics(viewer).peer_bytes > 600_000)
        expectUnharmed(viewer, wrong)
    }

    @Test("Who signs a root that its own list does not have is not relied on, and no byte of the segment is wrong")
    func foreignRoot() {
        let (viewer, attacker) = stage(honest: false)
        var roots = 0
        attacker.onRequest = { [film] request in
            let number = Int(request.segment.number)
            let bytes = film.bytes(of: number)
            var root = RootVouch(
                handle: 0,
                segment: request.segment,
                edition: film.edition(of: number),
                root: Digest.root(of: [Digest.sha256(film.forged(number))], length: Int64(bytes.count)),
                voucherKey: attacker.signer.publicKey,
                signature: []
            )
            root.signature = attacker.signer.sign(root.signedDigest(in: film.swarm))
            roots += 1
            attacker.say(.root(root))
            attacker.serve(request, bytes)
        }
        let wrong = world.play(viewer, film, 0..<6)
        #expect(roots > 1)
        let notice = "a root that its list does not have"
        let noticed = world.logs.count { $0.agent == viewer && $0.event.message == notice }
        #expect(noticed > 1 && noticed < 6, "twice, and nobody listens; up to three are read at once")
        expectUnharmed(viewer, wrong)
    }

    @Test("A list without a valid signature is not believed")
    func forgedSignature() {
        let (viewer, attacker) = stage(honest: false)
        attacker.onRequest = { [film] request in
            var vouch = attacker.vouch(Int(request.segment.number), film.forged(Int(request.segment.number)))
            vouch.signature[3] ^= 1
            attacker.say(.digests(vouch))
        }
        expectUnharmed(viewer, world.play(viewer, film, 0..<4))
        #expect(attacker.isClosed)
    }

    @Test("A statement that was signed in another swarm is refused, true or not", arguments: [false, true])
    func foreignStatement(isTrue: Bool) {
        let (viewer, attacker) = stage(honest: false)
        let other = SwarmID.derive(url: film.parsed, name: "another stream with segments of the same names")
        attacker.onRequest = { [film] request in
            let number = Int(request.segment.number)
            let bytes = isTrue ? film.bytes(of: number) : film.forged(number)
            attacker.say(.digests(attacker.vouch(number, bytes, swarm: other)))
        }
        expectUnharmed(viewer, world.play(viewer, film, 0..<4))
        #expect(attacker.isClosed)
        #expect(world.statistics(viewer).banned_peers == 0)
    }

    @Test("A signature that is known covers no other words of the same voucher")
    func borrowedSignature() {
        let (viewer, attacker) = stage(honest: false)
        let innocent = TestSigner(77)
        var attacks = 0
        attacker.onRequest = { [film] request in
            let number = Int(request.segment.number)
            var stated = attacker.vouch(number, film.bytes(of: number), signer: innocent)
            stated.digests.removeLast(stated.digests.count - 1)
            stated.signature = innocent.sign(stated.signedDigest(in: film.swarm))
            var misstated = attacker.vouch(number, film.forged(number), signer: innocent)
            misstated.firstChunk = 1
            misstated.digests.removeFirst()
            misstated.signature = stated.signature
            attacker.say(.digests(stated))
            attacker.say(.digests(misstated))
            attacks += 1
        }
        expectUnharmed(viewer, world.play(viewer, film, 0..<4))
        #expect(attacks > 0)
        #expect(attacker.isClosed)
        #expect(world.statistics(viewer).banned_peers == 0, "who was quoted is not blamed")
    }

    @Test("Data without a list is waste, and its sender is not blamed")
    func dataWithoutList() {
        let (viewer, attacker) = stage()
        attacker.onRequest = { [film] request in
            guard request.chunks.count > 0 else {
                return attacker.say(.absent(request: request.request, reason: .busy))
            }
            let start = Int(request.chunks.first) * Chunk.byteCount
            let bytes = film.bytes(of: Int(request.segment.number))
            attacker.say(
                .data(request: request.request, firstChunk: request.chunks.first),
                Array(bytes[start..<min(bytes.count, start + Chunk.byteCount)])
            )
        }
        expectUnharmed(viewer, world.play(viewer, film, 0..<6))
        #expect(world.statistics(viewer).banned_peers == 0)
    }
}

import Testing
import WeirCore

/// A live presentation whose segments can be asked for 1.5 s before they are complete, and then come in pieces and
/// without a length.
private struct GrowingStream {
    typealias Source = Presentations
    let world = AgentWorld()
    let length: Int
    /// Gives peers' scripts the stream's swarm.
    let film = Film(segments: 1, bytes: 1, url: Source.url)

    /// - Parameter isEarly: whether the manifest says so.
    init(length: Int = 200_000, isEarly: Bool = true) {
        self.length = length
        let early = isEarly ? " availabilityTimeOffset='1.5' availabilityTimeComplete='false'" : ""
        let manifest = Source.text(
            "<SegmentTemplate duration='2' startNumber='1'\(early) media='$Number$.m4s'/>",
            attributes: "type='dynamic' availabilityStartTime='2026-01-01T00:00:00Z' minimumUpdatePeriod='PT60S'"
        )
        world.resources[Source.url] = AgentWorld.Resource(bytes: Array(manifest.utf8))
        for number in 40...49 { world.resources[url(number)] = AgentWorld.Resource(bytes: bytes(number)) }
        for number in 50...56 {
            var resource = AgentWorld.Resource(bytes: bytes(number))
            resource.fields = []
            resource.hidesLength = true
            resource.piece = 20_000
            resource.pace = .milliseconds(150)
            world.resources[url(number)] = resource
        }
    }

    func url(_ number: Int) -> String { "\(Source.base)\(number).m4s" }
    func bytes(_ number: Int) -> [UInt8] { Source.bytes(number, count: length) }

    /// An agent whose player has just had segments 47 and 48, at the moment from which 50 can be asked for.
    func add(_ settings: AgentSettings = AgentSettings()) -> (agent: Int, path: String) {
        let agent = world.add(settings)
        let start = WallTime(dateTime: "2026-01-01T00:01:37Z")!.nanoseconds / 1_000_000
        world.feed(agent, .wallClock(milliseconds: start + world.now.nanoseconds / 1_000_000))
        let path = world.open(agent, Source.url)
        for number in 47...48 {
            _ = world.get(agent, Source.local(path, "\(number).m4s"))
            world.run(.milliseconds(100))
        }
        return (agent, path)
    }

    func read(_ number: Int) -> Int {
        world.log.count { $0.url == url(number) && $0.method == "GET" && $0.range == nil }
    }

    func get(_ player: (agent: Int, path: String), _ number: Int) -> RequestID {
        world.get(player.agent, Source.local(player.path, "\(number).m4s"))
    }

    /// A signed statement about a segment's chunks, with or without its length.
    func vouch(_ peer: HostilePeer, _ number: Int, _ chunks: [[UInt8]], first: Int = 0, length: Int?) -> Vouch {
        var vouch = Vouch(
            handle: 0,
            segment: SegmentID(rendition: Source.key, number: UInt64(number)),
            edition: edition(number, length),
            firstChunk: UInt32(first),
            digests: chunks.map { Digest.sha256($0) },
            voucherKey: peer.signer.publicKey,
            signature: []
        )
        vouch.signature = peer.signer.sign(vouch.signedDigest(in: film.swarm))
        return vouch
    }

    func edition(_ number: Int, _ length: Int?) -> Edition {
        Edition(length: length.map { Int64($0) }, validator: 0, name: Edition.nameHash(of: WebURL(url(number))!))
    }

    func chunks(_ number: Int) -> [[UInt8]] {
        let bytes = bytes(number)
        return stride(from: 0, to: bytes.count, by: Chunk.byteCount).map {
            Array(bytes[$0..<min(bytes.count, $0 + Chunk.byteCount)])
        }
    }

    func promise(_ peer: HostilePeer, _ number: Int) {
        let range = Have.Range(kind: .media, first: UInt64(number), count: 1, state: .fetching)
        peer.say(.have(Have(handle: 0, rendition: Source.key, ranges: [range])))
    }
}

@Suite("Segments of unknown length among peers")
struct GrowingSegmentTests {
    @Test(
        "A segment that is being made reaches the peer's player as it comes; the origin sends it once",
        arguments: [1, 2, 6]
    )
    func cutThrough(seed: Int) {
        // Also whole chunks to the end, so that no last statement tells the length.
        let stream = GrowingStream(length: seed == 6 ? 12 * Chunk.byteCount : 200_000 + seed * 1000)
        let players = [stream.add(), stream.add()]
        stream.world.link(players[0].agent, players[1].agent)
        stream.world.run(.milliseconds(300))
        for number in 49...53 {
            let ids = players.map { stream.get($0, number) }
            stream.world.run(.milliseconds(800))
            let world = stream.world
            if number >= 50 {
                for id in ids {
                    #expect(world.answers[id]!.body.count >= 3 * Chunk.byteCount, "segment \(number) at half its time")
                    #expect(!world.answers[id]!.isEnded)
                    #expect(!world.answers[id]!.fields.contains { $0.name == "content-length" })
                }
            }
            world.run(.milliseconds(number == 49 ? 0 : 1200))
            for id in ids { #expect(world.body(id, is: stream.bytes(number)) && world.answers[id]!.isEnded) }
            if number >= 50 { #expect(stream.read(number) == 1, "segment \(number)") }
        }
        let figures = players.map { stream.world.statistics($0.agent) }
        #expect(figures.reduce(0) { $0 + $1.peer_bytes } >= 4 * Int64(stream.length))
        #expect(figures.allSatisfy { $0.wasted_bytes == 0 && $0.rejected_bytes == 0 })
        for player in players { stream.world.expectSound(player.agent) }
    }

    @Test("A third agent has a growing segment from the second")
    func relay() {
        let stream = GrowingStream()
        let world = stream.world
        let players = [stream.add(), stream.add(), stream.add()]
        world.link(players[0].agent, players[1].agent)
        world.link(players[1].agent, players[2].agent)
        world.run(.milliseconds(300))
        for player in players { _ = stream.get(player, 49) }
        world.run(.milliseconds(200))
        var ids: [RequestID] = []
        for player in players {
            ids.append(stream.get(player, 50))
            world.run(.milliseconds(20))
        }
        world.run(.seconds(3))
        for id in ids { #expect(world.body(id, is: stream.bytes(50))) }
        // One end is elected, and nobody else reads it.
        #expect(stream.read(50) == 1)
    }

    @Test("An origin that never says how long segments are is enough: no manifest has to", arguments: 1...3)
    func learnt(seed: Int) {
        let film = Film(segments: 8, bytes: 200_000 + seed)
        let world = AgentWorld()
        film.publish(in: world)
        for number in 0..<film.segments { world.resources[film.address(of: number)]?.hidesLength = true }
        let agents = [world.add(), world.add()]
        for agent in agents { world.open(agent, film.url) }
        world.link(agents[0], agents[1])
        world.run(.milliseconds(100))
        #expect(world.play(agents[0], film, 0..<8).isEmpty)
        world.log = []
        #expect(world.play(agents[1], film, 0..<8).isEmpty)
        let read = world.log.filter { $0.url.hasSuffix(".ts") }.reduce(0) { $0 + $1.bytes }
        #expect(read < 3 * film.bytes, "the first segment, and samples: \(read)")
        #expect(world.statistics(agents[1]).peer_bytes > 5 * Int64(film.bytes))
        world.expectSound(agents[1])
    }

    // MARK: Hostile use

    @Test("F34 A peer that never states a length delays a segment no longer than a pause in it may be")
    func lengthNeverStated() {
        let stream = GrowingStream()
        let world = stream.world
        let victim = stream.add()
        let peer = HostilePeer(world, victim: victim.agent, film: stream.film)
        let chunks = stream.chunks(50)
        peer.onRequest = { request in
            guard request.segment.number == 50 else { return }
            let end = Int(request.chunks.first + request.chunks.count)
            for chunk in Int(request.chunks.first)..<end where chunk < 12 {
                peer.say(.digests(stream.vouch(peer, 50, [chunks[chunk]], first: chunk, length: nil)))
                peer.say(.data(request: request.request, firstChunk: UInt32(chunk)), chunks[chunk])
            }
        }
        world.run(.milliseconds(200))
        stream.promise(peer, 50)
        world.run(.milliseconds(50))
        let id = stream.get(victim, 50)
        world.run(.milliseconds(400))
        #expect(world.statistics(victim.agent).peer_bytes >= 12 * Int64(Chunk.byteCount), "the attack took place")
        #expect(!world.answers[id]!.isEnded)
        world.run(.seconds(4))
        #expect(world.body(id, is: stream.bytes(50)) && world.answers[id]!.isEnded)
        #expect(stream.read(50) == 1)
        world.expectSound(victim.agent)
    }

    @Test("F34 Lengths that contradict what came before, or each other, put the peer's word aside", arguments: 0..<4)
    func contradictingLengths(kind: Int) {
        let stream = GrowingStream()
        let world = stream.world
        let victim = stream.add()
        let peer = HostilePeer(world, victim: victim.agent, film: stream.film)
        let chunks = stream.chunks(50)
        var asked = false
        peer.onRequest = { request in
            guard request.segment.number == 50, !asked else { return }
            asked = true
            peer.say(.digests(stream.vouch(peer, 50, Array(chunks[0..<4]), length: nil)))
            peer.say(.data(request: request.request, firstChunk: 0), chunks[0])
            switch kind {
            case 0: peer.say(.digests(stream.vouch(peer, 50, [chunks[1]], first: 1, length: 2 * Chunk.byteCount)))
            case 1:
                peer.say(.digests(stream.vouch(peer, 50, [chunks[4]], first: 4, length: stream.length)))
                peer.say(.digests(stream.vouch(peer, 50, [chunks[5]], first: 5, length: stream.length + 1)))
            case 2:
                var root = RootVouch(
                    handle: 0,
                    segment: SegmentID(rendition: Presentations.key, number: 50),
                    edition: stream.edition(50, Chunk.byteCount),
                    root: Digest.root(of: [Digest.sha256(chunks[0])], length: Int64(Chunk.byteCount)),
                    voucherKey: peer.signer.publicKey,
                    signature: []
                )
                root.signature = peer.signer.sign(root.signedDigest(in: stream.film.swarm))
                peer.say(.root(root))
            default:
                // The origin's is longer: what it sends must not be cut there.
                let short = 4 * Chunk.byteCount
                peer.say(.digests(stream.vouch(peer, 50, [chunks[3]], first: 3, length: short)))
            }
        }
        world.run(.milliseconds(200))
        stream.promise(peer, 50)
        world.run(.milliseconds(50))
        let id = stream.get(victim, 50)
        world.run(.seconds(6))
        #expect(asked && world.statistics(victim.agent).peer_bytes > 0, "the attack took place")
        let answer = world.answers[id]!
        // A player that was given a length cannot be given another; it is cut off rather than deceived.
        let isDeceived = answer.isEnded && answer.body != stream.bytes(50)
        #expect(!isDeceived, "\(answer.body.count) bytes")
        if kind < 3 { #expect(world.body(id, is: stream.bytes(50)) && answer.isEnded) }
        let next = stream.get(victim, 51)
        world.run(.seconds(4))
        #expect(world.body(next, is: stream.bytes(51)))
        #expect(world.statistics(victim.agent).ledger_bytes <= Int64(AgentSettings().cacheBytes))
    }

    @Test("F42 A body without an end stays within the limits, and the next segment plays")
    func endless() {
        let stream = GrowingStream()
        let world = stream.world
        var settings = AgentSettings()
        settings.cacheBytes = 3_000_000
        let victim = stream.add(settings)
        let peer = HostilePeer(world, victim: victim.agent, film: stream.film)
        let chunks = stream.chunks(50)
        var requests = 0
        func chunk(_ place: Int) -> [UInt8] {
            place < 12 ? chunks[place] : [UInt8](repeating: UInt8(truncatingIfNeeded: place), count: Chunk.byteCount)
        }
        peer.onRequest = { request in
            guard request.segment.number == 50 else { return }
            requests += 1
            for place in Int(request.chunks.first)..<Int(request.chunks.first + request.chunks.count) {
                peer.say(.digests(stream.vouch(peer, 50, [chunk(place)], first: place, length: nil)))
                peer.say(.data(request: request.request, firstChunk: UInt32(place)), chunk(place))
            }
        }
        world.run(.milliseconds(200))
        stream.promise(peer, 50)
        world.run(.milliseconds(50))
        let id = stream.get(victim, 50)
        world.run(.seconds(6))
        #expect(world.statistics(victim.agent).peer_bytes > 20 * Int64(Chunk.byteCount), "the attack took place")
        #expect(world.statistics(victim.agent).peer_bytes < 1_500_000, "a third of the cache at most")
        #expect(world.statistics(victim.agent).ledger_bytes <= 3_000_000)
        #expect(!world.answers[id]!.isEnded || world.body(id, is: stream.bytes(50)))
        let next = stream.get(victim, 51)
        world.run(.seconds(4))
        #expect(world.body(next, is: stream.bytes(51)))
    }

    @Test("F34 Where the origin states lengths, a peer's statement without one is worth nothing")
    func notElsewhere() {
        let stream = GrowingStream(isEarly: false)
        let world = stream.world
        let victim = stream.add()
        let peer = HostilePeer(world, victim: victim.agent, film: stream.film)
        peer.onRequest = { request in
            let number = Int(request.segment.number)
            let forged = [[UInt8](repeating: 7, count: Chunk.byteCount)]
            peer.say(.digests(stream.vouch(peer, number, forged, length: nil)))
            peer.say(.data(request: request.request, firstChunk: 0), forged[0])
        }
        world.run(.milliseconds(200))
        stream.promise(peer, 49)
        world.run(.milliseconds(50))
        let id = stream.get(victim, 49)
        world.run(.seconds(6))
        #expect(peer.heard.contains { if case .request = $0 { true } else { false } }, "the attack took place")
        #expect(world.body(id, is: stream.bytes(49)))
        world.expectSound(victim.agent)
    }
}

import Testing
import WeirCore

/// A peer that a test scripts message by message, without an agent behind it.
final class HostilePeer {
    let world: AgentWorld
    let victim: Int
    let signer: TestSigner
    let film: Film
    private(set) var link = LinkID(0)
    private(set) var heard: [Message] = []
    private(set) var receivedBytes = 0
    /// What it does about a request.
    var onRequest: ((RunRequest) -> Void)?

    init(_ world: AgentWorld, victim: Int, film: Film, key: UInt8 = 200, host: String = "203.0.113.9") {
        self.world = world
        self.victim = victim
        self.film = film
        signer = TestSigner(key)
        let address = PeerAddress(host: host, port: 5000)
        let peer = LinkPeer(id: signer.id, publicKey: signer.publicKey, address: address)
        link = world.attach(victim, peer) { [unowned self] message, payload in
            heard.append(message)
            receivedBytes += payload?.count ?? 0
            if case .request(let request) = message { onRequest?(request) }
        }
        say(.hello(Hello(listenPort: 0, uploads: true, swarms: [film.swarm])))
    }

    var isClosed: Bool { world.closed.contains(link) }

    func say(_ message: Message, _ bytes: [UInt8]? = nil) {
        world.feed(victim, .linkMessage(link, message, payload: bytes.map { ByteArrayPayload($0) }))
    }

    func have(_ range: ClosedRange<Int>, _ state: Have.State = .held) {
        let count = UInt64(range.count)
        let part = Have.Range(kind: .media, first: UInt64(range.lowerBound), count: count, state: state)
        say(.have(Have(handle: 0, rendition: .main, ranges: [part])))
    }

    /// A signed statement about bytes of its own choice.
    ///
    /// - Parameter swarm: in which it is signed; nil: the film's.
    func vouch(
        _ number: Int,
        _ bytes: [UInt8],
        edition: Edition? = nil,
        signer other: TestSigner? = nil,
        swarm: SwarmID? = nil
    ) -> Vouch {
        let signer = other ?? signer
        let digests = stride(from: 0, to: bytes.count, by: Chunk.byteCount).map {
            Digest.sha256(Array(bytes[$0..<min(bytes.count, $0 + Chunk.byteCount)]))
        }
        var vouch = Vouch(
            handle: 0,
            segment: film.id(number),
            edition: edition ?? film.edition(of: number),
            firstChunk: 0,
            digests: digests,
            voucherKey: signer.publicKey,
            signature: []
        )
        vouch.signature = signer.sign(vouch.signedDigest(in: swarm ?? film.swarm))
        return vouch
    }

    /// Answers a request as an agent that holds these bytes would.
    func serve(_ request: RunRequest, _ bytes: [UInt8], list: [UInt8]? = nil, edition: Edition? = nil) {
        let number = Int(request.segment.number)
        say(.digests(vouch(number, list ?? bytes, edition: edition)))
        guard request.chunks.count > 0 else { return say(.absent(request: request.request, reason: .busy)) }
        for chunk in Int(request.chunks.first)..<Int(request.chunks.first + request.chunks.count) {
            let start = chunk * Chunk.byteCount
            guard start < bytes.count else { return }
            let piece = Array(bytes[start..<min(bytes.count, start + Chunk.byteCount)])
            say(.data(request: request.request, firstChunk: UInt32(chunk)), piece)
        }
    }

    func request(_ number: Int, _ first: UInt32, _ count: UInt32, id: UInt32 = 1) {
        say(
            .request(
                RunRequest(
                    request: id,
                    handle: 0,
                    segment: film.id(number),
                    edition: Edition(length: nil, validator: 0, name: film.edition(of: number).name),
                    chunks: ChunkRun(first: first, count: count)
                )
            )
        )
    }
}

extension Film {
    var parsed: WebURL { try! WebURL(parsing: url) }
    var swarm: SwarmID { SwarmID.derive(url: parsed, name: nil) }

    func id(_ number: Int) -> SegmentID { SegmentID(rendition: .main, number: UInt64(number)) }

    func edition(of number: Int, version: String = "v1", bytes length: Int? = nil) -> Edition {
        let fields = [HeaderField("etag", "\"\(version)\"")]
        let name = Edition.nameHash(of: try! WebURL(parsing: address(of: number)))
        return Edition(length: Int64(length ?? bytes), validator: Edition.validatorHash(fields), name: name)
    }

    /// Other bytes of the same length.
    func forged(_ number: Int) -> [UInt8] {
        if let known = made.forged[number] { return known }
        let fresh = bytes(of: number).map { ~$0 }
        made.forged[number] = fresh
        return fresh
    }
}

extension AgentWorld {
    func statistics(_ agent: Int) -> AgentStatistics { agents[agent].agent.statistics(at: now) }

    /// What must hold whatever happened.
    func expectSound(
        _ agent: Int,
        capacity: Int = AgentSettings().cacheBytes,
        location: SourceLocation = #_sourceLocation
    ) {
        let statistics = statistics(agent)
        #expect(statistics.ledger_bytes <= Int64(capacity), sourceLocation: location)
        #expect(statistics.ledger_bytes >= 0, sourceLocation: location)
        #expect(statistics.audit_bytes <= statistics.origin_bytes, sourceLocation: location)
        #expect(statistics.rejected_bytes + statistics.wasted_bytes >= 0, sourceLocation: location)
        #expect(
            statistics.rejected_bytes <= statistics.peer_bytes,
            "rejected is a part of what peers sent",
            sourceLocation: location
        )
        #expect(
            answers.values.allSatisfy { !$0.isAborted },
            "no answer was cut",
            sourceLocation: location
        )
    }

    /// Plays segments one after the other at a pace; answers which were not the film's bytes.
    func play(_ agent: Int, _ film: Film, _ numbers: Range<Int>, pace: Duration = .seconds(1)) -> [Int] {
        let ids = numbers.map { number in
            let id = get(agent, film.path(of: number, in: self, agent))
            run(pace)
            return (number, id)
        }
        run(.seconds(8))
        return ids.filter { !body($0.1, is: film.bytes(of: $0.0)) }.map { $0.0 }
    }

    func fill(_ agent: Int, _ film: Film) {
        open(agent, film.url)
        for number in 0..<film.segments {
            _ = get(agent, film.path(of: number, in: self, agent))
            run(.milliseconds(100))
        }
    }
}

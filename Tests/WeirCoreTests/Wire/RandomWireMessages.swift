import WeirCore

/// Messages with fields at and around their limits.
struct RandomWireMessages {
    var generator: WireTestGenerator

    init(seed: UInt64) { generator = WireTestGenerator(seed: seed) }

    mutating func number() -> UInt64 {
        let width = UInt64.random(in: 0...64, using: &generator)
        return width == 0 ? 0 : UInt64.random(in: 0...UInt64.max, using: &generator) >> (64 - width)
    }

    mutating func number32() -> UInt32 { UInt32(truncatingIfNeeded: number()) }
    mutating func count(_ limit: Int) -> Int {
        Bool.random(using: &generator)
            ? Int.random(in: 0...limit, using: &generator) : Int.random(in: 0...3, using: &generator)
    }

    mutating func digest() -> Digest { Digest(words: (number(), number(), number(), number())) }
    mutating func swarm() -> SwarmID { SwarmID(bytes(20))! }
    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    mutating func run() -> ChunkRun {
        let first = number32()
        guard first < .max else { return ChunkRun(first: 0, count: .max) }
        return ChunkRun(first: first, count: max(1, min(number32(), .max - first)))
    }

    mutating func segment() -> SegmentID {
        let range: ByteRange? =
            Bool.random(using: &generator)
            ? nil
            : ByteRange(offset: Int64(number() >> 2), length: max(1, Int64(number() >> 18)))
        return SegmentID(
            rendition: RenditionKey(number()),
            kind: Bool.random(using: &generator) ? .media : .initialisation,
            number: number(),
            range: range
        )
    }

    mutating func edition(known: Bool = false) -> Edition {
        let length: Int64? = known || Bool.random(using: &generator) ? Int64(number() >> 18) : nil
        return Edition(length: length, validator: number(), name: number())
    }

    mutating func next() -> (message: Message, payload: [UInt8]) {
        switch Int.random(in: 0..<17, using: &generator) {
        case 0:
            let swarms = (0..<count(64)).map { _ in swarm() }
            return (
                .hello(
                    Hello(
                        minimumVersion: 1,
                        maximumVersion: UInt8.random(in: 1...255, using: &generator),
                        features: number(),
                        listenPort: UInt16(truncatingIfNeeded: number()),
                        uploads: Bool.random(using: &generator),
                        swarms: swarms
                    )
                ), []
            )
        case 1: return (.join(handle: number32(), swarm: swarm()), [])
        case 2: return (.leave(handle: number32()), [])
        case 3:
            let position: UInt64? = Bool.random(using: &generator) ? number() : nil
            let newest: UInt64? = Bool.random(using: &generator) ? number() : nil
            return (
                .interest(
                    Interest(
                        handle: number32(),
                        rendition: RenditionKey(number()),
                        position: position,
                        newest: newest,
                        share: UInt8.random(in: 0...UploadShare.whole, using: &generator)
                    )
                ), []
            )
        case 4: return (.have(have()), [])
        case 5: return (.partial(partial()), [])
        case 6:
            return (
                .request(
                    RunRequest(
                        request: number32(),
                        handle: number32(),
                        segment: segment(),
                        edition: edition(),
                        chunks: run(),
                        list: Bool.random(using: &generator) ? digest() : nil
                    )
                ),
                []
            )
        case 7:
            return (.digests(vouch()), [])
        case 8:
            return (
                .root(
                    RootVouch(
                        handle: number32(),
                        segment: segment(),
                        edition: edition(known: true),
                        root: digest(),
                        voucherKey: bytes(65),
                        signature: bytes(count(80))
                    )
                ), []
            )
        case 9:
            let payload = bytes(1 + count(WireLimits.payloadBytes - 1))
            return (.data(request: number32(), firstChunk: min(number32(), .max - 3)), payload)
        case 10: return (.cancel(request: number32(), fromChunk: number32()), [])
        case 11: return (.absent(request: number32(), reason: AbsentReason(rawValue: UInt8(number() % 4))!), [])
        case 12: return (.peers(handle: number32(), (0..<count(64)).map { _ in hint() }), [])
        case 13: return (.ping(number()), [])
        case 14: return (.pong(number()), [])
        case 15:
            let vouch = vouch()
            let chunk = vouch.firstChunk + UInt32.random(in: 0..<UInt32(vouch.digests.count), using: &generator)
            return (.refutation(Refutation(vouch: vouch, chunk: chunk, read: digest())), [])
        default: return (.goodbye(GoodbyeReason(rawValue: UInt8(number() % 6))!), [])
        }
    }

    private mutating func vouch() -> Vouch {
        Vouch(
            handle: number32(),
            segment: segment(),
            edition: edition(),
            firstChunk: min(number32(), .max - 1024),
            digests: (0...count(1023)).map { _ in digest() },
            voucherKey: bytes(65),
            signature: bytes(count(80))
        )
    }

    private mutating func have() -> Have {
        let ranges = (0..<count(512)).map { _ in
            let first = min(number(), .max - 1)
            return Have.Range(
                kind: Bool.random(using: &generator) ? .media : .initialisation,
                first: first,
                count: max(1, min(number(), .max - first)),
                state: Have.State(rawValue: UInt8(number() % 3))!
            )
        }
        return Have(handle: number32(), rendition: RenditionKey(number()), ranges: ranges)
    }

    private mutating func partial() -> Partial {
        var runs: [ChunkRun] = []
        var end: UInt32 = 0
        for _ in 0..<count(512) {
            let first = end + number32() % 10_000
            let length = 1 + number32() % 10_000
            runs.append(ChunkRun(first: first, count: length))
            end = first + length
        }
        return Partial(handle: number32(), segment: segment(), runs: runs)
    }

    private mutating func hint() -> PeerHint {
        let alphabet = Array("0123456789abcdef.:-xyz".utf8)
        let host = (0...count(63)).map { _ in alphabet.randomElement(using: &generator)! }
        return PeerHint(
            id: PeerID(digest()),
            address: PeerAddress(
                host: String(decoding: host, as: UTF8.self),
                port: Int.random(in: 1...65535, using: &generator)
            )
        )
    }
}

import WeirCore

/// The messages that `Fixtures/wire` holds as bytes.
enum WireSample {
    static let rendition = RenditionKey(0x0123_4567_89ab_cdef)
    static let segment = SegmentID(rendition: rendition, number: 1000)
    static let map = SegmentID(
        rendition: rendition,
        kind: .initialisation,
        number: 7,
        range: ByteRange(offset: 616, length: 1 << 31)
    )
    static let edition = Edition(length: 1_000_000, validator: 0xaabb_ccdd_0011_2233, name: 0x55_6677_8899)
    static let openEdition = Edition(length: nil, validator: 0, name: 0x55_6677_8899)
    static let key: [UInt8] = [4] + Array(0..<64)
    static let signature: [UInt8] = Array(64..<128)
    static let swarm = SwarmID(Array(0..<20))!
    static let otherSwarm = SwarmID(Array(20..<40))!

    static let vouch = Vouch(
        handle: 0,
        segment: segment,
        edition: edition,
        firstChunk: 4,
        digests: [digest("four"), digest("five")],
        voucherKey: key,
        signature: signature
    )
    static let root = RootVouch(
        handle: 0,
        segment: segment,
        edition: edition,
        root: digest("root"),
        voucherKey: key,
        signature: signature
    )

    static func digest(_ text: String) -> Digest { .sha256(Array(text.utf8)) }

    /// Fixture name, message, payload.
    static let frames: [(String, Message, [UInt8])] = [
        (
            "hello",
            .hello(
                Hello(features: 0x8000_0000_0000_0001, listenPort: 4001, uploads: true, swarms: [swarm, otherSwarm])
            ),
            []
        ),
        ("join", .join(handle: 2, swarm: swarm), []),
        ("leave", .leave(handle: 300), []),
        ("interest", .interest(Interest(handle: 1, rendition: rendition, position: 1000, newest: nil, share: 5)), []),
        (
            "have",
            .have(
                Have(
                    handle: 0,
                    rendition: rendition,
                    ranges: [
                        .init(kind: .media, first: 1000, count: 10, state: .held),
                        .init(kind: .media, first: 1010, count: 1, state: .fetching),
                        .init(kind: .initialisation, first: 7, count: 1, state: .gone),
                    ]
                )
            ), []
        ),
        (
            "have-underway",
            .have(
                Have(
                    handle: 0,
                    rendition: rendition,
                    ranges: [.init(kind: .media, first: 1011, count: 1, state: .underway)]
                )
            ), []
        ),
        (
            "partial",
            .partial(
                Partial(
                    handle: 0,
                    segment: segment,
                    runs: [
                        ChunkRun(first: 0, count: 3), ChunkRun(first: 5, count: 1), ChunkRun(first: 200, count: 128),
                    ]
                )
            ), []
        ),
        (
            "request",
            .request(
                RunRequest(
                    request: 9,
                    handle: 0,
                    segment: map,
                    edition: openEdition,
                    chunks: ChunkRun(first: 4, count: 32)
                )
            ),
            []
        ),
        (
            "request-of-list",
            .request(
                RunRequest(
                    request: 10,
                    handle: 0,
                    segment: segment,
                    edition: edition,
                    chunks: ChunkRun(first: 4, count: 2),
                    list: digest("root")
                )
            ),
            []
        ),
        ("digests", .digests(vouch), []),
        ("root", .root(root), []),
        ("data", .data(request: 9, firstChunk: 4), Array("media".utf8)),
        ("cancel", .cancel(request: 9, fromChunk: 20), []),
        ("absent", .absent(request: 9, reason: .busy), []),
        (
            "peers",
            .peers(
                handle: 0,
                [
                    PeerHint(id: PeerID(digest("a")), address: PeerAddress(host: "192.0.2.1", port: 4001)),
                    PeerHint(id: PeerID(digest("b")), address: PeerAddress(host: "2001:db8::1", port: 65535)),
                ]
            ), []
        ),
        ("ping", .ping(0x1122_3344_5566_7788), []),
        ("pong", .pong(.max), []),
        ("goodbye", .goodbye(.banned), []),
        ("refutation", .refutation(Refutation(vouch: vouch, chunk: 5, read: digest("origin"))), []),
    ]
}

/// What one frame says, as a receiver reads it.
struct WireReading: Equatable {
    var message: Message?
    var payload: [UInt8]
    var frameBytes: Int
}

/// Reads the frame at the front; nil when more bytes are needed.
func readWireFrame(_ bytes: [UInt8]) throws -> WireReading? {
    switch FrameCodec.split(bytes) {
    case .needs: return nil
    case .refused(let error): throw error
    case .frame(let type, let header, let payload):
        let message = try FrameCodec.decode(type: type, header: Array(bytes[header]), payloadBytes: payload.count)
        return WireReading(message: message, payload: Array(bytes[payload]), frameBytes: payload.upperBound)
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): tests that draw at random print their seed.
struct WireTestGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

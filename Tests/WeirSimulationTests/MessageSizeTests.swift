import Testing
import WeirCore
import WeirSimulation

@Suite("Sizes of messages")
struct MessageSizeTests {
    private static let digest = Digest(words: (1, 2, 3, 4))
    private static let segment = SegmentID(rendition: RenditionKey(9), number: 70_000)
    private static let ranged = SegmentID(
        rendition: RenditionKey(9),
        kind: .initialisation,
        number: .max,
        range: ByteRange(offset: 1 << 40, length: 5)
    )
    private static let edition = Edition(length: 250_000, validator: 3, name: 4)
    private static let key = SimulatedSigner(number: 1).publicKey
    private static let signature = SimulatedSigner(number: 1).sign(digest)

    private static let vouch = Vouch(
        handle: 0,
        segment: segment,
        edition: edition,
        firstChunk: 4,
        digests: [digest, digest],
        voucherKey: key,
        signature: signature
    )

    static let messages: [Message] = [
        .hello(Hello(listenPort: 7000, uploads: true, swarms: [])),
        .leave(handle: 300),
        .interest(Interest(handle: 0, rendition: RenditionKey(1), position: nil, newest: 1 << 20)),
        .have(
            Have(
                handle: 1,
                rendition: RenditionKey(2),
                ranges: [
                    Have.Range(kind: .media, first: 127, count: 128, state: .held),
                    Have.Range(kind: .media, first: 1 << 35, count: 1, state: .fetching),
                ]
            )
        ),
        .partial(
            Partial(handle: 0, segment: segment, runs: [ChunkRun(first: 0, count: 4), ChunkRun(first: 200, count: 1)])
        ),
        .request(
            RunRequest(
                request: 5,
                handle: 0,
                segment: ranged,
                edition: Edition(length: nil, validator: 0, name: 1),
                chunks: ChunkRun(first: 3, count: 200)
            )
        ),
        .request(
            RunRequest(
                request: 6,
                handle: 0,
                segment: segment,
                edition: edition,
                chunks: ChunkRun(first: 3, count: 2),
                list: digest
            )
        ),
        .digests(vouch), .refutation(Refutation(vouch: vouch, chunk: 5, read: digest)),
        .root(
            RootVouch(
                handle: 0,
                segment: segment,
                edition: edition,
                root: digest,
                voucherKey: key,
                signature: signature
            )
        ),
        .cancel(request: 128, fromChunk: 127), .absent(request: 1, reason: .busy), .ping(4), .pong(.max),
        .peers(
            handle: 0,
            [PeerHint(id: PeerID(digest), address: PeerAddress(host: "10.0.0.1", port: 7000))]
        ),
        .goodbye(.stopping),
    ]

    @Test("The simulation's sizes are the codec's", arguments: messages)
    func sizes(message: Message) throws {
        let encoded = try FrameCodec.encodeHeader(message, payloadBytes: 0)
        #expect(MessageSize.bytes(of: message, payload: 0) == encoded.count)
    }

    @Test("Data counts its payload", arguments: [1, 100, 16_384])
    func data(payload: Int) throws {
        let message = Message.data(request: 9, firstChunk: 300)
        let encoded = try FrameCodec.encodeHeader(message, payloadBytes: payload)
        #expect(MessageSize.bytes(of: message, payload: payload) == encoded.count + payload)
    }
}

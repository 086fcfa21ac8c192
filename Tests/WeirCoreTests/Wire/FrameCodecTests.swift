import Testing
import WeirCore

@Suite("Wire codec")
struct FrameCodecTests {
    @Test("Every message has the bytes that the protocol's description gives it", arguments: WireSample.frames)
    func golden(name: String, message: Message, payload: [UInt8]) throws {
        let bytes = try wireFixture(name)
        #expect(try FrameCodec.encodeHeader(message, payloadBytes: payload.count) + payload == bytes)
        #expect(try readWireFrame(bytes) == WireReading(message: message, payload: payload, frameBytes: bytes.count))
    }

    @Test("Types of later versions are skipped whole")
    func unknownType() throws {
        let bytes = try wireFixture("unknown")
        #expect(
            try readWireFrame(bytes) == WireReading(message: nil, payload: Array("later".utf8), frameBytes: bytes.count)
        )
    }

    @Test("A later version's hello is read as far as this version understands it")
    func laterHello() throws {
        let reading = try #require(try readWireFrame(try wireFixture("hello-of-version-3")))
        #expect(reading.message == .hello(Hello(maximumVersion: 3, listenPort: 0, uploads: false, swarms: [])))
    }

    @Test("What is written is read back, whatever the fields", arguments: UInt64(0)..<40)
    func roundTrip(seed: UInt64) throws {
        var messages = RandomWireMessages(seed: seed)
        for _ in 0..<50 {
            let (message, payload) = messages.next()
            let frame = try FrameCodec.encodeHeader(message, payloadBytes: payload.count) + payload
            #expect(frame.count <= WireLimits.wholeFrameBytes)
            #expect(FrameCodec.frameBytes(of: message, payloadBytes: payload.count) == frame.count)
            #expect(
                try readWireFrame(frame) == WireReading(message: message, payload: payload, frameBytes: frame.count)
            )
        }
    }

    @Test("A frame is found at its last byte and never before", arguments: WireSample.frames)
    func everyPrefix(name: String, message: Message, payload: [UInt8]) throws {
        let bytes = try wireFixture(name)
        for length in 0..<bytes.count {
            guard case .needs(let needed) = FrameCodec.split(bytes[..<length]) else {
                Issue.record("a frame was found in \(length) of \(bytes.count) bytes of \(name)")
                continue
            }
            #expect(needed > length && needed <= bytes.count)
        }
        // What follows a frame does not matter to it.
        #expect(try readWireFrame(bytes + [0xff, 0xff, 0xff])?.frameBytes == bytes.count)
    }

    @Test("Limits hold for senders too")
    func sendersLimits() {
        let digests = [Digest](repeating: WireSample.digest("x"), count: WireLimits.digests + 1)
        var vouch = WireSample.vouch
        vouch.digests = digests
        #expect(throws: CodecError.tooLarge) { try FrameCodec.encodeHeader(.digests(vouch)) }
        vouch.digests = []
        #expect(throws: CodecError.number) { try FrameCodec.encodeHeader(.digests(vouch)) }
        vouch = WireSample.vouch
        vouch.voucherKey.removeLast()
        #expect(throws: CodecError.number) { try FrameCodec.encodeHeader(.digests(vouch)) }
        vouch = WireSample.vouch
        vouch.signature = [UInt8](repeating: 0, count: 81)
        #expect(throws: CodecError.tooLarge) { try FrameCodec.encodeHeader(.digests(vouch)) }
        let swarms = [SwarmID](repeating: WireSample.swarm, count: 65)
        let hello = Hello(listenPort: 0, uploads: true, swarms: swarms)
        #expect(throws: CodecError.tooLarge) { try FrameCodec.encodeHeader(.hello(hello)) }
    }

    @Test("Only data frames have a payload, and all of them do")
    func payloads() {
        #expect(throws: CodecError.payload) { try FrameCodec.encodeHeader(.ping(1), payloadBytes: 1) }
        let data = Message.data(request: 1, firstChunk: 0)
        #expect(throws: CodecError.payload) { try FrameCodec.encodeHeader(data) }
        #expect(throws: CodecError.payload) { try FrameCodec.encodeHeader(data, payloadBytes: 49_153) }
        #expect(throws: Never.self) { try FrameCodec.encodeHeader(data, payloadBytes: 49_152) }
        #expect(throws: CodecError.number) {
            try FrameCodec.encodeHeader(.data(request: 1, firstChunk: .max), payloadBytes: 1)
        }
    }

    @Test("Hosts of peers are names or addresses and nothing else", arguments: ["", "a b", "a/b", "ä", "a\n", "[::1]"])
    func hosts(host: String) {
        let hint = PeerHint(id: PeerID(WireSample.digest("a")), address: PeerAddress(host: host, port: 1))
        #expect(throws: CodecError.number) { try FrameCodec.encodeHeader(.peers(handle: 0, [hint])) }
    }
}

@Suite("Signed statements")
struct SignedStatementTests {
    @Test("What a voucher signs has the described bytes")
    func golden() throws {
        #expect(WireSample.vouch.signedBytes(in: WireSample.swarm) == (try wireFixture("signed-digests")))
        #expect(WireSample.root.signedBytes(in: WireSample.swarm) == (try wireFixture("signed-root")))
        #expect(WireSample.vouch.signedDigest(in: WireSample.swarm) == .sha256(try wireFixture("signed-digests")))
        #expect(
            Digest.root(of: [WireSample.digest("one"), WireSample.digest("two")], length: 20_000).bytes
                == (try wireFixture("root-of-list"))
        )
    }

    @Test("A relay's handle is no part of it, everything else is")
    func coverage() {
        func signed(_ vouch: Vouch) -> Digest { vouch.signedDigest(in: WireSample.swarm) }
        let whole = signed(WireSample.vouch)
        var vouch = WireSample.vouch
        vouch.handle = 77
        vouch.signature = []
        #expect(signed(vouch) == whole)
        vouch.firstChunk += 1
        #expect(signed(vouch) != whole)
        vouch = WireSample.vouch
        vouch.edition.length = nil
        #expect(signed(vouch) != whole)
        vouch = WireSample.vouch
        vouch.segment.range = ByteRange(offset: 0, length: 1)
        #expect(signed(vouch) != whole)
        #expect(WireSample.vouch.signedDigest(in: WireSample.otherSwarm) != whole)
        let root = WireSample.root
        #expect(root.signedDigest(in: WireSample.otherSwarm) != root.signedDigest(in: WireSample.swarm))
    }

    @Test("The root depends on the length and on the order of the list")
    func root() {
        let list = [WireSample.digest("one"), WireSample.digest("two")]
        let root = Digest.root(of: list, length: 20_000)
        #expect(root != Digest.root(of: list, length: 20_001))
        #expect(root != Digest.root(of: list.reversed(), length: 20_000))
        #expect(Digest.root(of: [], length: -1) != Digest.root(of: [], length: 0))
    }
}

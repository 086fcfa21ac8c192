import NIOCore
import Testing
import WeirCore
import WeirNet

@Suite("Links", .timeLimit(.minutes(1)))
struct LinkHubTests {
    @Test("A link comes up at both ends, and each knows the other's key")
    func up() async throws {
        let left = try await LinkTestAgent()
        let right = try await LinkTestAgent()
        let port = try await right.listen()
        try await left.dial(port, id: 7, expecting: right.identity.id)
        let seenByLeft = try await left.events.linkUp()
        let seenByRight = try await right.events.linkUp()
        #expect(seenByLeft.peer.id == right.identity.id)
        #expect(seenByLeft.peer.publicKey == right.identity.publicKey)
        #expect(seenByLeft.peer.address == PeerAddress(host: "127.0.0.1", port: port))
        #expect(seenByLeft.dial == DialID(7))
        #expect(seenByRight.peer.id == left.identity.id)
        #expect(seenByRight.peer.publicKey == left.identity.publicKey)
        #expect(seenByRight.dial == nil)
        try await left.send(seenByLeft.link, [.testHello, .ping(5)])
        #expect(try await right.events.message() == .testHello)
        #expect(try await right.events.message() == .ping(5))
        try await left.stop()
        try await right.stop()
    }

    @Test("Host names are resolved")
    func hostName() async throws {
        let left = try await LinkTestAgent()
        let right = try await LinkTestAgent()
        try await left.dial(try await right.listen(), host: "localhost")
        #expect(try await left.events.linkUp().peer.id == right.identity.id)
        try await left.stop()
        try await right.stop()
    }

    @Test("Somebody else than expected is refused, and never heard of")
    func wrongIdentity() async throws {
        let left = try await LinkTestAgent()
        let right = try await LinkTestAgent()
        try await left.dial(try await right.listen(), expecting: Identity().id)
        #expect(try await left.events.dialFailed() == .notAuthentic("another key than expected"))
        // The next dial is the first that the other end's core hears of.
        try await left.dial(try await right.listen())
        let link = try await left.events.linkUp().link
        try await left.send(link, [.testHello])
        #expect(try await right.events.first { if case .linkUp = $0 { 1 } else { 2 } } == 1)
        try await left.stop()
        try await right.stop()
    }

    @Test("An agent does not link to itself")
    func ourselves() async throws {
        let agent = try await LinkTestAgent()
        try await agent.dial(try await agent.listen())
        guard case .notAuthentic = try await agent.events.dialFailed() else { throw Unexpected() }
        try await agent.stop()
    }

    @Test("F01 A port where nobody listens is refused, and a port that cannot be is no crash")
    func refused() async throws {
        let agent = try await LinkTestAgent()
        let port = try await agent.listen()
        try await agent.stop()
        let other = try await LinkTestAgent()
        try await other.dial(port)
        #expect(try await other.events.dialFailed() == .refused)
        try await other.dial(70_000, host: "localhost")
        _ = try await other.events.dialFailed()
        try await other.dial(-1, host: "127.0.0.1")
        _ = try await other.events.dialFailed()
        try await other.stop()
    }

    @Test("A port in use is a failure that says so (F89)")
    func portInUse() async throws {
        let first = try await LinkTestAgent()
        let port = try await first.listen()
        let second = try await LinkTestAgent()
        await #expect(throws: IOError.self) {
            _ = try await second.loop.flatSubmit { second.hub.value.listen(host: "127.0.0.1", port: port) }.get()
        }
        try await first.stop()
        try await second.stop()
    }

    @Test("10,000 frames go there and come back in order")
    func roundTrips() async throws {
        let pair = try await LinkedPair()
        let count: UInt64 = 10_000
        try await pair.left.send(pair.leftLink, (0..<count).map { .ping($0) })
        for expected in 0..<count {
            guard try await pair.right.events.message() == .ping(expected) else { throw Unexpected() }
        }
        try await pair.right.send(pair.rightLink, (0..<count).map { .pong($0) })
        for expected in 0..<count {
            guard try await pair.left.events.message() == .pong(expected) else { throw Unexpected() }
        }
        try await pair.stop()
    }

    @Test("Media arrives as it was sent, and every byte that left is reported once")
    func mediaAndDrain() async throws {
        let pair = try await LinkedPair()
        let sent: [[UInt8]] = (0..<16).map { index in
            (0..<(49_152 - index * 1000)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ index) }
        }
        let link = pair.leftLink
        try await pair.left.call { hub in
            for (index, bytes) in sent.enumerated() {
                let payload: any Payload =
                    index % 2 == 0 ? BufferPayload(ByteBuffer(bytes: bytes)) : ByteArrayPayload(bytes)
                hub.send(link, .data(request: UInt32(index), firstChunk: 0), payload: payload)
            }
            hub.flush()
        }
        for (index, bytes) in sent.enumerated() {
            let payload = try await pair.right.events.first { input -> (any Payload)? in
                guard case .linkMessage(_, .data(UInt32(index), 0), let payload) = input else { return nil }
                return payload
            }
            #expect(payload.bytes() == bytes)
            #expect(payload.digest() == .sha256(bytes))
        }
        // The hello's leaving was reported before its answer could come.
        var expected = 0
        for (index, bytes) in sent.enumerated() {
            let message = Message.data(request: UInt32(index), firstChunk: 0)
            expected += try FrameCodec.encodeHeader(message, payloadBytes: bytes.count).count + bytes.count
        }
        var drained = 0
        while drained < expected {
            drained += try await pair.left.events.first {
                if case .linkDrained(_, let bytes) = $0 { bytes } else { nil }
            }
        }
        #expect(drained == expected)
        try await pair.stop()
    }

    @Test("A link that is closed lets go of what was sent before, and both ends hear of its end once")
    func closing() async throws {
        let pair = try await LinkedPair()
        let link = pair.leftLink
        try await pair.left.call { hub in
            hub.send(link, .goodbye(.stopping), payload: nil)
            hub.close(link, reason: "stopping")
            hub.close(link, reason: "again")
            hub.send(link, .ping(1), payload: nil)
            hub.flush()
        }
        #expect(try await pair.right.events.message() == .goodbye(.stopping))
        #expect(try await pair.right.events.linkDown() == .closedByPeer)
        #expect(try await pair.left.events.linkDown() == .closedHere)
        try await pair.stop()
    }

    @Test("F88 An agent that is gone without a word is gone for the other at once")
    func kill() async throws {
        let pair = try await LinkedPair()
        try await pair.left.stop()
        #expect(try await pair.right.events.linkDown() == .closedByPeer)
        #expect(try await pair.left.events.linkDown() == .closedHere)
        try await pair.right.stop()
    }
}

struct Unexpected: Error {}

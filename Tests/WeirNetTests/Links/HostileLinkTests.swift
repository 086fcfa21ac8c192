import NIOCore
import NIOSSL
import Testing
import WeirCore
import WeirNet

@Suite("Hostile links", .timeLimit(.minutes(1)))
struct HostileLinkTests {
    /// A time-out that a test can wait for, and that a busy machine's handshake still meets.
    private static var hasty: LinkLimits {
        var limits = LinkLimits()
        limits.hello = .seconds(2)
        return limits
    }

    /// The honest link beside every attack: it still carries messages afterwards.
    private func expectHonestService(by agent: LinkTestAgent, port: Int) async throws {
        let honest = try await LinkTestAgent()
        try await honest.dial(port, expecting: agent.identity.id)
        let link = try await honest.events.linkUp().link
        try await honest.send(link, [.testHello, .ping(99)])
        _ = try await agent.events.first { if case .linkMessage(_, .ping(99), _) = $0 { 1 } else { nil } }
        try await honest.stop()
    }

    @Test("A client without TLS 1.3, without TLS, or without a certificate never becomes a link")
    func notMutualTLS13() async throws {
        let agent = try await LinkTestAgent()
        let port = try await agent.listen()
        _ = await (try await RawClient.tls(port, identity: Identity(), newest: .tlsv12)).everything()
        let http = try await RawClient.plain(port)
        try await http.say(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        _ = await http.everything()
        _ = await (try await RawClient.tls(port, identity: nil)).everything()
        // Nothing was delivered for any of them.
        let honest = try await LinkTestAgent()
        try await honest.dial(port)
        let isHonest = try await agent.events.first { input -> Bool? in
            if case .linkUp(_, let peer, _) = input { peer.id == honest.identity.id } else { false }
        }
        #expect(isHonest)
        try await honest.stop()
        try await agent.stop()
    }

    @Test("F30 Garbage is reported, then its link ends", arguments: [UInt64(1), 2, 3])
    func garbage(seed: UInt64) async throws {
        let agent = try await LinkTestAgent()
        let port = try await agent.listen()
        let client = try await RawClient.tls(port, identity: Identity())
        let hello = try FrameCodec.encodeHeader(.testHello)
        try await client.say(hello + [10, 0xff, 0xff, 0xff, 0xff, UInt8(seed)])
        #expect(try await agent.events.message() == .testHello)
        #expect(try await agent.events.garbage() == .tooLarge)
        #expect(try await agent.events.linkDown() == .closedHere)
        _ = await client.everything()
        try await expectHonestService(by: agent, port: port)
        try await agent.stop()
    }

    @Test("A goodbye that answers garbage still leaves")
    func goodbyeToGarbage() async throws {
        let agent = try await LinkTestAgent(answersGarbage: true)
        let client = try await RawClient.tls(try await agent.listen(), identity: Identity())
        try await client.say([10, 0])
        #expect(await client.everything() == (try FrameCodec.encodeHeader(.goodbye(.protocolError))))
        #expect(try await agent.events.linkDown() == .closedHere)
        try await agent.stop()
    }

    @Test(
        "F42 Frame lengths of negative, zero, 2^31 and 2^63 over a real socket",
        arguments: [UInt64.max, 0, 1 << 31, 1 << 63, 65_537]
    )
    func lengths(length: UInt64) async throws {
        let agent = try await LinkTestAgent()
        let port = try await agent.listen()
        let client = try await RawClient.tls(port, identity: Identity())
        var frame = ByteWriter()
        frame.raw(try FrameCodec.encodeHeader(.testHello))
        frame.varint(10)
        frame.varint(length)
        try await client.say(frame.bytes)
        #expect(try await agent.events.garbage() == .tooLarge)
        _ = try await agent.events.linkDown()
        try await expectHonestService(by: agent, port: port)
        try await agent.stop()
    }

    @Test(
        "F54 A handshake with another magic, version or first message is refused",
        arguments: [
            ([1, 18, 17, 0x57, 0x45, 0x49, 0x53, 1, 1] + [UInt8](repeating: 0, count: 12), CodecError.notWeir),
            ([1, 20, 19, 0x57, 0x45, 0x49, 0x52, 2, 3] + [UInt8](repeating: 0, count: 13), .version),
            ([1, 20, 19, 0x57, 0x45, 0x49, 0x52, 0, 0] + [UInt8](repeating: 0, count: 13), .number),
            ([14, 9, 8, 0, 0, 0, 0, 0, 0, 0, 1], .notWeir),
            ([77, 2, 0, 0], .notWeir),
        ]
    )
    func handshakes(bytes: [UInt8], expected: CodecError) async throws {
        let agent = try await LinkTestAgent()
        let port = try await agent.listen()
        let client = try await RawClient.tls(port, identity: Identity())
        try await client.say(bytes)
        // The first case's lengths end one byte short on purpose: the magic is judged with the whole frame.
        // By then the agent may have closed already.
        if expected == .notWeir, bytes[0] == 1 { try? await client.say([0]) }
        #expect(try await agent.events.garbage() == expected)
        _ = try await agent.events.linkDown()
        try await expectHonestService(by: agent, port: port)
        try await agent.stop()
    }

    @Test("F54 Random bytes instead of TLS, and instead of a hello", arguments: UInt64(0)..<8)
    func handshakeFuzz(seed: UInt64) async throws {
        let agent = try await LinkTestAgent(limits: HostileLinkTests.hasty)
        let port = try await agent.listen()
        var state = seed
        let noise = (0..<300).map { _ -> UInt8 in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        let bare = try await RawClient.plain(port)
        // The agent may close as soon as it has seen the first bytes.
        try? await bare.say(noise)
        _ = await bare.everything()
        if let secured = try? await RawClient.tls(port, identity: Identity()) {
            try? await secured.say(noise)
            _ = await secured.everything()
        }
        try await expectHonestService(by: agent, port: port)
        try await agent.stop()
    }

    @Test("A stranger who says nothing is let go, before TLS and after it")
    func silence() async throws {
        let agent = try await LinkTestAgent(limits: HostileLinkTests.hasty)
        let port = try await agent.listen()
        let bare = try await RawClient.plain(port)
        _ = await bare.everything()
        let secured = try await RawClient.tls(port, identity: Identity())
        #expect(try await agent.events.linkDown() == .timeout)
        _ = await secured.everything()
        try await agent.stop()
    }

    @Test("F02 A peer that accepts and then says nothing fails the dial in time")
    func silentServer() async throws {
        let agent = try await LinkTestAgent(limits: HostileLinkTests.hasty)
        let silent = try await SilentServer()
        try await agent.dial(silent.port)
        #expect(try await agent.events.dialFailed() == .timeout)
        try await silent.stop()
        try await agent.stop()
    }

    @Test("Strangers beyond the limit are turned away, and room comes back")
    func strangers() async throws {
        var limits = LinkLimits()
        limits.strangers = 4
        let agent = try await LinkTestAgent(limits: limits)
        let port = try await agent.listen()
        var waiting: [RawClient] = []
        for _ in 0..<4 { waiting.append(try await RawClient.plain(port)) }
        // A fifth is closed at once, though nobody waits for a time-out here.
        _ = await (try await RawClient.plain(port)).everything()
        for client in waiting { try await client.channel.close() }
        var isServed = false
        while !isServed {
            let honest = try await LinkTestAgent()
            try await honest.dial(port)
            isServed = try await honest.events.first { input -> Bool? in
                if case .linkUp = input { true } else if case .dialFailed = input { false } else { nil }
            }
            try await honest.stop()
        }
        try await agent.stop()
    }

    @Test("F44 A peer that asks and never reads is closed before it costs more than the limit")
    func neverReads() async throws {
        let agent = try await LinkTestAgent()
        let client = try await RawClient.tls(try await agent.listen(), identity: Identity(), reads: false)
        try await client.say(try FrameCodec.encodeHeader(.testHello))
        let link = try await agent.events.linkUp().link
        let chunk = ByteArrayPayload([UInt8](repeating: 7, count: 49_152))
        var sent = 0
        var end: LinkEnd?
        while end == nil, sent < 100 * 1024 * 1024 {
            try await agent.call { hub in
                hub.send(link, .data(request: 1, firstChunk: 0), payload: chunk)
                hub.flush()
            }
            sent += chunk.count
            agent.events.yield(.timer)
            // Up to the marker: whether the link has ended by now.
            end = try await agent.events.first { input -> LinkEnd?? in
                switch input {
                case .linkDown(_, let end): .some(.some(end))
                case .timer: .some(.none)
                default: nil
                }
            }
        }
        #expect(end == .failed("it does not read"))
        try? await client.channel.close()
        try await agent.stop()
    }

    @Test("F61 A peer that closes its half of the connection has ended the link")
    func halfClose() async throws {
        let agent = try await LinkTestAgent()
        let port = try await agent.listen()
        let bare = try await RawClient.plain(port)
        try await bare.channel.close(mode: .output)
        _ = await bare.everything()
        let secured = try await RawClient.tls(port, identity: Identity())
        try await secured.say(try FrameCodec.encodeHeader(.testHello))
        _ = try await agent.events.message()
        try await secured.channel.close(mode: .output)
        #expect(try await agent.events.linkDown() == .closedByPeer)
        try await agent.stop()
    }

    @Test("Frames arrive whole however they are cut")
    func fragments() async throws {
        let agent = try await LinkTestAgent()
        let client = try await RawClient.tls(try await agent.listen(), identity: Identity())
        let payload = (0..<200).map { UInt8($0) }
        let data = Message.data(request: 3, firstChunk: 1)
        var bytes = try FrameCodec.encodeHeader(.testHello)
        bytes += try FrameCodec.encodeHeader(data, payloadBytes: payload.count) + payload
        bytes += try FrameCodec.encodeHeader(.ping(4))
        for byte in bytes { try await client.say([byte]) }
        #expect(try await agent.events.message() == .testHello)
        let received = try await agent.events.first { input -> [UInt8]? in
            if case .linkMessage(_, data, let payload) = input { payload?.bytes() } else { nil }
        }
        #expect(received == payload)
        #expect(try await agent.events.message() == .ping(4))
        try? await client.channel.close()
        try await agent.stop()
    }
}

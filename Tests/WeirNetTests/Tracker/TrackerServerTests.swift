import NIOCore
import NIOPosix
import Testing
import WeirCore
import WeirNet

/// A tracker server on a loop of its own.
struct TestTracker {
    let loop: any EventLoop
    let server: NIOLoopBound<TrackerServer>
    let port: Int

    init(settings: TrackerServerSettings = .init(), limits: TrackerServer.Limits = .init()) async throws {
        var settings = settings
        settings.intervalJitter = 0
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let server = try await loop.submit { [settings] in
            NIOLoopBound(
                TrackerServer(loop: loop, settings: settings, limits: limits, seed: 1),
                eventLoop: loop
            )
        }.get()
        self.loop = loop
        self.server = server
        port = try await loop.flatSubmit { server.value.listen(host: "127.0.0.1", port: 0) }.get()
    }

    func statistics() async throws -> TrackerServerStatistics {
        try await loop.submit { [server] in server.value.statistics }.get()
    }

    func stop() async throws {
        try await loop.submit { [server] in server.value.stop() }.get()
    }
}

@Suite("Tracker server", .timeLimit(.minutes(1)))
struct TrackerServerTests {
    private static let swarm = "wziFoizJPqsH8SnxvNiC"

    private func announce(_ peer: String, offers: String = "[]", wanted: Int = 5, event: String? = nil) -> String {
        let event = event.map { #""event":"\#($0)","# } ?? ""
        return #"{"action":"announce",\#(event)"info_hash":"\#(Self.swarm)","peer_id":"\#(peer)","numwant":\#(wanted),"#
            + #""uploaded":0,"downloaded":0,"offers":\#(offers)}"#
    }

    private func summary(_ incomplete: Int) -> String {
        #"{"action":"announce","info_hash":"\#(Self.swarm)","interval":20,"complete":0,"incomplete":\#(incomplete)}"#
    }

    @Test("Clients that speak WebTorrent's JSON by hand meet")
    func webTorrent() async throws {
        let tracker = try await TestTracker()
        let first = try await WebSocketTestClient(port: tracker.port)
        let second = try await WebSocketTestClient(port: tracker.port, target: "/announce")
        try await first.send(announce("-PM0500-aaaaaaaaaaaa", event: "started"))
        #expect(try await first.next().text == summary(1))
        let id = #"\u0000\"\\\r\n"# + "\u{80}\u{ff}" + "abcdefghijklm"
        let sdp = #"v=0\r\no=- 46117 2 IN IP4 127.0.0.1\r\n"#
        try await second.send(
            announce(
                "-PM0500-bbbbbbbbbbbb",
                offers: #"[{"offer":{"type":"offer","sdp":"\#(sdp)"},"offer_id":"\#(id)"}]"#,
                event: "started"
            )
        )
        #expect(try await second.next().text == summary(2))
        #expect(
            try await first.next().text
                == #"{"action":"announce","info_hash":"\#(Self.swarm)","peer_id":"-PM0500-bbbbbbbbbbbb","#
                + #""offer_id":"\#(id)","offer":{"type":"offer","sdp":"\#(sdp)"}}"#
        )
        try await first.send(
            #"{"action":"announce","info_hash":"\#(Self.swarm)","peer_id":"-PM0500-aaaaaaaaaaaa","#
                + #""to_peer_id":"-PM0500-bbbbbbbbbbbb","offer_id":"\#(id)","answer":{"type":"answer","sdp":"\#(sdp)"}}"#
        )
        #expect(
            try await second.next().text
                == #"{"action":"announce","info_hash":"\#(Self.swarm)","peer_id":"-PM0500-aaaaaaaaaaaa","#
                + #""offer_id":"\#(id)","answer":{"type":"answer","sdp":"\#(sdp)"}}"#
        )
        try await second.send(#"{"action":"scrape","info_hash":"\#(Self.swarm)"}"#)
        #expect(
            try await second.next().text
                == #"{"action":"scrape","files":{"\#(Self.swarm)":{"complete":0,"incomplete":2,"downloaded":0}}}"#
        )
        try await second.send(announce("-PM0500-bbbbbbbbbbbb", wanted: 0, event: "stopped"))
        try await first.send(announce("-PM0500-aaaaaaaaaaaa"))
        #expect(try await first.next().text == summary(1))
        try await tracker.stop()
    }

    @Test("Binary messages, fragments and pings are taken as they come")
    func frames() async throws {
        let tracker = try await TestTracker()
        let client = try await WebSocketTestClient(port: tracker.port)
        try await client.frame(opcode: 2, Array(announce("-PM0500-aaaaaaaaaaaa").utf8))
        #expect(try await client.next().text == summary(1))
        let bytes = Array(announce("-PM0500-aaaaaaaaaaaa").utf8)
        try await client.frame(opcode: 1, Array(bytes[..<10]), isFinal: false)
        try await client.frame(opcode: 9, [1, 2, 3])
        #expect(try await client.next() == .init(opcode: 10, payload: [1, 2, 3]))
        try await client.frame(opcode: 0, Array(bytes[10..<11]), isFinal: false)
        try await client.frame(opcode: 0, Array(bytes[11...]))
        #expect(try await client.next().text == summary(1))
        try await client.frame(opcode: 8, [3, 232])
        #expect(try await client.next() == .init(opcode: 8, payload: [3, 232]))
        _ = await client.raw.everything()
        try await tracker.stop()
    }

    @Test(
        "Clients that break the rules of WebSocket are told which, and let go",
        arguments: ["mask", "text", "size", "sum"]
    )
    func brokenRules(rule: String) async throws {
        let tracker = try await TestTracker()
        let client = try await WebSocketTestClient(port: tracker.port)
        let code: Int
        switch rule {
        case "mask":
            try await client.frame(opcode: 1, Array("{}".utf8), masked: false)
            code = 1002
        case "text":
            try await client.frame(opcode: 1, [0x22, 0xff, 0xfe, 0x22])
            code = 1007
        case "size":
            try await client.frame(opcode: 1, [UInt8](repeating: 32, count: 65_537))
            code = 1009
        default:
            try await client.frame(opcode: 1, [UInt8](repeating: 32, count: 40_000), isFinal: false)
            try await client.frame(opcode: 0, [UInt8](repeating: 32, count: 40_000))
            code = 1009
        }
        let message = try await client.next()
        #expect(message.opcode == 8)
        #expect(message.code == code)
        _ = await client.raw.everything()
        // Somebody else is served as before.
        let honest = try await WebSocketTestClient(port: tracker.port)
        try await honest.send(announce("-PM0500-aaaaaaaaaaaa"))
        #expect(try await honest.next().text == summary(1))
        try await tracker.stop()
    }

    @Test("Garbage is answered with a reason and does not end the connection")
    func garbage() async throws {
        let tracker = try await TestTracker()
        let client = try await WebSocketTestClient(port: tracker.port)
        try await client.send("garbage")
        #expect(try await client.next().text == #"{"action":"announce","failure reason":"invalid message"}"#)
        try await client.send(announce("-PM0500-aaaaaaaaaaaa"))
        #expect(try await client.next().text == summary(1))
        try await tracker.stop()
    }

    @Test("A flood of messages ends its connection alone")
    func flood() async throws {
        var limits = TrackerServer.Limits()
        limits.messageBurst = 20
        limits.messagesPerSecond = 1
        let tracker = try await TestTracker(limits: limits)
        let client = try await WebSocketTestClient(port: tracker.port)
        for _ in 0..<60 { try? await client.send(announce("-PM0500-aaaaaaaaaaaa")) }
        var answers = 0
        while true {
            let message = try await client.next()
            if message.opcode == 8 {
                #expect(message.code == 1008)
                break
            }
            answers += 1
        }
        #expect((20...25).contains(answers))
        let honest = try await WebSocketTestClient(port: tracker.port)
        try await honest.send(announce("-PM0500-bbbbbbbbbbbb"))
        _ = try await honest.next()
        try await tracker.stop()
    }

    @Test("Connections beyond the limit are told to try again later")
    func tooMany() async throws {
        var limits = TrackerServer.Limits()
        limits.socketsPerHost = 2
        let tracker = try await TestTracker(limits: limits)
        let clients = [
            try await WebSocketTestClient(port: tracker.port), try await WebSocketTestClient(port: tracker.port),
        ]
        #expect(try await WebSocketTestClient(port: tracker.port).next().code == 1013)
        #expect(try await tracker.statistics().sockets == 2)
        try await clients[0].raw.channel.close()
        while try await tracker.statistics().sockets == 2 { await Task.yield() }
        _ = try await WebSocketTestClient(port: tracker.port)
        try await tracker.stop()
    }

    @Test(
        "Plain HTTP on the same port tells how it goes",
        arguments: [
            ("GET /healthz", "200 OK", "ok\n"), ("GET /healthz?x=1", "200 OK", "ok\n"),
            (
                "GET /stats", "200 OK",
                #"{"sockets":0,"swarms":0,"peers":0,"announces":0,"offers_relayed":0,"answers_relayed":0,"viewers":0,"#
                    + #""announces_per_second":0,"search":"full","reserve_searches":0,"channels":[]}"# + "\n"
            ),
            ("HEAD /stats", "200 OK", ""),
            ("GET /other", "404 Not Found", "a WebSocket tracker; /stats and /healthz over HTTP\n"),
            ("DELETE /stats", "405 Method Not Allowed", "GET or HEAD\n"),
        ]
    )
    func plainHTTP(request: String, status: String, body: String) async throws {
        let tracker = try await TestTracker()
        let client = try await RawClient.plain(tracker.port)
        try await client.say(Array("\(request) HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        let answer = String(decoding: await client.everything(), as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 \(status)\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n" + body))
        try await tracker.stop()
    }

    @Test("Members whose connection is gone are gone")
    func closing() async throws {
        let tracker = try await TestTracker()
        let first = try await WebSocketTestClient(port: tracker.port)
        try await first.send(announce("-PM0500-aaaaaaaaaaaa"))
        _ = try await first.next()
        #expect(try await tracker.statistics().peers == 1)
        try await first.raw.channel.close()
        while try await tracker.statistics().peers > 0 { await Task.yield() }
        #expect(try await tracker.statistics().sockets == 0)
        try await tracker.stop()
    }
}

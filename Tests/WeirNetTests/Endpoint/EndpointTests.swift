import NIOCore
import Testing
import WeirCore

@testable import WeirNet

@Suite("Endpoint: players", .timeLimit(.minutes(1)))
struct EndpointTests {
    private static func smallBuffer(_ settings: inout EndpointSettings) { settings.sendBufferBytes = 64 * 1024 }

    private func get(_ path: String, _ port: Int, close: Bool = true, more: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\(more)\(close ? "Connection: close\r\n" : "")\r\n"
    }

    private func bodyBytes(_ inputs: [Input], _ id: RequestID) -> Int {
        inputs.reduce(0) { sum, input in
            if case .delivered(id, let bytes) = input { sum + bytes } else { sum }
        }
    }

    @Test("A player's request becomes an input with what matters of its head")
    func request() async throws {
        let scripted = try await ScriptedEndpoint.start { request, endpoint in
            endpoint.answer(request.id, fields: [HeaderField("content-type", "video/mp2t")], Array("hello".utf8))
        }
        let answer = try await RawConnection.exchange(
            port: scripted.port,
            get("/s/a/b/1.ts?x=%20", scripted.port, more: "Range: bytes=0-\r\nIf-Range: \"e\"\r\nUser-Agent: mpv\r\n")
        )
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.contains("\r\ncontent-length: 5\r\n"))
        #expect(answer.contains("\r\nconnection: close\r\n"))
        #expect(answer.contains("\r\ndate: "))
        #expect(answer.hasSuffix("\r\n\r\nhello"))
        let inputs = try await scripted.inputs { inputs in
            inputs.contains { if case .delivered = $0 { true } else { false } }
        }
        guard case .request(let request) = inputs[0] else { return #expect(Bool(false)) }
        #expect(request.target == "/s/a/b/1.ts?x=%20")
        #expect(request.range == "bytes=0-")
        #expect(request.ifRange == "\"e\"")
        #expect(request.userAgent == "mpv")
        #expect(request.remoteHost == "127.0.0.1")
        #expect(bodyBytes(inputs, request.id) == 5)
        #expect(!inputs.contains { if case .requestClosed = $0 { true } else { false } })
        try await scripted.stop()
    }

    @Test("A connection is kept, and pipelined requests are answered one after another in order")
    func pipelining() async throws {
        let scripted = try await ScriptedEndpoint.start { request, endpoint in
            endpoint.answer(request.id, Array("<\(request.target)>".utf8))
        }
        let connection = try await RawConnection.connect(port: scripted.port)
        let port = scripted.port
        try await connection.send(get("/s/1", port, close: false))
        _ = try await connection.received { $0.hasSuffix("</s/1>") }
        try await connection.send(
            get("/s/2", port, close: false) + get("/s/3", port, close: false) + get("/s/4", port, close: true)
        )
        let answer = try await connection.receivedToEnd()
        let bodies = answer.split(separator: "\r\n\r\n").dropFirst().map { $0.prefix { $0 != "H" } }
        #expect(bodies == ["</s/1>", "</s/2>", "</s/3>", "</s/4>"])
        try await scripted.stop()
    }

    @Test("A pipelined request does not reach the core before the answer in front of it is delivered")
    func serialised() async throws {
        let scripted = try await ScriptedEndpoint.start()
        let connection = try await RawConnection.connect(port: scripted.port)
        try await connection.send(get("/s/1", scripted.port, close: false) + get("/s/2", scripted.port, close: false))
        let first = try await scripted.inputs { $0.count >= 1 }
        #expect(first.count == 1)
        try await scripted.perform { $0.answer(RequestID(1), [1]) }
        let both = try await scripted.inputs { $0.count >= 3 }
        guard case .request(let second) = both[2] else { return #expect(Bool(false), "\(both)") }
        #expect(second.target == "/s/2")
        await connection.close()
        try await scripted.stop()
    }

    @Test("HEAD gives the length without a body")
    func head() async throws {
        let scripted = try await ScriptedEndpoint.start { request, endpoint in
            endpoint.answerHead(
                request.id,
                AnswerHead(status: 200, fields: [HeaderField("content-length", "4711")], bodyLength: 0)
            )
            endpoint.answerEnd(request.id)
        }
        let answer = try await RawConnection.exchange(
            port: scripted.port,
            "HEAD /s/1 HTTP/1.1\r\nHost: 127.0.0.1:\(scripted.port)\r\nConnection: close\r\n\r\n"
        )
        #expect(answer.contains("content-length: 4711\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n"))
        try await scripted.stop()
    }

    @Test("An unknown length is chunked for HTTP/1.1 and ends with the connection for HTTP/1.0")
    func unknownLength() async throws {
        let scripted = try await ScriptedEndpoint.start { request, endpoint in
            endpoint.answerHead(request.id, AnswerHead(status: 200, fields: [], bodyLength: nil))
            endpoint.answerBytes(request.id, Array("abc".utf8))
            endpoint.answerBytes(request.id, Array("0123456789abcdef".utf8))
            endpoint.answerEnd(request.id)
        }
        let new = try await RawConnection.exchange(port: scripted.port, get("/s/1", scripted.port))
        #expect(new.contains("transfer-encoding: chunked\r\n"))
        #expect(new.hasSuffix("\r\n\r\n3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"))
        let old = try await RawConnection.exchange(
            port: scripted.port,
            "GET /s/1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
        )
        #expect(!old.contains("chunked"))
        #expect(old.contains("connection: close\r\n"))
        #expect(old.hasSuffix("\r\n\r\nabc0123456789abcdef"))
        try await scripted.stop()
    }

    @Test("F75 A player that leaves in mid-body is reported once, also while nothing is read from it")
    func leaves() async throws {
        let scripted = try await ScriptedEndpoint.start { request, endpoint in
            endpoint.answerHead(request.id, AnswerHead(status: 200, fields: [], bodyLength: 100))
            endpoint.answerBytes(request.id, [1, 2, 3])
        }
        let connection = try await RawConnection.connect(port: scripted.port)
        try await connection.send(get("/s/1", scripted.port, close: false))
        _ = try await scripted.inputs { $0.count >= 2 }
        await connection.close()
        let inputs = try await scripted.inputs { $0.count >= 4 }
        guard case .requestClosed(RequestID(1)) = inputs[2] else { return #expect(Bool(false), "\(inputs)") }
        guard case .connectionClosed = inputs[3] else { return #expect(Bool(false), "\(inputs)") }
        // Late outputs for it are nothing.
        try await scripted.perform {
            $0.answerBytes(RequestID(1), [1])
            $0.answerEnd(RequestID(1))
        }
        try await scripted.stop()
    }

    @Test("F76 A player that does not read: delivery is reported as its socket drains, not as the core writes")
    func slowReader() async throws {
        let scripted = try await ScriptedEndpoint.start(settings: Self.smallBuffer) { request, endpoint in
            let chunk = BufferPayload(ByteBuffer(repeating: 7, count: 16 * 1024))
            endpoint.answerHead(request.id, AnswerHead(status: 200, fields: [], bodyLength: 8 << 20))
            for _ in 0..<512 { endpoint.answerBody(request.id, chunk) }
            endpoint.answerEnd(request.id)
        }
        let connection = try await RawConnection.connect(port: scripted.port, receiveBuffer: 32 * 1024, autoRead: false)
        try await connection.send(get("/s/1", scripted.port))
        let early = try await scripted.inputs { $0.count >= 1 }
        #expect(bodyBytes(early, RequestID(1)) < 2 << 20)
        try await connection.channel.setOption(.autoRead, value: true).get()
        let bytes = try await connection.receivedToEnd().utf8.count
        #expect(bytes > 8 << 20)
        let late = try await scripted.inputs { self.bodyBytes($0, RequestID(1)) == 8 << 20 }
        #expect(late.count > 4, "several reports, so that the core sees progress")
        try await scripted.stop()
    }

    @Test("A body that ends early closes the connection instead of passing for whole; surplus bytes never leave")
    func wrongLengths() async throws {
        let scripted = try await ScriptedEndpoint.start { request, endpoint in
            endpoint.answerHead(request.id, AnswerHead(status: 200, fields: [], bodyLength: 4))
            endpoint.answerBytes(request.id, Array((request.target == "/s/long" ? "123456" : "12").utf8))
            endpoint.answerEnd(request.id)
        }
        let long = try await RawConnection.exchange(port: scripted.port, get("/s/long", scripted.port))
        #expect(long.hasSuffix("\r\n\r\n1234"))
        let short = try await RawConnection.exchange(port: scripted.port, get("/s/short", scripted.port, close: false))
        #expect(!short.hasSuffix("1234"))
        _ = try await scripted.inputs { inputs in
            inputs.contains { if case .requestClosed(RequestID(2)) = $0 { true } else { false } }
        }
        try await scripted.stop()
    }

    @Test("F21 A field value with a line break does not become a header")
    func responseSplitting() async throws {
        let scripted = try await ScriptedEndpoint.start { request, endpoint in
            endpoint.answer(
                request.id,
                fields: [
                    HeaderField("x-a", "1\r\nset-cookie: evil"), HeaderField("x\r\ny", "2"), HeaderField("x-b", "3"),
                ],
                []
            )
        }
        let answer = try await RawConnection.exchange(port: scripted.port, get("/s/1", scripted.port))
        #expect(!answer.contains("evil"))
        #expect(!answer.contains("\r\ny"))
        #expect(answer.contains("\r\nx-b: 3\r\n"))
        try await scripted.stop()
    }

    @Test("An answer that the core gives up closes the connection, and is not reported back")
    func aborted() async throws {
        let scripted = try await ScriptedEndpoint.start { request, endpoint in
            endpoint.answerHead(request.id, AnswerHead(status: 200, fields: [], bodyLength: 100))
            if request.target == "/s/1" {
                endpoint.answerBytes(request.id, [1])
                endpoint.flush()
                endpoint.answerAbort(request.id)
            }
        }
        _ = try await RawConnection.exchange(port: scripted.port, get("/s/1", scripted.port, close: false))
        // The second one's end shows that the first one's has been heard by then.
        let second = try await RawConnection.connect(port: scripted.port)
        try await second.send(get("/s/2", scripted.port, close: false))
        await second.close()
        let inputs = try await scripted.inputs { inputs in
            inputs.contains { if case .requestClosed(RequestID(2)) = $0 { true } else { false } }
        }
        #expect(!inputs.contains { if case .requestClosed(RequestID(1)) = $0 { true } else { false } })
        try await scripted.stop()
    }

    @Test("One connection too many gets 503 and a text")
    func tooMany() async throws {
        let scripted = try await ScriptedEndpoint.start(settings: { $0.connections = 2 })
        let kept = [
            try await RawConnection.connect(port: scripted.port), try await RawConnection.connect(port: scripted.port),
        ]
        for connection in kept { try await connection.send(get("/s/1", scripted.port, close: false)) }
        _ = try await scripted.inputs { $0.count >= 2 }
        let answer = try await RawConnection.exchange(port: scripted.port, get("/s/1", scripted.port, close: false))
        #expect(answer.hasPrefix("HTTP/1.1 503 "))
        #expect(answer.contains("too many connections"))
        for connection in kept { await connection.close() }
        _ = try await scripted.inputs { $0.count >= 6 }
        try await scripted.stop()
    }

    @Test("Methods other than GET and HEAD get 405 with Allow")
    func methods() async throws {
        let scripted = try await ScriptedEndpoint.start()
        let answer = try await RawConnection.exchange(
            port: scripted.port,
            "PUT /s/1 HTTP/1.1\r\nHost: localhost:\(scripted.port)\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"
        )
        #expect(answer.hasPrefix("HTTP/1.1 405 "))
        #expect(answer.contains("\r\nallow: GET, HEAD\r\n"))
        try await scripted.stop()
    }
}

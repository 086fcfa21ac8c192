import Testing
import WeirCore

@testable import WeirNet

@Suite("Endpoint: hostile requests", .timeLimit(.minutes(1)))
struct HostileRequestTests {
    private static func named(_ settings: inout EndpointSettings) { settings.extraHosts = ["tv.lan"] }

    @Test(
        "F78 A request that two servers could read differently is refused, and what follows it is not run",
        arguments: [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: 0x5\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Transfer-Encoding: identity\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding : chunked\r\n",
            " Transfer-Encoding: chunked\r\n",
            "Transfer-Encoding:\u{b}chunked\r\n",
            "X: a\r\n Transfer-Encoding: chunked\r\n",
            "Host: 127.0.0.1\r\n",
            "X: a\rb: c\r\n",
            "X: a\u{0}b\r\n",
            ": empty\r\n",
            "no colon\r\n",
        ]
    )
    func smuggling(fields: String) async throws {
        let scripted = try await ScriptedEndpoint.start { request, endpoint in endpoint.answer(request.id, []) }
        let smuggled = "GET /s/smuggled HTTP/1.1\r\nHost: 127.0.0.1:\(scripted.port)\r\n\r\n"
        let answer = try await RawConnection.exchange(
            port: scripted.port,
            "GET /s/1 HTTP/1.1\r\nHost: 127.0.0.1:\(scripted.port)\r\n\(fields)\r\n0\r\n\r\n\(smuggled)"
        )
        #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
        #expect(answer.contains("connection: close"))
        #expect(answer.parts(separatedBy: "\r\ndate: ") == 2)
        let inputs = try await scripted.inputs { _ in true }
        #expect(inputs.isEmpty, "\(inputs)")
        try await scripted.stop()
    }

    @Test("F78 Header bombs get 431: too many fields, one too long, too many bytes", arguments: [0, 1, 2])
    func headerBomb(kind: Int) async throws {
        let scripted = try await ScriptedEndpoint.start { request, endpoint in endpoint.answer(request.id, []) }
        let fields =
            switch kind {
            case 0: (0..<65).map { "x-\($0): 1\r\n" }.joined()
            case 1: "x: " + String(repeating: "a", count: 17 * 1024) + "\r\n"
            default: (0..<20).map { "x-\($0): " + String(repeating: "a", count: 1000) + "\r\n" }.joined()
            }
        let answer = try await RawConnection.exchange(
            port: scripted.port,
            "GET /s/1 HTTP/1.1\r\nHost: 127.0.0.1:\(scripted.port)\r\n\(fields)\r\n"
        )
        #expect(answer.hasPrefix("HTTP/1.1 431 "), "\(answer)")
        #expect(try await scripted.inputs { _ in true }.isEmpty)
        try await scripted.stop()
    }

    @Test("F78 A header within the limits passes")
    func largeHeader() async throws {
        let scripted = try await ScriptedEndpoint.start { request, endpoint in endpoint.answer(request.id, []) }
        let fields = (0..<60).map { "x-\($0): " + String(repeating: "a", count: 200) + "\r\n" }.joined()
        let answer = try await RawConnection.exchange(
            port: scripted.port,
            "GET /s/1 HTTP/1.1\r\nHost: 127.0.0.1:\(scripted.port)\r\nConnection: close\r\n\(fields)\r\n"
        )
        #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer)")
        try await scripted.stop()
    }

    @Test("F78 A target without end, and garbage, are refused")
    func garbage() async throws {
        let scripted = try await ScriptedEndpoint.start()
        let long = try await RawConnection.exchange(
            port: scripted.port,
            "GET /s/" + String(repeating: "a", count: 200_000)
        )
        #expect(long.hasPrefix("HTTP/1.1 4") || long.isEmpty, "\(long.prefix(100))")
        let binary = try await RawConnection.exchange(port: scripted.port, "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n\r\n")
        #expect(binary.hasPrefix("HTTP/1.1 400 "), "\(binary)")
        let bad = try await RawConnection.exchange(
            port: scripted.port,
            "GET http:/x HTTP/1.1\r\nHost: 127.0.0.1:\(scripted.port)\r\n\r\n"
        )
        #expect(bad.hasPrefix("HTTP/1.1 400 "), "\(bad)")
        #expect(try await scripted.inputs { _ in true }.isEmpty)
        try await scripted.stop()
    }

    @Test("F78 A body larger than the limit gets 413")
    func largeBody() async throws {
        let scripted = try await ScriptedEndpoint.start()
        let body = String(repeating: "a", count: 70_000)
        let answer = try await RawConnection.exchange(
            port: scripted.port,
            "POST /v1/sessions HTTP/1.1\r\nHost: 127.0.0.1:\(scripted.port)\r\nContent-Length: 70000\r\n\r\n\(body)"
        )
        #expect(answer.hasPrefix("HTTP/1.1 413 "), "\(answer)")
        try await scripted.stop()
    }

    @Test("F78 A flood of pipelined requests ends the connection instead of growing a queue")
    func flood() async throws {
        let scripted = try await ScriptedEndpoint.start()
        let connection = try await RawConnection.connect(port: scripted.port)
        let one = "GET /s/1 HTTP/1.1\r\nHost: 127.0.0.1:\(scripted.port)\r\n\r\n"
        try await connection.send(String(repeating: one, count: 40))
        _ = try await scripted.inputs { $0.count >= 1 }
        try await scripted.perform { $0.answer(RequestID(1), [1]) }
        let answer = try await connection.receivedToEnd()
        #expect(answer.parts(separatedBy: "HTTP/1.1 200") == 2)
        await connection.close()
        try await scripted.stop()
    }

    @Test(
        "F79 Only names that are ours are answered (DNS rebinding)",
        arguments: [
            ("evil.example", false), ("evil.example:PORT", false), ("127.0.0.1:PORT", true), ("localhost:PORT", true),
            ("LOCALHOST:PORT", true), ("[::1]:PORT", true), ("127.0.0.1:1", false), ("127.0.0.1", false),
            ("127.8.9.1:PORT", true), ("127.0.0.1.evil.example:PORT", false), ("127.1:PORT", false),
            ("127.0.0.1:PORTx", false), ("tv.lan:PORT", true), ("192.0.2.1:PORT", false), (":PORT", false),
            ("localhost:PORT@evil.example", false), ("a@localhost:PORT", false),
        ]
    )
    func rebinding(host: String, accepted: Bool) async throws {
        let scripted = try await ScriptedEndpoint.start(settings: Self.named) { request, endpoint in
            endpoint.answer(request.id, [])
        }
        let name = host.replacing("PORT", with: "\(scripted.port)")
        for path in ["/s/1", "/healthz", "/stats", "/v1/sessions"] {
            let answer = try await RawConnection.exchange(
                port: scripted.port,
                "GET \(path) HTTP/1.1\r\nHost: \(name)\r\nConnection: close\r\n\r\n"
            )
            #expect(answer.hasPrefix("HTTP/1.1 421 ") != accepted, "\(path): \(answer)")
        }
        try await scripted.stop()
    }

    @Test("F79 A page of a foreign origin gets 403 from control calls, and never a CORS header")
    func foreignOrigin() async throws {
        let scripted = try await ScriptedEndpoint.start()
        for (origin, accepted) in [
            ("http://evil.example", false), ("null", false), ("http://127.0.0.1:\(scripted.port)", true),
            ("http://localhost:\(scripted.port)", true), ("http://localhost:1", false),
        ] {
            let answer = try await RawConnection.exchange(
                port: scripted.port,
                """
                GET /stats HTTP/1.1\r\nHost: 127.0.0.1:\(scripted.port)\r\nOrigin: \(origin)\r\nConnection: close\r\n\r\n
                """
            )
            #expect(answer.hasPrefix("HTTP/1.1 403 ") != accepted, "\(origin): \(answer)")
            #expect(!answer.lowercased().contains("access-control"))
        }
        try await scripted.stop()
    }
}

extension String {
    /// How many parts a separator makes.
    fileprivate func parts(separatedBy separator: String) -> Int {
        split(separator: separator, omittingEmptySubsequences: false).count
    }
}

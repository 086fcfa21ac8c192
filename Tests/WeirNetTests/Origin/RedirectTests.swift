import NIOCore
import Testing
import WeirCore

@testable import WeirNet

@Suite("Origin client: redirects", .timeLimit(.minutes(1)))
struct RedirectTests {
    /// A server whose answers follow from the path.
    private func server() async throws -> (port: Int, listener: any Channel) {
        try await RawConnection.serve { connection in
            let head = try await connection.requestHead()
            let path = String(head.split(separator: " ")[1])
            let port = connection.channel.localAddress?.port ?? 0
            let location: String? =
                switch path {
                case "/relative": "sub/../end?q"
                case "/absolute": "http://127.0.0.1:\(port)/end"
                case "/loop": "/loop2"
                case "/loop2": "/loop"
                case "/downgrade": "http://127.0.0.1:\(port)/end"
                case "/ftp": "ftp://127.0.0.1/end"
                case "/inner": "http://inner.example:\(port)/end"
                case "/same": "http://origin.example:\(port)/end"
                case "/literal": "http://127.0.0.1:\(port)/end"
                case _ where path.hasPrefix("/count"): "/count\((Int(path.dropFirst(6)) ?? 0) + 1)"
                default: nil
                }
            if let location {
                try await connection.send(
                    "HTTP/1.1 302 Found\r\nLocation: \(location)\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody"
                )
            } else {
                try await connection.send(
                    "HTTP/1.1 200 OK\r\nContent-Length: \(path.utf8.count)\r\nConnection: close\r\n\r\n\(path)"
                )
            }
            await connection.close()
        }
    }

    @Test(
        "A redirect is followed and the answering URL is told",
        arguments: [("/relative", "/end?q"), ("/absolute", "/end")]
    )
    func followed(path: String, end: String) async throws {
        let (port, listener) = try await server()
        let fixture = try OriginFixture()
        let outcome = try await fixture.fetch("http://127.0.0.1:\(port)\(path)")
        #expect(outcome.head?.status == 200)
        #expect(outcome.head?.url == "http://127.0.0.1:\(port)\(end)")
        #expect(outcome.text == end)
        #expect(outcome.end == .complete)
        #expect(!outcome.disorder)
        try await fixture.stop()
        try await listener.close().get()
    }

    @Test("F09 Loops, too many hops and other schemes are refused", arguments: ["/loop", "/count0", "/ftp"])
    func refused(path: String) async throws {
        let (port, listener) = try await server()
        let fixture = try OriginFixture()
        let outcome = try await fixture.fetch("http://127.0.0.1:\(port)\(path)")
        guard case .failed(.redirect(let reason)) = outcome.end else {
            return #expect(Bool(false), "\(String(describing: outcome))")
        }
        #expect(!reason.isEmpty)
        #expect(outcome.head == nil)
        try await fixture.stop()
        try await listener.close().get()
    }

    @Test(
        "F09 A public origin cannot send us to this machine, by address or by a name that resolves to it",
        arguments: [("/literal", false), ("/inner", false), ("/same", true)]
    )
    func narrower(path: String, followed: Bool) async throws {
        let (port, listener) = try await server()
        let fixture = try OriginFixture {
            $0.hostAddresses = ["origin.example": "127.0.0.1", "inner.example": "127.0.0.1"]
        }
        let outcome = try await fixture.fetch("http://origin.example:\(port)\(path)")
        if followed {
            #expect(outcome.end == .complete)
        } else {
            guard case .failed(.redirect) = outcome.end else {
                return #expect(Bool(false), "\(String(describing: outcome))")
            }
        }
        try await fixture.stop()
        try await listener.close().get()
    }

    @Test("A redirect to a silent host is an idle time-out of the same fetch; cancelling works on every hop")
    func cancelAfterRedirect() async throws {
        let (port, listener) = try await RawConnection.serve { connection in
            let head = try await connection.requestHead()
            guard head.hasPrefix("GET /first") else { return try await connection.closed() }
            try await connection.send(
                "HTTP/1.1 307 X\r\nLocation: /second\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            await connection.close()
        }
        let fixture = try OriginFixture { $0.segmentIdleTimeout = .milliseconds(100) }
        let outcome = try await fixture.fetch("http://127.0.0.1:\(port)/first")
        #expect(outcome.end == .failed(.idleTimeout))
        try await fixture.stop()
        try await listener.close().get()
    }
}

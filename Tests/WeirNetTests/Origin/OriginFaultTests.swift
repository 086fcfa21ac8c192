import NIOCore
import NIOPosix
import Testing
import WeirCore

@testable import WeirNet

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite("Origin client: faults", .timeLimit(.minutes(1)))
struct OriginFaultTests {
    private static func quick(_ settings: inout OriginSettings) {
        settings.segmentIdleTimeout = .milliseconds(500)
        settings.manifestIdleTimeout = .milliseconds(500)
    }

    @Test("F01 A refused connection is told as refused")
    func refused() async throws {
        let (port, listener) = try await RawConnection.serve { _ in }
        try await listener.close().get()
        let fixture = try OriginFixture()
        #expect(try await fixture.fetch("http://127.0.0.1:\(port)/").end == .failed(.refused))
        try await fixture.stop()
    }

    @Test("F02 A SYN black hole is given up at the connect time-out")
    func blackHole() async throws {
        let hole = try BlackHole()
        let fixture = try OriginFixture { $0.connectTimeout = .milliseconds(200) }
        #expect(try await fixture.fetch("http://127.0.0.1:\(hole.port)/").end == .failed(.connectTimeout))
        try await fixture.stop()
        hole.close()
    }

    @Test("F02 A fetch cancelled while it connects reports nothing")
    func cancelledConnect() async throws {
        let hole = try BlackHole()
        let fixture = try OriginFixture { $0.connectTimeout = .milliseconds(200) }
        let url = "http://127.0.0.1:\(hole.port)/"
        try await fixture.begin(1, FetchRequest(url: url, purpose: .segment))
        try await fixture.onLoop { $0.cancel(FetchID(1)) }
        // By the end of a later one the first would have been told.
        #expect(try await fixture.fetch(url, number: 2).end == .failed(.connectTimeout))
        #expect(FetchOutcome(try await fixture.log.inputs { _ in true }, FetchID(1)).end == nil)
        try await fixture.stop()
        hole.close()
    }

    @Test("F03 Silence before the header, or after it, is an idle time-out", arguments: [false, true])
    func silence(afterHead: Bool) async throws {
        let (port, listener) = try await RawConnection.serve { connection in
            _ = try await connection.requestHead()
            if afterHead { try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n") }
            try await connection.closed()
        }
        let fixture = try OriginFixture(Self.quick)
        let outcome = try await fixture.fetch("http://127.0.0.1:\(port)/", purpose: .manifest)
        #expect(outcome.end == .failed(.idleTimeout))
        #expect((outcome.head != nil) == afterHead)
        try await fixture.stop()
        try await listener.close().get()
    }

    @Test("F04 A body that stalls is an idle time-out, with what had come; a paused one is not")
    func stall() async throws {
        let (port, listener) = try await RawConnection.serve { connection in
            _ = try await connection.requestHead()
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            try await connection.closed()
        }
        let fixture = try OriginFixture(Self.quick)
        let request = FetchRequest(url: "http://127.0.0.1:\(port)/", purpose: .segment)
        try await fixture.begin(1, request)
        _ = try await fixture.log.inputs { FetchOutcome($0, FetchID(1)).text == "abc" }
        try await fixture.onLoop { $0.pause(FetchID(1)) }
        let stalled = try await fixture.fetch(request.url, number: 2)
        #expect(stalled.end == .failed(.idleTimeout))
        #expect(stalled.text == "abc")
        let third = try await fixture.fetch(request.url, number: 3)
        #expect(third.end == .failed(.idleTimeout))
        #expect(FetchOutcome(try await fixture.log.inputs { _ in true }, FetchID(1)).end == nil)
        try await fixture.onLoop { $0.resume(FetchID(1)) }
        #expect(try await fixture.outcome(1).end == .failed(.idleTimeout))
        try await fixture.stop()
        try await listener.close().get()
    }

    @Test(
        "F05 A body or header that ends early is truncated",
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "HTTP/1.1 200 OK\r\nContent-Le", "",
        ]
    )
    func short(answer: String) async throws {
        let (port, listener) = try await RawConnection.serve { connection in
            _ = try await connection.requestHead()
            if !answer.isEmpty { try await connection.send(answer) }
            await connection.close()
        }
        let fixture = try OriginFixture()
        let outcome = try await fixture.fetch("http://127.0.0.1:\(port)/")
        #expect(outcome.end == .failed(.truncated), "\(String(describing: outcome.end))")
        #expect(!outcome.disorder)
        try await fixture.stop()
        try await listener.close().get()
    }

    @Test("F06 What exceeds Content-Length is dropped and counted, and the next fetch is not fed with it")
    func long() async throws {
        let (port, listener) = try await RawConnection.serve { connection in
            _ = try await connection.requestHead()
            try await connection.send(
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
            )
            try await connection.closed()
        }
        let fixture = try OriginFixture()
        let first = try await fixture.fetch("http://127.0.0.1:\(port)/", number: 1)
        #expect(first.text == "abc")
        #expect(first.end == .complete)
        let second = try await fixture.fetch("http://127.0.0.1:\(port)/", number: 2)
        #expect(second.text == "abc")
        #expect(try await fixture.onLoop { $0.surplusCount } >= 1)
        try await fixture.stop()
        try await listener.close().get()
    }

    @Test("F07 429 and 503 reach the core as heads with Retry-After", arguments: [429, 503])
    func retryAfter(status: Int) async throws {
        let (port, listener) = try await RawConnection.serve { connection in
            _ = try await connection.requestHead()
            try await connection.send("HTTP/1.1 \(status) X\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nslow")
        }
        let fixture = try OriginFixture()
        let outcome = try await fixture.fetch("http://127.0.0.1:\(port)/")
        #expect(outcome.head?.status == status)
        #expect(outcome.head?.first("retry-after") == "7")
        #expect(outcome.end == .complete)
        try await fixture.stop()
        try await listener.close().get()
    }

    @Test("Answers without a body may carry a length", arguments: [304, 204])
    func bodiless(status: Int) async throws {
        let (port, listener) = try await RawConnection.serve { connection in
            _ = try await connection.requestHead()
            let length = status == 304 ? "Content-Length: 4711\r\n" : ""
            try await connection.send("HTTP/1.1 \(status) X\r\nETag: \"a\"\r\n\(length)\r\n")
        }
        let fixture = try OriginFixture()
        let outcome = try await fixture.fetch("http://127.0.0.1:\(port)/")
        #expect(outcome.head?.status == status)
        #expect(outcome.end == .complete)
        try await fixture.stop()
        try await listener.close().get()
    }

    @Test(
        "F12 Conflicting or malformed HTTP is told as malformed",
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 abc\r\n\r\n",
            "HTTP/3.7 200 OK\r\n\r\n",
            "220 ftp ready\r\n", "HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        ]
    )
    func malformed(answer: String) async throws {
        let (port, listener) = try await RawConnection.serve { connection in
            _ = try await connection.requestHead()
            try await connection.send(answer)
            try await connection.closed()
        }
        let fixture = try OriginFixture()
        let outcome = try await fixture.fetch("http://127.0.0.1:\(port)/")
        guard case .failed(.malformed) = outcome.end else {
            return #expect(Bool(false), "\(answer) gave \(String(describing: outcome))")
        }
        try await fixture.stop()
        try await listener.close().get()
    }

    @Test("F14 A name that nobody knows is told within the connect time-out")
    func unknownName() async throws {
        let fixture = try OriginFixture { $0.connectTimeout = .seconds(2) }
        let outcome = try await fixture.fetch("http://nothing.invalid/")
        // A machine without any name server finds out by the time-out alone.
        #expect(
            [.failed(.nameUnknown), .failed(.connectTimeout)].contains(outcome.end),
            "\(String(describing: outcome.end))"
        )
        try await fixture.stop()
    }
}

/// A listening socket that answers no SYN: its queue of connections is full and nobody accepts.
private struct BlackHole {
    private let descriptors: [CInt]
    let port: Int

    init() throws {
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && listen(listener, 0) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        try #require(bound)
        port = Int(UInt16(bigEndian: address.sin_port))
        var fillers = [listener]
        for _ in 0..<4 {
            let filler = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
            _ = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(filler, $0, length) }
            }
            fillers.append(filler)
        }
        descriptors = fillers
    }

    func close() { for descriptor in descriptors { _ = Glibc.close(descriptor) } }
}

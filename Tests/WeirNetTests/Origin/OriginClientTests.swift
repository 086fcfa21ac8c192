import NIOCore
import Testing
import WeirCore

@testable import WeirNet

@Suite("Origin client", .timeLimit(.minutes(1)))
struct OriginClientTests {
    @Test("A fetch is told as head, body and end, and asks for bytes as they are")
    func plain() async throws {
        let (port, listener) = try await RawConnection.serve { connection in
            let head = try await connection.requestHead().lowercased()
            let good =
                head.hasPrefix("get /a/b.ts?x=%20y&z http/1.1\r\n")
                && head.contains("\r\naccept-encoding: identity\r\n")
                && head.contains("\r\nuser-agent: weir/0.1\r\n") && head.contains("\r\nrange: bytes=5-\r\n")
                && head.contains("\r\nhost: 127.0.0.1:")
            try await connection.send(
                "HTTP/1.1 \(good ? 206 : 400) X\r\nETag: \"Q\"\r\nX-Pad: \t v \r\nContent-Length: 5\r\n\r\nhello"
            )
        }
        let fixture = try OriginFixture()
        let outcome = try await fixture.fetch(
            "http://127.0.0.1:\(port)/a/b.ts?x=%20y&z",
            fields: [HeaderField("range", "bytes=5-")]
        )
        #expect(outcome.head?.status == 206)
        #expect(outcome.head?.first("etag") == "\"Q\"")
        #expect(outcome.head?.first("x-pad") == "v")
        #expect(outcome.head?.url == "http://127.0.0.1:\(port)/a/b.ts?x=%20y&z")
        #expect(outcome.text == "hello")
        #expect(outcome.end == .complete)
        #expect(!outcome.disorder)
        try await fixture.stop()
        try await listener.close().get()
    }

    @Test("A given user agent is kept, and nobody can ask for a coding")
    func fields() async throws {
        let (port, listener) = try await RawConnection.serve { connection in
            let head = try await connection.requestHead().lowercased()
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(head.utf8.count)\r\n\r\n\(head)")
        }
        let fixture = try OriginFixture()
        let outcome = try await fixture.fetch(
            "http://127.0.0.1:\(port)/",
            fields: [HeaderField("user-agent", "mpv"), HeaderField("Accept-Encoding", "gzip")]
        )
        #expect(outcome.text.contains("user-agent: mpv\r\n"))
        #expect(!outcome.text.contains("weir"))
        #expect(!outcome.text.contains("gzip"))
        try await fixture.stop()
        try await listener.close().get()
    }

    @Test("HEAD has a length and no body")
    func head() async throws {
        let (port, listener) = try await RawConnection.serve { connection in
            _ = try await connection.requestHead()
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4711\r\n\r\n")
        }
        let fixture = try OriginFixture()
        let outcome = try await fixture.fetch("http://127.0.0.1:\(port)/", method: .head)
        #expect(outcome.head?.first("content-length") == "4711")
        #expect(outcome.end == .complete)
        try await fixture.stop()
        try await listener.close().get()
    }

    @Test("Connections are kept for further fetches, but not for a fresh one")
    func connections() async throws {
        let (port, listener) = try await RawConnection.serve { connection in
            for count in 1...3 {
                _ = try await connection.received {
                    $0.split(separator: "\r\n\r\n").count >= count && $0.hasSuffix("\r\n\r\n")
                }
                let remote = connection.channel.remoteAddress?.port ?? 0
                try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\(remote)")
            }
        }
        let fixture = try OriginFixture()
        let url = "http://127.0.0.1:\(port)/"
        let first = try await fixture.fetch(url, number: 1)
        let second = try await fixture.fetch(url, number: 2)
        let third = try await fixture.fetch(url, number: 3, fresh: true)
        let fourth = try await fixture.fetch(url, number: 4, fresh: true)
        #expect(first.text == second.text)
        #expect(Set([first.text, third.text, fourth.text]).count == 3)
        try await fixture.stop()
        try await listener.close().get()
    }

    @Test("A kept connection that the server closes meanwhile costs another request, not a failure")
    func stale() async throws {
        let (port, listener) = try await RawConnection.serve { connection in
            _ = try await connection.requestHead()
            // Promises to keep the connection and closes it as the next request comes.
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            _ = try await connection.received { $0.split(separator: "\r\n\r\n").count > 1 }
            await connection.close()
        }
        let fixture = try OriginFixture()
        for number in 1...4 {
            let outcome = try await fixture.fetch("http://127.0.0.1:\(port)/", number: UInt64(number))
            #expect(outcome.end == .complete)
            #expect(outcome.text == "ok")
        }
        try await fixture.stop()
        try await listener.close().get()
    }

    @Test("Chunked bodies, bodies that end with the connection and 1xx answers are told alike", arguments: [0, 1, 2])
    func framing(kind: Int) async throws {
        let (port, listener) = try await RawConnection.serve { connection in
            _ = try await connection.requestHead()
            switch kind {
            case 0:
                try await connection.send(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nt: 1\r\n\r\n"
                )
            case 1: try await connection.send("HTTP/1.1 200 OK\r\n\r\nabcde")
            default:
                try await connection.send(
                    "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde"
                )
            }
            await connection.close()
        }
        let fixture = try OriginFixture()
        let outcome = try await fixture.fetch("http://127.0.0.1:\(port)/")
        #expect(outcome.head?.status == 200)
        #expect(outcome.text == "abcde")
        #expect(outcome.end == .complete)
        #expect(!outcome.disorder)
        try await fixture.stop()
        try await listener.close().get()
    }

    @Test("A paused fetch stops its socket while others go on, and loses nothing")
    func pause() async throws {
        let size = 32 << 20
        let (port, listener) = try await RawConnection.serve { connection in
            _ = try await connection.requestHead()
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
            for _ in 0..<32 { try await connection.send(String(repeating: "x", count: 1 << 20)) }
        }
        let url = "http://127.0.0.1:\(port)/"
        let fixture = try OriginFixture()
        try await fixture.begin(1, FetchRequest(url: url, purpose: .segment))
        _ = try await fixture.log.inputs { FetchOutcome($0, FetchID(1)).head != nil }
        try await fixture.onLoop { $0.pause(FetchID(1)) }
        // The other transfer is the clock: an unpaused one gets as far as it does.
        let other = try await fixture.fetch(url, number: 2)
        #expect(other.body.count == size)
        let paused = FetchOutcome(try await fixture.log.inputs { _ in true }, FetchID(1))
        #expect(paused.body.count < size / 4)
        #expect(paused.end == nil)
        try await fixture.onLoop { $0.resume(FetchID(1)) }
        let whole = try await fixture.outcome(1)
        #expect(whole.body.count == size)
        #expect(whole.end == .complete)
        try await fixture.stop()
        try await listener.close().get()
    }

    @Test("A fetch cancelled in mid-body closes its connection and reports nothing more", arguments: [false, true])
    func cancel(paused: Bool) async throws {
        let (port, listener) = try await RawConnection.serve { connection in
            let head = try await connection.requestHead()
            if head.hasPrefix("GET /other") {
                return try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
            while connection.channel.isActive { try await connection.send(String(repeating: "x", count: 1 << 16)) }
        }
        let fixture = try OriginFixture()
        try await fixture.begin(1, FetchRequest(url: "http://127.0.0.1:\(port)/", purpose: .segment))
        _ = try await fixture.log.inputs { !FetchOutcome($0, FetchID(1)).body.isEmpty }
        let before = try await fixture.onLoop { client in
            if paused { client.pause(FetchID(1)) }
            client.cancel(FetchID(1))
            // Doing it again is nothing.
            client.cancel(FetchID(1))
            client.resume(FetchID(1))
            return client.count
        }
        #expect(before == 0)
        let count = FetchOutcome(try await fixture.log.inputs { _ in true }, FetchID(1)).body.count
        #expect(try await fixture.fetch("http://127.0.0.1:\(port)/other", number: 2).end == .complete)
        let after = FetchOutcome(try await fixture.log.inputs { _ in true }, FetchID(1))
        #expect(after.body.count == count)
        #expect(after.end == nil)
        try await fixture.stop()
        try await listener.close().get()
    }

    @Test("A fetch after the end of the client fails instead of trapping")
    func stopped() async throws {
        let fixture = try OriginFixture()
        try await fixture.stop()
        let outcome = try await fixture.fetch("http://127.0.0.1:1/")
        guard case .failed = outcome.end else { return #expect(Bool(false)) }
    }

    @Test(
        "What is no URL fails at once",
        arguments: ["", "x", "ftp://a/b", "http://", "http:///x", "file:///etc/passwd"]
    )
    func badURL(url: String) async throws {
        let fixture = try OriginFixture()
        guard case .failed(.other) = try await fixture.fetch(url).end else { return #expect(Bool(false)) }
        try await fixture.stop()
    }
}

@Suite("Payload of buffers")
struct BufferPayloadTests {
    @Test("Slices, digests and copies agree with plain bytes", arguments: [0, 1, 100, 16384, 40000])
    func agrees(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var buffer = ByteBuffer(bytes: [9, 9, 9] + bytes)
        buffer.moveReaderIndex(forwardBy: 3)
        let payload = BufferPayload(buffer)
        #expect(payload.count == count)
        #expect(payload.bytes() == bytes)
        #expect(payload.digest() == ByteArrayPayload(bytes).digest())
        let range = (count / 4)..<(count / 2)
        #expect(payload.slice(range).bytes() == Array(bytes[range]))
        let stored = payload.stored(followedBy: [ByteArrayPayload([1, 2]), BufferPayload(ByteBuffer(bytes: [3]))])
        #expect(stored.bytes() == bytes + [1, 2, 3])
    }

    @Test("A stored chunk takes a chunk's memory, and no more of the buffer it came in")
    func compact() throws {
        let receive = BufferPayload(ByteBuffer(repeating: 1, count: 65536))
        let parts = (0..<4).map { receive.slice($0 * 4096..<($0 + 1) * 4096) }
        let stored = try #require(parts[0].stored(followedBy: Array(parts.dropFirst())) as? BufferPayload)
        #expect(stored.count == Chunk.byteCount)
        #expect(stored.buffer.storageCapacity == Chunk.byteCount)
    }
}

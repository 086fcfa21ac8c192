import NIOCore
import Testing
import WeirCore

@testable import WeirNet

@Suite("Origin client: TLS and HTTP/2", .timeLimit(.minutes(1)))
struct OriginTLSTests {
    private func outcome(_ kind: TestCertificate.Kind, host: String = "localhost") async throws -> FetchOutcome {
        let certificate = try TestCertificate(kind)
        defer { certificate.remove() }
        let server = try await TLSServer.start(certificate.server)
        let fixture = try OriginFixture { $0.extraTrustRoots = [certificate.authorityFile] }
        let outcome = try await fixture.fetch("https://\(host):\(server.port)/n/5")
        try await fixture.stop()
        try await server.stop()
        return outcome
    }

    @Test("A certificate of an extra trust root is accepted")
    func trusted() async throws {
        let outcome = try await outcome(.trusted)
        #expect(outcome.text == "xxxxx")
        #expect(outcome.end == .complete)
    }

    @Test(
        "F13 A certificate that fails is refused, and the text says why",
        arguments: [
            (TestCertificate.Kind.selfSigned, "self-signed"), (.expired, "expired on"), (.future, "clock"),
            (.otherName, "other host name"),
        ]
    )
    func refused(kind: TestCertificate.Kind, text: String) async throws {
        let outcome = try await outcome(kind)
        guard case .failed(.tls(let reason)) = outcome.end else {
            return #expect(Bool(false), "\(String(describing: outcome))")
        }
        #expect(reason.contains(text), "\(reason)")
        #expect(outcome.head == nil)
    }

    @Test("F13 A server that speaks no TLS is told from one that is gone")
    func noTLS() async throws {
        let (port, listener) = try await RawConnection.serve { connection in
            try await connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            try await connection.closed()
        }
        let fixture = try OriginFixture()
        let outcome = try await fixture.fetch("https://127.0.0.1:\(port)/")
        guard case .failed(.tls(let reason)) = outcome.end else {
            return #expect(Bool(false), "\(String(describing: outcome))")
        }
        #expect(!reason.contains("\n"))
        try await fixture.stop()
        try await listener.close().get()
    }

    @Test("HTTP/2 carries simultaneous fetches over one connection, and a fresh one over its own")
    func http2() async throws {
        let certificate = try TestCertificate(.trusted, protocols: ["h2", "http/1.1"])
        defer { certificate.remove() }
        let server = try await TLSServer.start(certificate.server)
        let fixture = try OriginFixture { $0.extraTrustRoots = [certificate.authorityFile] }
        let url = "https://localhost:\(server.port)/n/"
        #expect(try await fixture.fetch(url + "1", number: 1).end == .complete)
        for number in 2..<10 {
            try await fixture.begin(UInt64(number), FetchRequest(url: url + "300000", purpose: .segment))
        }
        for number in 2..<10 {
            let outcome = try await fixture.outcome(UInt64(number))
            #expect(outcome.end == .complete)
            #expect(outcome.body.count == 300_000)
            #expect(!outcome.disorder)
        }
        #expect(try await server.connectionCount() == 1)
        try await fixture.stop()
        try await server.stop()
    }

    @Test("HTTP/2: a paused fetch holds its stream back and loses nothing")
    func http2Pause() async throws {
        let certificate = try TestCertificate(.trusted, protocols: ["h2"])
        defer { certificate.remove() }
        let server = try await TLSServer.start(certificate.server)
        let fixture = try OriginFixture { $0.extraTrustRoots = [certificate.authorityFile] }
        let size = 8 << 20
        try await fixture.begin(1, FetchRequest(url: "https://localhost:\(server.port)/n/\(size)", purpose: .segment))
        _ = try await fixture.log.inputs { inputs in inputs.contains { if case .fetchHead = $0 { true } else { false } }
        }
        try await fixture.onLoop { $0.pause(FetchID(1)) }
        #expect(try await fixture.fetch("https://localhost:\(server.port)/n/\(size)", number: 2).end == .complete)
        let paused = FetchOutcome(try await fixture.log.inputs { _ in true }, FetchID(1))
        #expect(paused.body.count < size / 4)
        #expect(paused.end == nil)
        try await fixture.onLoop { $0.resume(FetchID(1)) }
        #expect(try await fixture.outcome(1).body.count == size)
        try await fixture.stop()
        try await server.stop()
    }

    @Test(
        "F05 F06 HTTP/2: a body that is not as long as its Content-Length never passes for whole",
        arguments: ["/short", "/long", "/reset"]
    )
    func http2Lengths(path: String) async throws {
        let certificate = try TestCertificate(.trusted, protocols: ["h2"])
        defer { certificate.remove() }
        let server = try await TLSServer.start(certificate.server)
        let fixture = try OriginFixture { $0.extraTrustRoots = [certificate.authorityFile] }
        let outcome = try await fixture.fetch("https://localhost:\(server.port)\(path)")
        guard case .failed(let failure) = outcome.end else {
            return #expect(Bool(false), "\(String(describing: outcome))")
        }
        switch failure {
        case .truncated, .malformed: break
        default: #expect(Bool(false), "\(failure)")
        }
        #expect(outcome.body.count <= 40)
        try await fixture.stop()
        try await server.stop()
    }

    @Test(
        "What is wrong with a certificate is said with its date",
        arguments: [
            (100, 200, 300, "the certificate expired on Thu, 01 Jan 1970 00:03:20 GMT"),
            (
                100, 200, 50,
                "the certificate is valid from Thu, 01 Jan 1970 00:01:40 GMT on: is this machine's clock right?"
            ),
            (100, 200, 150, "the certificate is self-signed, or its issuer is not trusted by this machine"),
        ]
    )
    func reason(notBefore: Int64, notAfter: Int64, now: Int64, text: String) {
        #expect(CertificateProbe.reason(notBefore: notBefore, notAfter: notAfter, now: now) == text)
    }
}

import Logging
import NIOCore
import Testing
import WeirCore

@testable import WeirNet

/// A signer for agents that never sign.
struct NoSigner: Signer {
    var publicKey: [UInt8] { [UInt8](repeating: 4, count: 65) }
    func sign(_ digest: Digest) -> [UInt8] { [] }
    func verify(_ signature: [UInt8], over digest: Digest, publicKey: [UInt8]) -> Bool { false }
    func identity(ofKey publicKey: [UInt8]) -> PeerID? { PeerID(Digest.sha256(publicKey)) }
}

@Suite("Host", .timeLimit(.minutes(1)))
struct AgentHostTests {
    private var configuration: HostConfiguration {
        var logger = Logger(label: "test")
        logger.logLevel = .error
        return HostConfiguration(endpoint: EndpointSettings(token: "secret"), logger: logger)
    }

    @Test("An agent starts, answers on the port it reports, and stops")
    func startAndStop() async throws {
        let host = try await AgentHost.start(configuration, signer: NoSigner())
        #expect(host.port > 0)
        let answer = try await RawConnection.exchange(
            port: host.port,
            "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:\(host.port)\r\nConnection: close\r\n\r\n"
        )
        #expect(answer.hasSuffix("\r\n\r\nok\n"))
        await host.stop()
        await host.stop()
        await #expect(throws: (any Error).self) { try await RawConnection.connect(port: host.port) }
    }

    @Test("Stopping ends connections that wait for an answer, and openings")
    func stopWhileBusy() async throws {
        let host = try await AgentHost.start(configuration, signer: NoSigner())
        let connection = try await RawConnection.connect(port: host.port)
        try await connection.send("GET /s/x HTTP/1.1\r\nHost: 127.0.0.1:\(host.port)\r\n\r\n")
        async let stopped: Void = host.stop()
        _ = try await connection.receivedToEnd()
        await stopped
        guard case .failed(.refused, _) = await host.open(url: "http://127.0.0.1:1/a.m3u8") else {
            return #expect(Bool(false))
        }
    }

    @Test("F89 A port in use is an error that names it and says what to do")
    func portInUse() async throws {
        let host = try await AgentHost.start(configuration, signer: NoSigner())
        var second = configuration
        second.endpoint.port = host.port
        let error = await #expect(throws: HostError.self) {
            try await AgentHost.start(second, signer: NoSigner())
        }
        #expect(error == .portInUse(host: "127.0.0.1", port: host.port))
        #expect("\(try #require(error))".contains("127.0.0.1:\(host.port)"))
        #expect("\(try #require(error))".contains("--listen"))
        await host.stop()
    }

    @Test("F89 An address that is not this machine's is an error of one line")
    func foreignAddress() async throws {
        var foreign = configuration
        foreign.endpoint.host = "192.0.2.1"
        let error = await #expect(throws: HostError.self) { try await AgentHost.start(foreign, signer: NoSigner()) }
        let text = "\(try #require(error))"
        #expect(text.contains("192.0.2.1"))
        #expect(!text.contains("\n"))
    }

    @Test("F89 An agent listens on IPv6 alone")
    func ipv6() async throws {
        var six = configuration
        six.endpoint.host = "::1"
        let host: AgentHost
        do {
            host = try await AgentHost.start(six, signer: NoSigner())
        } catch HostError.cannotListen {
            // A machine without IPv6 says so instead.
            return
        }
        #expect(host.port > 0)
        await host.stop()
    }

    @Test("Trust roots that cannot be read stop the start")
    func trustRoots() async throws {
        var broken = configuration
        broken.origin.extraTrustRoots = ["/nowhere/ca.pem"]
        let error = await #expect(throws: HostError.self) { try await AgentHost.start(broken, signer: NoSigner()) }
        guard case .trustRoots = error else { return #expect(Bool(false), "\(String(describing: error))") }
    }
}

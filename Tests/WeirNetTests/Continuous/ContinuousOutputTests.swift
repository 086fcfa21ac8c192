import Logging
import NIOCore
import Testing
import WeirCore

@testable import WeirNet

/// Continuous outputs whose worker is a shell script: what it writes is the test's.
@Suite("Continuous outputs", .timeLimit(.minutes(1)))
struct ContinuousOutputTests {
    private static let header = "W\\001\\000\\000\\000\\004\\000\\000\\000\\000\\000\\000\\000\\000HEAD"
    /// A block of 65,536 bytes that a decoder can begin with.
    private static let block =
        "printf 'W\\003\\000\\001\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000'; head -c 65536 /dev/zero"

    private func start(_ script: String, change: (inout ContinuousSettings) -> Void = { _ in }) async throws
        -> ScriptedEndpoint
    {
        let scripted = try await ScriptedEndpoint.start()
        var settings = ContinuousSettings()
        settings.worker = ["sh", "-c", script]
        settings.lingerSeconds = 0
        change(&settings)
        let chosen = settings
        try await scripted.loop.submit {
            scripted.endpoint.continuous = ContinuousOutputs(
                settings: chosen,
                loop: scripted.loop,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        }.get()
        return scripted
    }

    private func statistics(_ scripted: ScriptedEndpoint) async throws -> AgentStatistics {
        try await scripted.loop.submit {
            var statistics = AgentStatistics()
            scripted.endpoint.continuous?.add(to: &statistics)
            return statistics
        }.get()
    }

    private func ask(_ path: String, _ scripted: ScriptedEndpoint, method: String = "GET") async throws -> String {
        try await RawConnection.exchange(
            port: scripted.port,
            "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(scripted.port)\r\nConnection: close\r\n\r\n"
        )
    }

    /// Looks again and again; each look is a turn of the loop.
    private func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
        for _ in 0..<2_000 {
            if try await condition() { return true }
            try await Task.sleep(for: .milliseconds(5))
        }
        return false
    }

    @Test("What the worker writes is the answer, under the container's type")
    func answer() async throws {
        let scripted = try await start(
            "printf '\(Self.header)W\\003\\000\\000\\000\\003\\000\\000\\000\\000\\000\\000\\000\\000abcW\\006\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000'"
        )
        let answer = try await ask("/s/abc/live.mkv", scripted)
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.contains("content-type: video/x-matroska\r\n"))
        #expect(answer.hasSuffix("4\r\nHEAD\r\n3\r\nabc\r\n0\r\n\r\n"))
        try await scripted.stop()
    }

    @Test(
        "What cannot be had is refused with a hint, and HEAD starts nothing",
        arguments: [
            ("/s/abd/live.ts", "GET", "404"), ("/s/abc/live.ts", "HEAD", "200"), ("/s/abc/live.ts", "GET", "502"),
            ("/s/abc/live.ts?at=soon", "GET", "400"),
        ]
    )
    func refusals(path: String, method: String, status: String) async throws {
        let fault = "W\\005\\000\\000\\000\\003\\000\\000\\000\\000\\000\\000\\000\\000DRM"
        let scripted = try await start("printf '\(fault)'")
        let answer = try await ask(path, scripted, method: method)
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
        if status == "502" { #expect(answer.contains("cannot be remuxed: DRM") && answer.contains("hint")) }
        if method == "HEAD" { #expect(answer.contains("content-type: video/mp2t\r\n") && answer.hasSuffix("\r\n\r\n")) }
        try await scripted.stop()
    }

    @Test("Without the program that remuxes, and when it is off, the answer is 501 and says what to do")
    func missing() async throws {
        let scripted = try await start("exit 0") { $0.worker = ["/nowhere/weir-media"] }
        let absent = try await ask("/s/abc/live.ts", scripted)
        #expect(absent.hasPrefix("HTTP/1.1 501 ") && absent.contains("no program /nowhere/weir-media"))
        #expect(absent.contains("media_program"))
        try await scripted.stop()
        let off = try await start("exit 0") { $0.isOn = false }
        let answer = try await ask("/s/abc/live.ts", off)
        #expect(answer.hasPrefix("HTTP/1.1 501 ") && answer.contains("continuous_outputs"))
        try await off.stop()
    }

    @Test("F76 Two readers share a worker; the one that takes nothing is dropped, the other goes on")
    func stuck() async throws {
        let scripted = try await start("printf '\(Self.header)'; while :; do \(Self.block); sleep 0.01; done") {
            $0.cacheBytes = 512 * 1024
            $0.stuckSeconds = 1
        }
        let request = "GET /s/abc/live.ts HTTP/1.1\r\nHost: 127.0.0.1:\(scripted.port)\r\n\r\n"
        let stuck = try await RawConnection.connect(port: scripted.port, receiveBuffer: 16 * 1024, autoRead: false)
        let quick = try await RawConnection.connect(port: scripted.port)
        try await stuck.send(request)
        try await quick.send(request)
        #expect(try await eventually { try await statistics(scripted).continuous_readers == 2 })
        #expect(try await statistics(scripted).media_workers == 1)
        #expect(try await eventually { try await statistics(scripted).continuous_readers == 1 })
        // The honest reader is still there and gets more.
        let before = try await scripted.loop.submit { quick.channel.isActive }.get()
        #expect(before)
        #expect(try await statistics(scripted).media_workers == 1)
        await quick.close()
        await stuck.close()
        #expect(try await eventually { try await statistics(scripted).media_workers == 0 })
        try await scripted.stop()
    }

    @Test("A new reader gets at once all that is held for it, without waiting for what comes next")
    func burst() async throws {
        let script = "printf '\(Self.header)'; for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do \(Self.block); done"
        let scripted = try await start(script + "; exec sleep 60") { $0.burst = .seconds(60) }
        var readers: [RawConnection] = []
        for _ in 0..<2 {
            let reader = try await RawConnection.connect(port: scripted.port)
            readers.append(reader)
            try await reader.send("GET /s/abc/live.ts HTTP/1.1\r\nHost: 127.0.0.1:\(scripted.port)\r\n\r\n")
            _ = try await reader.received { $0.utf8.count > 16 * 65_536 }
        }
        for reader in readers { await reader.close() }
        #expect(try await statistics(scripted).media_worker_restarts == 0)
        try await scripted.stop()
    }

    @Test("A worker that dies is replaced, and its reader goes on")
    func replaced() async throws {
        // Each worker writes one block and dies.
        let scripted = try await start("printf '\(Self.header)'; \(Self.block); exit 9")
        let reader = try await RawConnection.connect(port: scripted.port)
        try await reader.send("GET /s/abc/live.ts HTTP/1.1\r\nHost: 127.0.0.1:\(scripted.port)\r\n\r\n")
        #expect(try await eventually { try await statistics(scripted).media_worker_restarts >= 2 })
        let received = try await reader.received { $0.utf8.count > 2 * 65_536 }
        #expect(received.ranges(of: "HEAD").count == 1)
        await reader.close()
        #expect(try await eventually { try await statistics(scripted).continuous_readers == 0 })
        try await scripted.stop()
    }

    @Test("A worker that writes nonsense is ended, and the agent answers on")
    func nonsense() async throws {
        let scripted = try await start("head -c 100000 /dev/zero; exec sleep 60") { $0.firstByteSeconds = 1 }
        let answer = try await ask("/s/abc/live.ts", scripted)
        #expect(answer.hasPrefix("HTTP/1.1 50"), "\(answer.prefix(200))")
        #expect(try await ask("/healthz", scripted).hasPrefix("HTTP/1.1 200"))
        try await scripted.stop()
    }

    @Test("No more workers than allowed")
    func limited() async throws {
        let scripted = try await start("printf '\(Self.header)'; \(Self.block); exec sleep 60") { $0.workers = 1 }
        let reader = try await RawConnection.connect(port: scripted.port)
        try await reader.send("GET /s/abc/live.ts HTTP/1.1\r\nHost: 127.0.0.1:\(scripted.port)\r\n\r\n")
        _ = try await reader.received { $0.contains("HEAD") }
        #expect(try await ask("/s/abc/live.mp4", scripted).hasPrefix("HTTP/1.1 503 "))
        await reader.close()
        try await scripted.stop()
    }
}

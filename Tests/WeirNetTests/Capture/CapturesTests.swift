import FoundationEssentials
import Logging
import NIOCore
import Testing
import WeirCore

@testable import WeirNet

/// Recordings whose worker is a shell script: what it writes, and how it ends, is the test's.
@Suite("Recordings of an agent", .timeLimit(.minutes(1)))
struct CapturesTests {
    private struct Stage {
        let scripted: ScriptedEndpoint
        let captures: Captures
    }

    private static let refusal = "printf 'W\\005\\000\\000\\000\\003\\000\\000\\000\\000\\000\\000\\000\\000no!'"

    private func stage(_ script: String, change: (inout CaptureSettings) -> Void = { _ in }) async throws -> Stage {
        let scripted = try await ScriptedEndpoint.start()
        var continuous = ContinuousSettings()
        continuous.worker = ["sh", "-c", script]
        var settings = CaptureSettings()
        settings.directory = "/nowhere"
        settings.pauseMilliseconds = 1
        change(&settings)
        let captures = Captures(
            settings: settings,
            continuous: continuous,
            loop: scripted.loop,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { "http://127.0.0.1:1" }
        try await scripted.loop.submit {
            scripted.endpoint.captures = captures
            scripted.agent.captures = captures
        }.get()
        return Stage(scripted: scripted, captures: captures)
    }

    /// A shell command that tells a journal as a worker does.
    private func tells(_ bytes: Int64, gaps: [CaptureJournal.Gap] = []) -> String {
        var journal = CaptureJournal(format: .ts, stream: "abc", begun: .epoch)
        journal.bytes = bytes
        for gap in gaps { journal.add(gap) }
        journal.point = .init(
            timeline: 0,
            shift: 0,
            end: 2_500_000,
            places: [.init(segment: 3, period: nil)],
            tracks: [.init(last: 1, tick: .init(1, 90_000), written: 1)]
        )
        let text = Array(journal.text.utf8)
        let record = RemuxRecord(.journal, count: text.count, time: 0).head + text
        let octal = record.map { byte in
            let digits = String(byte, radix: 8)
            return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }
        return "printf '\(octal.joined())'"
    }

    /// Starts one, and waits for its end.
    private func ending(_ stage: Stage, change: (inout CaptureRequest) -> Void = { _ in }) async throws -> CaptureReport
    {
        var request = try #require(CaptureRequest(url: "https://origin.example/a.m3u8?token=x", path: "/nowhere/a.ts"))
        change(&request)
        let (reports, post) = AsyncStream.makeStream(of: CaptureReport.self)
        let chosen = request
        try await stage.scripted.loop.submit {
            _ = try stage.captures.start(chosen, for: stage.scripted.agent) { post.yield($0) }
        }.get()
        for await report in reports where report.isOver { return report }
        throw CancellationError()
    }

    @Test("What the worker tells is the report, and its end the recording's")
    func complete() async throws {
        let gaps = [CaptureJournal.Gap(at: 1_500_000, length: 500_000), .init(at: 2_000_000, length: nil)]
        let stage = try await stage(tells(77, gaps: gaps))
        let report = try await ending(stage)
        #expect(report.state == .complete)
        #expect(report.bytes == 77 && report.seconds == 2.5)
        #expect(report.url == "https://origin.example/a.m3u8")
        #expect(
            report.gaps == [
                .init(at_seconds: 1.5, missing_seconds: 0.5), .init(at_seconds: 2, missing_seconds: nil),
            ]
        )
        try await stage.scripted.stop()
    }

    @Test(
        "A disk that is full and a file that cannot go on are ends; what died is begun again, not without an end",
        arguments: [
            ("exit 73", CaptureReport.State.full, 0), (Self.refusal + "; exit 65", CaptureReport.State.failed, 0),
            (Self.refusal + "; exit 69", CaptureReport.State.failed, 0),
            ("kill -9 $$", CaptureReport.State.failed, 3),
        ]
    )
    func endings(script: String, state: CaptureReport.State, restarts: Int) async throws {
        let stage = try await stage(script) { $0.patience = 4 }
        let report = try await ending(stage)
        #expect(report.state == state)
        #expect(report.restarts == restarts)
        if state == .failed, restarts == 0 { #expect(report.reason == "no!") }
        try await stage.scripted.stop()
    }

    @Test("Workers that die after they have written something are replaced as often as it takes")
    func replaced() async throws {
        let directory = "\(URL.temporaryDirectory.path())weir-captures-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        // Each tells of one byte more than the one before; the ninth is content.
        let tellings = (1...9).map { "\($0)) \(tells(Int64($0)));;" }.joined(separator: " ")
        let script = """
            n=$(cat \(directory)/n 2>/dev/null || echo 0); n=$((n + 1)); echo $n > \(directory)/n
            case $n in \(tellings) esac; [ $n -eq 9 ] || kill -9 $$
            """
        let stage = try await stage(script) { $0.patience = 3 }
        let report = try await ending(stage)
        #expect(report.state == .complete && report.restarts == 8 && report.bytes == 9)
        try await stage.scripted.stop()
        try? FileManager.default.removeItem(atPath: directory)
    }

    @Test("A recording waits for its time, and one whose time has passed is none")
    func scheduled() async throws {
        let stage = try await stage("exit 0")
        let now = WallTime(milliseconds: WallClock.milliseconds())
        let late = try await ending(stage) {
            $0.begin = now - .seconds(100)
            $0.length = .seconds(50)
        }
        #expect(late.state == .failed && late.reason.contains("passed"))
        let soon = try await ending(stage) { $0.begin = now + .milliseconds(300) }
        #expect(soon.state == .complete)
        #expect(WallTime(milliseconds: WallClock.milliseconds()) >= now + .milliseconds(300))
        try await stage.scripted.stop()
    }

    private func call(_ stage: Stage, _ method: String, _ path: String, _ body: String = "") async throws -> String {
        let port = stage.scripted.port
        let head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n"
        let token = "Authorization: Bearer secret\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        return try await RawConnection.exchange(port: port, head + token + body)
    }

    @Test("By the control API a recording begins, is listed and is ended; names that lead elsewhere are refused")
    func calls() async throws {
        let stage = try await stage(tells(5) + "; exec sleep 60") { $0.most = 1 }
        let url = "\"url\": \"https://origin.example/a.m3u8\""
        for name in ["../a.ts", "/etc/a.ts", ".ts", "a.avi", "a", ".hidden.ts"] {
            let answer = try await call(stage, "POST", "/v1/recordings", "{\(url), \"file\": \"\(name)\"}")
            #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(name): \(answer)")
        }
        let badTime = try await call(stage, "POST", "/v1/recordings", "{\(url), \"file\": \"a.ts\", \"at\": \"soon\"}")
        #expect(badTime.hasPrefix("HTTP/1.1 400 "))
        let made = try await call(stage, "POST", "/v1/recordings", "{\(url), \"file\": \"a.ts\", \"duration\": 5}")
        #expect(made.hasPrefix("HTTP/1.1 201 ") && made.contains("location: /v1/recordings/1\r\n"), "\(made)")
        let busy = try await call(stage, "POST", "/v1/recordings", "{\(url), \"file\": \"b.ts\"}")
        #expect(busy.hasPrefix("HTTP/1.1 503 "))
        let listed = try await call(stage, "GET", "/v1/recordings")
        #expect(listed.contains("\"file\":\"/nowhere/a.ts\""))
        #expect(try await call(stage, "GET", "/v1/recordings/2").hasPrefix("HTTP/1.1 404 "))
        #expect(try await call(stage, "DELETE", "/v1/recordings/1").hasPrefix("HTTP/1.1 204 "))
        #expect(try await call(stage, "GET", "/v1/recordings/1").contains("\"state\":\"stopped\""))
        try await stage.scripted.stop()
    }

    @Test("Without a directory programs record nothing, and without the token nobody")
    func closed() async throws {
        let stage = try await stage("exit 0") { $0.directory = nil }
        #expect(try await call(stage, "POST", "/v1/recordings", "{}").contains("recording_directory"))
        let port = stage.scripted.port
        let answer = try await RawConnection.exchange(
            port: port,
            "GET /v1/recordings HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n"
        )
        #expect(answer.hasPrefix("HTTP/1.1 401 "))
        try await stage.scripted.stop()
    }
}

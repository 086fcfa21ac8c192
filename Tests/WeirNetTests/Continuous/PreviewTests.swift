import FoundationEssentials
import Logging
import NIOCore
import Testing
import WeirCore

@testable import WeirNet

/// Pictures whose worker is a shell script: what it writes is the test's, and how often it was started is counted.
@Suite("Pictures of streams", .timeLimit(.minutes(1)))
struct PreviewTests {
    private static let end = "W\\006\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000"
    private static let picture =
        "W\\002\\000\\000\\000\\004\\000\\000\\000\\000\\000\\000\\000\\000\\377\\330ab" + end

    private func start(_ script: String, change: (inout ContinuousSettings) -> Void = { _ in }) async throws
        -> ScriptedEndpoint
    {
        let scripted = try await ScriptedEndpoint.start()
        var settings = ContinuousSettings()
        settings.worker = ["sh", "-c", script]
        change(&settings)
        let chosen = settings
        try await scripted.loop.submit {
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            scripted.endpoint.continuous = ContinuousOutputs(settings: chosen, loop: scripted.loop, logger: logger)
            scripted.endpoint.previews = Previews(settings: chosen, loop: scripted.loop, logger: logger)
        }.get()
        return scripted
    }

    private func ask(_ path: String, _ scripted: ScriptedEndpoint) async throws -> String {
        try await RawConnection.exchange(
            port: scripted.port,
            "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(scripted.port)\r\nConnection: close\r\n\r\n"
        )
    }

    @Test("One worker serves all who wait for a picture, and those who come later; another moment is another picture")
    func shared() async throws {
        let count = FileManager.default.temporaryDirectory.path + "/weir-previews-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: count) }
        // The moment stands in the address, which is the script's second argument.
        let scripted = try await start("echo $1 >> \(count); sleep 0.2; printf '\(Self.picture)'") {
            $0.previewSeconds = 600
        }
        async let first = ask("/s/abc/preview.jpg", scripted)
        async let second = ask("/s/abc/preview.jpg", scripted)
        for answer in [try await first, try await second, try await ask("/s/abc/preview.jpg", scripted)] {
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.contains("content-type: image/jpeg\r\n"))
            #expect(answer.hasSuffix("ab"))
        }
        let earlier = try await ask("/s/abc/preview.jpg?at=-60", scripted)
        #expect(earlier.hasPrefix("HTTP/1.1 200 OK\r\n"))
        let lines = try String(contentsOfFile: count, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 2 && lines[1].contains("/s/abc/dvr.m3u8?at=-60.000000&catchup=1"), "\(lines)")
        try await scripted.stop()
    }

    @Test("A picture that cannot be made is told with its reason, and does not hold up the next one")
    func failures() async throws {
        let fault = "W\\005\\000\\000\\000\\003\\000\\000\\000\\000\\000\\000\\000\\000DRM"
        let script = "case $1 in *dvr*) printf '\(Self.picture)';; *) printf '\(fault)';; esac"
        let scripted = try await start(script)
        let broken = try await ask("/s/abc/preview.jpg", scripted)
        #expect(broken.hasPrefix("HTTP/1.1 502 ") && broken.contains("there is no picture: DRM"))
        let good = try await ask("/s/abc/preview.jpg?at=-60", scripted)
        #expect(good.hasPrefix("HTTP/1.1 200 "))
        let nonsense = try await ask("/s/abc/preview.jpg?at=soon", scripted)
        let unknown = try await ask("/s/abd/preview.jpg", scripted)
        #expect(nonsense.hasPrefix("HTTP/1.1 400 ") && unknown.hasPrefix("HTTP/1.1 404 "))
        try await scripted.stop()
    }

    @Test("A contact sheet is one job with a moment for each picture, oldest first; without a window there is none")
    func sheet() async throws {
        let file = FileManager.default.temporaryDirectory.path + "/weir-sheets-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let scripted = try await start("echo $0 $* >> \(file); printf '\(Self.picture)'")
        #expect(try await ask("/s/abc/contact.jpg", scripted).hasPrefix("HTTP/1.1 404 "))
        try await scripted.loop.submit { scripted.agent.windowSeconds = 8 }.get()
        for _ in 0..<2 { #expect(try await ask("/s/abc/contact.jpg", scripted).hasPrefix("HTTP/1.1 200 ")) }
        let words = try String(contentsOfFile: file, encoding: .utf8).split(whereSeparator: { " \n".contains($0) })
        #expect(words.prefix(5) == ["picture", "--columns", "2", "--width", "960"])
        let moments = words.dropFirst(5).map { $0.split(separator: "?").last.map(String.init) ?? "" }
        #expect(moments == ["7", "5", "3", "1"].map { "at=-\($0).000000&catchup=1" })
        try await scripted.stop()
    }

    @Test("F90 A worker that never ends is ended, and the setting turns pictures off")
    func limits() async throws {
        let scripted = try await start("exec sleep 60") { $0.firstByteSeconds = 1 }
        let late = try await ask("/s/abc/preview.jpg", scripted)
        #expect(late.hasPrefix("HTTP/1.1 502 ") && late.contains("not made in time"))
        try await scripted.stop()
        let off = try await start("exit 0") { $0.previews = false }
        #expect(try await ask("/s/abc/preview.jpg", off).hasPrefix("HTTP/1.1 501 "))
        try await off.stop()
    }
}

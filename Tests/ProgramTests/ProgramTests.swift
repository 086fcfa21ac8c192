import FoundationEssentials
import NIOCore
import Testing
import WeirCore
import WeirLab
import WeirNet
import WeirSettings

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The program as its users start it: what it prints, and how it ends.
@Suite("Program")
struct ProgramTests {
    /// Built beside the tests.
    private static let program: String = {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: tests).deletingLastPathComponent().path + "/weir"
    }()

    private func weir(
        _ arguments: String...,
        whenFirstLine: @escaping @Sendable (ChildProcess, String) -> Void = { _, _ in }
    ) async throws -> FinishedProgram {
        try await FinishedProgram.run([Self.program] + arguments, whenFirstLine: whenFirstLine)
    }

    private func expectOneLine(_ finished: FinishedProgram, _ code: Int32, containing words: String...) {
        #expect(finished.exitCode == code)
        #expect(finished.output == "")
        let lines = finished.errors.split(separator: "\n")
        #expect(lines.last?.hasPrefix("weir: ") == true, "\(finished.errors)")
        for word in words { #expect(lines.last?.contains(word) == true, "\(finished.errors)") }
    }

    @Test("The version is printed, and is no error")
    func version() async throws {
        for arguments in ["--version", "version"] {
            let finished = try await weir(arguments)
            #expect(finished.exitCode == 0)
            #expect(finished.output.hasPrefix("weir "))
            #expect(finished.errors == "")
        }
    }

    @Test("A flag that nobody knows names the nearest, and ends with 64")
    func unknownFlag() async throws {
        expectOneLine(try await weir("play", "--lisen", ":1", "http://127.0.0.1:1/"), 64, containing: "--listen")
    }

    @Test(
        "Every setting is a flag of its commands",
        arguments: [("play", SettingsCommand.play), ("serve", .serve), ("tracker", .tracker)]
    )
    func flags(command: String, settings: SettingsCommand) async throws {
        let help = try await weir(command, "--help").output
        for setting in SettingsTable.settings where setting.commands.contains(settings) {
            #expect(help.contains("--\(setting.name.flag) "), "\(setting.name)")
        }
    }

    @Test("F91 Contradictory configuration ends with 64 and one line")
    func contradiction() async throws {
        let finished = try await weir("play", "--min-buffer-size", "90", "http://127.0.0.1:1/")
        expectOneLine(finished, 64, containing: "min_buffer_size", "max_buffer_size")
    }

    @Test("F89 A port in use ends with 73 and names the port")
    func portInUse() async throws {
        let origin = try await LabOrigin.start(Nothing())
        let address = "\(origin.address)"
        expectOneLine(
            try await weir("play", "--listen", address, "http://127.0.0.1:1/"),
            73,
            containing: address,
            "--listen"
        )
        expectOneLine(
            try await weir(
                "play",
                "--swarm-address",
                "127.0.0.1",
                "--swarm-port",
                "\(origin.address.port)",
                "http://127.0.0.1:1/"
            ),
            73,
            containing: address,
            "--swarm-port"
        )
        expectOneLine(try await weir("tracker", "--listen", address), 73, containing: address, "--listen")
        await origin.stop()
    }

    @Test("What cannot be fetched ends with 69, what is no playlist with 65, what is no URL with 64")
    func badInput() async throws {
        let origin = try await LabOrigin.start(Nothing())
        expectOneLine(try await weir("play", "http://127.0.0.1:1/x.m3u8?token=secret"), 69, containing: "cannot play")
        expectOneLine(try await weir("play", origin.url + "/missing.m3u8"), 69, containing: "404")
        expectOneLine(try await weir("play", origin.url + "/page"), 65, containing: "playlist")
        expectOneLine(try await weir("play", "ftp://127.0.0.1/x.m3u8"), 64, containing: "http://")
        #expect(try await !weir("play", "http://127.0.0.1:1/x.m3u8?token=secret").errors.contains("secret"))
        await origin.stop()
    }

    @Test("play prints the address first and alone, and leaves with 0 when asked to", arguments: [SIGTERM, SIGINT])
    func leaves(signal: Int32) async throws {
        let origin = try await LabOrigin.start(Recording())
        let finished = try await weir("play", origin.url + "/index.m3u8") { process, _ in process.send(signal) }
        #expect(finished.exitCode == 0)
        let lines = finished.output.split(separator: "\n")
        #expect(lines.count == 1)
        #expect(lines.first?.hasPrefix("http://127.0.0.1:") == true)
        #expect(lines.first?.contains("/s/") == true)
        #expect(lines.first?.hasSuffix(".m3u8") == true)
        await origin.stop()
    }

    @Test("A player gets the address as an argument, without a shell, and play ends with it")
    func player() async throws {
        let origin = try await LabOrigin.start(Recording())
        let finished = try await weir("play", "--player", "echo got '{url}' $HOME ;", origin.url + "/index.m3u8")
        #expect(finished.exitCode == 0)
        let address = finished.output.split(separator: "\n").first ?? "nothing"
        #expect(finished.errors.contains("got \(address) $HOME ;"))
        let missing = try await weir("play", "--player", "/no/such/player {url}", origin.url + "/index.m3u8")
        #expect(missing.exitCode == 69)
        #expect(missing.errors.contains("/no/such/player"))
        await origin.stop()
    }

    @Test("--json prints one object with the addresses and the token")
    func json() async throws {
        let origin = try await LabOrigin.start(Recording())
        let finished = try await weir("play", "--json", origin.url + "/index.m3u8") { process, _ in process.end() }
        let line = try JSONDecoder().decode([String: String].self, from: Data(finished.output.utf8))
        #expect(line["playback_url"]?.hasPrefix("http://127.0.0.1:") == true)
        #expect(line["stat_url"]?.hasSuffix("/stats") == true)
        #expect(line["token"]?.utf8.count == 32)
        await origin.stop()
    }
}

/// A page, and otherwise nothing.
private struct Nothing: OriginContent {
    func resource(path: String) async -> OriginResource? {
        path == "/page" ? OriginResource(bytes: .init(string: "<html></html>"), contentType: "text/html") : nil
    }
}

/// A playlist of one segment.
private struct Recording: OriginContent {
    func resource(path: String) async -> OriginResource? {
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n0.ts\n#EXT-X-ENDLIST\n"
        let bytes = path == "/index.m3u8" ? Array(text.utf8) : [UInt8](repeating: 0x47, count: 188 * 10)
        return OriginResource(bytes: .init(bytes: bytes), contentType: "application/vnd.apple.mpegurl")
    }
}

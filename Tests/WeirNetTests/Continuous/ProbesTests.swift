import FoundationEssentials
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import WeirCore
@testable import WeirNet

/// What media are, told by a shell script in place of the media program.
@Suite("What the media of streams are", .timeLimit(.minutes(1)))
struct ProbesTests {
    private static let line = "0 video h264 640 360 25.0 - - 800000 2.0 -"
    private static let end = "W\\006\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000"

    /// A record of the line, and the end.
    private static func script(_ line: String) -> String {
        let count = String(line.utf8.count + 1, radix: 8)
        return "printf 'W\\002\\000\\000\\000\\\(count)\\000\\000\\000\\000\\000\\000\\000\\000\(line)\\n\(end)'"
    }

    private func session(_ id: String, path: String = "/s/abc/0123456789abcdef/index.m3u8") -> SessionReport {
        var report = SessionReport(
            id: id,
            url: "http://o.example/live.m3u8",
            path: path,
            swarm: "",
            live: true,
            players: 1,
            buffer_seconds: 0,
            stalls: 0,
            peers: 0
        )
        report.playlists = [
            PlaylistReport(
                rendition: "0123456789abcdef",
                state: "current",
                reason: "",
                first_segment: 1,
                segments: 6,
                unchanged_seconds: 0
            )
        ]
        return report
    }

    private func probes(_ script: String) async throws -> (Probes, any EventLoop) {
        let loop = RawConnection.group.next()
        var settings = ContinuousSettings()
        settings.worker = ["sh", "-c", script]
        let chosen = settings
        let probes = try await loop.submit {
            Probes(settings: chosen, loop: loop, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }.get()
        return (probes, loop)
    }

    private func media(_ probes: Probes, _ loop: any EventLoop, _ session: SessionReport) async throws -> [MediaReport]
    {
        try await loop.submit {
            var sessions = [session]
            probes.look(at: session, base: "http://127.0.0.1:1")
            probes.describe(&sessions)
            return sessions[0].playlists[0].media
        }.get()
    }

    @Test("They are looked at once, when somebody asks, and known to who asks later")
    func once() async throws {
        let count = FileManager.default.temporaryDirectory.path + "/weir-probes-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: count) }
        let (probes, loop) = try await probes("echo $1 >> \(count); " + Self.script(Self.line))
        let asked = session("abc")
        #expect(try await media(probes, loop, asked).isEmpty, "nobody waits for it")
        while try await media(probes, loop, asked).isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        let known = try await media(probes, loop, asked)
        #expect(known.map(\.codec) == ["h264"] && known[0].width == 640 && known[0].keyframe_seconds == 2)
        let lines = try String(contentsOfFile: count, encoding: .utf8).split(separator: "\n")
        #expect(lines == ["http://127.0.0.1:1/s/abc/0123456789abcdef/index.m3u8"])
        try await loop.submit { probes.shutDown() }.get()
    }

    @Test("Of a DASH manifest what is played is looked at, each by itself; where nobody plays nothing is")
    func presentation() async throws {
        let script = "case $1 in */s/dash/manifest.mpd?rendition=0123456789abcdef) \(Self.script(Self.line));; esac"
        let (probes, loop) = try await probes(script)
        var dash = session("dash", path: "/s/dash/manifest.mpd")
        for _ in 0..<3 { #expect(try await media(probes, loop, dash).isEmpty) }
        dash.playlists[0].players = 1
        while try await media(probes, loop, dash).isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try await media(probes, loop, dash).map(\.codec) == ["h264"])
        try await loop.submit { probes.shutDown() }.get()
    }

    @Test("A stream that cannot be read holds up no other")
    func failures() async throws {
        let script = "case $1 in */s/bad/*) exit 1;; *) \(Self.script(Self.line));; esac"
        let (probes, loop) = try await probes(script)
        #expect(try await media(probes, loop, session("bad")).isEmpty)
        while try await media(probes, loop, session("abc")).isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try await media(probes, loop, session("bad")).isEmpty)
        try await loop.submit { probes.shutDown() }.get()
    }
}

import FoundationEssentials
import NIOCore
import Synchronization
import Testing
import WeirCore
import WeirLab
import WeirNet

extension InteropTests {
    @Suite struct CaptureTests {
        static let formats = ["ts", "flv", "mp4", "mkv"]

        @Test(
            "A recording goes on when the origin comes back and when the agent was killed: whole, nothing twice, gaps told",
            .needs("ffmpeg"),
            .timeLimit(.minutes(3))
        )
        func interrupted() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let content = SteppedContent(segments: 0..<3)
                let origin = try await stage.origin(content)
                try stage.createDirectory("recordings")
                let first = try await start(stage, origin)
                #expect(await reached(stage, 2))

                // The origin goes away, and comes back with news.
                content.step(to: nil)
                try await Task.sleep(for: .seconds(3))
                content.step(to: 1..<6)
                #expect(await reached(stage, 5))

                // So does the agent, without a chance to say goodbye. What it had begun plays.
                first.process.kill()
                _ = await first.process.exitCode()
                for format in Self.formats {
                    let head = ["ffmpeg", "-v", "error", "-nostdin", "-i", file(stage, format)]
                    #expect(try await stage.run(head + ["-f", "null", "-"], within: 40).code == 0, "\(format)")
                }
                content.step(to: 3..<8)
                _ = try await start(stage, origin)
                #expect(await reached(stage, 7))

                // Segments 8 to 11 are never seen.
                content.step(to: 12..<15, isOver: true)
                #expect(
                    await eventually(within: 40) {
                        Self.formats.allSatisfy { journal(stage, $0)?.state == .complete }
                    }
                )

                let list = try expectedList(stage, Array(0..<8) + Array(12..<15))
                for format in Self.formats {
                    let expected = try await stage.expectedPackets([list], in: format)
                    try #require(expected.count == 2, "\(expected)")
                    #expect(try await stage.packets(file(stage, format)) == expected, "\(format)")
                    let gaps = try #require(journal(stage, format)?.gaps)
                    #expect(gaps.count == 1, "\(format): \(gaps)")
                    let gap = try #require(gaps.first)
                    #expect(abs(gap.at - 16_000_000) < 100_000 && abs((gap.length ?? 0) - 8_000_000) < 100_000)
                }
            }
        }

        @Test(
            "weir record writes what is wanted of a stream, and once it is complete it is not touched",
            .needs("nginx", "ffmpeg"),
            .timeLimit(.minutes(2))
        )
        func command() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let nginx = try await stage.nginx()
                let path = "\(stage.directory)/short.mkv"
                let stream = "\(nginx.url)/ts60/index.m3u8"
                func record(_ file: String, _ flags: [String]) async throws -> StartedProgram.Result {
                    try await stage.run(
                        [Programs.weir, "record", stream, "--out", file, "--swarm-port", "off"] + flags
                    )
                }
                let made = try await record(path, ["--duration", "10s", "--recording-floor", "0"])
                #expect(made.code == 0 && made.output == path + "\n", "\(made.errors)")
                let times = try await stage.run(
                    ["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time"]
                        + ["-of", "csv=p=0", path]
                )
                let last = Double(times.output.split(separator: "\n").last?.prefix { $0 != "," } ?? "") ?? 0
                #expect(last > 9.5 && last < 10.5, "\(last)")
                let size = Media.size(path)
                let again = try await record(path, ["--recording-floor", "0"])
                #expect(again.code == 65 && again.errors.contains("complete"), "\(again.errors)")
                #expect(Media.size(path) == size)
                // No disk is as empty as this.
                let full = try await record(path + ".ts", ["--recording-floor", "900000GiB"])
                #expect(full.code == 73 && full.errors.contains("no more space"), "\(full.errors)")
                #expect(Media.size(path + ".ts") == 0)
            }
        }

        private func file(_ stage: Stage, _ format: String) -> String { "\(stage.directory)/recordings/a.\(format)" }

        private func journal(_ stage: Stage, _ format: String) -> CaptureJournal? {
            CaptureJournal(text: readText(file(stage, format) + ".journal"))
        }

        /// Whether all recordings come to have media of this segment.
        private func reached(_ stage: Stage, _ segment: UInt64) async -> Bool {
            await eventually(within: 40) {
                Self.formats.allSatisfy { journal(stage, $0)?.point?.places.first?.segment == segment }
            }
        }

        /// An agent that records the stream into every container.
        private func start(_ stage: Stage, _ origin: LabOrigin) async throws -> StartedProgram {
            let flags = ["--recording-directory", "\(stage.directory)/recordings", "--recording-floor", "0"]
            let list = "#EXTM3U\n#EXTINF:-1,one\n\(origin.url)/index.m3u8\n"
            let server = try await stage.channelServer(list, flags: flags)
            for format in Self.formats {
                let body = "{\"url\": \"\(origin.url)/index.m3u8\", \"file\": \"a.\(format)\"}"
                let answer = try await server.post("/v1/recordings", body)
                #expect(answer == 201)
            }
            return server.program
        }

        /// A list of what the origin ever showed.
        private func expectedList(_ stage: Stage, _ numbers: [Int]) throws -> String {
            let lines = numbers.map { "#EXTINF:2.0,\n\(Media.segmentPath($0))\n" }
            let text = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n" + lines.joined() + "#EXT-X-ENDLIST\n"
            let path = "\(stage.directory)/expected.m3u8"
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            return path
        }
    }
}

/// A live stream of real media whose list goes on when the test says so.
private final class SteppedContent: OriginContent {
    private struct State {
        /// Nil: the origin has nothing at all.
        var segments: Range<Int>?
        var isOver = false
    }

    private let state: Mutex<State>

    init(segments: Range<Int>) {
        state = Mutex(State(segments: segments))
    }

    func step(to segments: Range<Int>?, isOver: Bool = false) {
        state.withLock { $0 = State(segments: segments, isOver: isOver) }
    }

    func resource(path: String) async -> OriginResource? {
        let state = state.withLock { $0 }
        guard let segments = state.segments else { return nil }
        let name = path.split(separator: "/").last ?? ""
        if name == "index.m3u8" {
            let number = "#EXT-X-MEDIA-SEQUENCE:\(segments.lowerBound)\n"
            let head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n" + number
            let list = segments.map { "#EXTINF:2.0,\n\($0).ts\n" }.joined() + (state.isOver ? "#EXT-X-ENDLIST\n" : "")
            return OriginResource(
                bytes: ByteBuffer(string: head + list),
                contentType: "application/vnd.apple.mpegurl",
                changes: true
            )
        }
        guard let number = Int(name.split(separator: ".").first ?? ""), segments.contains(number),
            let bytes = try? readBytes(Media.segmentPath(number))
        else { return nil }
        return OriginResource(bytes: ByteBuffer(bytes: bytes), contentType: "video/mp2t")
    }
}

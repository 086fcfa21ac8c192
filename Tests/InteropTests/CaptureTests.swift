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
            .timeLimit(.minutes(5))
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
                try await Task.sleep(for: .seconds(Programs.isLong ? 60 : 3))
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

        /// Three segments of 1280 × 720, and what follows them behind a discontinuity.
        private func changing(_ stage: Stage, _ others: [String]) async throws -> String {
            try await Media.need("ts60", "small-ts")
            var list = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
            for (place, path) in ((0..<3).map { Media.segmentPath($0) } + others).enumerated() {
                let name = "\(stage.directory)/\(place).ts"
                try FileManager.default.createSymbolicLink(atPath: name, withDestinationPath: path)
                list += (place == 3 ? "#EXT-X-DISCONTINUITY\n" : "") + "#EXTINF:2,\n\(place).ts\n"
            }
            try Data((list + "#EXT-X-ENDLIST\n").utf8).write(to: URL(fileURLWithPath: stage.directory + "/index.m3u8"))
            return try await stage.nginx(root: stage.directory).url + "/index.m3u8"
        }

        private func record(_ stage: Stage, _ url: String, _ format: String) async throws -> (
            result: StartedProgram.Result, sizes: [String: Int]
        ) {
            let file = "\(stage.directory)/changing.\(format)"
            let command = [
                Programs.weir, "record", url, "--out", file, "--swarm-port", "off", "--recording-floor", "0",
            ]
            let result = try await stage.run(command, within: 40)
            let look = [
                "ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "frame=width", "-of", "csv=p=0",
            ]
            let frames = try await stage.run(look + [file], within: 40)
            #expect(frames.errors.isEmpty, "\(format): \(frames.errors)")
            // In some versions there is more behind the figure.
            let widths = frames.output.split(separator: "\n").map { String($0.prefix { $0.isNumber }) }
            return (result, Dictionary(grouping: widths.filter { !$0.isEmpty }) { $0 }.mapValues(\.count))
        }

        @Test(
            "A stream whose pictures change their size goes on in the same file",
            .needs("nginx", "ffmpeg", "ffprobe"),
            .timeLimit(.minutes(2))
        )
        func size() async throws {
            try await Stage.with { stage in
                let url = try await changing(stage, (0..<3).map { "\(Media.directory)/small-ts/\($0).ts" })
                for format in Self.formats {
                    let (result, sizes) = try await record(stage, url, format)
                    #expect(result.code == 0, "\(format): \(result.errors)")
                    #expect(sizes == ["1280": 150, "320": 150], "\(format)")
                }
            }
        }

        @Test(
            "A codec that changes ends a recording at once: it says so, and what came before is whole",
            .needs("nginx", "ffmpeg", "ffprobe"),
            .timeLimit(.minutes(2))
        )
        func codec() async throws {
            try await Stage.with { stage in
                let other = "\(stage.directory)/other.ts"
                let source = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=2"]
                let sound = ["-f", "lavfi", "-i", "sine=duration=2", "-c:a", "aac"]
                let made = try await stage.run(
                    ["ffmpeg", "-v", "error", "-nostdin"] + source + sound + ["-c:v", "mpeg2video", other]
                )
                try #require(made.code == 0, "\(made.errors)")
                let url = try await changing(stage, [other])
                for format in ["ts", "mkv"] {
                    let (result, sizes) = try await record(stage, url, format)
                    #expect(result.code == 65 && result.errors.contains("h264 to mpeg2video"), "\(result.errors)")
                    #expect(sizes == ["1280": 150], "\(format)")
                    let text = readText("\(stage.directory)/changing.\(format).journal")
                    #expect(CaptureJournal(text: text)?.state == .failed, "\(text)")
                }
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

import FoundationEssentials
import Testing
import WeirCore
import WeirLab
import WeirNet

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension InteropTests {
    @Suite struct ContinuousTests {
        /// A recording that is told in one of many ways, and what ffmpeg reads to know what is in it.
        struct Shape: Sendable, CustomTestStringConvertible {
            var name: String
            var path: String
            /// ffmpeg's inputs, one for each track; empty: the origin's own address.
            var tracks: [[String]] = []
            var testDescription: String { name }
        }

        static let shapes = [
            Shape(name: "MPEG-TS over a discontinuity", path: "break-ts.m3u8"),
            Shape(name: "fragmented MP4 over a discontinuity", path: "break-mp4.m3u8"),
            Shape(name: "sound apart", path: "multi/master.m3u8"),
            Shape(name: "AES-128, a key for each segment", path: "rotation/index.m3u8"),
            // ffmpeg's own reader of manifests leaves out the first segment here: it gets the files.
            Shape(name: "DASH", path: "dash-time/manifest.mpd", tracks: (0...1).map(dashTrack)),
        ]

        private static func dashTrack(_ track: Int) -> [String] {
            // Sound has 48,000 ticks a second, pictures 12,800; the times are in the names.
            ["dash-time/init-stream\(track).m4s", "dash-time/c-\(track)-"]
        }

        private func site(_ stage: Stage) throws -> String {
            let root = stage.directory + "/site"
            try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
            for folder in ["ts60", "fmp4-60", "multi", "rotation", "dash-time"] {
                let target = "\(Media.directory)/\(folder)"
                try FileManager.default.createSymbolicLink(atPath: "\(root)/\(folder)", withDestinationPath: target)
            }
            for (name, folder, suffix) in [("ts", "ts60", "ts"), ("mp4", "fmp4-60", "m4s")] {
                let map = name == "mp4" ? "#EXT-X-MAP:URI=\"fmp4-60/init.mp4\"\n" : ""
                let segments = [0, 1, 2, 3, 4, 15, 16, 17, 18, 19].map { number in
                    (number == 15 ? "#EXT-X-DISCONTINUITY\n" : "")
                        + "#EXTINF:2.0,\n\(folder)/seg\("0000\(number)".suffix(5)).\(suffix)\n"
                }
                let head = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n" + map
                let text = Data((head + segments.joined() + "#EXT-X-ENDLIST\n").utf8)
                try text.write(to: URL(fileURLWithPath: "\(root)/break-\(name).m3u8"))
            }
            return root
        }

        /// One file out of an initialisation and the segments whose names begin alike, by their times.
        private func joined(_ stage: Stage, _ track: [String], _ number: Int) throws -> String {
            let (folder, stem) = ("\(Media.directory)/dash-time", String(track[1].dropFirst("dash-time/".count)))
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix(stem) }
            let times = names.compactMap { name in
                Int(name.dropFirst(stem.count).dropLast(".m4s".count)).map { ($0, name) }
            }
            var bytes = try readBytes("\(Media.directory)/\(track[0])")
            for (_, name) in times.sorted(by: { $0.0 < $1.0 }) { bytes += try readBytes("\(folder)/\(name)") }
            let path = "\(stage.directory)/track\(number).mp4"
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            return path
        }

        @Test(
            "Every container holds the origin's packets, over joins and discontinuities, and ffmpeg has nothing to say",
            .needs("nginx", "ffmpeg"),
            .timeLimit(.minutes(5)),
            arguments: shapes
        )
        func packets(shape: Shape) async throws {
            try await Media.need("ts60", "fmp4-60", "multi", "rotation", "dash-time")
            try await Stage.with { stage in
                let nginx = try await stage.nginx(root: try site(stage))
                let agent = try await stage.agent("\(nginx.url)/\(shape.path)")
                var inputs = ["\(nginx.url)/\(shape.path)"]
                if !shape.tracks.isEmpty {
                    inputs = try shape.tracks.enumerated().map { try joined(stage, $0.element, $0.offset) }
                }
                for format in ["ts", "flv", "mp4", "mkv"] {
                    let origin = try await stage.expectedPackets(inputs, in: format)
                    try #require(origin.count == 2, "\(origin)")
                    let got = try await stage.packets(agent.address("live.\(format)"))
                    #expect(got == origin, "\(format)")
                }
                #expect(try await agent.statistic("media_damaged_segments") == 0)
                #expect(try await agent.statistic("media_worker_restarts") == 0)
            }
        }

        @Test(
            "Readers of a live output share a worker and begin with a keyframe; a killed worker is replaced",
            .needs("nginx", "ffmpeg", "curl"),
            .timeLimit(.minutes(5))
        )
        func live() async throws {
            try await Stage.with { stage in
                let live = try await stage.live()
                let agent = try await stage.agent(live.url)
                let first = try reader(stage, agent, "first")
                #expect(await eventually(within: 20) { Media.size(first.file) > 500_000 })
                let second = try reader(stage, agent, "second")
                #expect(await eventually(within: 20) { Media.size(second.file) > 500_000 })
                #expect(try await agent.statistic("continuous_readers") == 2)
                #expect(try await agent.statistic("media_workers") == 1)
                #expect(try await firstPacket(stage, second.file).hasPrefix("K"))

                let worker = try #require(ProcessClock.children(of: agent.process.identifier).first)
                kill(worker, SIGKILL)
                #expect(try await eventually(within: 20) { try await agent.statistic("media_worker_restarts") == 1 })
                let before = Media.size(first.file)
                #expect(await eventually(within: 20) { Media.size(first.file) > before + 500_000 })
                let third = try reader(stage, agent, "third")
                #expect(await eventually(within: 20) { Media.size(third.file) > 300_000 })
                #expect(try await firstPacket(stage, third.file).hasPrefix("K"))
                for reader in [first, second, third] { reader.program.process.end() }
                // Some seconds after the last reader the worker is gone.
                #expect(
                    await eventually(within: 20) { ProcessClock.children(of: agent.process.identifier).isEmpty }
                )
                #expect(agent.process.isRunning)
            }
        }

        private func reader(_ stage: Stage, _ agent: TestAgent, _ name: String) throws -> (
            program: StartedProgram, file: String
        ) {
            let file = "\(stage.directory)/\(name).ts"
            return (try stage.start(["curl", "-sS", "-o", file, agent.address("live.ts")]), file)
        }

        /// The flags of the first packet of pictures.
        private func firstPacket(_ stage: Stage, _ file: String) async throws -> String {
            let command = ["ffprobe", "-v", "error", "-select_streams", "v", "-read_intervals", "%+#1"]
            return try await stage.run(command + ["-show_entries", "packet=flags", "-of", "csv=p=0", file]).output
        }
    }
}

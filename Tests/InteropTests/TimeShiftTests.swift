import FoundationEssentials
import Testing
import WeirLab
import WeirNet

extension InteropTests {
    @Suite struct TimeShiftTests {
        /// A hash of each packet of pictures, as ffmpeg reads them.
        private func packets(_ stage: Stage, _ input: String, _ more: [String] = []) async throws -> [String] {
            let command = ["ffmpeg", "-v", "error", "-nostdin", "-i", input, "-map", "0:v:0", "-c", "copy"]
            let result = try await stage.run(command + more + ["-f", "framemd5", "-"], within: 60)
            guard result.code == 0 else { return ["code \(result.code): \(result.errors)"] }
            // Stream, times, duration, size, hash, and what the container says beside it.
            return result.output.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
                let fields = line.split(separator: ",")
                return fields.count > 5 ? String(fields[5].drop { $0 == " " }) : String(line)
            }
        }

        private func joined(_ paths: some Collection<String>) -> String { "concat:" + paths.joined(separator: "|") }

        @Test(
            "A seek lands on the last keyframe before the time that was asked for, and every packet from there on comes",
            .needs("nginx", "ffmpeg"),
            .timeLimit(.minutes(3)),
            arguments: [("-13", 46), ("-12", 48), ("-0.5", 58), ("-500", 0)]
        )
        func keyframes(at: String, second: Int) async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                // Three groups of pictures in each segment.
                var list = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n"
                for number in 0..<10 {
                    let bytes = try (0..<3).flatMap { try readBytes(Media.segmentPath(3 * number + $0)) }
                    try Data(bytes).write(to: URL(fileURLWithPath: "\(stage.directory)/\(number).ts"))
                    list += "#EXTINF:6,\n\(number).ts\n"
                }
                let text = Data((list + "#EXT-X-ENDLIST\n").utf8)
                try text.write(to: URL(fileURLWithPath: "\(stage.directory)/index.m3u8"))
                let nginx = try await stage.nginx(root: stage.directory)
                let agent = try await stage.agent("\(nginx.url)/index.m3u8")
                let origin = try await packets(stage, joined(Media.segmentPaths))
                try #require(origin.count == 1500 && Set(origin).count > 1400)
                let output = try await packets(stage, agent.address("live.ts?at=\(at)"))
                #expect(output == Array(origin[(25 * second)...]))
                // A list begins with its segment, and says where in it to begin.
                let listed = try await packets(stage, agent.address("dvr.m3u8?at=\(at)"))
                #expect(listed == Array(origin[(25 * (second / 6 * 6))...]))
            }
        }

        @Test(
            "A DASH stream goes back as well: from the keyframe before that time on, and every packet to the end",
            .needs("nginx", "ffmpeg"),
            .timeLimit(.minutes(2)),
            arguments: [("-9", 225...275), ("-0.5", 12...50)]
        )
        func presentation(at: String, count: ClosedRange<Int>) async throws {
            try await Media.need("dash-time")
            try await Stage.with { stage in
                let nginx = try await stage.nginx(root: Media.directory)
                let agent = try await stage.agent("\(nginx.url)/dash-time/manifest.mpd")
                let all = try await packets(stage, agent.address("live.ts"))
                let late = try await packets(stage, agent.address("live.ts?at=\(at)"))
                #expect(all.count == 600 && count.contains(late.count), "\(all.count), \(late.count)")
                #expect(late == Array(all.suffix(late.count)))
            }
        }

        @Test(
            "While its player is away the stream is kept; it is watched from where it was, during the stream and after it",
            .needs("nginx", "ffmpeg", "mpv", "curl"),
            .timeLimit(.minutes(3))
        )
        func pause() async throws {
            try await Stage.with { stage in
                let live = try await stage.live()
                let flags = ["--dvr-length", "2m", "--dvr-memory", "64MiB"]
                let agent = try await stage.agent(live.url, flags: flags)
                let file = "\(stage.directory)/watched.ts"
                let reader = try stage.start(["curl", "-sS", "-o", file, agent.address("live.ts")])
                #expect(await eventually(within: 20) { Media.size(file) > 500_000 })
                reader.process.end()
                // So many segments that the first ones are long gone from the origin.
                #expect(await eventually(within: 40) { await live.packager.next >= 18 })

                let origin = try await packets(stage, joined(Media.segmentPaths))
                let before = await live.packager.next
                let recent = try await packets(stage, agent.address("dvr.m3u8?at=-12"), ["-t", "4"])
                let place = try #require(origin.firstIndex(of: recent.first ?? ""), "\(recent.first ?? "")")
                #expect(place % 50 == 0)
                let near = await before - 9..<live.packager.next - 2
                #expect(near.contains { $0 % Media.segmentPaths.count == place / 50 }, "\(place / 50) of \(before)")
                #expect(recent.count >= 95 && recent == (0..<recent.count).map { origin[(place + $0) % origin.count] })
                let player = ["mpv", "--no-config", "--vo=null", "--ao=null", "--frames=25", "--msg-level=all=error"]
                let shown = try await stage.run(player + [agent.address("dvr.m3u8?at=-12")], within: 40)
                #expect(shown.code == 0 && shown.output.isEmpty, "\(shown.output) \(shown.errors)")

                try await live.packager.finish()
                let count = await live.packager.next
                let all = agent.address("dvr.m3u8")
                #expect(
                    try await eventually(within: 20) {
                        try await String(decoding: Web.get(all).body, as: UTF8.self).contains("ENDLIST")
                    }
                )
                // Six segments and a half before the end.
                let rest = try await packets(stage, agent.address("live.ts?at=-13"))
                // The sources come again and again.
                let expected = (50 * (count - 7)..<50 * count).map { origin[$0 % origin.count] }
                #expect(
                    rest == expected,
                    "\(origin.firstIndex(of: rest.first ?? "") ?? -1), \(rest.count) of \(count)"
                )
                #expect(agent.process.isRunning)
            }
        }
    }
}

import FoundationEssentials
import Testing
import WeirLab
import WeirNet

extension InteropTests {
    @Suite struct PreviewTests {
        @Test(
            "A picture is the keyframe at or before the moment, made smaller; nobody counts as a viewer for it",
            .needs("nginx", "ffmpeg"),
            arguments: [("", 0), ("?at=-13", 23), ("?at=-60", 0)]
        )
        func picture(query: String, segment: Int) async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let nginx = try await stage.nginx()
                let agent = try await stage.agent("\(nginx.url)/ts60/index.m3u8")
                let answer = try await Web.get(agent.address("preview.jpg\(query)"))
                try #require(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
                let file = "\(stage.directory)/preview.jpg"
                try Data(answer.body).write(to: URL(fileURLWithPath: file))
                // As like the keyframe as what ffmpeg makes of it, and less like another one.
                let reference = "\(stage.directory)/reference.jpg"
                let make = ["ffmpeg", "-v", "error", "-nostdin", "-i", Media.segmentPath(segment), "-frames:v", "1"]
                _ = try await stage.run(make + ["-vf", "scale=480:270:flags=area", "-q:v", "5", reference])
                let likeness = try await likeness(stage, file, Media.segmentPath(segment))
                let expected = try await self.likeness(stage, reference, Media.segmentPath(segment))
                let other = try await self.likeness(stage, file, Media.segmentPath((segment + 7) % 30))
                #expect(expected > 20 && likeness > expected - 1, "\(likeness) of \(expected) dB")
                #expect(other < likeness - 1, "\(other) and \(likeness) dB")
                #expect(try await agent.statistic("buffer_seconds") == 0)
            }
        }

        @Test(
            "A contact sheet has a picture for each part of the window, in rows",
            .needs("nginx", "ffmpeg", "ffprobe", "curl"),
            .timeLimit(.minutes(2))
        )
        func contactSheet() async throws {
            try await Stage.with { stage in
                let live = try await stage.live()
                let agent = try await stage.agent(live.url, flags: ["--dvr-length", "1m"])
                let reader = try stage.start(
                    ["curl", "-sS", "-o", "\(stage.directory)/watched.ts", agent.address("live.ts")]
                )
                stage.atEnd { reader.process.end() }
                // Ten pictures and more have four in a row.
                #expect(try await eventually(within: 50) { try await window(agent) >= 21 })
                let answer = try await Web.get(agent.address("contact.jpg"))
                try #require(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
                let file = "\(stage.directory)/contact.jpg"
                try Data(answer.body).write(to: URL(fileURLWithPath: file))
                let size = try await stage.run(
                    ["ffprobe", "-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0", file],
                    within: 20
                )
                let sides = size.output.split(whereSeparator: { ",\n".contains($0) }).compactMap { Int($0) }
                try #require(sides.count == 2 && sides[0] > 900 && sides[0] <= 960, "\(size.output)")
                // Pictures of the first and the second part of the window differ.
                var cells: [String] = []
                for column in 0..<2 {
                    let filter = "crop=iw/4:100:\(column)*iw/4:0"
                    let command = ["ffmpeg", "-v", "error", "-nostdin", "-i", file, "-vf", filter, "-f", "md5", "-"]
                    cells.append(try await stage.run(command, within: 20).output)
                }
                #expect(Set(cells).count == 2 && !cells.contains(""))
            }
        }

        private struct Session: Decodable {
            var windowSeconds: Double
        }

        /// Seconds that time shift offers.
        private func window(_ agent: TestAgent) async throws -> Double {
            let sessions: [Session] = try await agent.control("/v1/sessions")
            return sessions.first?.windowSeconds ?? 0
        }

        /// Decibels between a picture of 480 pixels and the first one of a segment.
        private func likeness(_ stage: Stage, _ file: String, _ segment: String) async throws -> Double {
            let filter = "[1:v]scale=480:270:flags=area,format=yuvj420p[b];[0:v]format=yuvj420p[a];[a][b]psnr"
            let command = ["ffmpeg", "-nostdin", "-i", file, "-i", segment, "-lavfi", filter, "-frames:v", "1"]
            let result = try await stage.run(command + ["-f", "null", "-"], within: 40)
            let text = result.errors.split(separator: " ").first { $0.hasPrefix("average:") }
            return text.flatMap { Double($0.dropFirst("average:".count)) } ?? 0
        }
    }
}

import Testing
import WeirCore
import WeirLab
import WeirNet
import WeirSimulation

extension InteropTests {
    @Suite struct ReplayTests {
        @Test(
            "What two agents recorded of a stream they share is decided the same again, input by input",
            .needs("nginx", "ffmpeg"),
            .timeLimit(.minutes(3))
        )
        func twoAgents() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let nginx = try await stage.nginx()
                let url = "\(nginx.url)/ts60/index.m3u8"
                let files = (1...2).map { "\(stage.directory)/\($0).recording" }
                var agents: [TestAgent] = []
                for file in files {
                    let agent = try await stage.agent(url, peers: agents.map(\.peer), flags: ["--record-inputs", file])
                    #expect(try await agent.isLinked(to: agents.count))
                    agents.append(agent)
                    #expect(try await stage.streamHash(agent.playbackURL).contains("SHA256="))
                }
                #expect(try await agents[1].statistic("peer_bytes") > 1_000_000)
                for agent in agents.reversed() {
                    agent.process.end()
                    #expect(await agent.process.exitCode() == 0)
                }
                for file in files {
                    let bytes = try readBytes(file)
                    let replay = try Replay(bytes)
                    #expect(replay.difference == nil)
                    #expect(replay.end == .stopped)
                    #expect(replay.inputs > 100 && replay.outputs > 100)
                    report("\(replay.inputs) inputs, \(replay.outputs) outputs, \(bytes.count) bytes")
                    try expectFound(bytes)
                }
            }
        }

        /// One input less is told at the first input that it matters to.
        private func expectFound(_ bytes: [UInt8]) throws {
            var reader = try RecordingReader(bytes)
            var writer = RecordingWriter()
            var changed = writer.begin(reader.start)
            var left = false
            while let step = try reader.next() {
                if !left, step.input.kind == .fetchBody {
                    left = true
                    continue
                }
                changed += try writer.input(step.input, at: step.at)
                if let result = step.result { changed += writer.result(result) }
            }
            let replay = try Replay(changed)
            #expect(left)
            #expect(replay.difference != nil)
        }
    }
}

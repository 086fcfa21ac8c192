import NIOCore
import Testing
import WeirCore
import WeirLab

extension InteropTests {
    @Suite struct LowLatencyTests {
        /// The committed recording, in parts of about 50 KB: several chunks each.
        private func content(_ mode: LowLatencyMode = LowLatencyMode(padding: 40_000)) async throws -> LowLatencyContent
        {
            try await LowLatencyContent(directory: Programs.package + "/Fixtures/media/low-latency", mode: mode)
        }

        @Test(
            "The lab's low-latency stream is real media: ffmpeg reads it as HLS and as DASH without a complaint",
            .needs("ffmpeg"),
            .timeLimit(.minutes(1)),
            arguments: [LowLatencyContent.multivariantPath, LowLatencyContent.presentationPath]
        )
        func realMedia(path: String) async throws {
            try await Stage.with { stage in
                let origin = try await stage.origin(try await content())
                let command = [
                    "ffmpeg", "-v", "error", "-nostdin", "-xerror", "-i", origin.url + path, "-map", "0:v:0", "-map",
                    "0:a:0", "-t", "4", "-f", "null", "-",
                ]
                let result = try await stage.run(command, within: 20)
                #expect(result.code == 0)
                #expect(result.errors == "")
            }
        }

        @Test(
            "Two agents exchange parts: every part is exact, and the origin gives little more than one copy",
            .needs(),
            .timeLimit(.minutes(1)),
            arguments: LowLatencyMode.Parts.allCases
        )
        func twoAgents(parts: LowLatencyMode.Parts) async throws {
            try await Stage.with { stage in
                let content = try await content(LowLatencyMode(parts: parts, padding: 40_000))
                let origin = try await stage.origin(content)
                let url = origin.url + LowLatencyContent.multivariantPath
                let first = try await stage.agent(url)
                let second = try await stage.agent(url, peers: [first.peer])
                #expect(try await second.isLinked(to: 1))
                let viewers = [first, second].map { agent in
                    LowLatencyViewer(url: agent.playbackURL) { content.published(0, $0) }
                }
                let playing = viewers.map { viewer in Task { await viewer.run() } }
                stage.atEnd { for task in playing { task.cancel() } }
                // Start-up costs a copy for each.
                try await Task.sleep(for: .seconds(2))
                let begin = content.newest
                try await Task.sleep(for: .seconds(3))
                let end = content.newest
                try await Task.sleep(for: .milliseconds(700))
                for task in playing { task.cancel() }
                var reports: [PartReport] = []
                for task in playing { reports.append(await task.value) }
                let wanted = positions(after: begin, through: end)
                for (number, viewer) in reports.enumerated() {
                    report("low latency, \(parts), viewer \(number): \(viewer.summary)")
                    #expect(viewer.errors == [])
                    #expect(viewer.inexact == [])
                    #expect(viewer.missed == [])
                    #expect(Set(viewer.arrivals.map(\.position)).isSuperset(of: wanted))
                }
                try await expectCost(origin, content, wanted, [first, second])
            }
        }

        private func expectCost(
            _ origin: LabOrigin,
            _ content: LowLatencyContent,
            _ wanted: [PartPosition],
            _ agents: [TestAgent]
        ) async throws {
            let firstTime = content.published(0, wanted[0])?.available ?? .now
            let lastTime = content.published(0, wanted[wanted.count - 1])?.available ?? .now
            // An answer ends just after the moment at which its part exists.
            let now = (time: ContinuousClock.now, log: origin.log.now)
            func logged(_ time: ContinuousClock.Instant) -> Double { now.log - (now.time - time).seconds }
            let bytes = origin.log.entries.reduce(Int64(0)) { sum, entry in
                let isMeasured = entry.time > logged(firstTime) - 0.05 && entry.time < logged(lastTime) + 0.25
                return sum + (entry.path.hasSuffix(".m4s") && isMeasured ? entry.bytes : 0)
            }
            let copy = wanted.reduce(Int64(0)) { $0 + Int64(content.byteCount(0, $1)) }
            let ratio = Double(bytes) / Double(copy)
            let fromPeers = try await agents[0].statistic("peer_bytes") + agents[1].statistic("peer_bytes")
            report("low latency: \(wanted.count) parts, \(ratio) copies from the origin, \(fromPeers) bytes from peers")
            #expect(ratio < 1.4)
            #expect(fromPeers >= Double(copy) * 0.7)
            for agent in agents {
                #expect(try await agent.statistic("banned_peers") == 0)
                #expect(try await agent.statistic("rejected_bytes") == 0)
            }
        }

        private func positions(after begin: PartPosition, through end: PartPosition) -> [PartPosition] {
            (begin.segment...end.segment).flatMap { segment in
                (0..<LowLatencyContent.partsPerSegment).map { PartPosition(segment: segment, part: $0) }
            }.filter { $0 > begin && $0 <= end }
        }
    }
}

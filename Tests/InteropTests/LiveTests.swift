import Testing
import WeirCore
import WeirLab

extension InteropTests {
    @Suite struct LiveTests {
        enum Joining: Sendable, CaseIterable {
            /// Every agent is told of those before it by `--peer`.
            case flags
            case tracker
        }

        @Test(
            "Four viewers of a live stream cost its origin little more than one copy, and none stalls",
            .needs("nginx", "ffmpeg"),
            .timeLimit(.minutes(15)),
            arguments: Programs.isLong ? Joining.allCases : [.flags]
        )
        func fourViewers(joining: Joining) async throws {
            try await Media.need("ts60")
            let (warmUp, seconds) = !Programs.isLong ? (20, 60) : joining == .flags ? (60, 600) : (20, 60)
            try await Stage.with { stage in
                let live = try await stage.live()
                let tracker = joining == .tracker ? ["--tracker", try await stage.tracker().address] : []
                var agents: [TestAgent] = []
                for _ in 0..<4 {
                    let peers = joining == .flags ? agents.map(\.peer) : []
                    agents.append(try await stage.agent(live.url, peers: peers, flags: tracker))
                }
                for agent in agents { #expect(try await agent.isLinked(to: 3)) }
                let viewers = agents.map { HeadlessViewer(url: $0.playbackURL) }
                let playing = viewers.map { viewer in Task { await viewer.run() } }
                try await Task.sleep(for: .seconds(warmUp))
                let first = await live.packager.next
                let audits = try await total("audit_bytes", agents)
                try await Task.sleep(for: .seconds(seconds))
                let end = await live.packager.next
                // They play three target durations behind the newest.
                try await Task.sleep(for: .seconds(8))
                let laterAudits = try await total("audit_bytes", agents)
                for viewer in playing { viewer.cancel() }
                var reports: [HeadlessViewer.Report] = []
                for viewer in playing { reports.append(await viewer.value) }
                expectCost(live.nginx.entries(), first..<end, audits: laterAudits - audits)
                try expectPlayback(reports, first..<end)
                for agent in agents {
                    let statistics = try await agent.statistics()
                    #expect(statistics["stalls"] == 0)
                    #expect(statistics["banned_peers"] == 0)
                    #expect(statistics["rejected_bytes"] == 0)
                }
            }
        }

        private func total(_ statistic: String, _ agents: [TestAgent]) async throws -> Int64 {
            var sum = 0.0
            for agent in agents { sum += try await agent.statistic(statistic) }
            return Int64(sum)
        }

        private func expectCost(_ entries: [NginxOrigin.Entry], _ measured: Range<Int>, audits: Int64) {
            let media = entries.filter { $0.path.hasSuffix(".ts") }
            let paths = Set(measured.map(LivePackager.path))
            let bytes = media.filter { paths.contains($0.path) }.reduce(0) { $0 + $1.bytes }
            let copy = measured.reduce(0) { $0 + Media.size(Media.segmentPath($1 % Media.segmentPaths.count)) }
            let before = Set((0..<measured.lowerBound).map(LivePackager.path))
            let startup = media.filter { before.contains($0.path) }.reduce(0) { $0 + $1.bytes }
            let ratio = Double(bytes) / Double(copy)
            report("live start-up: \(startup) bytes of media from the origin")
            report(
                "live: \(measured.count) segments, \(bytes) bytes from the origin, \(ratio) copies, "
                    + "offload \(1 - ratio / 4), audits \(audits) bytes"
            )
            #expect(ratio <= 1.12)
        }

        private func expectPlayback(_ reports: [HeadlessViewer.Report], _ measured: Range<Int>) throws {
            let digests = try Media.segments().map { Digest.sha256($0) }
            for (number, viewer) in reports.enumerated() {
                report(
                    "live viewer \(number): start-up \(viewer.startup ?? -1) s, stalls \(viewer.playback.stalls), "
                        + "\(viewer.segments.count) segments"
                )
                #expect(viewer.errors.isEmpty, "\(viewer.errors)")
                #expect(viewer.playback.stalls == 0)
                #expect(Set(viewer.segments.map(\.number)).isSuperset(of: measured))
                for segment in viewer.segments {
                    #expect(segment.digest == digests[segment.number % digests.count], "segment \(segment.number)")
                }
            }
        }
    }
}

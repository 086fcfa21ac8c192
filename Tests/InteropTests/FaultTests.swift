import Testing
import WeirCore
import WeirLab
import WeirNet

extension InteropTests {
    @Suite struct FaultTests {
        @Test(
            "F64 F68 The tracker is killed, then a peer, then the origin is silent for 15 s: nobody notices",
            .needs("nginx", "ffmpeg"),
            .timeLimit(.minutes(3))
        )
        func everythingDies() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let nginx = try await stage.nginx()
                let (tracker, address) = try await stage.tracker()
                let url = "\(nginx.url)/ts60/index.m3u8"
                let flags = ["--tracker", address]
                let first = try await stage.agent(url, flags: flags)
                let second = try await stage.agent(url, flags: flags)
                for agent in [first, second] { _ = try await stage.streamHash(agent.playbackURL) }
                let third = try await stage.agent(url, flags: flags)
                #expect(try await third.isLinked(to: 2), "introduced by the tracker")

                let viewer = HeadlessViewer(url: third.playbackURL, maximumBuffer: 8)
                let playing = Task { await viewer.run() }
                try await Task.sleep(for: .seconds(4))
                tracker.process.kill()
                try await Task.sleep(for: .seconds(3))
                first.process.kill()
                try await Task.sleep(for: .seconds(4))
                nginx.freeze()
                let before = await viewer.report.segments.count
                try await Task.sleep(for: .seconds(15))
                let after = await viewer.report.segments.count
                nginx.thaw()
                try await Task.sleep(for: .seconds(3))
                playing.cancel()
                let played = await playing.value
                report("silent origin: \(after - before) segments in 15 s, \(played.playback.stalls) stalls")
                #expect(after - before >= 6)
                try expectFlawless(played)
                let statistics = try await third.statistics()
                #expect(statistics["stalls"] == 0)
                #expect((statistics["peer_bytes"] ?? 0) > 5_000_000)
                #expect(statistics["banned_peers"] == 0)
            }
        }

        @Test("F01 The origin is gone for good: a peer that holds everything is enough", .needs("ffmpeg"))
        func originGone() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let origin = try await LabOrigin.start(DirectoryContent(Media.directory))
                let url = "\(origin.url)/ts60/index.m3u8"
                let holder = try await stage.agent(url)
                let hash = try await stage.streamHash(holder.playbackURL)
                let agent = try await stage.agent(url, peers: [holder.peer])
                #expect(try await agent.isLinked(to: 1))
                await origin.stop()
                #expect(try await stage.streamHash(agent.playbackURL) == hash)
                #expect(try await agent.statistic("peer_bytes") >= Double(try Media.bytes("ts60")))
            }
        }

        @Test(
            "F03 F04 F05 F07 F10 Silence, stalls, truncations, 503, 429 and ignored ranges cost time, not bytes",
            .needs("ffmpeg"),
            .timeLimit(.minutes(2))
        )
        func originFaults() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let origin = try await stage.origin(DirectoryContent(Media.directory))
                let url = "\(origin.url)/ts60/index.m3u8"
                let hash = try await stage.streamHash(url)
                origin.set(.silent, prefix: "/ts60/seg00003", times: 1)
                origin.set(.stall(afterBytes: 200_000), prefix: "/ts60/seg00006", times: 1)
                origin.set(.truncate(afterBytes: 300_000), prefix: "/ts60/seg00009", times: 1)
                origin.set(.status(503), prefix: "/ts60/seg00012", times: 2)
                origin.set(.status(429), prefix: "/ts60/seg00015", times: 1)
                origin.set(.close, prefix: "/ts60/seg00018", times: 1)
                // The resumption finds an origin that ignores Range.
                origin.set(.truncate(afterBytes: 100_000), prefix: "/ts60/seg00021", times: 1)
                origin.set(.ignoreRange, prefix: "/ts60/seg0002")
                let agent = try await stage.agent(url)
                let seen = origin.log.entries.count
                #expect(try await stage.streamHash(agent.playbackURL) == hash)
                let entries = origin.log.entries.dropFirst(seen)
                for segment in ["06", "09"] {
                    let ranges = entries.filter { $0.path == "/ts60/seg000\(segment).ts" }.compactMap(\.range)
                    report("F04 F05 segment \(segment) was resumed by \(ranges)")
                    #expect(ranges.count == 1 && ranges.first?.hasPrefix("bytes=0-") == false)
                }
                let again = entries.filter { $0.path == "/ts60/seg00021.ts" }
                report("F10: \(again.map { "\($0.status) \($0.range ?? "whole") \($0.bytes)" })")
                #expect(again.map(\.status) == [200, 200])
                // What the origin repeated of the one segment whose range it ignored.
                #expect(try await agent.statistic("wasted_bytes") <= 110_000)
            }
        }

        @Test(
            "F15 The origin's throughput falls to 0.3 of the stream's rate: peers carry it, and nothing stalls",
            .needs("ffmpeg")
        )
        func slowOrigin() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let origin = try await stage.origin(DirectoryContent(Media.directory))
                let relay = try await Relay.start(to: origin.address)
                stage.atEnd { await relay.stop() }
                let flags = ["--swarm-id", "f15"]
                let holder = try await stage.agent("\(origin.url)/ts60/index.m3u8", flags: flags)
                _ = try await stage.streamHash(holder.playbackURL)
                let slow = "http://\(relay.address)/ts60/index.m3u8"
                let agent = try await stage.agent(slow, peers: [holder.peer], flags: flags)
                #expect(try await agent.isLinked(to: 1))
                let viewer = HeadlessViewer(url: agent.playbackURL, maximumBuffer: 8)
                let playing = Task { await viewer.run() }
                try await Task.sleep(for: .seconds(3))
                relay.set(Impairment(bytesPerSecond: 0.3 * Double(try Media.bytes("ts60")) / 60))
                try await Task.sleep(for: .seconds(15))
                playing.cancel()
                try expectFlawless(await playing.value)
                #expect(try await agent.statistic("stalls") == 0)
            }
        }

        private func expectFlawless(_ played: HeadlessViewer.Report) throws {
            #expect(played.errors.isEmpty, "\(played.errors)")
            #expect(played.playback.stalls == 0)
            #expect(!played.segments.isEmpty)
            let digests = try Media.segments().map { Digest.sha256($0) }
            for segment in played.segments {
                #expect(segment.digest == digests[segment.number], "segment \(segment.number)")
            }
        }
    }
}

extension Stage {
    /// `weir tracker`, and its address.
    func tracker() async throws -> (StartedProgram, address: String) {
        let program = try start([Programs.weir, "tracker", "--listen", "127.0.0.1:0"])
        _ = await eventually(within: 10) { program.output.contains("\n") || !program.process.isRunning }
        guard let line = program.output.split(separator: "\n").first else {
            throw TestAgent.DidNotStart(errors: program.errors)
        }
        return (program, String(line))
    }
}

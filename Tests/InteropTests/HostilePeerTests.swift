import Testing
import WeirCore
import WeirLab

extension InteropTests {
    @Suite struct HostilePeerTests {
        @Test(
            "F31 A peer whose chunks contradict its own list is banned, the honest one is not, and no bad byte gets out",
            .needs("nginx", "ffmpeg"),
            .timeLimit(.minutes(2))
        )
        func contradiction() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let nginx = try await stage.nginx()
                let url = "\(nginx.url)/ts60/index.m3u8"
                let honest = try await stage.agent(url)
                _ = try await stage.streamHash(honest.playbackURL)
                let hostile = try await HostilePeer.start(stage, url, .contradictsItsList)
                _ = try await stage.streamHash(hostile.playbackURL)
                let victim = try await stage.agent(url, peers: [honest.peer, hostile.peer])
                #expect(try await victim.isLinked(to: 2))
                #expect(try await badChunks(victim) == 0)
                let statistics = try await victim.statistics()
                report(
                    "contradiction: \(hostile.misdeeds.trueChunks) true chunks, \(hostile.misdeeds.falseChunks) false"
                )
                #expect(hostile.misdeeds.trueChunks > 0)
                #expect(hostile.misdeeds.falseChunks > 0)
                #expect((statistics["rejected_bytes"] ?? 0) > 0)
                #expect(statistics["banned_peers"] == 1)
                // The honest one is still there.
                #expect(statistics["peers"] == 1)
                #expect(try await honest.statistic("banned_peers") == 0)
                #expect((statistics["peer_bytes"] ?? 0) > 10_000_000)
            }
        }

        @Test(
            "F34 A voucher that signs false lists is caught by audits, at their rate",
            .needs("nginx", "ffmpeg"),
            .timeLimit(.minutes(2))
        )
        func lyingVoucher() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let nginx = try await stage.nginx()
                let url = "\(nginx.url)/ts60/index.m3u8"
                let hostile = try await HostilePeer.start(stage, url, .signsFalseLists)
                _ = try await stage.streamHash(hostile.playbackURL)
                let victim = try await stage.agent(url, peers: [hostile.peer])
                #expect(try await victim.isLinked(to: 1))
                let bad = try await badChunks(victim)
                let statistics = try await victim.statistics()
                report(
                    "lying voucher: \(hostile.misdeeds.trueChunks) true chunks and \(hostile.misdeeds.falseChunks) false "
                        + "sent, \(bad) bad chunks got out before it was caught"
                )
                #expect(hostile.misdeeds.trueChunks > 0)
                #expect(hostile.misdeeds.falseChunks > 0)
                #expect(statistics["proved_lies"] == 1)
                #expect(statistics["banned_peers"] == 1)
                // One in forty is audited at least: more than this gets out once in ten thousand runs.
                #expect(bad <= 400)
            }
        }

        @Test(
            "F34 Against an origin that states digests, a lying voucher gets no bad byte out",
            .needs("ffmpeg"),
            .timeLimit(.minutes(2))
        )
        func anchored() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let origin = try await stage.origin(DirectoryContent(Media.directory), digests: [.reprDigest])
                let url = "\(origin.url)/ts60/index.m3u8"
                let hostile = try await HostilePeer.start(stage, url, .signsFalseLists)
                _ = try await stage.streamHash(hostile.playbackURL)
                let victim = try await stage.agent(url, peers: [hostile.peer])
                #expect(try await victim.isLinked(to: 1))
                #expect(try await badChunks(victim) == 0)
                #expect(hostile.misdeeds.trueChunks > 0)
                #expect(hostile.misdeeds.falseChunks > 0)
                #expect(try await victim.statistic("banned_peers") == 1)
            }
        }

        /// Plays everything, and counts the chunks that are not the origin's.
        private func badChunks(_ agent: TestAgent) async throws -> Int {
            let list = try await Web.get(agent.playbackURL)
            let links = PlaylistLinks(String(decoding: list.body, as: UTF8.self)).links
            let truth = try Media.segments()
            try #require(links.count == truth.count)
            var bad = 0
            for (link, expected) in zip(links, truth) {
                let answer = try await Web.get(agent.endpoint + link.uri)
                #expect(answer.status == 200)
                try #require(answer.body.count == expected.count)
                for start in stride(from: 0, to: expected.count, by: Chunk.byteCount) {
                    let range = start..<min(start + Chunk.byteCount, expected.count)
                    if answer.body[range] != expected[range] { bad += 1 }
                }
            }
            return bad
        }
    }
}

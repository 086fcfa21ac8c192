import Testing
import WeirCore
import WeirLab

/// A recording as the tests play it.
struct VODSample: Sendable, CustomTestStringConvertible {
    var folder: String
    var playlist = "index.m3u8"
    /// How many resources its playlists name.
    var resources: Int
    /// What the file names of each track's segments begin with.
    var tracks = [""]
    var testDescription: String { folder }

    /// fMP4 names an EXT-X-MAP besides its segments, AES-128 a key, and `multi` has three tracks.
    static let short = [
        VODSample(folder: "ts60", resources: 30), VODSample(folder: "fmp4-60", resources: 31),
        VODSample(folder: "byterange", resources: 30), VODSample(folder: "aes", resources: 31),
        VODSample(folder: "multi", playlist: "master.m3u8", resources: 91, tracks: ["0-", "1-", "2-"]),
    ]
    static let long = [
        VODSample(folder: "ts300", resources: 150), VODSample(folder: "fmp4-300", resources: 151),
    ]
}

/// What nginx logged, told apart.
private struct OriginCost {
    var media: [String]
    var mediaBytes: Int64
    var manifests: [String: Int]
    var methods: Set<String>

    init(_ entries: some Sequence<NginxOrigin.Entry>) {
        let media = entries.filter { Media.isMedia($0.path) || $0.path.hasSuffix(".bin") }
        // A Range of everything is what players send who probe for Range support: the same bytes as none.
        self.media = media.map { "\($0.path) \($0.range.map { $0 == "bytes=0-" ? "" : $0 } ?? "")" }.sorted()
        mediaBytes = media.reduce(0) { $0 + $1.bytes }
        manifests = entries.filter { $0.path.hasSuffix(".m3u8") }.reduce(into: [:]) { $0[$1.path, default: 0] += 1 }
        methods = Set(entries.map(\.method))
    }
}

extension InteropTests {
    @Suite struct VODTests {
        @Test(
            "Three viewers one after another: bit-exact, the first as a plain player, the others nearly for free",
            .needs("nginx", "ffmpeg"),
            .timeLimit(.minutes(5)),
            arguments: VODSample.short + (Programs.isLong ? VODSample.long : [])
        )
        func threeViewers(sample: VODSample) async throws {
            try await Media.need(sample.folder)
            let content = try Media.bytes(sample.folder)
            try await Stage.with { stage in
                let nginx = try await stage.nginx()
                let url = "\(nginx.url)/\(sample.folder)/\(sample.playlist)"
                let plainHash = try await stage.streamHash(url)
                let plain = await settledCost(nginx, since: 0)
                #expect(plainHash.contains("SHA256="))
                // The content is 80 % of the cache.
                let cache = "\((content * 10 / 8) >> 20 + 1)"
                var agents: [TestAgent] = []
                for viewer in 1...3 {
                    let start = nginx.entries().count
                    let agent = try await stage.agent(
                        url,
                        peers: agents.map(\.peer),
                        flags: ["--cache-memory", cache]
                    )
                    #expect(try await agent.isLinked(to: viewer - 1))
                    agents.append(agent)
                    #expect(try await stage.streamHash(agent.playbackURL) == plainHash, "viewer \(viewer)")
                    let cost = await settledCost(nginx, since: start)
                    #expect(cost.methods == ["GET"])
                    if viewer == 1 {
                        expectEqual(cost, plain)
                    } else {
                        let limit = content * 3 / 100 + startUp(sample, nginx.entries())
                        #expect(cost.mediaBytes <= limit, "viewer \(viewer)")
                    }
                    report("\(sample.folder) viewer \(viewer): \(cost.mediaBytes) of \(content) bytes from the origin")
                    if viewer > 1 { report("    \(try await agent.originReasons())") }
                }
                let path = "\(Media.directory)/\(sample.folder)/\(sample.playlist)"
                #expect(try await PlaylistLinks.compare(local: agents[2].playbackURL, file: path) == sample.resources)
                for agent in agents { #expect(try await agent.statistic("banned_peers") == 0) }
            }
        }

        /// The same requests for media, one each, and no more for manifests.
        private func expectEqual(_ cost: OriginCost, _ plain: OriginCost) {
            #expect(cost.media == plain.media)
            for (path, count) in cost.manifests { #expect(count <= plain.manifests[path] ?? 0, "\(path)") }
        }

        /// One segment of every track: what the origin gives so that playback begins at once.
        private func startUp(_ sample: VODSample, _ entries: [NginxOrigin.Entry]) -> Int64 {
            sample.tracks.reduce(0) { sum, track in
                let own = entries.filter { $0.path.hasPrefix("/\(sample.folder)/\(track)") && Media.isMedia($0.path) }
                return sum + (own.map(\.bytes).max() ?? 0)
            }
        }

        /// nginx writes a line when it is done with an answer, which may be after its reader is.
        private func settledCost(_ nginx: NginxOrigin, since start: Int) async -> OriginCost {
            try? await Task.sleep(for: .milliseconds(200))
            return OriginCost(nginx.entries().dropFirst(start))
        }
    }
}

import FoundationEssentials
import Testing
import WeirLab
import WeirNet

extension InteropTests {
    @Suite struct ProbeTests {
        private struct Session: Decodable {
            struct Playlist: Decodable {
                var language: String?
                var media: [Media]
            }

            struct Media: Decodable, Equatable {
                var kind: String
                var codec: String
                var width: Int?
                var height: Int?
                var frameRate: Double?
                var sampleRate: Int?
                var channels: Int?
                var bitRate: Int?
                var keyframeSeconds: Double?
            }

            var players: Int
            var playlists: [Playlist]
        }

        private func playlists(_ agent: TestAgent) async throws -> [Session.Playlist] {
            let session: Session = try await agent.control("/v1/sessions/\(agent.stream)")
            return session.playlists
        }

        @Test(
            "A session says what the media of its renditions are, the keyframes' distance and the sound's language",
            .needs("nginx", "ffmpeg"),
            .timeLimit(.minutes(2))
        )
        func sessions() async throws {
            try await Media.need("multi", "ts60", "dash-time")
            try await Stage.with { stage in
                // Three groups of pictures in one segment.
                let bytes = try (0..<3).flatMap { try readBytes(Media.segmentPath($0)) }
                try Data(bytes).write(to: URL(fileURLWithPath: stage.directory + "/long.ts"))
                let list = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nlong.ts\n#EXT-X-ENDLIST\n"
                try Data(list.utf8).write(to: URL(fileURLWithPath: stage.directory + "/long.m3u8"))
                try FileManager.default.createSymbolicLink(
                    atPath: stage.directory + "/multi",
                    withDestinationPath: "\(Media.directory)/multi"
                )
                try FileManager.default.createSymbolicLink(
                    atPath: stage.directory + "/dash",
                    withDestinationPath: "\(Media.directory)/dash-time"
                )
                let nginx = try await stage.nginx(root: stage.directory)

                let long = try await stage.agent("\(nginx.url)/long.m3u8")
                _ = try await Web.get(long.playbackURL)
                #expect(try await eventually(within: 20) { try await playlists(long).first?.media.count == 2 })
                let tracks = try await playlists(long).first?.media ?? []
                let video = try #require(tracks.first { $0.kind == "video" })
                #expect(video.codec == "h264" && video.width == 1280 && video.height == 720 && video.frameRate == 25)
                #expect(video.keyframeSeconds == 2)
                // Encoded for 3 Mbit/s.
                #expect((1_500_000...4_500_000).contains(video.bitRate ?? 0), "\(video)")
                let audio = try #require(tracks.first { $0.kind == "audio" })
                #expect(audio.codec == "aac" && audio.sampleRate == 48_000 && audio.channels == 2)

                let apart = try await stage.agent("\(nginx.url)/multi/master.m3u8")
                let player = try await stage.run(
                    ["ffmpeg", "-v", "error", "-nostdin", "-i", apart.playbackURL, "-t", "1", "-f", "null", "-"],
                    within: 30
                )
                #expect(player.code == 0, "\(player.errors)")
                #expect(
                    try await eventually(within: 20) {
                        let known = try await playlists(apart)
                        return known.contains { $0.language == "en" && $0.media.map(\.kind) == ["audio"] }
                            && known.contains { $0.language == nil && $0.media.first?.width == 1280 }
                    }
                )

                let dash = try await stage.agent("\(nginx.url)/dash/manifest.mpd")
                let reader = try await stage.run(
                    ["ffmpeg", "-v", "error", "-nostdin", "-i", dash.playbackURL, "-t", "1", "-f", "null", "-"],
                    within: 30
                )
                #expect(reader.code == 0, "\(reader.errors)")
                #expect(
                    try await eventually(within: 20) {
                        let known = try await playlists(dash).flatMap(\.media)
                        return Set(known.map(\.kind)) == ["audio", "video"]
                            && known.contains { $0.codec == "h264" && $0.width ?? 0 > 0 && $0.bitRate ?? 0 > 0 }
                    }
                )
            }
        }
    }
}

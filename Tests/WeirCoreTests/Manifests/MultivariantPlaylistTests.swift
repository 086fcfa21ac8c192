import Testing
import WeirCore

@Suite("Multivariant playlists") struct MultivariantPlaylistTests {
    private let base = "https://origin.example.com/tv/one/"

    @Test("Variants have their attributes") func variants() throws {
        let playlist = try PlaylistFixture.multivariant("master")
        #expect(
            playlist.variants.map(\.url.description) == [
                "\(base)low/index.m3u8", "https://cdn.example.com/vod/9/high/index.m3u8?token=1",
                "https://origin.example.com/tv/audio-only.m3u8",
            ]
        )
        let low = playlist.variants[0]
        #expect(low.bandwidth == 1_280_000 && low.codecs == "avc1.4d401e,mp4a.40.2")
        #expect(low.resolution?.width == 640 && low.resolution?.height == 360)
        #expect(low.audio == "aac" && low.subtitles == "subs" && low.video == nil)
        #expect(playlist.variants[2].resolution == nil)
        #expect(playlist.version == 6)
    }

    @Test("Alternates have their attributes, with and without a playlist") func alternates() throws {
        let renditions = try PlaylistFixture.multivariant("master").renditions
        #expect(renditions.map(\.type) == [.audio, .audio, .audio, .subtitles, .closedCaptions])
        #expect(renditions.map(\.name) == ["English", "Deutsch, Stereo", "In the variant", "English", "CC1"])
        #expect(renditions.map(\.language) == ["en", "de", "fr", "en", "en"])
        #expect(renditions.map(\.groupID) == ["aac", "aac", "aac", "subs", "cc"])
        #expect(
            renditions.map { $0.url?.path } == [
                "/tv/one/audio/en/prog.m3u8", "/tv/one/audio/de/prog.m3u8", nil, "/tv/one/subs/en.m3u8", nil,
            ]
        )
    }

    @Test("I-frame lists, session keys and session data are found") func others() throws {
        let playlist = try PlaylistFixture.multivariant("master")
        #expect(playlist.iFrameStreams.map(\.url.description) == ["\(base)low/iframe.m3u8"])
        #expect(playlist.sessionKeys.map { $0.url?.description } == ["\(base)keys/1.bin"])
        #expect(playlist.sessionData.map { $0.url?.description } == [nil, "\(base)lyrics.json"])
        #expect(playlist.sessionData.map(\.id) == ["com.example.title", "com.example.lyrics"])
    }

    @Test("Every owned URI is replaced and everything else is kept") func rewriting() throws {
        let playlist = try PlaylistFixture.multivariant("master")
        let expected = text(try PlaylistFixture.bytes("master"))
            .replacing("#EXT-X-CONTENT-STEERING:SERVER-URI=\"/steering?video=00012\",PATHWAY-ID=\"CDN-A\"\n", with: "")
            .replacing("\"lyrics.json\"", with: "\"/sessionData(1)\"").replacing(
                "\"keys/1.bin\"",
                with: "\"/sessionKey(0)\""
            )
            .replacing("audio/en/prog.m3u8", with: "/rendition(0)").replacing(
                "audio/de/prog.m3u8",
                with: "/rendition(1)"
            )
            .replacing("subs/en.m3u8", with: "/rendition(3)").replacing("low/index.m3u8", with: "/variant(0)")
            .replacing("https://cdn.example.com/vod/9/high/index.m3u8?token=1", with: "/variant(1)")
            .replacing("../audio-only.m3u8", with: "/variant(2)").replacing("low/iframe.m3u8", with: "/iFrameStream(0)")
        #expect(text(playlist.rewritten { "/\($0)" }) == expected)
    }

    @Test("Tags of both kinds in one list are refused") func mixed() {
        #expect(
            playlistRefusal("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n#EXTINF:1,\nb\n")
                == .malformed(line: 4, reason: "EXTINF in a multivariant playlist")
        )
        #expect(
            playlistRefusal("#EXTM3U\n#EXTINF:1,\nb\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n")
                == .malformed(line: 4, reason: "tags of a multivariant playlist among segments")
        )
    }

    @Test("More renditions than the limit are refused") func limit() {
        var limits = Limits()
        limits.renditions = 3
        let stream = "#EXT-X-STREAM-INF:BANDWIDTH=1\na\n"
        #expect(playlistRefusal("#EXTM3U\n" + String(repeating: stream, count: 3), limits: limits) == nil)
        #expect(
            playlistRefusal("#EXTM3U\n" + String(repeating: stream, count: 4), limits: limits)
                == .tooManyRenditions(limit: 3)
        )
        let data = "#EXT-X-SESSION-DATA:DATA-ID=\"x\"\n"
        #expect(
            playlistRefusal("#EXTM3U\n" + stream + String(repeating: data, count: 4), limits: limits)
                == .tooManyRenditions(limit: 3)
        )
    }
}

import Testing
import WeirCore

@Suite("Media playlists") struct MediaPlaylistTests {
    private let base = "https://origin.example.com/tv/one/"

    @Test("A VOD list has its segments in order") func vod() throws {
        let playlist = try PlaylistFixture.media("vod")
        #expect(playlist.segments.map(\.sequence) == [0, 1, 2, 3])
        #expect(playlist.segments.map(\.url.description) == (0..<4).map { "\(base)segment\($0).ts" })
        #expect(
            playlist.segments.map(\.duration) == [.seconds(6), .seconds(6), .milliseconds(5960), .milliseconds(3040)]
        )
        #expect(playlist.totalDuration == .seconds(21))
        #expect(playlist.targetDuration == .seconds(6))
        #expect(playlist.endList && playlist.type == .vod && playlist.version == 3)
        #expect(
            playlist.lowLatency.parts.isEmpty && !playlist.iFramesOnly && playlist.maps.isEmpty && playlist.keys.isEmpty
        )
        #expect(
            playlist.segments.allSatisfy { $0.byteRange == nil && $0.map == nil && $0.key == nil && !$0.isEncrypted }
        )
    }

    @Test("An EVENT list that grows has no end") func event() throws {
        let playlist = try PlaylistFixture.media("event")
        #expect(!playlist.endList && playlist.type == .event)
        #expect(
            playlist.segments.map(\.url.description) == [
                "https://origin.example.com/events/42/a.ts", "https://origin.example.com/events/42/b.ts",
            ]
        )
    }

    @Test("A live list keeps sequence numbers and tokens") func live() throws {
        let playlist = try PlaylistFixture.media("live-tokens")
        #expect(playlist.mediaSequence == 2680 && playlist.discontinuitySequence == 7)
        #expect(!playlist.endList && playlist.type == nil)
        #expect(
            playlist.segments.map(\.url.description) == [
                "https://media.example.com/live/fileSequence2680.ts?hdnts=exp=1700000000~acl=/*~hmac=abc%2Fdef&id=1",
                "https://media.example.com/live/fileSequence2681.ts?hdnts=exp=1700000000~acl=/*~hmac=abc%2Fdef",
                "https://origin.example.com/tv/live/fileSequence2682.ts?token=a/b?c",
            ]
        )
        #expect(playlist.index(ofSequence: 2681) == 1)
        #expect(playlist.index(ofSequence: 2679) == nil && playlist.index(ofSequence: 2683) == nil)
    }

    @Test("A byte range without offset follows the one before it of the same resource") func byteRanges() throws {
        let playlist = try PlaylistFixture.media("byterange")
        #expect(
            playlist.segments.map(\.byteRange) == [
                ByteRange(offset: 1118, length: 326_744), ByteRange(offset: 327_862, length: 326_368),
                ByteRange(offset: 654_230, length: 327_120), ByteRange(offset: 0, length: 1000), nil,
            ]
        )
        #expect(playlist.maps.map(\.byteRange) == [ByteRange(offset: 0, length: 1118)])
        #expect(playlist.segments.allSatisfy { $0.map == 0 })
    }

    @Test("F27 Overlapping byte ranges are segments of their own") func overlapping() throws {
        let playlist = try parseMedia(
            "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n#EXT-X-BYTERANGE:100@50\na\n#EXTINF:1,\n#EXT-X-BYTERANGE:100@0\na\n#EXTINF:1,\n#EXT-X-BYTERANGE:7\na\n"
        )
        #expect(
            playlist.segments.map(\.byteRange) == [
                ByteRange(offset: 50, length: 100), ByteRange(offset: 0, length: 100),
                ByteRange(offset: 100, length: 7),
            ]
        )
    }

    @Test("A MAP counts until the next") func maps() throws {
        let playlist = try PlaylistFixture.media("fmp4")
        #expect(playlist.segments.map(\.map) == [0, 0, 1, 2])
        #expect(
            playlist.maps.map(\.url.description) == [
                "\(base)init-1.mp4", "\(base)ads/init.mp4?ad=1", "\(base)init-1.mp4",
            ]
        )
        #expect(playlist.maps.map(\.byteRange) == [nil, ByteRange(offset: 16, length: 800), nil])
        #expect(playlist.segments.map(\.discontinuity) == [false, false, true, true])
        #expect(playlist.segments.map { $0.suffix() } == ["m4s", "m4s", "m4s", "m4s"])
        #expect(playlist.maps[0].id(of: .main) == playlist.maps[2].id(of: .main))
        #expect(playlist.maps[0].id(of: .main) != playlist.maps[1].id(of: .main))
    }

    @Test("A key counts until the next, NONE ends it") func keys() throws {
        let playlist = try PlaylistFixture.media("aes128")
        #expect(
            playlist.keys.map { $0.url?.description } == [
                "https://priv.example.com/key.php?r=52", "\(base)key.php?r=53",
            ]
        )
        #expect(playlist.segments.map(\.key) == [0, 1, nil])
        #expect(playlist.segments.map(\.isEncrypted) == [true, true, false])
        #expect(playlist.keys[0].initialisationVector == nil)
        #expect(playlist.keys[1].initialisationVector?.hexadecimal == "9c7db8778570d05c3177c349fd9236aa")
        #expect(playlist.keys[1].method == "AES-128" && playlist.keys[1].format == "identity")
    }

    @Test("Keys of other systems are seen and left alone") func otherKeys() throws {
        let playlist = try PlaylistFixture.media("drm")
        #expect(playlist.keys.map(\.method) == ["SAMPLE-AES", "SAMPLE-AES-CTR", "SAMPLE-AES"])
        #expect(playlist.keys.allSatisfy { $0.url == nil })
        #expect(playlist.segments[0].isEncrypted && playlist.segments[0].key == nil)
        #expect(
            playlist.rewritten { "local-\($0)" }
                == Array(text(try PlaylistFixture.bytes("drm")).replacing("a.m4s", with: "local-segment(0)").utf8)
        )
    }

    @Test("Discontinuities, gaps and dates belong to the next segment") func discontinuities() throws {
        let playlist = try PlaylistFixture.media("discontinuity")
        #expect(playlist.segments.map(\.discontinuity) == [false, true, false, true])
        #expect(playlist.segments.map(\.gap) == [false, true, false, false])
        #expect(playlist.segments.map(\.programDateTime) == ["2026-02-19T14:54:23.031+08:00", nil, nil, nil])
    }

    @Test("CRLF and blanks behind a URI are no part of it") func crlf() throws {
        let playlist = try PlaylistFixture.media("crlf")
        #expect(playlist.segments.map(\.url.description) == ["\(base)a.ts", "\(base)b.ts"])
        #expect(playlist.segments[0].byteRange == ByteRange(offset: 0, length: 100))
    }

    @Test("A byte order mark does no harm") func byteOrderMark() throws {
        #expect(try PlaylistFixture.media("bom").segments.map(\.url.description) == ["\(base)a.ts"])
    }

    @Test("Comments, unknown tags and lines without EXTINF are no segments") func unusual() throws {
        let playlist = try PlaylistFixture.media("unusual")
        #expect(
            playlist.segments.map(\.url.description) == [
                "\(base)my%20file%20(1).ts", "\(base)t%C3%B6ne.aac", "\(base)12:30:00.ts",
            ]
        )
        #expect(playlist.segments.map(\.duration) == [.milliseconds(9600), .seconds(9), .seconds(3)])
        #expect(playlist.targetDuration == .milliseconds(9600))
        #expect(playlist.segments.map { $0.suffix() } == ["ts", "aac", "ts"])
    }

    @Test("A delta update is refused, because its segments' numbers are not all there") func skip() {
        let refusal = playlistRefusal(
            "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXTINF:4,\na\n"
        )
        #expect(refusal == .malformed(line: 3, reason: "a delta update (EXT-X-SKIP) that was not asked for"))
    }

    @Test("An I-frame list says so") func iFrames() throws {
        let playlist = try PlaylistFixture.media("iframes")
        #expect(playlist.iFramesOnly)
        #expect(playlist.segments.map(\.byteRange?.offset) == [376, 47_000])
    }

    @Test("Subtitles keep or get their suffix") func subtitles() throws {
        let playlist = try PlaylistFixture.media("subtitles")
        #expect(playlist.segments.map { $0.suffix(inSubtitles: true) } == ["vtt", "vtt"])
        #expect(playlist.segments.map { $0.suffix() } == ["vtt", "ts"])
    }

    @Test(
        "Numbers that name segments are never guessed",
        arguments: ["", "x", "-1", "1.5", "9223372036854775808", "99999999999999999999999", "0x10"]
    )
    func sequenceNumbers(value: String) {
        let refusal = playlistRefusal(
            "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:\(value)\n#EXTINF:4,\na\n"
        )
        #expect(refusal == .malformed(line: 3, reason: "EXT-X-MEDIA-SEQUENCE is no whole number"))
    }

    @Test("The largest sequence numbers do not overflow") func largestSequence() throws {
        let playlist = try parseMedia(
            "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:9223372036854775807\n#EXTINF:4,\na\n#EXTINF:4,\nb\n"
        )
        #expect(playlist.segments.map(\.sequence) == [9_223_372_036_854_775_807, 9_223_372_036_854_775_808])
    }

    @Test(
        "What is no playlist is named",
        arguments: [
            ("", "is empty"), ("<!DOCTYPE html><html>", "is an HTML page"),
            ("<?xml version=\"1.0\"?><MPD>", "is a DASH manifest"),
            ("\0\0\0\u{18}ftypiso5", "is an MP4 file"), ("Not \u{1B}[31mfound\n", "with \"Not .[31mfound.\""),
            ("#EXTM3U8\n", "with \"#EXTM3U8.\""),
            ("#EXTINF:1,\na\n", "with \"#EXTINF:1,.a.\""),
            ("#EXTM3U\r#EXTINF:1,\ra\r", "with \"#EXTM3U.#EXTINF:1,.a.\""),
        ]
    ) func notHLS(content: String, seen: String) {
        #expect(playlistRefusal(content) == .notHLS(firstBytes: seen))
    }

    @Test("A transport stream is no playlist") func transportStream() {
        var bytes = [UInt8](repeating: 0, count: 376)
        bytes[0] = 0x47
        bytes[188] = 0x47
        #expect(throws: PlaylistError.notHLS(firstBytes: "is an MPEG-TS file")) {
            try HLSPlaylist.parse(bytes, url: PlaylistFixture.url("x"), limits: Limits())
        }
    }

    @Test("A list of channels is told from a playlist") func channels() throws {
        #expect(playlistRefusal(text(try PlaylistFixture.bytes("channels"))) == .channelList)
    }

    @Test("A playlist of nothing is refused, one that has not begun is not") func empty() throws {
        #expect(playlistRefusal("#EXTM3U\n") == .empty)
        #expect(playlistRefusal("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n") == .empty)
        #expect(try parseMedia("#EXTM3U\n#EXT-X-TARGETDURATION:4\n").segments.isEmpty)
    }

    @Test(
        "Every refusal is one line",
        arguments: [
            PlaylistError.notHLS(firstBytes: "x"), .channelList, .empty, .unsupported("x"),
            .malformed(line: 1, reason: "x"),
            .tooManySegments(limit: 1),
            .tooManyRenditions(limit: 1), .tooLarge(limit: 1),
        ]
    ) func refusals(error: PlaylistError) {
        #expect(!error.description.isEmpty && !error.description.contains("\n"))
    }
}

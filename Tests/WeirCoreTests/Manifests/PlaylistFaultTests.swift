import Testing
import WeirCore

@Suite("Faulty playlists") struct PlaylistFaultTests {
    private let head = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"

    @Test("F20 A playlist of a million lines is read to its end, and refused at the limit") func millionLines() throws {
        let pair = Array("#EXTINF:2,\n0.ts\n".utf8)
        var bytes = Array(head.utf8)
        for _ in 0..<500_000 { bytes += pair }
        var limits = Limits()
        limits.playlistSegments = 500_000
        let playlist = try parseMedia(bytes, url: PlaylistFixture.url("long"), limits: limits)
        #expect(playlist.segments.count == 500_000)
        #expect(playlist.segments.last?.sequence == 499_999)
        #expect(playlist.totalDuration == .seconds(1_000_000))
        #expect(playlist.rewritten { _ in "/x.ts" }.count == bytes.count + 500_000)
        #expect(throws: PlaylistError.tooManySegments(limit: 200_000)) {
            try HLSPlaylist.parse(bytes, url: PlaylistFixture.url("long"), limits: Limits())
        }
    }

    @Test("F20 A million comments, keys, or maps are no way around the limits") func otherLines() {
        let comments = head + String(repeating: "#\n", count: 1_000_000) + "#EXTINF:1,\na\n"
        #expect(playlistRefusal(comments) == nil)
        var limits = Limits()
        limits.playlistSegments = 1000
        let keys = head + String(repeating: "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n", count: 2000)
        #expect(playlistRefusal(keys, limits: limits) == .tooManySegments(limit: 1000))
        let maps = head + String(repeating: "#EXT-X-MAP:URI=\"k\"\n", count: 2000)
        #expect(playlistRefusal(maps, limits: limits) == .tooManySegments(limit: 1000))
    }

    @Test("F20 A playlist larger than the limit is refused unread") func tooLarge() {
        var limits = Limits()
        limits.manifestBytes = 1000
        #expect(
            playlistRefusal("#EXTM3U\n" + String(repeating: "a", count: 1000), limits: limits) == .tooLarge(limit: 1000)
        )
        limits.manifestBytes = .max
        #expect(playlistRefusal(head + "#EXTINF:1,\na\n", limits: limits) == nil)
    }

    @Test(
        "F20 One line of a megabyte, whatever is in it, is read in one pass",
        arguments: ["a", ",", "=", "\"", "A=\"\",", "../", ":", "#EXT-X-KEY:", " ", "\r", "%"]
    )
    func longLines(unit: String) {
        let long = String(repeating: unit, count: 1_000_000 / unit.utf8.count)
        for tag in ["#EXTINF:1,\n", "#EXT-X-KEY:", "#EXT-X-MAP:URI=\"i\",", "#EXT-X-", "#EXTINF:", "#"] {
            let content = Array((head + tag + long + "\n#EXTINF:1,\na\n").utf8)
            guard let playlist = try? parseMedia(content, url: PlaylistFixture.url("long")) else { continue }
            #expect(playlist.rewritten { _ in nil }.count >= content.count)
        }
    }

    @Test(
        "F21 Malformed attributes, NUL, invalid UTF-8 and lone CR pass through untouched",
        arguments: [
            "#EXT-X-KEY:", "#EXT-X-KEY:METHOD", "#EXT-X-KEY:METHOD=,URI=", "#EXT-X-KEY:=,=,=",
            "#EXT-X-KEY:METHOD=AES-128,URI=\"",
            "#EXT-X-KEY:METHOD=AES-128,URI=\"a\rb\"", "#EXT-X-KEY:METHOD=AES-128,URI=\"a\0b\"",
            "#EXT-X-KEY,METHOD=NONE",
            "#EXT-X-KEYX:METHOD=AES-128,URI=\"k\"", "#EXT-X-\0", "#\u{0}", "#EXT-X-VERSION:\0",
            "#EXT-X-VERSION:99999999999999999999", "#EXT-X-BYTERANGE",
        ]
    ) func malformedTags(line: String) throws {
        guard line != "#EXT-X-BYTERANGE" else {
            #expect(
                playlistRefusal(head + line + "\n#EXTINF:1,\na\n")
                    == .malformed(line: 3, reason: "EXT-X-BYTERANGE must be <length>[@<offset>]")
            )
            return
        }
        let content = head + line + "\n#EXTINF:1,\na.ts\n"
        #expect(text(try parseMedia(content).rewritten { _ in "a.ts" }) == content)
    }

    @Test("F21 Bytes that are no UTF-8 are kept, and encoded for the request") func invalidUTF8() throws {
        let content =
            Array(head.utf8) + Array("#EXTINF:1,".utf8) + [0xFF, 0xC3] + Array("\na".utf8) + [0xE4, 0xFF]
            + Array(".ts\n#".utf8) + [0x80, 0x0A]
        let playlist = try parseMedia(content, url: PlaylistFixture.url("x"))
        #expect(playlist.segments[0].url.description == "https://origin.example.com/tv/one/a%E4%FF.ts")
        let line = playlist.rewritten { _ in "/1.ts" }
        #expect(
            line == Array(head.utf8) + Array("#EXTINF:1,".utf8) + [0xFF, 0xC3] + Array("\n/1.ts\n#".utf8) + [
                0x80, 0x0A,
            ]
        )
    }

    @Test(
        "F21 A control character in a URI never reaches a request",
        arguments: ["a\rHost: evil", "a\0b", "a\u{7F}", "a\tb"]
    )
    func injection(uri: String) throws {
        let content = head + "#EXTINF:1,\n\(uri)\n#EXTINF:1,\ngood.ts\n"
        let playlist = try parseMedia(content)
        #expect(playlist.segments.map(\.sequence) == [1])
        #expect(text(playlist.rewritten { _ in "good.ts" }) == content)
    }

    @Test(
        "F21 Byte ranges that cannot be are refused",
        arguments: [
            "0", "-1", "a", "1@", "1@-1", "1@a", "@1", "9223372036854775807@1", "9223372036854775808", "1@@1", "",
        ]
    )
    func byteRanges(value: String) {
        let reason =
            value == "9223372036854775807@1"
            ? "EXT-X-BYTERANGE ends behind 2^63 bytes" : "EXT-X-BYTERANGE must be <length>[@<offset>]"
        let line = value == "9223372036854775807@1" ? 5 : 4
        #expect(
            playlistRefusal(head + "#EXTINF:1,\n#EXT-X-BYTERANGE:\(value)\na\n")
                == .malformed(line: line, reason: reason)
        )
        #expect(
            playlistRefusal(head + "#EXT-X-MAP:URI=\"a\",BYTERANGE=\"\(value)\"\n#EXTINF:1,\na\n")
                == .malformed(line: 3, reason: "BYTERANGE must be \"<length>@<offset>\"")
        )
    }

    @Test(
        "F22 Missing, negative, NaN and huge durations become sane ones",
        arguments: [
            ("", Duration.zero), (",", .zero), ("-1", .zero), ("-99999999999999999999", .zero), ("NaN", .zero),
            ("inf", .zero), ("x", .zero),
            (".", .zero), ("-", .zero), ("1e9", .seconds(1)), ("1e400", .seconds(1)),
            ("99999999999999999999999999", .seconds(86_400)),
            ("86401", .seconds(86_400)), ("0.0000000001", .zero), (".5", .milliseconds(500)), ("5.", .seconds(5)),
            ("+3", .seconds(3)),
            ("2.9999999999999999999999", Duration(nanoseconds: 2_999_999_999)), ("0x10", .zero),
            ("4 tvg-id=1", .seconds(4)),
        ]
    ) func durations(written: String, read: Duration) throws {
        let playlist = try parseMedia(head + "#EXTINF:\(written)\na\n")
        #expect(playlist.segments.map(\.duration) == [read])
        #expect(playlist.totalDuration == read)
    }

    @Test(
        "F22 A target duration that is missing or absurd never makes a reloader spin",
        arguments: [
            ("#EXT-X-TARGETDURATION:0\n", Duration.seconds(1)), ("#EXT-X-TARGETDURATION:-5\n", .seconds(1)),
            ("#EXT-X-TARGETDURATION:NaN\n", .seconds(3)),
            ("", .seconds(3)), ("#EXT-X-TARGETDURATION\n", .seconds(3)),
            ("#EXT-X-TARGETDURATION:99999999999999\n", .seconds(86_400)),
        ]
    ) func targetDurations(line: String, read: Duration) throws {
        #expect(try parseMedia("#EXTM3U\n\(line)#EXTINF:3,\na\n").targetDuration == read)
    }

    @Test("F22 The sum of huge durations saturates") func sum() throws {
        let playlist = try parseMedia(head + String(repeating: "#EXTINF:99999999999,\na\n", count: 150_000))
        #expect(playlist.totalDuration == .forever)
    }

    @Test("F24 Dots stay below the root, other hosts are what they say, other schemes are never fetched") func uris()
        throws
    {
        let playlist = try PlaylistFixture.media("foreign-uris")
        #expect(
            playlist.segments.map(\.url.description) == [
                "https://origin.example.com/etc/passwd", "https://other.example.com/x.ts",
                "https://origin.example.com/tv/one/a/c.ts",
                "https://origin.example.com/tv/one/foreign-uris.m3u8?only=query",
            ]
        )
        #expect(playlist.segments.map(\.sequence) == [10, 11, 14, 17])
        #expect(playlist.totalDuration == .seconds(32))
        #expect(playlist.maps.isEmpty)
        let lines = text(playlist.rewritten { "/\($0)" }).split(separator: "\n")
        #expect(lines.filter { $0.hasPrefix("/") } == (0..<4).map { "/segment(\($0))" })
        for kept in [
            "#EXT-X-MAP:URI=\"data:video/mp4;base64,AAAA\"", "data:video/mp2t;base64,R0AA", "file:///etc/passwd",
            "http://", "http://user:secret@host.example.com/x.ts",
        ] {
            #expect(lines.contains(kept[...]))
        }
    }
}

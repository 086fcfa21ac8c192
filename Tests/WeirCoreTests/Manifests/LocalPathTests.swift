import Testing
import WeirCore

@Suite("Local paths") struct LocalPathTests {
    static let stream = StreamID("abcdefgh23")
    static let key = RenditionKey(0x00AB_CDEF_0123_4567)

    @Test(
        "A path is built and read back",
        arguments: [
            (LocalPath.master(stream), "/s/abcdefgh23/master.m3u8"),
            (.preview(stream), "/s/abcdefgh23/preview.jpg"),
            (.contactSheet(stream), "/s/abcdefgh23/contact.jpg"),
            (.window(stream), "/s/abcdefgh23/dvr.m3u8"),
            (.index(stream, key), "/s/abcdefgh23/00abcdef01234567/index.m3u8"),
            (.segment(stream, key, number: 0, suffix: "ts"), "/s/abcdefgh23/00abcdef01234567/0.ts"),
            (
                .segment(stream, key, number: .max, suffix: "m4s"),
                "/s/abcdefgh23/00abcdef01234567/18446744073709551615.m4s"
            ),
            (
                .initialisation(stream, key, number: 1, suffix: "mp4"),
                "/s/abcdefgh23/00abcdef01234567/i0000000000000001.mp4"
            ),
            (.key(stream, key, 12), "/s/abcdefgh23/00abcdef01234567/k12.key"),
            (.resource(stream, 3), "/s/abcdefgh23/r3"),
            (.continuous(stream, .ts), "/s/abcdefgh23/live.ts"),
            (.continuous(stream, .mkv), "/s/abcdefgh23/live.mkv"),
            (.channels, "/channels.m3u"),
            (.channel(slug: "bbc-1", suffix: nil, query: nil), "/c/bbc-1"),
            (.channel(slug: "bbc-1", suffix: "mpd", query: "utc=1&lutc=2"), "/c/bbc-1.mpd?utc=1&lutc=2"),
            (
                .play(url: "https://h/a b.m3u8?x=1&y=%2F#z"),
                "/play?url=https%3A%2F%2Fh%2Fa%20b.m3u8%3Fx%3D1%26y%3D%252F%23z"
            ),
        ]
    ) func roundTrip(path: LocalPath, text: String) {
        #expect(path.text == text)
        #expect(LocalPath(target: text) == path)
    }

    @Test(
        "F56 What is no path of ours is refused",
        arguments: [
            "", "/", "s/a/master.m3u8", "/s", "/s/", "/s//master.m3u8", "/s/a", "/s/a/", "/s/a/Master.m3u8",
            "/s/A/master.m3u8", "/s/a%2e/master.m3u8", "/s/../master.m3u8", "/s/a/../master.m3u8", "/s/a/r", "/s/a/r-1",
            "/s/a/r01", "/s/a/r99999999999999999999", "/s/a/abc/index.m3u8", "/s/a/00ABCDEF01234567/index.m3u8",
            "/s/a/00abcdef01234567/", "/s/a/00abcdef01234567/index.m3u8/", "/s/a/00abcdef01234567/1.exe",
            "/s/a/00abcdef01234567/1", "/s/a/00abcdef01234567/.ts", "/s/a/00abcdef01234567/01.ts",
            "/s/a/00abcdef01234567/-1.ts", "/s/a/00abcdef01234567/+1.ts", "/s/a/00abcdef01234567/1.ts.ts",
            "/s/a/00abcdef01234567/18446744073709551616.ts", "/s/a/00abcdef01234567/i1.mp4",
            "/s/a/00abcdef01234567/k1.ts", "/s/a/00abcdef01234567/kx.key", "/s/a/00abcdef01234567/1/2.ts", "/play",
            "/play?", "/play?url=", "/play?url=%", "/play?url=%zz", "/play?url=%ff", "/c", "/c/", "/c/-a", "/c/A",
            "/c/a/b", "/c/a.ts", "/c/a.m3u8.mpd", "/c/a%20b", "/channels.m3u/",
            "/play/?url=http%3A%2F%2Fh",
            "//s/a/master.m3u8", "/s/\0/master.m3u8", "/s/ä/master.m3u8", "/s/a/live", "/s/a/live.",
            "/s/a/live.TS", "/s/a/live.avi", "/s/a/live.ts/", "/s/a/live.m3u8", "/s/a/00abcdef01234567/live.ts",
        ]
    ) func refuses(target: String) {
        #expect(LocalPath(target: target) == nil)
    }

    @Test("A query is ignored but for play's") func queries() {
        #expect(LocalPath(target: "/s/a/master.m3u8?_HLS_msn=3") == .master(StreamID("a")))
        #expect(LocalPath(target: "/play?x=1&url=http%3A%2F%2Fh%2F&y=2") == .play(url: "http://h/"))
        #expect(LocalPath(target: "/play?url=https://h/m?a=1&b=2") == .play(url: "https://h/m?a=1&b=2"))
        #expect(LocalPath(target: "/play?url=" + String(repeating: "a", count: 100_000)) == nil)
    }

    @Test("Random targets never trap, and what is accepted has one spelling", arguments: 0..<20 as Range<UInt64>)
    func random(seed: UInt64) {
        var random = PlaylistRandom(seed: seed)
        let pieces = [
            "/", "s", "a", "r", "k", "i", "0", "9", ".", "ts", "key", "m4s", "00abcdef01234567", "master.m3u8", "%2f",
            "?", "index.m3u8", "..", "\u{0}",
        ]
        for _ in 0..<500 {
            var target = random.chance(80) ? "/s/a/" : ""
            for _ in 0..<Int.random(in: 0...6, using: &random) { target += pieces.randomElement(using: &random)! }
            guard let path = LocalPath(target: target) else { continue }
            #expect(target == path.text || target.hasPrefix(path.text + "?"))
        }
    }

    @Test("Percent-encoding goes both ways") func percentEncoding() {
        let text = "a/b?c=d&e ü%\u{0}\u{7F}~"
        #expect(PercentEncoding.decode(PercentEncoding.encode(text)) == text)
        #expect(PercentEncoding.decode("a+b") == "a+b")
        for broken in ["%", "%1", "%g1", "%1g", "%c3", "%ed%a0%80"] { #expect(PercentEncoding.decode(broken) == nil) }
    }
}

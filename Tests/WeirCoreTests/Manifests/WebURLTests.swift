import Testing
import WeirCore

@Suite("WebURL") struct WebURLTests {
    @Test(
        "A URL keeps its meaning and its percent-encoding",
        arguments: [
            ("http://example.com", "http://example.com/"),
            ("  HTTPS://Example.COM:443/A%2fb/%E4?x=%2F#frag ", "https://example.com/A%2fb/%E4?x=%2F"),
            ("http://example.com:8080?x", "http://example.com:8080/?x"),
            ("http://[2001:DB8::1]:81/a", "http://[2001:db8::1]:81/a"),
            ("http://example.com:/a/./b/../c", "http://example.com/a/c"),
            ("http://example.com/my file|1.ts", "http://example.com/my%20file%7C1.ts"),
            ("http://example.com/tö?ö", "http://example.com/t%C3%B6?%C3%B6"),
            ("http://example.com/100%.ts?", "http://example.com/100%.ts?"),
            ("http://a_b-c.example.com./x", "http://a_b-c.example.com./x"),
            ("http://127.0.0.1//a", "http://127.0.0.1//a"),
        ]
    ) func parses(text: String, expected: String) throws {
        let url = try WebURL(parsing: text)
        #expect(url.description == expected)
        #expect(WebURL(expected) == url)
    }

    @Test(
        "What cannot be fetched is refused with a reason",
        arguments: [
            ("", WebURLRefusal.empty), ("  ", .empty), ("/a/b.m3u8", .notAbsolute), ("example.com/x", .notAbsolute),
            ("localhost:8080/x", .notAbsolute), ("http:/x", .notAbsolute), ("ftp://h/x", .scheme("ftp")),
            ("file:///etc/passwd", .scheme("file")), ("data:,x", .scheme("data")), ("http://", .noHost),
            ("http:///x", .noHost), ("http://:80/", .noHost), ("http://h:0/", .port), ("http://h:65536/", .port),
            ("http://h:8a/", .port), ("http://h:99999999999999999999999/", .port),
            ("http://user:pass@h/", .userInformation), ("http://h/a\r\nX: y", .controlCharacter),
            ("http://h/\0", .controlCharacter), ("http://h o/", .host("h o")), ("http://127.1/", .host("127.1")),
            ("http://0x7f000001/", .host("0x7f000001")), ("http://2130706433/", .host("2130706433")),
            ("http://010.0.0.1/", .host("010.0.0.1")), ("http://[::1/", .host("[::1")),
            ("http://[::g]/", .host("[::g]")),
            ("http://[fe80::1%25eth0]/", .host("[fe80::1%25eth0]")), ("http://[::1]x/", .host("[::1]x")),
            ("http://a..b/", .host("a..b")), ("http://h%61/", .host("h%61")), ("http://h\\@x/", .userInformation),
        ]
    ) func refuses(text: String, reason: WebURLRefusal) {
        #expect(throws: reason) { try WebURL(parsing: text) }
        #expect(!reason.description.contains("\n"))
    }

    @Test("A URL longer than servers take is refused, not cut") func tooLong() {
        #expect(throws: WebURLRefusal.tooLong) {
            try WebURL(parsing: "http://h/" + String(repeating: "a", count: WebURL.maximumByteCount))
        }
        // Encoding makes it three times as long.
        #expect(throws: WebURLRefusal.tooLong) {
            try WebURL(parsing: "http://h/" + String(repeating: " ", count: 4000) + "a")
        }
    }

    /// The examples of RFC 3986 5.4, but for those with other schemes; fragments are dropped.
    @Test(
        "References resolve as RFC 3986 5.4 says",
        arguments: [
            ("g", "http://a/b/c/g"), ("./g", "http://a/b/c/g"), ("g/", "http://a/b/c/g/"), ("/g", "http://a/g"),
            ("//g", "http://g/"), ("?y", "http://a/b/c/d;p?y"), ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g#s", "http://a/b/c/g"), ("g?y#s", "http://a/b/c/g?y"), (";x", "http://a/b/c/;x"),
            ("g;x?y#s", "http://a/b/c/g;x?y"), ("", "http://a/b/c/d;p?q"), (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"), ("../", "http://a/b/"), ("../g", "http://a/b/g"), ("../..", "http://a/"),
            ("../../", "http://a/"), ("../../g", "http://a/g"), ("../../../g", "http://a/g"),
            ("../../../../g", "http://a/g"), ("/./g", "http://a/g"), ("/../g", "http://a/g"), ("g.", "http://a/b/c/g."),
            (".g", "http://a/b/c/.g"), ("g..", "http://a/b/c/g.."), ("..g", "http://a/b/c/..g"),
            ("./../g", "http://a/b/g"), ("./g/.", "http://a/b/c/g/"), ("g/./h", "http://a/b/c/g/h"),
            ("g/../h", "http://a/b/c/h"), ("g;x=1/./y", "http://a/b/c/g;x=1/y"), ("g;x=1/../y", "http://a/b/c/y"),
            ("g?y/./x", "http://a/b/c/g?y/./x"), ("g?y/../x", "http://a/b/c/g?y/../x"), ("https://x/y", "https://x/y"),
            ("12:30.ts", "http://a/b/c/12:30.ts"), ("  g\t", "http://a/b/c/g"), ("a b", "http://a/b/c/a%20b"),
        ]
    ) func resolves(reference: String, expected: String) throws {
        let base = try #require(WebURL("http://a/b/c/d;p?q"))
        #expect(base.resolve(reference)?.description == expected)
    }

    @Test(
        "References that weir cannot fetch resolve to nothing",
        arguments: [
            "data:,x", "file:///x", "skd://x", "http:g", "g:h", "//", "//user@h/", "http://", "a\nb", "a\u{7F}",
        ]
    ) func unresolvable(reference: String) throws {
        let base = try #require(WebURL("http://a/b/c/d"))
        #expect(base.resolve(reference) == nil)
    }

    @Test("Parts of a URL are what their names say") func parts() throws {
        let url = try #require(WebURL("https://CDN.example.com:8443/live/one.m3u8?token=secret&channel=5&a=1"))
        #expect(url.withoutQuery.description == "https://cdn.example.com:8443/live/one.m3u8")
        #expect(url.lastPathPart == "one.m3u8")
        #expect(url.directory == "/live/")
        #expect(url.originKey == "https://cdn.example.com:8443")
        #expect(WebURL("http://[::1]/")?.originKey == "http://[::1]:80")
        #expect(WebURL("http://h/a/")?.lastPathPart == "")
        #expect(url.normalisedForSwarm() == "cdn.example.com:8443/live/one.m3u8")
        #expect(
            url.normalisedForSwarm(keepingQueryKeys: ["channel", "a", "none"])
                == "cdn.example.com:8443/live/one.m3u8?a=1&channel=5"
        )
        #expect(url.normalisedForSwarm(keepingQueryKeys: ["none"]) == "cdn.example.com:8443/live/one.m3u8")
    }

    @Test("A path of many dot segments takes one pass") func manyDotSegments() throws {
        let base = try #require(WebURL("http://h/"))
        let deep = String(repeating: "a/", count: 1300) + String(repeating: "../", count: 1300) + "x"
        #expect(base.resolve(deep)?.description == "http://h/x")
    }
}

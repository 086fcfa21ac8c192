import Testing
import WeirCore

@Suite("Low latency playlists") struct LowLatencyTests {
    private let base = "https://origin.example.com/tv/one/"
    private let head = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-VERSION:9\n"
    private let server = "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1,CAN-SKIP-UNTIL=12\n"

    @Test("Parts belong to the segment that follows them, and the hint to the one that comes") func parts() throws {
        let list = try PlaylistFixture.media("low-latency").lowLatency
        #expect(list.parts.map(\.sequence) == [267, 267, 268])
        #expect(list.parts.map(\.index) == [0, 1, 0])
        #expect(list.parts.map(\.url.description) == ["267.a", "267.b", "268.a"].map { "\(base)filePart\($0).mp4" })
        #expect(list.hint?.sequence == 268 && list.hint?.index == 1)
        #expect(list.hint?.url.description == "\(base)filePart268.b.mp4")
        #expect(
            list.partTarget == Duration(nanoseconds: 333_340_000) && list.canBlockReload
                && list.skipUntil == .seconds(24)
        )
        #expect(list.hint?.duration == list.partTarget)
    }

    @Test("Parts, hint and reports get local addresses") func rewriting() throws {
        let result = text(try PlaylistFixture.media("low-latency").rewritten { "/\($0)" })
        #expect(result.contains("#EXT-X-PART:DURATION=0.33334,URI=\"/part(1)\",INDEPENDENT=YES\n"))
        #expect(result.contains("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"/hint\"\n"))
        #expect(result.contains("#EXT-X-RENDITION-REPORT:URI=\"/report(0)\",LAST-MSN=267,LAST-PART=2"))
        #expect(result.contains("CAN-BLOCK-RELOAD=YES"))
    }

    @Test("Parts that are ranges follow each other; a hint without an end is left out") func ranges() throws {
        let content =
            head + server + "#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-PART:DURATION=1,URI=\"s.mp4\",BYTERANGE=\"100@0\"\n"
            + "#EXT-X-PART:DURATION=1,URI=\"s.mp4\",BYTERANGE=\"50\"\n"
            + "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"s.mp4\",BYTERANGE-START=150\n"
        let playlist = try parseMedia(content)
        #expect(
            playlist.lowLatency.parts.map(\.byteRange) == [
                ByteRange(offset: 0, length: 100), ByteRange(offset: 100, length: 50),
            ]
        )
        #expect(playlist.lowLatency.hint == nil)
        let result = text(playlist.rewritten { "/\($0)" })
        #expect(!result.contains("PRELOAD-HINT") && !result.contains("BYTERANGE="))
    }

    @Test(
        "F28 Parts without a part target, hints of nothing and odd attributes do no harm",
        arguments: [
            "#EXT-X-PART:DURATION=1,URI=\"a\"\n", "#EXT-X-PART-INF:PART-TARGET=0\n#EXT-X-PART:DURATION=x,URI=\"a\"\n",
            "#EXT-X-PART-INF:PART-TARGET=-1\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"a\"\n",
        ]
    ) func withoutTarget(tags: String) throws {
        let playlist = try parseMedia(head + tags + "#EXTINF:4,\nb.mp4\n")
        #expect(playlist.lowLatency.parts.isEmpty && playlist.lowLatency.hint == nil)
        let result = text(playlist.rewritten { "/\($0)" })
        #expect(!result.contains("EXT-X-PART:") && !result.contains("HINT"))
    }

    @Test("A list says what it has, and what comes next") func satisfaction() throws {
        let playlist = try PlaylistFixture.media("low-latency")
        #expect(playlist.nextPlace == (268, 1))
        #expect(playlist.satisfies(DeliveryDirectives(sequence: 267)))
        #expect(playlist.satisfies(DeliveryDirectives(sequence: 268, part: 0)))
        #expect(!playlist.satisfies(DeliveryDirectives(sequence: 268, part: 1)))
        #expect(!playlist.satisfies(DeliveryDirectives(sequence: 268)))
    }

    @Test("Directives are read from a target and written into a URL") func directives() throws {
        #expect(
            DeliveryDirectives(target: "/s/a/b/index.m3u8?_HLS_msn=12&_HLS_part=3&_HLS_skip=YES")
                == DeliveryDirectives(sequence: 12, part: 3, skips: true)
        )
        for target in ["/a", "/a?", "/a?_HLS_msn=x", "/a?_HLS_msn=-1", "/a?_HLS_part=2", "/a?_HLS_skip=no"] {
            #expect(DeliveryDirectives(target: target) == nil)
        }
        let url = try WebURL(parsing: "http://o.example/a.m3u8?token=1")
        #expect(
            DeliveryDirectives(sequence: 12, part: 3).added(to: url).description
                == "http://o.example/a.m3u8?token=1&_HLS_msn=12&_HLS_part=3"
        )
    }

    @Test("A local path names a part") func path() throws {
        let path = LocalPath.part(StreamID("abc"), RenditionKey(7), number: 266, part: 3, suffix: "mp4")
        #expect(path.text == "/s/abc/0000000000000007/266.3.mp4")
        #expect(LocalPath(target: path.text) == path)
        for target in ["/s/abc/0000000000000007/266.03.mp4", "/s/abc/0000000000000007/266.3.exe"] {
            #expect(LocalPath(target: target) == nil)
        }
    }
}

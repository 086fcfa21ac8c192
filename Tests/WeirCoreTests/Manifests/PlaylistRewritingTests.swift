import Testing
import WeirCore

@Suite("Rewriting") struct PlaylistRewritingTests {
    /// What stands in a playlist's place after rewriting.
    private func rewritten(_ content: String, _ local: (HLSReference) -> String?) throws -> String {
        text(try parseMedia(content).rewritten(local))
    }

    private let head = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"
    private let base = "https://origin.example.com/tv/one/"

    @Test("Local addresses take the byte ranges' place") func byteRanges() throws {
        let playlist = try PlaylistFixture.media("byterange")
        let result = text(playlist.rewritten { "/\($0)" })
        #expect(!result.contains("BYTERANGE"))
        #expect(result.contains("#EXT-X-MAP:URI=\"/map(0)\"\n#EXTINF:9.97667,\n/segment(0)\n"))
        #expect(result.contains("#EXTINF:9.97667,\n/segment(1)\n#EXTINF:9.97667,\n/segment(2)\n"))
    }

    @Test("Without a local address the byte range stays and the URI becomes absolute") func absoluteRanges() throws {
        let playlist = try PlaylistFixture.media("byterange")
        let result = text(playlist.rewritten { $0 == .segment(1) ? "/1" : nil })
        #expect(result.contains("#EXT-X-MAP:URI=\"\(base)main.mp4\",BYTERANGE=\"1118@0\"\n"))
        #expect(
            result.contains(
                "#EXT-X-BYTERANGE:326744@1118\n\(base)main.mp4\n#EXTINF:9.97667,\n/1\n#EXT-X-BYTERANGE:327120\n"
            )
        )
    }

    @Test("A byte range with other tags before its URI is still that segment's") func distantRange() throws {
        let content =
            head
            + "#EXTINF:4,\n#EXT-X-BYTERANGE:5@0\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXT-X-MAP:URI=\"i\",BYTERANGE=\"1@0\",X=1\na\n"
        var asked: [HLSReference] = []
        let result = try rewritten(content) { reference in
            asked.append(reference)
            return "/\(reference)"
        }
        #expect(
            result == head
                + "#EXTINF:4,\n#EXT-X-KEY:METHOD=AES-128,URI=\"/key(0)\"\n#EXT-X-MAP:URI=\"/map(0)\",X=1\n/segment(0)\n"
        )
        #expect(asked == [.segment(0), .key(0), .map(0)])
    }

    @Test(
        "An attribute is removed with one comma",
        arguments: [
            ("BYTERANGE=\"1@0\",URI=\"i\"", "URI=\"/map(0)\""), ("URI=\"i\",BYTERANGE=\"1@0\"", "URI=\"/map(0)\""),
            ("URI=\"i\", BYTERANGE=\"1@0\" ,X=\"a,b\"", "URI=\"/map(0)\" ,X=\"a,b\""),
            ("X=1,BYTERANGE=1@0,URI=i", "X=1,URI=\"/map(0)\""),
        ]
    ) func removal(before: String, after: String) throws {
        #expect(
            try rewritten(head + "#EXT-X-MAP:\(before)\n#EXTINF:4,\na\n") { "/\($0)" } == head
                + "#EXT-X-MAP:\(after)\n#EXTINF:4,\n/segment(0)\n"
        )
    }

    @Test("CRLF endings, blanks and a missing last newline are kept") func endings() throws {
        let crlf = text(try PlaylistFixture.media("crlf").rewritten { "/\($0)" })
        #expect(
            crlf
                == "#EXTM3U\r\n#EXT-X-VERSION:3\r\n#EXT-X-TARGETDURATION:4\r\n\r\n#EXTINF:4.0,\r\n/segment(0)\r\n#EXTINF:4.0,\r\n/segment(1)  \r\n#EXT-X-ENDLIST\r\n"
        )
        let unusual = text(try PlaylistFixture.media("unusual").rewritten { "/\($0)" })
        #expect(unusual.hasSuffix("#EXTVLCOPT:network-caching=1000\n  indented.ts\n#EXTINF:3,\n/segment(2)"))
        #expect(unusual.contains("#EXT-X-FUTURE-TAG:URI=\"other/relative.bin\",X=1\n\n   \n"))
        #expect(try PlaylistFixture.media("bom").rewritten { _ in nil }.starts(with: [0xEF, 0xBB, 0xBF]))
    }

    @Test("Absolute URIs are kept byte for byte when weir does not serve them") func absolute() throws {
        let content =
            head
            + "#EXT-X-KEY:METHOD=AES-128,URI=\"HTTP://Host.example.com:80/k#f\"\n#EXTINF:4,\nhttp://Host.example.com/../a b.ts\n"
        #expect(try rewritten(content) { _ in nil } == content)
    }

    @Test("Unquoted URIs get their quotes, broken ones are left alone") func quoting() throws {
        #expect(
            try rewritten(head + "#EXT-X-KEY:METHOD=AES-128,URI=k,IV=0x1\n#EXTINF:4,\na\n") { "/\($0)" } == head
                + "#EXT-X-KEY:METHOD=AES-128,URI=\"/key(0)\",IV=0x1\n#EXTINF:4,\n/segment(0)\n"
        )
        let broken = "#EXT-X-KEY:METHOD=AES-128,URI=\"k\n"
        #expect(
            try rewritten(head + broken + "#EXTINF:4,\na\n") { "/\($0)" } == head + broken + "#EXTINF:4,\n/segment(0)\n"
        )
    }
}

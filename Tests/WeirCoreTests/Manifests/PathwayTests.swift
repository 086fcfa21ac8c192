import Testing
import WeirCore

@Suite("Pathways") struct PathwayTests {
    @Test("A rendition has one key in all pathways, whichever is listed first, and others have other keys")
    func keys() throws {
        let keys = try PlaylistFixture.multivariant("steering").renditionKeys()
        #expect(keys.variants[0] == keys.variants[3] && keys.variants[1] == keys.variants[2])
        #expect(keys.variants[0] != keys.variants[1])
        #expect(keys.renditions[0] == keys.renditions[1])
        #expect(keys.iFrameStreams[0] == keys.iFrameStreams[1])
        #expect(Set(keys.variants + keys.renditions.compactMap { $0 } + keys.iFrameStreams).count == 4)

        // Another viewer is sent to pathway A first, and its list is in another order.
        let lines = text(try PlaylistFixture.bytes("steering")).split(separator: "\n")
        let other = [Array(lines[0..<3]), Array(lines[9..<13]), Array(lines[3..<9])].flatMap { $0 }
        guard
            case .multivariant(let list) = try HLSPlaylist.parse(
                Array((other.joined(separator: "\n") + "\n").utf8),
                url: PlaylistFixture.url("steering"),
                limits: Limits()
            )
        else { throw PlaylistFixture.UnexpectedKind() }
        let others = list.renditionKeys()
        #expect(others.variants == [keys.variants[2], keys.variants[3], keys.variants[0], keys.variants[1]])
        #expect(others.renditions == keys.renditions)
    }

    @Test("The player gets no steering server; pathways keep their tags, and pictures their address")
    func rewriting() throws {
        let list = try PlaylistFixture.multivariant("steering")
        #expect(list.steering?.server?.description == "https://origin.example.com/steer?video=12")
        #expect(list.steering?.pathways == ["B"])
        let result = text(list.rewritten { if case .imageStream = $0 { nil } else { "/\($0)" } })
        #expect(!result.contains("EXT-X-CONTENT-STEERING"))
        #expect(result.contains("PATHWAY-ID=\"B\",STABLE-VARIANT-ID=\"high\"\n/variant(0)\n"))
        #expect(result.contains("CODECS=\"jpeg\",URI=\"https://origin.example.com/tv/one/thumbs.m3u8\"\n"))
        #expect(result.split(separator: "\n").count == 15)
    }

    @Test("Initialisation sections have one name wherever their playlist is, and two where only queries differ")
    func initialisation() throws {
        func names(_ text: String, at url: String) throws -> [SegmentID] {
            let list = try parseMedia(Array(text.utf8), url: #require(WebURL(url)))
            return list.maps.indices.map { list.mapID(at: $0, of: .main) }
        }
        let plain = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:URI=\"../init.mp4\"\n#EXTINF:4,\na.m4s\n"
        #expect(
            try names(plain, at: "http://a.example/x/v/1.m3u8") == names(plain, at: "http://b.example/y/z/tok/1.m3u8")
        )
        let tokens = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:URI=\"i.mp4?t=1\"\n#EXTINF:4,\na.m4s\n"
        let other = tokens.replacing("t=1", with: "t=2")
        #expect(try names(tokens, at: "http://a.example/1.m3u8") == names(other, at: "http://a.example/1.m3u8"))
        let two = tokens + "#EXT-X-MAP:URI=\"i.mp4?t=2\"\n#EXTINF:4,\nb.m4s\n#EXT-X-MAP:URI=\"i.mp4?t=1\"\n"
        let three = try names(two, at: "http://a.example/1.m3u8")
        #expect(three[0] == three[2] && three[0] != three[1])
    }
}

import Testing
import WeirCore

@Suite("Variables (EXT-X-DEFINE)") struct PlaylistVariablesTests {
    private let head = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"
    private let base = "https://origin.example.com/tv/one/"

    /// The fixture as the fixture's multivariant list names it.
    private func imported() throws -> MediaPlaylist {
        let master = HLSPlaylist.multivariant(try PlaylistFixture.multivariant("define-master"))
        let playlist = try HLSPlaylist.parse(
            PlaylistFixture.bytes("define"),
            url: PlaylistFixture.url("define"),
            limits: Limits(),
            importing: master.variables
        )
        guard case .media(let media) = playlist else { throw PlaylistFixture.UnexpectedKind() }
        return media
    }

    @Test("Values come from the list, from the list above and from the query; all URIs have them") func values() throws
    {
        let playlist = try imported()
        #expect(
            playlist.segments.map(\.url.description) == [
                "https://media.example.com/vod/7/0.m4s?s=42&token=a%2Fb~c", "\(base)local-42.m4s",
                "\(base)%7B$not%20closed%20and%20%7B$%7D%20are%20text.m4s",
            ]
        )
        #expect(playlist.keys.map { $0.url?.description } == ["https://media.example.com/vod/7/key?token=a%2Fb~c"])
        #expect(playlist.maps.map(\.url.description) == ["https://media.example.com/vod/7/init.mp4"])
        #expect(playlist.maps.first?.byteRange == ByteRange(offset: 0, length: 720))
    }

    @Test("The player's list needs neither the list above nor the query; what is not ours keeps its references")
    func rewritten() throws {
        let expected = text(try PlaylistFixture.bytes("define"))
            .replacing("QUERYPARAM=\"session\"", with: "NAME=\"session\",VALUE=\"42\"")
            .replacing("IMPORT=\"auth\"", with: "NAME=\"auth\",VALUE=\"token=a%2Fb~c\"")
            .replacing("{$root}/key?{$auth}", with: "/key(0)")
            .replacing("\"{$root}/init.mp4\",BYTERANGE=\"{$map-range}\"", with: "\"/map(0)\"")
            .replacing("{$root}/0.m4s?s={$session}&{$auth}", with: "/segment(0)")
            .replacing("local-{$session}.m4s", with: "/segment(1)")
            .replacing("{$not closed and {$} are text.m4s", with: "/segment(2)")
        #expect(text(try imported().rewritten { "/\($0)" }) == expected)
    }

    @Test("What weir does not serve is written out") func absolute() throws {
        let result = text(try imported().rewritten { _ in nil })
        #expect(result.contains("\nhttps://media.example.com/vod/7/0.m4s?s=42&token=a%2Fb~c\n"))
        #expect(result.contains("URI=\"https://media.example.com/vod/7/init.mp4\",BYTERANGE=\"{$map-range}\""))
        let host = head + "#EXT-X-DEFINE:NAME=\"h\",VALUE=\"cdn\"\n#EXTINF:4,\nhttp://{$h}.example.com/a.ts\n"
        #expect(text(try parseMedia(host).rewritten { _ in nil }).hasSuffix("\nhttp://cdn.example.com/a.ts\n"))
    }

    @Test("A multivariant list's own references are replaced, and its attributes read, with their values")
    func multivariant() throws {
        let playlist = try PlaylistFixture.multivariant("define-master")
        #expect(playlist.variants.map(\.url.description) == ["\(base)define.m3u8?session=42&token=a%2Fb~c"])
        #expect(playlist.renditions.map(\.language) == ["en"])
        #expect(playlist.renditions.map { $0.url?.description } == ["\(base)audio-en.m3u8?token=a%2Fb~c"])
        let result = text(playlist.rewritten { "/\($0)" })
        #expect(result.contains("#EXT-X-DEFINE:NAME=\"session\",VALUE=\"42\"\n"))
        #expect(result.contains("DATA-ID=\"com.example.{$lang}\",VALUE=\"{$session}\""))
        #expect(result.hasSuffix("AUDIO=\"a\"\n/variant(0)\n"))
    }

    @Test("A URI of ours that refers to nothing is refused; elsewhere that is the player's business")
    func undefined() {
        let define = head + "#EXT-X-DEFINE:NAME=\"t\",VALUE=\"1\"\n"
        #expect(
            playlistRefusal(define + "#EXTINF:4,\na.ts?t={$u}\n")
                == .malformed(line: 5, reason: "the variable \"u\" is not defined")
        )
        #expect(playlistRefusal(define + "#EXT-X-DATERANGE:ID=\"{$u}\"\n#EXTINF:4,{$u}\na.ts\n") == nil)
        #expect(playlistRefusal(head + "#EXT-X-DEFINE:IMPORT=\"t\"\n#EXTINF:4,\na{$t}.ts\n") != nil)
        #expect(playlistRefusal(head + "#EXT-X-DEFINE:QUERYPARAM=\"other\"\n#EXTINF:4,\na{$other}.ts\n") != nil)
        // Without any definition it is plain text, as it was before there were variables.
        #expect(playlistRefusal(head + "#EXTINF:4,\na{$t}.ts\n") == nil)
    }

    @Test("One variable cannot have two values, and values are not searched again") func once() throws {
        let first = "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"{$b}\"\n#EXT-X-DEFINE:NAME=\"b\",VALUE=\"x\"\n"
        #expect(
            try parseMedia(head + first + "#EXTINF:4,\n{$a}.ts\n").segments[0].url.path == "/tv/one/%7B$b%7D.ts"
        )
        #expect(
            playlistRefusal(head + first + "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"y\"\n#EXTINF:4,\na.ts\n")
                == .malformed(line: 5, reason: "EXT-X-DEFINE gives one variable two values")
        )
    }

    @Test("F21 A query cannot smuggle quotes or line breaks into the player's list", arguments: ["%22", "%0A", "%0d"])
    func smuggling(byte: String) throws {
        let url = try #require(WebURL("https://example.com/a.m3u8?q=1\(byte)URI=x"))
        let content = head + "#EXT-X-DEFINE:QUERYPARAM=\"q\"\n#EXTINF:4,\na.ts\n"
        let playlist = try parseMedia(Array(content.utf8), url: url)
        #expect(text(playlist.rewritten { _ in nil }) == content.replacing("a.ts", with: "https://example.com/a.ts"))
    }

    @Test("F20 Variables multiply nothing beyond a limit", .timeLimit(.minutes(10))) func multiplication() {
        let value = String(repeating: "v", count: 8000)
        let define = head + "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"\(value)\"\n"
        let many = define + String(repeating: "#EXTINF:1,\n{$a}\n", count: 100_000)
        #expect(playlistRefusal(many) == .tooLarge(limit: Limits().manifestBytes))
        // One URI of a thousand references is longer than any URL.
        let long = define + "#EXTINF:1,\n" + String(repeating: "{$a}", count: 1000) + "\n"
        #expect(playlistRefusal(long) == nil)
        let definitions = (0..<2000).map { "#EXT-X-DEFINE:NAME=\"v\($0)\",VALUE=\"1\"\n" }.joined()
        #expect(playlistRefusal(head + definitions) != nil)
    }
}

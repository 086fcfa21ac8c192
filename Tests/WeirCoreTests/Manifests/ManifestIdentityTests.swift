import Testing
import WeirCore

@Suite("Names that agents agree on") struct ManifestIdentityTests {
    private func url(_ text: String) throws -> WebURL { try #require(WebURL(text)) }

    @Test("A swarm is the same whatever the scheme and the token") func swarm() throws {
        let id = SwarmID.derive(url: try url("https://example.com/live/one.m3u8?token=1"), name: nil)
        #expect(id == SwarmID.derive(url: try url("HTTP://EXAMPLE.com:80/live/one.m3u8?token=2"), name: nil))
        #expect(id != SwarmID.derive(url: try url("http://example.com:81/live/one.m3u8"), name: nil))
        #expect(id != SwarmID.derive(url: try url("http://example.com/live/two.m3u8"), name: nil))
        // printf 'weir1|example.com/live/one.m3u8' | sha256sum
        #expect(id.description == "a7af1adb880ec753982f2705daf165fd7976fac2")
    }

    @Test("A named swarm depends on its name only") func namedSwarm() throws {
        let id = SwarmID.derive(url: try url("http://a/x"), name: "tv")
        #expect(id == SwarmID.derive(url: try url("http://b/y"), name: "tv"))
        #expect(id != SwarmID.derive(url: try url("http://a/x"), name: "tv2"))
        #expect(id.description == "25d2fa66006d7bbd4fd225ba50f8e3f02b352c4f")
    }

    @Test("Kept query parameters tell swarms apart") func keptParameters() throws {
        let one = try url("http://a/x?channel=1&token=7")
        let two = try url("http://a/x?token=8&channel=2")
        #expect(SwarmID.derive(url: one, name: nil) == SwarmID.derive(url: two, name: nil))
        #expect(
            SwarmID.derive(url: one, name: nil, keepingQueryKeys: ["channel"])
                != SwarmID.derive(url: two, name: nil, keepingQueryKeys: ["channel"])
        )
    }

    @Test("A stream's name is ten characters of the whole URL") func stream() throws {
        let id = StreamID.derive(url: try url("https://example.com/live/one.m3u8?token=1"))
        #expect(id.text == "5otjsumqqg")
        #expect(id != StreamID.derive(url: try url("https://example.com/live/one.m3u8?token=2")))
        #expect(LocalPath(target: LocalPath.master(id).text) == .master(id))
    }

    @Test("A rendition's key depends on the way from one playlist to the other only") func rendition() throws {
        let key = RenditionKey.derive(
            playlist: try url("https://a/tv/one/low/index.m3u8?t=1"),
            multivariant: try url("https://a/tv/one/master.m3u8")
        )
        #expect(
            key
                == RenditionKey.derive(
                    playlist: try url("http://cdn/token9/one/low/index.m3u8"),
                    multivariant: try url("http://cdn/token9/one/x?y")
                )
        )
        #expect(key.padded == "155689383c795b90")
        let parent = RenditionKey.derive(
            playlist: try url("https://a/tv/audio.m3u8"),
            multivariant: try url("https://a/tv/one/m")
        )
        #expect(
            parent
                == RenditionKey.derive(
                    playlist: try url("https://b/x/audio.m3u8"),
                    multivariant: try url("https://b/x/y/m")
                )
        )
        #expect(
            parent
                != RenditionKey.derive(
                    playlist: try url("https://a/tv/one/audio.m3u8"),
                    multivariant: try url("https://a/tv/one/m")
                )
        )
        #expect(RenditionKey.main.padded == "c1273bd7b2c35b72")
    }

    @Test("Renditions of one list have keys of their own") func renditionKeys() throws {
        let keys = try PlaylistFixture.multivariant("master").renditionKeys()
        let all = keys.variants + keys.renditions.compactMap { $0 } + keys.iFrameStreams
        #expect(Set(all).count == 7 && all.count == 7)
        #expect(keys.renditions.map { $0 == nil } == [false, false, true, false, true])
    }

    @Test("Variants that differ in the query only are told apart, the second CDN's is the same") func queries() throws {
        let playlist = try PlaylistFixture.multivariant("master-queries")
        let keys = playlist.renditionKeys().variants
        #expect(keys[0] != keys[1])
        // The first comer's session id does not show.
        let other = text(try PlaylistFixture.bytes("master-queries")).replacing("8a1f", with: "ffff")
        guard
            case .multivariant(let second) = try HLSPlaylist.parse(
                Array(other.utf8),
                url: playlist.url,
                limits: Limits()
            )
        else { throw PlaylistFixture.UnexpectedKind() }
        #expect(second.renditionKeys().variants == keys)
    }

    @Test("Segment names carry number and range") func segments() throws {
        let playlist = try PlaylistFixture.media("byterange")
        let id = playlist.segmentID(at: 1, of: .main)
        #expect(
            id
                == SegmentID(
                    rendition: .main,
                    kind: .media,
                    number: 2,
                    range: ByteRange(offset: 327_862, length: 326_368)
                )
        )
        let map = playlist.mapID(at: 0, of: .main)
        #expect(map.kind == .initialisation && map.range == ByteRange(offset: 0, length: 1118))
        // printf 'main.mp4|0+1118' | sha256sum
        #expect(RenditionKey(map.number).padded == "f81170265f69e15b")
    }

    @Test("An edition's name is the last path part's") func nameHash() throws {
        #expect(Edition.nameHash(of: try url("http://a/b/c.ts?x=1")) == Edition.nameHash(of: try url("https://d/c.ts")))
        #expect(Edition.nameHash(of: try url("http://a/b/c.ts")) != Edition.nameHash(of: try url("http://a/b/d.ts")))
    }

    @Test("A validator is the strong ETag, else Last-Modified") func validators() {
        let strong = HeaderField("etag", "\"abc\"")
        let weak = HeaderField("etag", "W/\"abc\"")
        let modified = HeaderField("last-modified", "Tue, 15 Nov 1994 12:45:26 GMT")
        #expect(Edition.validatorHash([]) == 0)
        #expect(Edition.validatorHash([weak]) == 0)
        #expect(Edition.validatorHash([HeaderField("etag", "abc")]) == 0)
        #expect(Edition.validatorHash([HeaderField("etag", "\"")]) == 0)
        #expect(Edition.validatorHash([strong]) != 0)
        #expect(Edition.validatorHash([modified, strong]) == Edition.validatorHash([strong]))
        #expect(Edition.validatorHash([weak, modified]) == Edition.validatorHash([modified]))
        #expect(Edition.validatorHash([modified]) != Edition.validatorHash([strong]))
    }

    @Test(
        "A local suffix is one that players accept",
        arguments: [
            ("a.ts", "ts"), ("a.TS", "ts"), ("a.m4s?x=.vtt", "m4s"), ("a.mp4", "mp4"), ("a.m4a", "m4a"),
            ("a.aac", "aac"),
            ("a.mp3", "mp3"), ("a.ac3", "ac3"), ("a.ec3", "ec3"), ("a.vtt", "vtt"), ("a.webvtt", "vtt"),
            ("a.cmfv", "m4s"),
            ("a.jpg", "ts"), ("a.php", "ts"), ("a", "ts"), ("a.", "ts"), ("a.b/c", "ts"),
            (".verylongsuffixindeed", "ts"),
        ]
    ) func suffixes(uri: String, suffix: String) throws {
        let playlist = try parseMedia("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n\(uri)\n")
        #expect(playlist.segments[0].suffix() == suffix)
        let mapped = try parseMedia("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:URI=\"i\"\n#EXTINF:1,\n\(uri)\n")
        #expect(
            mapped.segments[0].suffix(inSubtitles: true)
                == (suffix == "ts" && !uri.lowercased().hasSuffix(".ts") ? "m4s" : suffix)
        )
    }
}

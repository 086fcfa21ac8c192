import Testing
import WeirCore

/// What a multivariant playlist means, apart from how it is written.
private struct MultivariantMeaning: Equatable {
    var variants: [String] = []
    var renditions: [String] = []
    var others: [String] = []

    init(_ list: MultivariantPlaylist) {
        variants = list.variants.map {
            "\($0.url)|\($0.bandwidth)|\($0.codecs ?? "")|\($0.audio ?? "")|\($0.subtitles ?? "")|\($0.pathway)"
                + "|\($0.stableID ?? "")|\($0.resolution.map { "\($0.width)x\($0.height)" } ?? "")"
        }
        renditions = list.renditions.map {
            "\($0.type)|\($0.groupID)|\($0.name)|\($0.language ?? "")|\($0.url?.description ?? "")|\($0.stableID ?? "")"
        }
        others =
            list.iFrameStreams.map { "\($0.url)|\($0.bandwidth)|\($0.pathway)" }
            + list.sessionKeys.map { "\($0.method)|\($0.url?.description ?? "")" }
            + list.sessionData.map { "\($0.id)|\($0.url?.description ?? "")" }
    }
}

/// Writes random multivariant playlists, a line for each tag, and notes which lines weir owns something in.
private struct MultivariantWriter {
    var random: PlaylistRandom
    /// In order; `owned` is the URI text that a local address takes the place of.
    var lines: [(text: String, owned: String?, isDropped: Bool)] = []
    private var number = 0
    private let newline: String

    init(seed: UInt64) {
        random = PlaylistRandom(seed: seed)
        newline = random.chance(30) ? "\r\n" : "\n"
    }

    var text: String { lines.map(\.text).joined() }

    mutating func write() {
        add("#EXTM3U")
        if random.chance(30) { add("#EXT-X-DEFINE:NAME=\"d\",VALUE=\"dir\",X-OTHER=1") }
        // The first tag of a multivariant list decides what it is.
        writeVariant()
        for _ in 0..<Int.random(in: 0...12, using: &random) {
            switch Int.random(in: 0..<9, using: &random) {
            case 0: writeVariant()
            case 1: writeTag("#EXT-X-MEDIA", ["TYPE=AUDIO", "GROUP-ID=\"g\"", "NAME=\"a, b\"", "LANGUAGE=\"en\""])
            case 2: writeTag("#EXT-X-I-FRAME-STREAM-INF", ["BANDWIDTH=\(number)", "PATHWAY-ID=\"P\""])
            case 3: writeTag("#EXT-X-SESSION-KEY", ["METHOD=AES-128", "KEYFORMATVERSIONS=\"1\""])
            case 4: writeTag("#EXT-X-SESSION-DATA", ["DATA-ID=\"i.\(number)\"", "LANGUAGE=\"de\""])
            case 5: add("#EXT-X-CONTENT-STEERING:SERVER-URI=\"/s\",PATHWAY-ID=\"P\"", isDropped: true)
            case 6: add("#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"cc\",NAME=\"cc\",INSTREAM-ID=\"CC1\"")
            case 7: add("#EXT-X-FUTURE:URI=\"rel/\(number)\",X=\"{$d}\"")
            default: add(["", "# note", "#EXT-X-INDEPENDENT-SEGMENTS", "  "].randomElement(using: &random)!)
            }
        }
    }

    private mutating func add(_ line: String, owned: String? = nil, isDropped: Bool = false) {
        lines.append((line + newline, owned, isDropped))
    }

    private mutating func uri() -> String {
        number += 1
        return ["\(number).m3u8", "../\(number)?t=1,2", "/r/\(number)", "//c.example.com/\(number)", "q?\(number)"]
            .randomElement(using: &random)!
    }

    /// Attributes in any order, with blanks here and there.
    private mutating func writeTag(_ tag: String, _ attributes: [String]) {
        let uri = uri()
        let list = (attributes + ["URI=\"\(uri)\""]).shuffled(using: &random)
        add("\(tag):" + list.joined(separator: random.chance(20) ? ", " : ","), owned: uri)
    }

    private mutating func writeVariant() {
        var attributes = ["BANDWIDTH=\(Int.random(in: 1...9, using: &random))"]
        if random.chance(50) { attributes.append("CODECS=\"avc1.4d401e,mp4a.40.2\"") }
        if random.chance(40) { attributes.append("PATHWAY-ID=\"\(random.chance(50) ? "P" : "Q")\"") }
        if random.chance(40) { attributes.append("AUDIO=\"g\"") }
        if random.chance(40) { attributes.append("RESOLUTION=640x360") }
        add("#EXT-X-STREAM-INF:" + attributes.shuffled(using: &random).joined(separator: ","))
        if random.chance(20) { add("# between") }
        let uri = uri()
        add(uri, owned: uri)
    }
}

@Suite("Multivariant playlist properties") struct MultivariantPropertyTests {
    private let url = WebURL("http://example.com/a/b/master.m3u8")!
    private let elsewhere = WebURL("http://127.0.0.1:1/s/x/master.m3u8")!

    private func parse(_ bytes: [UInt8], at url: WebURL) throws -> MultivariantPlaylist {
        guard case .multivariant(let list) = try HLSPlaylist.parse(bytes, url: url, limits: Limits()) else {
            throw PlaylistFixture.UnexpectedKind()
        }
        return list
    }

    @Test("Rewriting changes nothing but URIs of weir's own and the steering tag", arguments: 0..<300 as Range<UInt64>)
    func identity(seed: UInt64) throws {
        var writer = MultivariantWriter(seed: seed)
        writer.write()
        let list = try parse(Array(writer.text.utf8), at: url)
        var asked: Set<HLSReference> = []
        let rewritten = list.rewritten { reference in
            #expect(asked.insert(reference).inserted)
            return "/local"
        }
        let expected = writer.lines.filter { !$0.isDropped }.map { line in
            line.owned.map { line.text.replacing($0, with: "/local") } ?? line.text
        }
        #expect(text(rewritten) == expected.joined())
        #expect(asked.count == writer.lines.count { $0.owned != nil })
    }

    @Test("A random list means the same when it is rewritten and read again", arguments: 0..<300 as Range<UInt64>)
    func meaning(seed: UInt64) throws {
        var writer = MultivariantWriter(seed: seed)
        writer.write()
        let list = try parse(Array(writer.text.utf8), at: url)
        let again = try parse(list.rewritten { _ in nil }, at: elsewhere)
        #expect(MultivariantMeaning(again) == MultivariantMeaning(list))
        // Keys go by what the tags say: twice the same list has twice the same.
        let keys = list.renditionKeys()
        #expect(keys.variants == list.renditionKeys().variants)
        #expect(keys.variants.count == list.variants.count && keys.renditions.count == list.renditions.count)
    }
}

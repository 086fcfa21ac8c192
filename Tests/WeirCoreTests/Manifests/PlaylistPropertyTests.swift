import Testing
import WeirCore

/// What a media playlist means, apart from how it is written.
private struct Meaning: Equatable {
    struct Segment: Equatable {
        var sequence: UInt64
        var url: String
        var duration: Duration
        var range: ByteRange?
        var map: String?
        var key: String?
        var dateTime: String?
        var discontinuity: Bool
        var gap: Bool
    }

    var segments: [Segment] = []
    var endList = false

    init() {}

    init(_ playlist: MediaPlaylist) {
        endList = playlist.endList
        segments = playlist.segments.map { segment in
            Segment(
                sequence: segment.sequence,
                url: segment.url.description,
                duration: segment.duration,
                range: segment.byteRange,
                map: segment.map.map { "\(playlist.maps[$0].url) \(playlist.maps[$0].byteRange?.length ?? -1)" },
                key: segment.key.flatMap { playlist.keys[$0].url?.description },
                dateTime: segment.programDateTime,
                discontinuity: segment.discontinuity,
                gap: segment.gap
            )
        }
    }
}

/// Writes a random media playlist and notes down what it means and which URI text each reference has.
private struct PlaylistWriter {
    var random: PlaylistRandom
    var text = ""
    var meaning = Meaning()
    var uris: [HLSReference: String] = [:]
    private let newline: String
    private let base = WebURL("http://example.com/a/b/list.m3u8?x=1")!
    private var map: String?
    private var key: String?
    private var counts = (maps: 0, keys: 0)
    private var previous: (uri: String, end: Int64)?
    /// Variables and their values; none in most lists.
    private var variables: [(name: String, value: String)] = []

    init(seed: UInt64) {
        random = PlaylistRandom(seed: seed)
        newline = random.chance(30) ? "\r\n" : "\n"
    }

    mutating func write() {
        let first = random.chance(50) ? 0 : UInt64.random(in: 0..<1 << 40, using: &random)
        line("#EXTM3U")
        line("#EXT-X-TARGETDURATION:6")
        if random.chance(40) { writeVariables() }
        if first > 0 || random.chance(50) { line("#EXT-X-MEDIA-SEQUENCE:\(first)") }
        for number in 0..<UInt64.random(in: 0...12, using: &random) { writeSegment(first + number) }
        meaning.endList = random.chance(50)
        if meaning.endList { line("#EXT-X-ENDLIST") }
        if random.chance(30) { text.removeLast(1) }
    }

    private mutating func line(_ content: String) {
        text += content + newline
        if random.chance(15) {
            let foreign = [
                "", "# note", "#EXT-X-UNKNOWN:URI=\"rel\"", "  ", "#EXT-X-BITRATE:900",
                "#EXT-X-START:TIME-OFFSET=-6,PRECISE=YES",
                "#EXT-X-DATERANGE:ID=\"a,b\",START-DATE=\"2026-02-19T14:54:27Z\",SCTE35-OUT=0xFC00,X-URI=\"rel\"",
                "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-CUE-OUT:8", "#EXT-X-DISCONTINUITY-SEQUENCE:4",
            ]
            text += foreign.randomElement(using: &random)! + newline
        }
    }

    private mutating func writeVariables() {
        variables = [("dir", "v/w"), ("cdn", "https://c.example.com/d"), ("x", "1"), ("n-1_Z", "{$dir}")]
        for (name, value) in variables {
            line("#EXT-X-DEFINE:" + (name == "x" ? "QUERYPARAM=\"x\"" : "VALUE=\"\(value)\",NAME=\"\(name)\""))
        }
    }

    /// What a URI stands for.
    private func resolved(_ text: String) -> String {
        var rest = text[...]
        var result = ""
        while let open = rest.firstRange(of: "{$"), let close = rest[open.upperBound...].firstIndex(of: "}") {
            let value = variables.first { $0.name == rest[open.upperBound..<close] }?.value
            result += rest[..<open.lowerBound] + (value ?? String(rest[open.lowerBound...close]))
            rest = rest[rest.index(after: close)...]
        }
        return base.resolve(result + rest)!.description
    }

    private mutating func uri() -> String {
        let name = "\(Int.random(in: 0..<1000, using: &random))"
        if !variables.isEmpty, random.chance(50) {
            let name = "{$\(variables.randomElement(using: &random)!.name)}\(name)"
            return ["{$cdn}/\(name)", "../{$dir}/\(name).ts", "a?t=\(name)"].randomElement(using: &random)!
        }
        return [
            "\(name).ts", "../\(name).m4s?t=1,2", "/r/\(name)", "//cdn.example.com/\(name).ts",
            "http://h.example.com/\(name)", "?s=\(name)", "a b\(name)",
        ]
        .randomElement(using: &random)!
    }

    private mutating func writeSegment(_ sequence: UInt64) {
        var segment = Meaning.Segment(
            sequence: sequence,
            url: "",
            duration: .zero,
            discontinuity: random.chance(10),
            gap: random.chance(5)
        )
        if random.chance(15) { writeMap() }
        if random.chance(15) { writeKey() }
        if segment.discontinuity { line("#EXT-X-DISCONTINUITY") }
        if segment.gap { line("#EXT-X-GAP") }
        if random.chance(20) {
            segment.dateTime = "2026-02-19T14:54:\(Int.random(in: 10..<60, using: &random)).5+08:00"
            line("#EXT-X-PROGRAM-DATE-TIME:\(segment.dateTime ?? "")")
        }
        let milliseconds = Int.random(in: 1...6000, using: &random)
        segment.duration = .milliseconds(milliseconds)
        line("#EXTINF:\(milliseconds / 1000).\(String(milliseconds % 1000 + 1000).dropFirst()),title")
        var text = uri()
        if random.chance(40) {
            if let previous, random.chance(60) { text = previous.uri }
            let length = Int64.random(in: 1...1_000_000, using: &random)
            let implied = previous.flatMap { $0.uri == text ? $0.end : nil }
            let offset = implied.flatMap { random.chance(50) ? $0 : nil }
            let start = offset ?? Int64.random(in: 0...1_000_000, using: &random)
            line("#EXT-X-BYTERANGE:\(length)" + (offset == nil ? "@\(start)" : ""))
            segment.range = ByteRange(offset: start, length: length)
            previous = (text, start + length)
        } else {
            previous = nil
        }
        uris[.segment(meaning.segments.count)] = text
        line(text)
        segment.url = resolved(text)
        segment.map = map
        segment.key = key
        meaning.segments.append(segment)
    }

    private mutating func writeMap() {
        let text = uri()
        line("#EXT-X-MAP:URI=\"\(text)\"")
        uris[.map(counts.maps)] = text
        counts.maps += 1
        map = resolved(text) + " -1"
    }

    private mutating func writeKey() {
        if random.chance(30) {
            line("#EXT-X-KEY:METHOD=NONE")
            key = nil
            return
        }
        let text = uri()
        line("#EXT-X-KEY:METHOD=AES-128,URI=\"\(text)\",IV=0x\(String(random.next(), radix: 16))")
        uris[.key(counts.keys)] = text
        counts.keys += 1
        key = resolved(text)
    }
}

@Suite("Playlist properties") struct PlaylistPropertyTests {
    private let url = WebURL("http://example.com/a/b/list.m3u8?x=1")!
    private let elsewhere = WebURL("http://127.0.0.1:1/s/x/y/index.m3u8")!

    @Test("A random playlist means what was written, rewritten or not", arguments: 0..<300 as Range<UInt64>)
    func meaning(seed: UInt64) throws {
        var writer = PlaylistWriter(seed: seed)
        writer.write()
        let playlist = try parseMedia(Array(writer.text.utf8), url: url)
        #expect(Meaning(playlist) == writer.meaning)

        let absolute = playlist.rewritten { _ in nil }
        #expect(try Meaning(parseMedia(absolute, url: elsewhere)) == writer.meaning)

        let urls = playlist.rewritten { reference in
            switch reference {
            case .segment(let index):
                playlist.segments[index].byteRange == nil ? playlist.segments[index].url.description : nil
            case .map(let index): playlist.maps[index].url.description
            case .key(let index): playlist.keys[index].url?.description
            default: nil
            }
        }
        #expect(try Meaning(parseMedia(urls, url: elsewhere)) == writer.meaning)
    }

    @Test("Rewriting with the very same texts changes nothing but the ranges", arguments: 0..<300 as Range<UInt64>)
    func identity(seed: UInt64) throws {
        var writer = PlaylistWriter(seed: seed)
        writer.write()
        let playlist = try parseMedia(Array(writer.text.utf8), url: url)
        var asked: Set<HLSReference> = []
        let same = playlist.rewritten { reference in
            #expect(asked.insert(reference).inserted)
            return writer.uris[reference]
        }
        #expect(asked == Set(writer.uris.keys))
        // Bytes, because a Character can be CR and LF together.
        let lines = Array(writer.text.utf8).split(separator: 0x0A, omittingEmptySubsequences: false)
        let kept = lines.filter { !$0.starts(with: "#EXT-X-BYTERANGE".utf8) }
        let expected = text(Array(kept.joined(separator: [0x0A])))
        #expect(text(same) == expected.replacing("QUERYPARAM=\"x\"", with: "NAME=\"x\",VALUE=\"1\""))
    }

    /// 20 seeds of 500 mutations.
    @Test("F21 Ten thousand random mutations never trap", arguments: 0..<20 as Range<UInt64>)
    func mutations(seed: UInt64) throws {
        var random = PlaylistRandom(seed: seed)
        let fixtures = try PlaylistFixture.names.map { try PlaylistFixture.bytes($0) }
        let tokens = [
            "\"", ",", "=", "\r", "\n", "\0", "@", "-", "9999999999999999999", "#EXT-X-MAP:", "URI=",
            "BYTERANGE=\"1@0\"", "..", "//", ":", "%", "\u{FEFF}", "#EXTINF:", "#EXT-X-BYTERANGE:5\n",
            "#EXT-X-STREAM-INF:\n", "#EXT-X-DEFINE:", "{$a}", "NAME=\"a\",VALUE=\"", "QUERYPARAM=\"x\"",
        ]
        for _ in 0..<500 {
            var bytes = fixtures.randomElement(using: &random)!
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let low = Int.random(in: 0...bytes.count, using: &random)
                let high = min(bytes.count, low + Int.random(in: 0...20, using: &random))
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes.replaceSubrange(low..<high, with: Array(tokens.randomElement(using: &random)!.utf8))
                case 1: bytes.removeSubrange(low..<high)
                case 2: bytes.insert(contentsOf: bytes[low..<high], at: Int.random(in: 0...bytes.count, using: &random))
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: low)
                }
            }
            survive(bytes)
        }
    }

    private func survive(_ bytes: [UInt8]) {
        guard let playlist = try? HLSPlaylist.parse(bytes, url: url, limits: Limits()) else { return }
        switch playlist {
        case .media(let media):
            _ = media.rewritten { "/\($0)" }
            _ = media.rewritten { _ in nil }
            for index in media.segments.indices {
                let segment = media.segments[index]
                _ = (media.segmentID(at: index, of: .main), segment.suffix(), segment.url, segment.programDateTime)
                #expect(segment.map.map { media.maps.indices.contains($0) } ?? true)
                #expect(segment.key.map { media.keys.indices.contains($0) } ?? true)
                #expect(media.index(ofSequence: segment.sequence) == index)
            }
            for index in media.maps.indices { _ = media.mapID(at: index, of: .main) }
            for key in media.keys { _ = key.url }
        case .multivariant(let multivariant):
            _ = multivariant.rewritten { "/\($0)" }
            _ = multivariant.rewritten { _ in nil }
            _ = multivariant.renditionKeys()
        }
    }
}

import Testing
import WeirCore

/// Writes `sidx` boxes as ISO/IEC 14496-12 has them.
enum IndexBox {
    struct Reference {
        var isIndex = false
        var size: UInt32
        var ticks: UInt32
    }

    static func bytes(
        timescale: UInt32,
        time: UInt64,
        offset: UInt64 = 0,
        version: UInt8 = 0,
        _ references: [Reference]
    )
        -> [UInt8]
    {
        var body: [UInt8] = [version, 0, 0, 0] + number(1, 4) + number(UInt64(timescale), 4)
        body += version == 0 ? number(time, 4) + number(offset, 4) : number(time, 8) + number(offset, 8)
        body += [0, 0] + number(UInt64(references.count), 2)
        for reference in references {
            body += number(UInt64(reference.size) | (reference.isIndex ? 1 << 31 : 0), 4)
            body += number(UInt64(reference.ticks), 4) + [0x90, 0, 0, 0]
        }
        return box("sidx", body)
    }

    static func box(_ type: String, _ body: [UInt8]) -> [UInt8] { number(UInt64(body.count + 8), 4) + type.utf8 + body }

    static func number(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
    }
}

@Suite struct SegmentIndexTests {
    private func reader(_ offset: Int64, _ length: Int) -> SegmentIndexReader {
        SegmentIndexReader(range: ByteRange(offset: offset, length: Int64(length)), limits: Limits())
    }

    @Test("Subsegments follow each other from the index's end", arguments: [UInt8(0), 1])
    func flat(version: UInt8) throws {
        let box = IndexBox.bytes(
            timescale: 1000,
            time: 250,
            offset: 10,
            version: version,
            [.init(size: 100, ticks: 2000), .init(size: 50, ticks: 1000)]
        )
        var index = reader(800, box.count)
        try index.add(box, at: 800)
        let first = 800 + Int64(box.count) + 10
        #expect(index.missing.isEmpty)
        #expect(index.timescale == 1000)
        #expect(
            index.subsegments.map(\.range) == [
                ByteRange(offset: first, length: 100), ByteRange(offset: first + 100, length: 50),
            ]
        )
        #expect(index.subsegments.map(\.time) == [250, 2250])
        #expect(index.subsegments.map(\.ticks) == [2000, 1000])
    }

    @Test("An index of indexes asks for what it has not seen, and keeps the order", arguments: [false, true])
    func hierarchy(isTogether: Bool) throws {
        let second = IndexBox.bytes(timescale: 500, time: 1000, [.init(size: 70, ticks: 500)])
        let first = IndexBox.bytes(
            timescale: 1000,
            time: 0,
            [.init(size: 30, ticks: 1000), .init(size: 40, ticks: 1000)]
        )
        let media = [UInt8](repeating: 0, count: 70)
        let firstPart = UInt32(first.count + media.count)
        let root = IndexBox.bytes(
            timescale: 1000,
            time: 0,
            [
                .init(isIndex: true, size: isTogether ? UInt32(first.count) : firstPart, ticks: 2000),
                .init(isIndex: true, size: UInt32(second.count) + 70, ticks: 1000),
            ]
        )
        var index = reader(0, root.count)
        if isTogether {
            // Offsets of media then lie behind all indexes, which these boxes do not say: only the order counts here.
            try index.add(root + first + second, at: 0)
        } else {
            try index.add(root, at: 0)
            #expect(index.subsegments.isEmpty)
            #expect(index.missing.map(\.offset) == [Int64(root.count), Int64(root.count) + Int64(firstPart)])
            try index.add(first, at: Int64(root.count))
            #expect(index.missing.count == 1)
            try index.add(second, at: Int64(root.count) + Int64(firstPart))
        }
        #expect(index.missing.isEmpty)
        #expect(index.subsegments.map(\.time) == [0, 1000, 2000])
        #expect(index.subsegments.map(\.ticks) == [1000, 1000, 1000])
    }

    @Test("F23 Bytes that are no index, or indexes that multiply, end in an error and not in a loop")
    func hostile() throws {
        var index = reader(0, 100)
        #expect(throws: SegmentIndexError.missing) { try index.add([UInt8](repeating: 0xFF, count: 100), at: 0) }
        #expect(throws: SegmentIndexError.missing) { try index.add(IndexBox.box("sidx", [0, 0]), at: 0) }
        // Each of them refers to all that follow.
        let count = 40
        let size = 32 + 12 * count
        var bytes: [UInt8] = []
        for place in 0..<count {
            let references = (0..<count).map { _ in IndexBox.Reference(isIndex: true, size: UInt32(size), ticks: 1) }
            bytes += IndexBox.bytes(timescale: 1, time: UInt64(place), references)
        }
        var bomb = reader(0, bytes.count)
        #expect(throws: SegmentIndexError.tooLarge) { try bomb.add(bytes, at: 0) }
    }

    @Test("A representation with an index becomes one with a timeline")
    func adopted() throws {
        var mpd = try MPDFixture.mpd("index")
        #expect(mpd.representations[0].index?.range == ByteRange(offset: 800, length: 68))
        #expect(!mpd.representations[0].isCarried)
        #expect(MPDFixture.local(mpd).contains("https://origin.example.org/tv/one/v.mp4</BaseURL>"))
        let box = IndexBox.bytes(
            timescale: 2000,
            time: 500,
            [.init(size: 100, ticks: 4000), .init(size: 90, ticks: 4000), .init(size: 50, ticks: 1000)]
        )
        var index = reader(800, box.count)
        try index.add(box, at: 800)
        mpd.adopt(index, for: mpd.representations[0].key)
        let video = mpd.representations[0]
        #expect(video.names == [1, 2, 3])
        #expect(video.segments[1].range == ByteRange(offset: 968, length: 90))
        let local = MPDFixture.local(mpd)
        #expect(
            local.contains(
                """
                <BaseURL>\(video.key.padded)/</BaseURL><SegmentTemplate timescale="2000" startNumber="1" \
                presentationTimeOffset="500" media="$Number$.mp4" initialization="init.mp4"><SegmentTimeline>\
                <S t="500" d="4000" r="1"/><S t="8500" d="1000"/></SegmentTimeline></SegmentTemplate>
                """
            )
        )
        #expect(!local.contains("SegmentBase"))
        let again = try MPD.parse(Array(local.utf8), url: MPDFixture.localURL, limits: Limits()).representations[0]
        #expect(again.names == [1, 2, 3])
        #expect(again.segments.map(\.duration) == video.segments.map(\.duration))
    }
}

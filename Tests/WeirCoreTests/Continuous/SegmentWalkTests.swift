import Testing
import WeirCore

@Suite("A walk through segments") struct SegmentWalkTests {
    /// A list of two-second segments.
    private func list(
        _ numbers: Range<Int>,
        breaks: Set<Int> = [],
        discontinuities: Int = 0,
        gaps: Set<Int> = [],
        head: String = "",
        end: Bool = false
    ) throws -> MediaPlaylist {
        var text = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:\(numbers.lowerBound)\n"
        text += "#EXT-X-DISCONTINUITY-SEQUENCE:\(discontinuities)\n" + head
        for number in numbers {
            if breaks.contains(number) { text += "#EXT-X-DISCONTINUITY\n" }
            if gaps.contains(number) { text += "#EXT-X-GAP\n" }
            text += "#EXTINF:2,\ns\(number).ts\n"
        }
        return try parseMedia(text + (end ? "#EXT-X-ENDLIST\n" : ""))
    }

    /// What a walk takes out of one list.
    private func numbers(_ walk: inout SegmentWalk, _ list: MediaPlaylist) -> [UInt64] {
        var taken: [UInt64] = []
        while case .segment(let segment) = walk.step(in: list, isNew: taken.isEmpty) { taken.append(segment.number) }
        return taken
    }

    @Test("A recording is walked from its first segment to its end")
    func recording() throws {
        var walk = SegmentWalk()
        let list = try list(4..<9, end: true)
        #expect(numbers(&walk, list) == [4, 5, 6, 7, 8])
        #expect(walk.step(in: list, isNew: false) == .end)
    }

    @Test("A live walk begins three target durations from the end, and waits for news as a player does")
    func live() throws {
        var walk = SegmentWalk()
        #expect(numbers(&walk, try list(10..<20)) == [17, 18, 19])
        #expect(walk.step(in: try list(10..<20), isNew: true) == .wait(.seconds(1)))
        #expect(walk.step(in: try list(11..<21), isNew: true).number == 20)
        #expect(walk.step(in: try list(11..<21), isNew: false) == .wait(.seconds(2)))
        #expect(walk.step(in: try list(12..<21, end: true), isNew: true) == .end)
    }

    @Test(
        "EXT-X-START says where to begin, the rendition's own before the stream's",
        arguments: [
            ("#EXT-X-START:TIME-OFFSET=-4\n", nil, UInt64(18)), ("#EXT-X-START:TIME-OFFSET=3.5\n", nil, 11),
            ("", Duration.seconds(-10), 15), ("#EXT-X-START:TIME-OFFSET=-2\n", .seconds(-10), 19),
            ("#EXT-X-START:TIME-OFFSET=x\n", nil, 17), ("#EXT-X-START:TIME-OFFSET=-999999\n", nil, 10),
            ("#EXT-X-START:TIME-OFFSET=999999\n", nil, 19),
        ]
    ) func start(head: String, stream: Duration?, first: UInt64) throws {
        var walk = SegmentWalk()
        walk.start = stream
        #expect(walk.step(in: try list(10..<20, head: head), isNew: true).number == first)
    }

    @Test(
        "What is sent at once is there already: a walk begins so far from the end, and a segment more",
        arguments: [(Duration.seconds(1), UInt64(17)), (.seconds(4), 17), (.seconds(6), 16), (.seconds(600), 10)]
    )
    func distance(distance: Duration, first: UInt64) throws {
        var walk = SegmentWalk()
        walk.distance = distance
        #expect(walk.step(in: try list(10..<20), isNew: true).number == first)
    }

    @Test("A place within a segment is told apart from its beginning")
    func within() throws {
        var walk = SegmentWalk()
        let list = try list(10..<20, head: "#EXT-X-START:TIME-OFFSET=3.25,PRECISE=YES\n")
        #expect(walk.step(in: list, isNew: true).number == 11)
        #expect(walk.startWithin == .milliseconds(1250))
    }

    @Test("A walk goes on where another had come to, on the same timeline, also behind numbers that began anew")
    func resumed() throws {
        var first = SegmentWalk()
        _ = numbers(&first, try list(10..<20))
        for _ in 0..<2 { _ = first.step(in: try list(0..<4), isNew: true) }
        guard case .segment(let segment) = first.step(in: try list(0..<4), isNew: true) else {
            Issue.record("the walk did not begin anew")
            return
        }
        var second = SegmentWalk()
        second.resume(at: segment.number, timeline: segment.timeline)
        guard case .segment(let again) = second.step(in: try list(0..<5), isNew: true) else {
            Issue.record("the walk did not go on")
            return
        }
        #expect(again.number == segment.number)
        #expect(again.timeline == segment.timeline)
        #expect(SegmentWalk.lists(again, try list(0..<5)))
        #expect(!SegmentWalk.lists(again, try list(3..<5)))
    }

    @Test("Sound that is apart begins earlier by its lead")
    func lead() throws {
        var walk = SegmentWalk()
        walk.lead = .seconds(2)
        #expect(walk.step(in: try list(10..<20), isNew: true).number == 16)
    }

    @Test("What fell out of the list is passed over, gaps are not fetched")
    func missed() throws {
        var walk = SegmentWalk()
        #expect(numbers(&walk, try list(10..<20)) == [17, 18, 19])
        #expect(numbers(&walk, try list(30..<36, gaps: [30, 31, 34])) == [32, 33, 35])
        #expect(numbers(&walk, try list(34..<38, gaps: [34, 36, 37])) == [])
        #expect(numbers(&walk, try list(36..<39, gaps: [36, 37])) == [38])
    }

    @Test("A list whose numbers began anew is believed at the third time, on a timeline of its own")
    func rollback() throws {
        var walk = SegmentWalk()
        #expect(numbers(&walk, try list(100..<110)) == [107, 108, 109])
        #expect(walk.step(in: try list(0..<10), isNew: true) == .wait(.seconds(2)))
        #expect(walk.step(in: try list(0..<10), isNew: true) == .wait(.seconds(1)))
        guard case .segment(let segment) = walk.step(in: try list(0..<10), isNew: true) else {
            Issue.record("the walk did not go on")
            return
        }
        #expect(segment.number == 7)
        #expect(segment.timeline > 1000)
    }

    @Test("Timelines go by the discontinuity sequence number, however the window moves", arguments: UInt64(1)...20)
    func timelines(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let breaks = Set((1..<200).filter { _ in random.next() % 5 == 0 })
        func timeline(_ number: Int) -> UInt64 { UInt64(breaks.count { $0 <= number }) }
        var walk = SegmentWalk()
        var first = 0
        var seen = 0
        for end in stride(from: 12, to: 200, by: 1 + Int(random.next() % 7)) {
            first = max(first, end - 10 - Int(random.next() % 3))
            let dropped = breaks.count { $0 < first }
            let list = try list(first..<end, breaks: breaks, discontinuities: dropped)
            while case .segment(let segment) = walk.step(in: list, isNew: true) {
                #expect(segment.timeline == timeline(Int(segment.number)), "\(segment.number)")
                seen += 1
            }
        }
        #expect(seen > 100)
    }

    @Test("Keys, vectors, ranges and initialisations belong to their segments; other protection is told")
    func keys() throws {
        let head = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:258\n"
        let text =
            head + "#EXT-X-KEY:METHOD=AES-128,URI=\"a.key\"\n#EXT-X-MAP:URI=\"i.mp4\",BYTERANGE=\"100@0\"\n"
            + "#EXT-X-BYTERANGE:50@100\n#EXTINF:2,\na.mp4\n#EXT-X-KEY:METHOD=AES-128,URI=\"b.key\",IV=0x0A\n#EXTINF:2,\n"
            + "b.mp4\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:2,\nc.mp4\n"
            + "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"d.key\"\n#EXTINF:2,\nd.mp4\n#EXT-X-ENDLIST\n"
        let list = try parseMedia(text)
        var walk = SegmentWalk()
        var segments: [WalkedSegment] = []
        while case .segment(let segment) = walk.step(in: list, isNew: true) { segments.append(segment) }
        try #require(segments.count == 4)
        #expect(segments[0].key?.vector == [UInt8](repeating: 0, count: 14) + [1, 2])
        #expect(segments[0].key?.url.lastPathPart == "a.key")
        #expect(segments[0].media.range == ByteRange(offset: 100, length: 50))
        #expect(segments[0].section?.range == ByteRange(offset: 0, length: 100))
        #expect(segments[1].key?.vector == [UInt8](repeating: 0, count: 15) + [10])
        #expect(segments[2].key == nil)
        #expect(segments.map(\.isProtected) == [false, false, false, true])
        #expect(segments[1].continues(segments[0]))
    }
}

extension WalkStep {
    fileprivate var number: UInt64? { if case .segment(let segment) = self { segment.number } else { nil } }
}

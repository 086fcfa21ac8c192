import Testing
import WeirCore

@Suite("A walk through a DASH presentation") struct PresentationWalkTests {
    private func taken(_ content: Representation.Content, _ mpd: MPD, at now: WallTime = .epoch) -> [WalkedSegment] {
        var walk = PresentationWalk(content: content)
        var segments: [WalkedSegment] = []
        while case .segment(let segment) = walk.step(in: mpd, at: now) { segments.append(segment) }
        return segments
    }

    private func period(_ id: Int, _ template: String, video: String = "") -> String {
        """
        <Period id="p\(id)" duration="PT10S"><AdaptationSet contentType="video" mimeType="video/mp4">
        <SegmentTemplate media="\(id)-$RepresentationID$-$Number$.m4s" initialization="\(id)-$RepresentationID$.mp4" \(template)/>
        <Representation id="low" bandwidth="100"/><Representation id="high" bandwidth="900"/></AdaptationSet>
        <AdaptationSet contentType="audio" mimeType="audio/mp4" lang="en">
        <SegmentTemplate media="\(id)-$RepresentationID$-$Number$.m4s" initialization="\(id)-$RepresentationID$.mp4" \(template)/>
        <Representation id="en" bandwidth="10"/></AdaptationSet>
        <AdaptationSet contentType="audio" mimeType="audio/mp4" lang="fr">
        <SegmentTemplate media="\(id)-$RepresentationID$-$Number$.m4s" initialization="\(id)-$RepresentationID$.mp4" \(template)/>
        <Representation id="fr" bandwidth="90"/></AdaptationSet></Period>
        """
    }

    @Test("A recording is walked period after period, in the best picture and the first sound")
    func periods() throws {
        let template = "duration=\"2\" timescale=\"1\" startNumber=\"1\""
        let mpd = try parseMPD(
            "<MPD type=\"static\" mediaPresentationDuration=\"PT20S\">\(period(1, template))\(period(2, template))</MPD>"
        )
        let video = taken(.video, mpd)
        #expect(video.map(\.media.url.lastPathPart) == [1, 2].flatMap { id in (1...5).map { "\(id)-high-\($0).m4s" } })
        #expect(video.map(\.timeline) == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
        #expect(video[5].section?.url.lastPathPart == "2-high.mp4")
        #expect(!video[5].continues(video[4]))
        #expect(
            taken(.audio, mpd).map(\.media.url.lastPathPart)
                == [1, 2].flatMap { id in (1...5).map { "\(id)-en-\($0).m4s" } }
        )
    }

    @Test("A walk goes on where another had come to", arguments: 0..<10)
    func resumed(place: Int) throws {
        let template = "duration=\"2\" timescale=\"1\" startNumber=\"1\""
        let mpd = try parseMPD(
            "<MPD type=\"static\" mediaPresentationDuration=\"PT20S\">\(period(1, template))\(period(2, template))</MPD>"
        )
        let all = taken(.video, mpd)
        var walk = PresentationWalk(content: .video)
        let start = try #require(all[place].period)
        walk.resume(at: all[place].number, period: start, timeline: all[place].timeline)
        var rest: [WalkedSegment] = []
        while case .segment(let segment) = walk.step(in: mpd, at: .epoch) { rest.append(segment) }
        #expect(rest == Array(all[place...]))
    }

    @Test("A live walk begins three segments from the edge and goes on as time does")
    func live() throws {
        let head = "type=\"dynamic\" availabilityStartTime=\"1970-01-01T00:00:00Z\" minimumUpdatePeriod=\"PT2S\""
        let template = "duration=\"2\" timescale=\"1\" startNumber=\"1\""
        let mpd = try parseMPD(
            "<MPD \(head)>\(period(1, template).replacing(" duration=\"PT10S\"", with: ""))</MPD>"
        )
        let now = WallTime.epoch + .seconds(100)
        var walk = PresentationWalk(content: .video)
        var numbers: [UInt64] = []
        while case .segment(let segment) = walk.step(in: mpd, at: now) { numbers.append(segment.number) }
        #expect(numbers == [48, 49, 50])
        #expect(walk.step(in: mpd, at: now) == .wait(.seconds(1)))
        guard case .segment(let next) = walk.step(in: mpd, at: now + .seconds(2)) else {
            Issue.record("the walk did not go on")
            return
        }
        #expect(next.number == 51)

        var further = PresentationWalk(content: .video)
        further.distance = .seconds(6)
        guard case .segment(let first) = further.step(in: mpd, at: now) else {
            Issue.record("the walk did not begin")
            return
        }
        #expect(first.number == 47)
    }

    @Test(
        "A walk into the past begins with the segment that shows the moment, or the nearest that is there",
        arguments: [
            ("-20", 41, 0), ("-21", 40, 1), ("-0", 50, 0), ("-300", 21, 0), ("1970-01-01T00:01:15Z", 38, 1),
            ("1970-01-01T01:00:00Z", 50, 0),
        ] as [(String, UInt64, Double)]
    )
    func past(at: String, number: UInt64, within: Double) throws {
        let head =
            "type=\"dynamic\" availabilityStartTime=\"1970-01-01T00:00:00Z\" minimumUpdatePeriod=\"PT2S\" "
            + "timeShiftBufferDepth=\"PT60S\""
        let template = "duration=\"2\" timescale=\"1\" startNumber=\"1\""
        let mpd = try parseMPD("<MPD \(head)>\(period(1, template).replacing(" duration=\"PT10S\"", with: ""))</MPD>")
        let now = WallTime.epoch + .seconds(100)
        var walk = PresentationWalk(content: .video)
        walk.wish = PresentationWish(query: "at=\(PercentEncoding.encode(at))")
        guard case .segment(let first) = walk.step(in: mpd, at: now) else {
            Issue.record("the walk did not begin")
            return
        }
        #expect(first.number == number && walk.startWithin == .seconds(within))
        guard first.number < 50, case .segment(let second) = walk.step(in: mpd, at: now) else { return }
        #expect(second.number == number + 1)
        // Sound begins earlier.
        var sound = PresentationWalk(content: .audio)
        sound.wish = walk.wish
        sound.lead = .seconds(2)
        guard number > 21, case .segment(let early) = sound.step(in: mpd, at: now) else { return }
        #expect(early.number == number - 1 && sound.startWithin == .zero)
    }

    @Test("Of a recording the past counts from its end, over periods; a date means nothing where none is stated")
    func pastOfRecording() throws {
        let template = "duration=\"2\" timescale=\"1\" startNumber=\"1\""
        let mpd = try parseMPD(
            "<MPD type=\"static\" mediaPresentationDuration=\"PT20S\">\(period(1, template))\(period(2, template))</MPD>"
        )
        let date = "2026-01-01T00:00:00Z"
        let places = [("-5", "2-high-3"), ("-11", "1-high-5"), ("-500", "1-high-1"), (date, "1-high-1")]
        for (at, file) in places {
            var walk = PresentationWalk(content: .video)
            walk.wish = PresentationWish(query: "at=\(at)&x=y")
            guard case .segment(let first) = walk.step(in: mpd, at: .epoch) else {
                Issue.record("the walk did not begin")
                continue
            }
            #expect(first.media.url.lastPathPart == file + ".m4s")
        }
    }

    @Test("One representation alone is read by its rendition, whatever it holds; none that there is not")
    func oneRendition() throws {
        let key = RenditionKey(0x0123_4567_89ab_cdef)
        let template =
            "duration=\"2\" timescale=\"1\" startNumber=\"1\" media=\"/s/x/$RepresentationID$/$Number$.m4s\""
        let mpd = try parseMPD(
            """
            <MPD type="static" mediaPresentationDuration="PT10S"><Period>
            <AdaptationSet contentType="video" mimeType="video/mp4"><SegmentTemplate \(template)/>
            <Representation id="0000000000000001" bandwidth="900"/></AdaptationSet>
            <AdaptationSet contentType="audio" mimeType="audio/mp4"><SegmentTemplate \(template)/>
            <Representation id="\(key.padded)" bandwidth="10"/></AdaptationSet></Period></MPD>
            """
        )
        var walk = PresentationWalk(content: .video)
        walk.wish = PresentationWish(query: "rendition=\(key.padded)")
        guard case .segment(let first) = walk.step(in: mpd, at: .epoch) else {
            Issue.record("the walk did not begin")
            return
        }
        #expect(first.media.url.path == "/s/x/\(key.padded)/1.m4s")
        var other = PresentationWalk(content: .video)
        other.wish = PresentationWish(query: "rendition=00000000000000ff")
        #expect(other.step(in: mpd, at: .epoch) == .end)
    }
}

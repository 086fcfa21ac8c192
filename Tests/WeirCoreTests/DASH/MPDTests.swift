import Testing
import WeirCore

@Suite struct MPDTests {
    @Test("A template names segments by number, width, bandwidth and id, with the query kept")
    func numbers() throws {
        let mpd = try MPDFixture.mpd("number")
        let (low, high, audio) = (mpd.representations[0], mpd.representations[1], mpd.representations[2])
        #expect(low.segments.count == 31)
        #expect(low.names.first == 5)
        #expect(
            low.segments[0].url.description == "https://a.example.org/media/low/0300000-00005.m4v?token=a%20b"
        )
        #expect(
            high.segments[30].url.description == "https://a.example.org/media/high/3000000-00035.m4v?token=a%20b"
        )
        #expect(low.initialisation?.url.description == "https://a.example.org/media/low/init.mp4")
        #expect(high.bases.map(\.url.host) == ["a.example.org", "b.example.org"])
        #expect(audio.segments.count == 20)
        #expect(audio.segments[19].url.description == "https://a.example.org/media/sound/a20.m4s")
        #expect(audio.initialisation?.url.description == "https://a.example.org/media/sound/a$.mp4")
        #expect(audio.content == .audio)
        // One more than the period's length says may be there, unless the manifest says the last number.
        #expect(low.segment(named: 36)?.url.lastPathPart == "0300000-00036.m4v")
        #expect(low.segment(named: 37) == nil)
        #expect(audio.segment(named: 21) == nil)
        #expect(low.suffix == "m4s")
        #expect(low.segments.allSatisfy { $0.duration == .seconds(2) && $0.span == $0.name..<$0.name + 1 })
        #expect(mpd.representations[3].isCarried == false)
        #expect(Set(mpd.representations.map(\.key)).count == 4)
    }

    @Test("A timeline names segments by their time, across repetitions and gaps")
    func timeline() throws {
        let video = try MPDFixture.mpd("timeline").representations[0]
        #expect(video.names == [500, 2500, 4500, 6500, 9000, 10500, 13000, 15500])
        #expect(video.id == "v & 1")
        #expect(video.segments.map(\.place) == Array(0..<8))
        #expect(video.segments[3].span == 6500..<9000)
        #expect(video.segments[4].duration == .milliseconds(1500))
        #expect(video.segment(named: 4500)?.place == 2)
        #expect(video.segment(named: 4501) == nil)
        #expect(video.segment(named: 8500) == nil)
        #expect(video.segments[7].url.description == "https://origin.example.org/tv/one/v/15500.m4s")
    }

    @Test("The live window of numbered segments follows the clock, and early availability counts")
    func liveNumbers() throws {
        let mpd = try MPDFixture.mpd("live-number")
        let video = mpd.representations[0]
        let start = try #require(WallTime(dateTime: "2026-01-01T00:00:00Z"))
        #expect(mpd.availabilityStart == start)
        #expect(mpd.minimumUpdatePeriod == .seconds(30))
        #expect(mpd.locations.map(\.description) == ["https://live.example.org/ch1/manifest.mpd?session=7"])
        // Segment 30 ends at 60 s and may be asked for from 58.5 s on.
        #expect(video.window(at: start + .milliseconds(58_499)) == [20, 29])
        #expect(video.window(at: start + .milliseconds(58_500)) == [20, 30])
        #expect(video.available(at: nil) == nil)
        #expect(video.segment(named: 1_000_000) != nil)
        #expect(
            mpd.timings[0].urls(from: mpd.url).map(\.description) == [
                "https://origin.example.org/time", "https://time.example.org/",
            ]
        )
        #expect(mpd.timings[0].scheme == .dateTime)
        #expect(mpd.timings[1].scheme == .direct)
    }

    @Test("F29 A clock a day off hides nothing that a timeline lists")
    func wrongClock() throws {
        let audio = try MPDFixture.mpd("live-timeline").representations[1]
        for seconds in [0, 500, 1_000_000, 900_000_000] {
            #expect(audio.window(at: WallTime.epoch + .seconds(seconds)) == [7, 11])
        }
        // A clock that is right hides what is announced early.
        #expect(audio.window(at: WallTime.epoch + .seconds(1005)) == [7, 8])
    }

    @Test("A repetition without end goes on to the live edge")
    func openTimeline() throws {
        let video = try MPDFixture.mpd("live-timeline").representations[0]
        #expect(video.isOpenEnded)
        #expect(video.window(at: WallTime.epoch + .seconds(1101)) == [1_084_000, 1_098_000])
    }

    @Test("Lists name parts of one resource or files")
    func lists() throws {
        let mpd = try MPDFixture.mpd("list")
        let (ranges, files) = (mpd.representations[0], mpd.representations[1])
        #expect(
            ranges.segments.map(\.range) == [
                ByteRange(offset: 100, length: 200), ByteRange(offset: 300, length: 200),
                ByteRange(offset: 500, length: 13),
            ]
        )
        #expect(ranges.segments.allSatisfy { $0.url.description == "https://origin.example.org/tv/one/whole.mp4" })
        #expect(ranges.initialisation?.range == ByteRange(offset: 0, length: 100))
        #expect(files.names == [3, 4])
        #expect(files.segments[1].url.description == "https://origin.example.org/tv/one/f/b.m4s")
        #expect(files.segments[1].duration == .seconds(6))
    }

    @Test("Renditions keep their keys whatever hosts, queries and lists around them are")
    func keys() throws {
        let one = try parseMPD(
            oneRepresentation(
                "<BaseURL>http://a.example/x?t=1</BaseURL><SegmentTemplate duration='1' media='$Number$'/>"
            )
        )
        let other = try parseMPD(
            oneRepresentation("<SegmentTemplate duration='1' media='http://b.example/$Number$?t=2'/>")
        )
        #expect(one.representations.map(\.key) == other.representations.map(\.key))
        let periods = try MPDFixture.mpd("periods")
        #expect(Set(periods.representations.map(\.key)).count == 2)
        #expect(periods.periods.map(\.start) == [.zero, .seconds(20)])
        #expect(periods.periods.map(\.duration) == [.seconds(10), .seconds(10)])
        #expect(periods.hasRemoteParts)
    }

    @Test("Base URLs of all levels are combined, without repetition, and never more than eight")
    func bases() throws {
        let two = "<BaseURL serviceLocation='A'>http://a/</BaseURL><BaseURL serviceLocation='B'>http://b/</BaseURL>"
        let text = """
            <MPD xmlns="urn:mpeg:dash:schema:mpd:2011" mediaPresentationDuration="PT10S">\(two)
            <Period><BaseURL>p/</BaseURL><AdaptationSet mimeType="video/mp4"><BaseURL>x/</BaseURL><BaseURL>y/</BaseURL>
            <Representation id="a"><SegmentTemplate duration="2" media="$Number$.m4s" initialization="i"/></Representation>
            <Representation id="b"><BaseURL>http://c/</BaseURL><BaseURL>file:///d</BaseURL>
            <SegmentTemplate duration="2" media="$Number$.m4s"/></Representation>
            <Representation id="c">\((0..<40).map { "<BaseURL>\($0)/</BaseURL>" }.joined())
            <SegmentTemplate duration="2" media="$Number$.m4s"/></Representation>
            </AdaptationSet></Period></MPD>
            """
        let mpd = try parseMPD(text)
        let representations = mpd.representations
        #expect(
            representations[0].bases.map(\.url.description) == [
                "http://a/p/x/", "http://a/p/y/", "http://b/p/x/", "http://b/p/y/",
            ]
        )
        #expect(representations[0].bases.map(\.serviceLocation) == ["A", "A", "B", "B"])
        #expect(representations[1].bases.map(\.url.description) == ["http://c/"])
        #expect(representations[1].bases[0].serviceLocation == nil)
        #expect(representations[2].bases.count == 8)
        #expect(representations[0].initialisation?.url.description == "http://a/p/x/i")
    }

    @Test("D3 Numbers that a timeline names count from there; a list that grew keeps its names")
    func timelineNumbers() throws {
        func video(_ steps: String) throws -> Representation {
            try parseMPD(
                oneRepresentation(
                    "<SegmentTemplate timescale='10' media='$Number$.m4s' startNumber='3'>"
                        + "<SegmentTimeline>\(steps)</SegmentTimeline></SegmentTemplate>",
                    attributes: "type='dynamic'"
                )
            ).representations[0]
        }
        let first = try video("<S t='0' d='20' r='1'/><S t='60' n='9' d='20'/>")
        #expect(first.names == [3, 4, 9])
        #expect(first.segments[2].span == 9..<10)
        let grown = try video("<S t='20' n='4' d='20'/><S t='60' n='9' d='20' r='2'/>")
        #expect(grown.names == [4, 9, 10, 11])
        // Names that go back are none.
        #expect(try video("<S t='0' n='9' d='20'/><S n='2' d='20'/>").names == [9, 10])
    }

    @Test("D2 endNumber ends what is counted, and what a timeline lists")
    func endNumber() throws {
        let counted = oneRepresentation(
            "<SegmentTemplate duration='2' startNumber='5' endNumber='8' media='$Number$'/>",
            attributes: "mediaPresentationDuration='PT1H'"
        )
        #expect(try parseMPD(counted).representations[0].names == [5, 6, 7, 8])
        #expect(try parseMPD(counted).representations[0].segment(named: 9) == nil)
        let listed = oneRepresentation(
            "<SegmentTemplate endNumber='3' media='$Number$'><SegmentTimeline><S t='0' d='2' r='9'/></SegmentTimeline>"
                + "</SegmentTemplate>"
        )
        #expect(try parseMPD(listed).representations[0].names == [1, 2, 3])
    }

    @Test("D8 Sources of time: http-head, xsdate, iso and direct are understood, NTP and others are passed over")
    func timings() throws {
        func scheme(_ name: String) throws -> UTCTiming.Scheme {
            let timing = "<UTCTiming schemeIdUri='urn:mpeg:dash:utc:\(name):2014' value='http://t/'/>"
            return try parseMPD("<MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='dynamic'>\(timing)</MPD>").timings[0]
                .scheme
        }
        #expect(try scheme("http-head") == .head)
        #expect(try scheme("http-xsdate") == .dateTime)
        #expect(try scheme("http-iso") == .dateTime)
        #expect(try scheme("direct") == .direct)
        for name in ["http-ntp", "ntp", "sntp", "unknown"] { #expect(try scheme(name) == .other) }
    }

    @Test("Segment sequences are left to the player, with the set that shares them; other sets are carried")
    func sequences() throws {
        let text = """
            <MPD xmlns="urn:mpeg:dash:schema:mpd:2011" mediaPresentationDuration="PT8S"><BaseURL>http://a/x/</BaseURL>
            <Period><AdaptationSet mimeType="video/mp4"><SegmentTemplate timescale="1" media="$Number$_$SubNumber%02d$.m4s">
            <SegmentTimeline><S t="0" d="2" k="4" r="3"/></SegmentTimeline></SegmentTemplate>
            <Representation id="a"/><Representation id="b"><SegmentTemplate media="$Number$.m4s"/></Representation>
            </AdaptationSet><AdaptationSet mimeType="audio/mp4"><Representation id="c">
            <SegmentTemplate duration="2" media="$Number$.m4s"/></Representation></AdaptationSet></Period></MPD>
            """
        let mpd = try parseMPD(text)
        #expect(mpd.representations.map(\.hasSequences) == [true, true, false])
        #expect(mpd.representations.map(\.isCarried) == [false, false, true])
        let local = MPDFixture.local(mpd)
        #expect(local.contains("media=\"$Number$_$SubNumber%02d$.m4s\""))
        #expect(local.contains("<Representation id=\"a\"><BaseURL>http://a/x/</BaseURL></Representation>"))
    }

    @Test("Attributes come from the nearest element that has them")
    func inheritance() throws {
        let mpd = try parseMPD(
            """
            <MPD xmlns="urn:mpeg:dash:schema:mpd:2011" mediaPresentationDuration="PT10S"><Period>
            <SegmentTemplate timescale="10" media="p-$Number$" startNumber="3"/>
            <AdaptationSet><SegmentTemplate duration="20" media="s-$Number$"/>
            <Representation id="a" bandwidth="1"/>
            <Representation id="b" bandwidth="1"><SegmentTemplate media="r-$Number$" startNumber="9"/></Representation>
            </AdaptationSet></Period></MPD>
            """
        )
        #expect(mpd.representations[0].names == [3, 4, 5, 6, 7])
        #expect(mpd.representations[0].segments[0].url.lastPathPart == "s-3")
        #expect(mpd.representations[1].names == [9, 10, 11, 12, 13])
        #expect(mpd.representations[1].segments[0].url.lastPathPart == "r-9")
    }

    @Test(
        "Templates that are none are refused in plain words",
        arguments: ["$Number", "$Nomber$", "$Number%5x$", "$RepresentationID%05d$"]
    )
    func badTemplates(media: String) {
        let refusal = mpdRefusal(oneRepresentation("<SegmentTemplate duration='1' media='\(media)'/>"))
        #expect(refusal == .unsupported("the template \(media)"))
    }

    @Test("Other documents are told apart")
    func others() {
        #expect(mpdRefusal("<html/>") == .notMPD(root: "html"))
        #expect(MPD.isXML(Array("  \n<?xml version='1.0'?><MPD/>".utf8)))
        #expect(!MPD.isXML(Array("#EXTM3U".utf8)))
        #expect(!MPD.isXML(Array("<!DOCTYPE html><html>".utf8)))
        #expect(mpdRefusal("<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>") == .empty)
    }
}

@Suite struct WallTimeTests {
    @Test(
        "Dates of XML Schema are read",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:00:00Z", 951_825_600), ("2026-11-21T09:07:46Z", 1_795_252_066),
            ("2026-11-21T10:07:46+01:00", 1_795_252_066), ("2026-11-21T04:37:46-04:30", 1_795_252_066),
            ("2026-11-21T09:07:46", 1_795_252_066), (" 1969-12-31T23:59:59Z\n", -1),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ]
    )
    func dates(text: String, seconds: Int64) {
        #expect(WallTime(dateTime: text) == WallTime(milliseconds: seconds * 1000))
    }

    @Test(
        "What is no date is none",
        arguments: [
            "", "2026", "2026-13-01T00:00:00Z", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00X",
            "99999999999-01-01T00:00:00Z",
        ]
    )
    func noDates(text: String) {
        #expect(WallTime(dateTime: text) == nil)
    }

    @Test("Fractions and far years are kept or saturate")
    func edges() {
        #expect(WallTime(dateTime: "1970-01-01T00:00:00.25Z")?.nanoseconds == 250_000_000)
        #expect(WallTime(dateTime: "99999-01-01T00:00:00Z")?.nanoseconds == .max)
    }

    @Test("HTTP dates are read")
    func httpDates() {
        #expect(WallTime(httpDate: "Sun, 06 Nov 1994 08:49:37 GMT") == WallTime(milliseconds: 784_111_777_000))
        #expect(WallTime(httpDate: "Sunday, 06-Nov-94 08:49:37 GMT") == nil)
    }

    @Test(
        "Durations of XML Schema are read",
        arguments: [
            ("PT0S", 0), ("PT1.5S", 1500), ("P1DT2H3M4S", 93_784_000), ("PT1H", 3_600_000), ("P2W", 1_209_600_000),
            ("-PT5S", 0), ("P1M", 2_592_000_000),
        ]
    )
    func durations(text: String, milliseconds: Int) {
        #expect(Duration(xmlDuration: text) == .milliseconds(milliseconds))
    }

    @Test(
        "F22 Durations that are none, or huge, do no harm",
        arguments: ["", "P", "PT", "5", "PT5", "P1S", "PTNaNS", "PT1.5H"]
    )
    func noDurations(text: String) {
        #expect(Duration(xmlDuration: text) == nil)
        #expect(Duration(xmlDuration: "PT99999999999999999999S") == .forever)
        #expect(Duration(xmlDuration: "P999999999999Y") == .forever)
    }
}

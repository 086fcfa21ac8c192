import Testing
import WeirCore

@Suite("Hostile manifests") struct MPDFaultTests {
    private let timed = "<SegmentTemplate media='$Time$'><SegmentTimeline>"
    private let end = "</SegmentTimeline></SegmentTemplate>"

    @Test("F23 A document with a DOCTYPE is refused before its entities are looked at")
    func documentTypes() {
        let bomb = """
            <?xml version="1.0"?><!DOCTYPE MPD [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">\
            <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="&c;"/>
            """
        #expect(mpdRefusal(bomb) == .documentType)
        let external = "<!DOCTYPE MPD SYSTEM \"file:///etc/passwd\"><MPD/>"
        #expect(mpdRefusal(external) == .documentType)
        #expect(mpdRefusal("\n<!-- <a> --><?pi?><!DOCTYPE MPD><MPD/>") == .documentType)
        #expect(mpdRefusal("<MPD><!ENTITY a 'b'></MPD>") == .documentType)
        guard case .malformed = mpdRefusal(oneRepresentation("&a;")) else {
            Issue.record("an unknown entity was accepted")
            return
        }
    }

    @Test("F23 Encodings in which markup could hide are refused")
    func encodings() {
        #expect(mpdRefusal("<?xml version='1.0' encoding='UTF-7'?><MPD/>") == .encoding("utf-7"))
        let wide = "<MPD/>".utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
        #expect(throws: MPDError.encoding("UTF-16 or UTF-32")) {
            try MPD.parse([0xFE, 0xFF] + wide, url: MPDFixture.url, limits: Limits())
        }
        #expect(throws: MPDError.encoding("UTF-16 or UTF-32")) {
            try MPD.parse(wide, url: MPDFixture.url, limits: Limits())
        }
    }

    @Test(
        "F23 A thousand million repetitions cost as much as one",
        arguments: ["1000000000", "99999999999999999999", "-1"]
    )
    func repetitions(count: String) throws {
        let inner = "\(timed)<S t='0' d='2' r='\(count)'/><S d='3' r='\(count)'/>\(end)"
        let mpd = try parseMPD(oneRepresentation(inner, attributes: "mediaPresentationDuration='PT1H'"))
        let video = mpd.representations[0]
        #expect(video.segment(named: 200)?.place == 100)
        #expect(MPDFixture.local(mpd).contains("r='\(count)'"))
        let list = "<SegmentTemplate duration='1' media='$Number$' startNumber='18446744073709551615'/>"
        #expect(try parseMPD(oneRepresentation(list)).representations[0].names.count <= 1001)
    }

    @Test(
        "F22 Numbers at the ends of what can be said neither trap nor loop",
        arguments: [
            "t='18446744073709551615' d='18446744073709551615' r='9'", "t='4611686018427387903' d='5' r='-1'", "d='0'",
            "d='-1'",
            "t='-5' d='1'", "d='4611686018427387904' r='4611686018427387904'", "d='NaN'",
            "n='18446744073709551615' d='1'",
            "t='9223372036854775807' d='1'", "d='1' r='-99'",
        ]
    )
    func extremes(step: String) throws {
        for duration in ["", "mediaPresentationDuration='PT99999999999999S'", "type='dynamic'"] {
            for scale in ["1", "18446744073709551615", "4611686018427387904", "0"] {
                let template =
                    timed.dropLast("><SegmentTimeline>".count)
                    + " timescale='\(scale)' presentationTimeOffset='4611686018427387904'><SegmentTimeline>"
                let text = oneRepresentation("\(template)<S \(step)/><S \(step)/>\(end)", attributes: duration)
                guard let video = try? parseMPD(text).representations.first else { continue }
                _ = video.segments
                for seconds in [0, 1 << 31, Int.max] { _ = video.available(at: WallTime.epoch + .seconds(seconds)) }
                _ = MPDFixture.local(try parseMPD(text))
            }
        }
    }

    @Test("F20 A million entries of a timeline are refused at the limit, and read below it")
    func manyEntries() throws {
        let million = oneRepresentation(timed + String(repeating: "<S d=\"1\"/>", count: 1_000_000) + end)
        #expect(mpdRefusal(million) == .tooManyElements(limit: 500_000))
        let fewer = (0..<100_000).map { "<S t=\"\($0 * 3)\" d=\"2\"/>" }.joined()
        let video = try parseMPD(oneRepresentation(timed + fewer + end)).representations[0]
        #expect(video.segment(named: 299_997)?.place == 99_999)
        var limits = Limits()
        limits.manifestBytes = 1000
        #expect(mpdRefusal(million, limits: limits) == .tooLarge(limit: 1000))
    }

    @Test("F20 Depth, attributes and representations have limits")
    func shapes() {
        let deep = String(repeating: "<a>", count: 100_000)
        #expect(mpdRefusal("<MPD>" + deep) == .tooDeep(limit: 64))
        let attributes = (0..<100_000).map { "a\($0)='1'" }.joined(separator: " ")
        #expect(mpdRefusal("<MPD \(attributes)/>") == .tooManyAttributes(limit: 128))
        let many = String(repeating: "<Representation bandwidth='1'/>", count: 3000)
        let text = "<MPD><Period><AdaptationSet>\(many)</AdaptationSet></Period></MPD>"
        #expect(mpdRefusal(text) == .tooManyRepresentations(limit: 2048))
    }

    @Test(
        "F20 One tag or text as long as a whole manifest is read in one pass",
        arguments: ["a", "\"", "=", "<", "&amp;", " ", "<!--", "]]>"]
    )
    func longRuns(unit: String) {
        let long = String(repeating: unit, count: 250_000 / unit.utf8.count)
        for text in [
            "<MPD a='\(long)'/>", "<MPD>\(long)</MPD>", "<MPD \(long)/>", "<!--\(long)--><MPD/>", "<\(long)/>",
        ] {
            _ = mpdRefusal(text)
        }
    }

    @Test(
        "F21 Malformed documents say where",
        arguments: [
            "<MPD>\n<Period>\n</MPD>", "<MPD>\n\n<Period a=b/></MPD>", "<MPD>\n\n<P a='1' a='2'/></MPD>",
            "<MPD>\n\n\u{0}</MPD>", "<MPD>\n\n<!-- a -- b --></MPD>",
        ]
    )
    func malformed(text: String) {
        guard case .malformed(let line, let reason) = mpdRefusal(text) else {
            Issue.record("not refused as malformed")
            return
        }
        #expect(line == 3)
        #expect(!reason.contains("\n"))
    }

    @Test(
        "F24 Addresses outside of HTTP are refused in plain words",
        arguments: [
            "<BaseURL>file:///etc/</BaseURL><SegmentTemplate duration='1' media='$Number$'/>",
            "<SegmentTemplate duration='1' media='file:///etc/$Number$'/>",
            "<SegmentTemplate duration='1' media='data:,$Number$'/>",
            "<SegmentTemplate duration='1' media='$Number$' initialization='ftp://h/i'/>",
        ]
    )
    func schemes(inner: String) {
        guard case .unsupported = mpdRefusal(oneRepresentation(inner)) else {
            Issue.record("accepted")
            return
        }
    }

    @Test("F24 Parent directories and other hosts resolve as RFC 3986 says")
    func parents() throws {
        let up = try parseMPD(oneRepresentation("<SegmentTemplate duration='1' media='../../../../x/$Number$'/>"))
        #expect(up.representations[0].segment(named: 1)?.url.description == "https://origin.example.org/x/1")
        let host = try parseMPD(oneRepresentation("<SegmentTemplate duration='1' media='//10.0.0.1/$Number$'/>"))
        #expect(host.representations[0].segment(named: 1)?.url.host == "10.0.0.1")
    }
}

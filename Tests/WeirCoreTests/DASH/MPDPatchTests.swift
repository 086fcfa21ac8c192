import Testing
import WeirCore

/// Patches as documents: what they change, and that nothing else changes.
@Suite("MPD patches") struct MPDPatchTests {
    private static let document = """
        <?xml version='1.0'?>
        <!-- keep --><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" xmlns:x='urn:x' id="m" type="dynamic"
             publishTime='2026-01-01T00:00:00Z' availabilityStartTime="2026-01-01T00:00:00Z">
          <PatchLocation ttl="60">p.mpp?v=1</PatchLocation>
          <Period id="P0">
            <AdaptationSet id='1' mimeType="video/mp4"><!-- <S d="9"/> -->
              <SegmentTemplate timescale="10" media="$Time$"><SegmentTimeline>
                <S t="0" d="20" r="3"/><S d="30"/>
              </SegmentTimeline></SegmentTemplate>
              <Representation id="a&amp;b" bandwidth="1"/>
            </AdaptationSet>
            <AdaptationSet id="2" x:own="&quot;"><Representation id="r" bandwidth="2"/></AdaptationSet>
          </Period>
        </MPD>

        """

    private func patch(_ operations: String, from: String = "2026-01-01T00:00:00Z", attributes: String = "") -> String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <Patch xmlns="urn:mpeg:dash:schema:mpd-patch:2020" xmlns:x="urn:x" mpdId="m" originalPublishTime="\(from)" \
        publishTime="2026-01-01T00:00:02Z" \(attributes)>
        <replace sel="/MPD/@publishTime">2026-01-01T00:00:02Z</replace>\(operations)</Patch>
        """
    }

    private func apply(_ operations: String) throws -> String {
        text(try MPDPatch.apply(Array(patch(operations).utf8), to: parseMPD(MPDPatchTests.document), limits: Limits()))
    }

    private func refusal(_ document: String, limits: Limits = Limits()) -> MPDPatchError? {
        do throws(MPDPatchError) {
            guard let mpd = try? parseMPD(MPDPatchTests.document) else { return nil }
            _ = try MPDPatch.apply(Array(document.utf8), to: mpd, limits: limits)
            return nil
        } catch {
            return error
        }
    }

    /// The document with the time of the newer version, and one more change.
    private func expected(_ old: String = "", _ new: String = "") -> String {
        let moved = MPDPatchTests.document.replacing(
            "publishTime='2026-01-01T00:00:00Z'",
            with: "publishTime='2026-01-01T00:00:02Z'"
        )
        return old.isEmpty ? moved : moved.replacing(old, with: new)
    }

    private static let timeline =
        "/MPD/Period[@id='P0']/AdaptationSet[@id=&quot;1&quot;]/SegmentTemplate/SegmentTimeline"

    @Test("Every operation changes what it names, and every other byte stays")
    func operations() throws {
        let timeline = MPDPatchTests.timeline
        #expect(try apply("") == expected())
        #expect(
            try apply("<add sel=\"\(timeline)\"><S d='40'/></add>")
                == expected("</SegmentTimeline>", "<S d='40'/></SegmentTimeline>")
        )
        #expect(
            try apply("<add sel=\"\(timeline)\" pos='prepend'><S t='-1' d='1'/></add>")
                == expected("<SegmentTimeline>", "<SegmentTimeline><S t='-1' d='1'/>")
        )
        #expect(
            try apply("<add sel=\"\(timeline)/S[2]\" pos='after'> <S d='40'/> </add>")
                == expected("<S d=\"30\"/>", "<S d=\"30\"/> <S d='40'/> ")
        )
        #expect(
            try apply("<add sel=\"\(timeline)/S[2]\" pos='before'><S d='40'/></add>")
                == expected("<S d=\"30\"/>", "<S d='40'/><S d=\"30\"/>")
        )
        #expect(try apply("<remove sel=\"\(timeline)/S[1]\"/>") == expected("<S t=\"0\" d=\"20\" r=\"3\"/>", ""))
        #expect(
            try apply("<replace sel=\"\(timeline)/S[@d='30']\">\n <S d='31'/>\n</replace>")
                == expected("<S d=\"30\"/>", "<S d='31'/>")
        )
        #expect(
            try apply("<replace sel='/MPD/PatchLocation[1]'><PatchLocation>q&amp;r</PatchLocation></replace>")
                == expected(
                    "<PatchLocation ttl=\"60\">p.mpp?v=1</PatchLocation>",
                    "<PatchLocation>q&amp;r</PatchLocation>"
                )
        )
        #expect(
            try apply("<replace sel='/MPD/PatchLocation/text()'>a&lt;b</replace>")
                == expected("p.mpp?v=1", "a&lt;b")
        )
        #expect(try apply("<remove sel='/MPD/PatchLocation/@ttl'/>") == expected(" ttl=\"60\"", ""))
        #expect(
            try apply("<add sel='/MPD/Period' type='@start'>PT0S</add>")
                == expected("<Period id=\"P0\">", "<Period id=\"P0\" start=\"PT0S\">")
        )
        // An element without content gets some.
        #expect(
            try apply(
                "<add sel=\"/MPD/Period/AdaptationSet/Representation[@id='a&amp;b']\"><BaseURL>x/</BaseURL></add>"
            )
                == expected(
                    "<Representation id=\"a&amp;b\" bandwidth=\"1\"/>",
                    "<Representation id=\"a&amp;b\" bandwidth=\"1\"><BaseURL>x/</BaseURL></Representation>"
                )
        )
        // One after the other, each on what the one before left.
        #expect(
            try apply("<remove sel=\"\(timeline)/S[1]\"/><replace sel=\"\(timeline)/S[1]/@d\">7</replace>")
                == expected("<S t=\"0\" d=\"20\" r=\"3\"/><S d=\"30\"/>", "<S d=\"7\"/>")
        )
    }

    @Test(
        "What leads to no place or to several is refused",
        arguments: [
            "/MPD/Period/AdaptationSet", "/MPD/Period[2]", "/MPD/Period[@id='x']", "/Period", "//S", "/MPD/*", "MPD",
            "/MPD/x:Period", "/MPD/Period[last()]", "/MPD/Period[0]", "/MPD/Period[@id=P0]", "/MPD/Period[", "", "/",
            "/MPD/@id/Period", "/MPD/Period[1][1][1][1][1]", "/MPD[2]", "/MPD/Period[99999999999999999999]",
        ]
    )
    func selectors(selector: String) {
        let text = patch("<remove sel=\"\(selector)\"/>")
        guard case .selector = refusal(text) else {
            Issue.record("\(selector): \(String(describing: refusal(text)))")
            return
        }
    }

    @Test("Operations that are none, and names that mean something else, are refused")
    func refusals() {
        #expect(refusal(patch("<move sel='/MPD/Period'/>")) == .operation("move"))
        #expect(refusal(patch("<remove sel='/MPD'/>")) == .operation("remove"))
        #expect(refusal(patch("<replace sel='/MPD/Period'>text</replace>")) == .operation("replace"))
        #expect(refusal(patch("<replace sel='/MPD/Period'><Period/><Period/></replace>")) == .operation("replace"))
        #expect(refusal(patch("<add sel='/MPD' pos='after'><x/></add>")) == .operation("add beside the root"))
        #expect(refusal(patch("<add sel='/MPD' pos='up'><a/></add>")) == .operation("add at up"))
        #expect(refusal(patch("<add sel='/MPD' type='@id'>n</add>")) == .operation("add @id"))
        #expect(refusal(patch("<add sel='/MPD' type='namespace::y'>n</add>")) == .operation("add namespace::y"))
        #expect(refusal(patch("<add sel='/MPD' xmlns:y='urn:y'><y:own/></add>")) == .namespace)
        #expect(refusal(patch("<add sel='/MPD'><x:own/></add>")) == nil)
        #expect(refusal(patch("", from: "2026-01-01T00:00:01Z")) == .otherVersion)
        #expect(refusal(patch("").replacing("mpdId=\"m\"", with: "mpdId=\"n\"")) == .otherVersion)
        #expect(refusal(patch("").replacing(">2026-01-01T00:00:02Z<", with: ">2026-01-01T00:00:03Z<")) == .result)
        #expect(refusal("<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'/>") == .notPatch(root: "MPD"))
        #expect(refusal("<Patch mpdId='m'/>") == .notPatch(root: "Patch"))
        guard case .unreadable = refusal("<Patch"), case .unreadable(.documentType) = refusal("<!DOCTYPE a><Patch/>")
        else {
            Issue.record("read")
            return
        }
    }

    @Test("F23 Many operations, and selectors that go through much, meet limits")
    func limits() throws {
        var limits = Limits()
        limits.patchOperations = 3
        #expect(refusal(patch(String(repeating: "<remove sel='/MPD/x'/>", count: 3)), limits: limits) == .tooLarge)
        limits = Limits()
        limits.patchVisits = 10
        let many = String(repeating: "<add sel='/MPD/Period'><x/></add>", count: 8)
        #expect(refusal(patch(many), limits: limits) == .tooLarge)
        // 4,000 operations on a timeline of 50,000 entries stop at the limit, in little time.
        let entries = (0..<50_000).map { _ in "<S d='1'/>" }.joined()
        let long = MPDPatchTests.document.replacing("<S d=\"30\"/>", with: entries)
        let operations = String(repeating: "<remove sel=\"\(MPDPatchTests.timeline)/S[1]\"/>", count: 4000)
        let mpd = try parseMPD(long)
        #expect(throws: MPDPatchError.tooLarge) {
            _ = try MPDPatch.apply(Array(patch(operations).utf8), to: mpd, limits: Limits())
        }
    }

    @Test("Damaged patches are refused or applied, never more", arguments: UInt64(1)...20)
    func damaged(seed: UInt64) throws {
        var random = PlaylistRandom(seed: seed)
        let mpd = try parseMPD(MPDPatchTests.document)
        let whole = Array(
            patch(
                "<remove sel=\"\(MPDPatchTests.timeline)/S[1]\"/><add sel=\"\(MPDPatchTests.timeline)\"><S d='4'/></add>"
                    + "<replace sel='/MPD/PatchLocation'><PatchLocation>q</PatchLocation></replace>"
            ).utf8
        )
        for _ in 0..<40 {
            var broken = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<broken.count, using: &random)
                switch Int.random(in: 0...2, using: &random) {
                case 0: broken[place] = UInt8.random(in: 0...255, using: &random)
                case 1: broken.remove(at: place)
                default: broken.insert(Array("<>&\"'/=[]@".utf8).randomElement(using: &random)!, at: place)
                }
            }
            guard let bytes = try? MPDPatch.apply(broken, to: mpd, limits: Limits()) else { continue }
            _ = try? MPD.parse(bytes, url: MPDFixture.url, limits: Limits())
        }
    }
}

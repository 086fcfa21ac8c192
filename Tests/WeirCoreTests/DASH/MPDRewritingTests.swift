import Testing
import WeirCore

@Suite struct MPDRewritingTests {
    @Test("Players get local addresses, and everything that weir does not own byte for byte")
    func numbers() throws {
        let mpd = try MPDFixture.mpd("number")
        let local = MPDFixture.local(mpd)
        let keys = mpd.representations.map(\.key.padded)
        let expected = try text(MPDFixture.bytes("number"))
            .replacingOnce("<BaseURL serviceLocation=\"a\">https://a.example.org/media/</BaseURL>", "")
            .replacingOnce("<BaseURL serviceLocation=\"b\">https://b.example.org/other/</BaseURL>", "")
            .replacingOnce("$RepresentationID$/$Bandwidth%07d$-$Number%05d$.m4v?token=a%20b", "$Number$.m4s")
            .replacingOnce("$RepresentationID$/init.mp4", "init.mp4")
            .replacingOnce("height=\"180\"/>", "height=\"180\"><BaseURL>\(keys[0])/</BaseURL></Representation>")
            .replacingOnce("height=\"720\">", "height=\"720\"><BaseURL>\(keys[1])/</BaseURL>")
            .replacingOnce("<BaseURL>sound/</BaseURL>", "<BaseURL>\(keys[2])/</BaseURL>")
            .replacingOnce("a$Number$.m4s", "$Number$.m4s").replacingOnce("a$$.mp4", "init.mp4")
            .replacingOnce(
                "<BaseURL>subtitles.vtt</BaseURL>",
                "<BaseURL>https://a.example.org/media/subtitles.vtt</BaseURL>"
                    + "<BaseURL>https://b.example.org/other/subtitles.vtt</BaseURL>"
            )
        #expect(local == expected)
    }

    @Test("Prefixes, comments, CDATA and entities survive")
    func prefixes() throws {
        let mpd = try MPDFixture.mpd("timeline")
        let expected = try text(MPDFixture.bytes("timeline"))
            .replacingOnce("'v/$Time$.m4s'", "'$Time$.m4s'").replacingOnce("'v/init.mp4'", "'init.mp4'")
            .replacingOnce(
                "<mpd:SegmentTemplate",
                "<mpd:BaseURL>\(mpd.representations[0].key.padded)/</mpd:BaseURL><mpd:SegmentTemplate"
            )
        #expect(MPDFixture.local(mpd) == expected)
    }

    @Test("Live manifests lose where to reload from and keep when segments are there")
    func live() throws {
        let mpd = try MPDFixture.mpd("live-number")
        let local = MPDFixture.local(mpd)
        for gone in ["Location", "PatchLocation", "ContentSteering", "example.org/ch1", "media/"] {
            #expect(!local.contains("<\(gone)"), "\(gone)")
        }
        let key = mpd.representations[0].key.padded
        #expect(
            local.contains(
                "<BaseURL availabilityTimeOffset=\"1.5\" availabilityTimeComplete=\"false\">\(key)/</BaseURL>"
            )
        )
        #expect(local.contains("value=\"https://origin.example.org/time https://time.example.org/\""))
        #expect(local.contains("value=\"2026-01-01T00:01:00Z\""))
        let again = try MPD.parse(Array(local.utf8), url: MPDFixture.localURL, limits: Limits())
        #expect(again.representations[0].availabilityOffset == .milliseconds(1500))
        #expect(again.representations[0].segment(named: 30)?.url.path == "/s/abc/\(key)/30.m4s")
    }

    @Test("Byte ranges of lists become resources of their own")
    func lists() throws {
        let mpd = try MPDFixture.mpd("list")
        let local = MPDFixture.local(mpd)
        #expect(!local.contains("Range=") && !local.contains(" range="))
        let again = try MPD.parse(Array(local.utf8), url: MPDFixture.localURL, limits: Limits())
        let key = mpd.representations[0].key.padded
        #expect(again.representations[0].segments.map(\.url.path) == (1...3).map { "/s/abc/\(key)/\($0).mp4" })
        #expect(again.representations[0].initialisation?.url.path == "/s/abc/\(key)/init.mp4")
        #expect(again.representations[1].segments.map(\.url.lastPathPart) == ["3.m4s", "4.m4s"])
    }

    @Test("D11 D12 Events, SCTE 35 and content protection reach the player byte for byte")
    func events() throws {
        let kept = """
            <EventStream schemeIdUri='urn:scte:scte35:2014:xml+bin' timescale="1"><Event presentationTime='5' id='9'>
            <scte35:Signal xmlns:scte35="http://www.scte.org/schemas/35/2016"><scte35:Binary>/DAlAA==</scte35:Binary>
            </scte35:Signal></Event></EventStream>
            """
        let inSet = """
            <InbandEventStream schemeIdUri="urn:mpeg:dash:event:2012" value='1'/><ContentProtection value="cenc" \
            cenc:default_KID='9eb4050d-e44b-4802-932e-27d75083e266' schemeIdUri="urn:mpeg:dash:mp4protection:2011"/>\
            <ContentProtection schemeIdUri="urn:uuid:9a04f079-9840-4286-ab92-e65be0885f95"><mspr:pro>AbC=</mspr:pro>\
            </ContentProtection>
            """
        let text = """
            <MPD xmlns="urn:mpeg:dash:schema:mpd:2011" xmlns:cenc="urn:mpeg:cenc:2013" xmlns:mspr="urn:ms" \
            mediaPresentationDuration="PT8S"><Period>\(kept)<AdaptationSet mimeType="video/mp4">\(inSet)\
            <Representation id="a"><SegmentTemplate duration="2" media="$Number$.m4s"/></Representation></AdaptationSet>\
            </Period></MPD>
            """
        let local = MPDFixture.local(try parseMPD(text))
        #expect(local.contains(kept) && local.contains(inSet))
    }

    @Test("Licence addresses stay the player's, and no longer relative")
    func licences() throws {
        let local = MPDFixture.local(try MPDFixture.mpd("protected"))
        #expect(
            local.contains(
                "<dashif:laurl>https://origin.example.org/tv/one/licence/widevine?a=1&amp;b=2</dashif:laurl>"
            )
        )
        #expect(local.contains("<dashif:Laurl>https://drm.example.org/playready</dashif:Laurl>"))
        #expect(local.contains("<cenc:pssh>AAAANHBzc2gBAAAA7e+LqXnWSs6jyCfc1R0h7QAAAAINw==</cenc:pssh>"))
    }

    @Test("A remote period stays the origin's, with its address made absolute and a base of the origin")
    func remotePeriods() throws {
        let mpd = try MPDFixture.mpd("periods")
        let local = MPDFixture.local(mpd)
        #expect(local.contains("xlink:href=\"https://origin.example.org/tv/one/ads/break1.xml?u=1\""))
        #expect(
            local.contains(
                "<BaseURL>https://origin.example.org/tv/one/manifest.mpd?session=42</BaseURL><Period id=\"main1\""
            )
        )
        // Local addresses then have to be whole.
        let whole = text(mpd.rewritten { "http://127.0.0.1:8080/s/abc/\($0.key.padded)/" })
        let again = try MPD.parse(Array(whole.utf8), url: MPDFixture.localURL, limits: Limits())
        #expect(again.representations[1].segments[0].url.path == "/s/abc/\(mpd.representations[1].key.padded)/1.m4s")
    }
}

extension String {
    fileprivate func replacingOnce(_ old: String, _ new: String) -> String {
        guard let range = firstRange(of: old) else { return self + "[no \(old)]" }
        return replacingCharacters(in: range, with: new)
    }

    private func replacingCharacters(in range: Range<String.Index>, with new: String) -> String {
        String(self[..<range.lowerBound]) + new + String(self[range.upperBound...])
    }
}

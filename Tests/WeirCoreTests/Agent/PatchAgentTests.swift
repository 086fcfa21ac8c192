import Testing
import WeirCore

/// Patches as reloads: asked where they are offered, and the whole on any doubt.
@Suite("Reloads by patches")
struct PatchAgentTests {
    typealias Source = Presentations

    private func manifest(_ window: ClosedRange<Int>, version: Int, extra: String = "") -> String {
        Source.text(
            "<SegmentTemplate timescale='1000' media='$Time$.m4s'><SegmentTimeline>"
                + window.map { "<S t='\($0 * 2000)' d='2000'/>" }.joined() + "</SegmentTimeline></SegmentTemplate>",
            attributes: "type='dynamic' id='m' publishTime='2026-01-01T00:00:0\(version)Z' "
                + "availabilityStartTime='2026-01-01T00:00:00Z' minimumUpdatePeriod='PT2S'",
            before: "<PatchLocation ttl='60'>p\(version).mpp</PatchLocation>" + extra
        )
    }

    private func patch(from version: Int, adding number: Int) -> String {
        let timeline = "/MPD/Period[@id='p']/AdaptationSet/Representation[@id='v']/SegmentTemplate/SegmentTimeline"
        return """
            <Patch xmlns='urn:mpeg:dash:schema:mpd-patch:2020' mpdId='m' originalPublishTime='2026-01-01T00:00:0\(version)Z'
              publishTime='2026-01-01T00:00:0\(version + 1)Z'>
              <replace sel="/MPD/@publishTime">2026-01-01T00:00:0\(version + 1)Z</replace>
              <replace sel="/MPD/PatchLocation[1]"><PatchLocation ttl='60'>p\(version + 1).mpp</PatchLocation></replace>
              <remove sel="\(timeline)/S[1]"/><add sel="\(timeline)"><S t='\(number * 2000)' d='2000'/></add>
            </Patch>
            """
    }

    @Test("Once the whole was read, only patches are asked; the player gets the whole, without a word of patches")
    func reloads() {
        let probe = AgentProbe()
        let path = probe.open(Source.url, manifest(100...104, version: 0))
        _ = probe.ask(path)
        for version in 0..<3 {
            probe.wait(.seconds(2))
            let list = probe.ask(path)
            let asked = probe.fetches("/dash/p\(version).mpp")
            #expect(asked.count == 1)
            guard let fetch = asked.first else { return }
            let next = patch(from: version, adding: 105 + version)
            probe.answer(fetch.id, body: Array(next.utf8), url: Source.base + "elsewhere/p.mpp")
            let text = probe.text(list)
            #expect(text.contains("t='\((105 + version) * 2000)'") && !text.contains("t='\((100 + version) * 2000)'"))
            #expect(!text.contains("Patch"))
            #expect(text.contains("publishTime='2026-01-01T00:00:0\(version + 1)Z'"))
        }
        #expect(probe.fetches(".mpd").count == 1)
        #expect(probe.statistics.manifest_patches == 3)
        _ = probe.ask(Source.local(path, "214000.m4s"))
        #expect(probe.fetches("http://o.example/dash/214000.m4s").count == 1)
    }

    @Test(
        "F17 A patch that cannot be had or does not fit is followed by the whole at once, and a pause without patches",
        arguments: ["404", "410", "304", "silent", "garbage", "version", "html"]
    )
    func doubts(kind: String) {
        let probe = AgentProbe()
        let path = probe.open(Source.url, manifest(100...104, version: 0))
        _ = probe.ask(path)
        probe.wait(.seconds(2))
        let list = probe.ask(path)
        guard let fetch = probe.fetches("p0.mpp").first else {
            Issue.record("no patch was asked")
            return
        }
        switch kind {
        case "silent": probe.end(fetch.id, .failed(.idleTimeout))
        case "garbage": probe.answer(fetch.id, body: Array("<Patch".utf8))
        case "version": probe.answer(fetch.id, body: Array(patch(from: 4, adding: 105).utf8))
        case "html": probe.answer(fetch.id, body: Array("<!DOCTYPE html><html></html>".utf8))
        default: probe.answer(fetch.id, Int(kind) ?? 0, body: [])
        }
        #expect(probe.status(list) == nil)
        #expect(probe.fetches(".mpd").count == 2)
        let next = Array(manifest(101...105, version: 1).utf8)
        probe.answer(probe.fetches(".mpd")[1].id, body: next, url: Source.url)
        #expect(probe.text(list).contains("t='210000'"))
        #expect(probe.messages("the whole is asked").count == 1)
        for _ in 0..<5 {
            probe.wait(.seconds(2))
            _ = probe.ask(path)
            probe.answer(probe.fetches(".mpd").last!.id, body: next, url: Source.url)
        }
        #expect(probe.fetches(".mpp").count == 1)
        probe.wait(.seconds(31))
        _ = probe.ask(path)
        #expect(probe.fetches("p1.mpp").count == 1)
    }

    @Test("After its lifetime a patch is not asked; without an id, a version, or a live manifest none ever is")
    func lifetimes() {
        let probe = AgentProbe()
        let path = probe.open(Source.url, manifest(100...104, version: 0))
        _ = probe.ask(path)
        probe.wait(.seconds(61))
        _ = probe.ask(path)
        #expect(probe.fetches(".mpp").isEmpty && probe.fetches(".mpd").count == 2)
        for gone in ["id='m'", "publishTime='2026-01-01T00:00:00Z'", "type='dynamic'"] {
            let probe = AgentProbe()
            let path = probe.open(Source.url, manifest(100...104, version: 0).replacing(gone, with: ""))
            _ = probe.ask(path)
            probe.wait(.seconds(11))
            _ = probe.ask(path)
            #expect(probe.fetches(".mpp").isEmpty, "\(gone)")
            #expect(probe.fetches(".mpd").count == 2)
        }
    }
}

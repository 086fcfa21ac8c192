import FoundationEssentials
import NIOCore
import Synchronization
import Testing
import WeirCore
import WeirLab
import WeirNet

/// A manifest by itself, apart from the servers that have the media.
private struct OneManifest: OriginContent {
    let text: String
    var steering: String?

    func resource(path: String) async -> OriginResource? {
        switch path {
        case "/manifest.mpd":
            OriginResource(bytes: ByteBuffer(string: text), contentType: "application/dash+xml", changes: true)
        case "/steer":
            steering.map {
                OriginResource(bytes: ByteBuffer(string: $0), contentType: "application/json", changes: true)
            }
        default: nil
        }
    }
}

/// A live manifest whose timeline grows by an entry each half second, and patches from any version to the newest.
private final class PatchedManifest: OriginContent {
    static let listed = 900
    private let count = Mutex(PatchedManifest.listed)

    func grow() { count.withLock { $0 += 1 } }
    var last: Int { count.withLock { $0 } }

    static func time(_ version: Int) -> String {
        "2026-01-01T00:\(String(60 + version / 60 % 60).suffix(2)):\(String(100 + version % 60).suffix(2))Z"
    }

    static func whole(_ last: Int) -> String {
        let entries = ((last - listed)..<last).map { "<S t=\"\($0 * 1920)\" d=\"1920\"/>\n" }.joined()
        return """
            <?xml version="1.0"?>
            <MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" id="live" publishTime="\(time(last - listed))" \
            availabilityStartTime="2026-01-01T00:00:00Z" minimumUpdatePeriod="PT0.5S">
            <PatchLocation ttl="60">patch.mpp?from=\(last)</PatchLocation>
            <Period id="p" start="PT0S"><AdaptationSet id="1" mimeType="video/mp4"><SegmentTemplate timescale="1000" \
            media="$Time$.m4s"><SegmentTimeline>\(entries)</SegmentTimeline></SegmentTemplate>
            <Representation id="v" bandwidth="1"/></AdaptationSet></Period></MPD>
            """
    }

    private static func patch(from old: Int, to last: Int) -> String {
        let timeline = "/MPD/Period[@id='p']/AdaptationSet[@id='1']/SegmentTemplate/SegmentTimeline"
        let removed = String(repeating: "<remove sel=\"\(timeline)/S[1]\"/>", count: last - old)
        let added = (old..<last).map { "<S t=\"\($0 * 1920)\" d=\"1920\"/>\n" }.joined()
        return """
            <?xml version="1.0"?>
            <Patch xmlns="urn:mpeg:dash:schema:mpd-patch:2020" mpdId="live" \
            originalPublishTime="\(time(old - listed))" publishTime="\(time(last - listed))">
            <replace sel="/MPD/@publishTime">\(time(last - listed))</replace>
            <replace sel="/MPD/PatchLocation[1]"><PatchLocation ttl="60">patch.mpp?from=\(last)</PatchLocation></replace>
            \(removed)<add sel="\(timeline)">\(added)</add></Patch>
            """
    }

    func resource(path: String) async -> OriginResource? { nil }

    func answer(_ request: OriginRequest) async throws -> OriginAnswer {
        let last = last
        switch request.path {
        case "/manifest.mpd":
            let bytes = ByteBuffer(string: PatchedManifest.whole(last))
            return .resource(OriginResource(bytes: bytes, contentType: "application/dash+xml", changes: true))
        case "/patch.mpp":
            guard let old = request.parameter("from").flatMap({ Int($0) }), old <= last else { return .status(410) }
            let bytes = ByteBuffer(string: PatchedManifest.patch(from: old, to: last))
            return .resource(OriginResource(bytes: bytes, contentType: "application/dash-patch+xml", changes: true))
        default: return .status(404)
        }
    }
}

extension InteropTests {
    /// Manifests that name several servers, and servers that name what is new.
    @Suite struct DASHServerTests {
        private func servers(_ stage: Stage, count: Int) async throws -> [LabOrigin] {
            try await Media.need("dash-number")
            var servers: [LabOrigin] = []
            for _ in 0..<count { servers.append(try await stage.origin(DirectoryContent(Media.directory))) }
            return servers
        }

        private func manifest(_ servers: [LabOrigin], before: String = "") throws -> String {
            let text = readText(Media.directory + "/dash-number/manifest.mpd")
            let bases = zip("ABC", servers).map {
                "<BaseURL serviceLocation=\"\($0)\">\($1.url)/dash-number/</BaseURL>"
            }
            let place = try #require(text.firstRange(of: "<Period")).lowerBound
            return text[..<place] + before + bases.joined() + text[place...]
        }

        @Test(
            "A base URL slower than the player plays is helped by the next, packet by packet the same; one that keeps up is alone",
            .needs("ffmpeg"),
            .timeLimit(.minutes(2)),
            arguments: [true, false]
        )
        func slowServer(isSlow: Bool) async throws {
            try await Stage.with { stage in
                let servers = try await servers(stage, count: 2)
                let content = try Media.bytes("dash-number")
                // 24 s of media; a third of what playing needs.
                let rate = Int(content) / 24 / 3
                let plain = try await stage.quietStreamHash("\(servers[1].url)/dash-number/manifest.mpd")
                #expect(plain.contains("0,v,SHA256="))
                let readBefore = servers[1].log.payloadBytes(suffix: ".m4s")
                if isSlow { servers[0].set(.slow(bytesPerSecond: rate)) }
                let origin = try await stage.origin(OneManifest(text: try manifest(servers)))
                let agent = try await stage.agent(origin.url + "/manifest.mpd")
                let start = ContinuousClock.now
                #expect(try await stage.quietStreamHash(agent.playbackURL, within: 90) == plain)
                let seconds = (ContinuousClock.now - start).seconds
                let own = servers[0].log.payloadBytes(suffix: ".m4s")
                let other = servers[1].log.payloadBytes(suffix: ".m4s") - readBefore
                report(
                    "servers, \(isSlow ? "first at \(rate) B/s" : "both fast"): \(own) and \(other) of \(content) bytes in \(seconds) s"
                )
                if isSlow {
                    #expect(other > content / 3 && own > 0)
                    // Alone it would take 72 s and be dry most of the time.
                    #expect(seconds < 50)
                } else {
                    #expect(other == 0)
                }
            }
        }

        @Test("A dead base URL costs the player nothing but a moment", .needs("ffmpeg"), .timeLimit(.minutes(2)))
        func deadServer() async throws {
            try await Stage.with { stage in
                let servers = try await servers(stage, count: 2)
                let plain = try await stage.quietStreamHash("\(servers[1].url)/dash-number/manifest.mpd")
                #expect(plain.contains("0,v,SHA256="))
                let text = try manifest(servers)
                await servers[0].stop()
                let origin = try await stage.origin(OneManifest(text: text))
                let agent = try await stage.agent(origin.url + "/manifest.mpd")
                let start = ContinuousClock.now
                #expect(try await stage.quietStreamHash(agent.playbackURL) == plain)
                report("servers, the first dead: all of it in \((ContinuousClock.now - start).seconds) s")
            }
        }

        @Test(
            "DASH content steering is obeyed, told, and hidden from the player",
            .needs("ffmpeg"),
            .timeLimit(.minutes(2))
        )
        func steering() async throws {
            try await Stage.with { stage in
                let servers = try await servers(stage, count: 2)
                let plain = try await stage.quietStreamHash("\(servers[0].url)/dash-number/manifest.mpd")
                #expect(plain.contains("0,v,SHA256="))
                let readBefore = servers[0].log.payloadBytes(suffix: ".m4s")
                let element =
                    "<ContentSteering defaultServiceLocation=\"A\" queryBeforeStart=\"true\">/steer</ContentSteering>"
                let text = try manifest(servers, before: element)
                let steering = #"{"VERSION":1,"TTL":10,"PATHWAY-PRIORITY":["B","A"]}"#
                let origin = try await stage.origin(OneManifest(text: text, steering: steering))
                let agent = try await stage.agent(origin.url + "/manifest.mpd")
                let local = String(decoding: try await Web.get(agent.playbackURL).body, as: UTF8.self)
                #expect(!local.contains("ContentSteering") && !local.contains(servers[0].url))
                #expect(try await stage.quietStreamHash(agent.playbackURL) == plain)
                #expect(servers[0].log.payloadBytes(suffix: ".m4s") == readBefore)
                #expect(servers[1].log.payloadBytes(suffix: ".m4s") > 0)
                let sessions = try await Web.get(
                    agent.endpoint + "/v1/sessions",
                    [("Authorization", "Bearer \(agent.token)")]
                )
                #expect(String(decoding: sessions.body, as: UTF8.self).contains("\"pathway\":\"B\""))
            }
        }

        @Test(
            "Patches instead of manifests: what players get is the origin's newest",
            .needs(),
            .timeLimit(.minutes(1))
        )
        func patches() async throws {
            try await Stage.with { stage in
                let content = PatchedManifest()
                let origin = try await stage.origin(content)
                let agent = try await stage.agent(origin.url + "/manifest.mpd")
                let base = try #require(WebURL(agent.playbackURL))
                for _ in 0..<8 {
                    content.grow()
                    let text = Array(PatchedManifest.whole(content.last).utf8)
                    let wanted = try MPD.parse(text, url: base, limits: Limits())
                    let isNewest = await eventually(within: 5) {
                        guard let body = try? await Web.get(agent.playbackURL).body,
                            let local = try? MPD.parse(body, url: base, limits: Limits()),
                            let place = wanted.representations[0].table.lastPlace
                        else { return false }
                        let (own, theirs) = (local.representations[0], wanted.representations[0])
                        return local.publishTime == wanted.publishTime && own.table.lastPlace == place
                            && [0, place].allSatisfy { own.segment(at: $0)?.name == theirs.segment(at: $0)?.name }
                    }
                    #expect(isNewest)
                }
                let entries = origin.log.entries
                let whole = entries.filter { $0.path == "/manifest.mpd" }
                let patches = entries.filter { $0.path == "/patch.mpp" }
                let bytes = patches.reduce(0) { $0 + $1.bytes }
                report(
                    "patches: \(patches.count) of \(bytes) bytes in all, after \(whole.count) of \(whole.reduce(0) { $0 + $1.bytes })"
                )
                #expect(whole.count == 1)
                #expect(patches.count >= 8)
                #expect(bytes / Int64(patches.count) < whole[0].bytes / 20)
                #expect(try await agent.statistic("manifest_patches") >= 8)
            }
        }
    }
}

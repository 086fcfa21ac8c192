import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Testing
import WeirCore
import WeirLab

/// Twenty seconds of media behind playlists of unusual shapes.
private struct HLSSite {
    struct Shape {
        var name: String
        /// What the agent opens.
        var path: String
        /// What ffmpeg plays without the agent: the same media, told as every player understands it.
        var plain: String
        /// Resources to compare byte by byte with the disk; 0: not compared.
        var resources = 0
    }

    let root: String
    static let shapes = [
        Shape(name: "a key for each segment", path: "rotation/index.m3u8", plain: "rotation/index.m3u8", resources: 20),
        Shape(name: "MAP in a range", path: "fmp4-range/index.m3u8", plain: "fmp4-range/index.m3u8", resources: 11),
        Shape(name: "discontinuity", path: "break.m3u8", plain: "break.m3u8", resources: 10),
        Shape(name: "variables", path: "define-master.m3u8?dir=ts60", plain: "plain.m3u8"),
        Shape(name: "no suffixes", path: "bare", plain: "plain.m3u8"),
    ]

    private static let head = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n"

    init(_ stage: Stage) throws {
        root = stage.directory + "/site"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        for folder in ["ts60", "rotation", "fmp4-range"] { try link(folder, to: "\(Media.directory)/\(folder)") }
        for number in 0..<10 { try link("bare-\(number)", to: Media.segmentPath(number)) }
        try write("plain.m3u8", list { "ts60/seg0000\($0).ts" })
        try write("bare", list { "bare-\($0)" })
        try write(
            "define-master.m3u8",
            "#EXTM3U\n#EXT-X-DEFINE:QUERYPARAM=\"dir\"\n#EXT-X-DEFINE:NAME=\"stem\",VALUE=\"seg0000\"\n"
                + "#EXT-X-STREAM-INF:BANDWIDTH=3000000\ndefine.m3u8?d={$dir}\n"
        )
        try write(
            "define.m3u8",
            list { "{$d}/{$stem}\($0).ts" }.replacing(
                "#EXT-X-TARGET",
                with: "#EXT-X-DEFINE:QUERYPARAM=\"d\"\n#EXT-X-DEFINE:IMPORT=\"stem\"\n#EXT-X-TARGET"
            )
        )
        let date = "#EXT-X-PROGRAM-DATE-TIME:2026-02-19T14:54:23Z\n#EXT-X-BITRATE:3000\n"
        let second = "#EXT-X-DISCONTINUITY\n#EXT-X-DATERANGE:ID=\"x\",START-DATE=\"2026-02-19T14:54:33Z\"\n"
        let segments = [0, 1, 2, 3, 4, 15, 16, 17, 18, 19].map { number in
            (number == 15 ? second : "") + "#EXTINF:2.0,\nts60/seg\("0000\(number)".suffix(5)).ts\n"
        }
        try write("break.m3u8", HLSSite.head + date + segments.joined() + "#EXT-X-ENDLIST\n")
    }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(root)/\(name)"))
    }

    private func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: "\(root)/\(name)", withDestinationPath: target)
    }

    private func list(_ name: (Int) -> String) -> String {
        HLSSite.head + (0..<10).map { "#EXTINF:2.0,\n\(name($0))\n" }.joined() + "#EXT-X-ENDLIST\n"
    }
}

extension TestAgent {
    // The names are the JSON's.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    private struct Session: Decodable {
        var playback_url: String?
        var id: String
        var pathway: String?
    }

    /// Opens another stream in the same agent, and says where it can be played.
    func open(_ url: String) async throws -> String {
        var request = HTTPClientRequest(url: "\(endpoint)/v1/sessions")
        request.method = .POST
        request.headers.add(name: "authorization", value: "Bearer \(token)")
        request.body = .bytes(ByteBuffer(string: "{\"url\":\"\(url)\"}"))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        let body = try await response.body.collect(upTo: 65_536)
        return try JSONDecoder().decode(Session.self, from: Data(body.readableBytesView)).playback_url ?? ""
    }

    /// The content steering pathway of its one stream.
    func pathway() async throws -> String? {
        let body = try await Web.get("\(endpoint)/v1/sessions", [("authorization", "Bearer \(token)")]).body
        return try JSONDecoder().decode([Session].self, from: Data(body)).first?.pathway
    }
}

extension InteropTests {
    @Suite struct HLSTests {
        @Test(
            "Rotating keys, MAP in a range, discontinuities, variables, no suffixes: bit-exact, by one agent and by two",
            .needs("nginx", "ffmpeg", "openssl"),
            .timeLimit(.minutes(3))
        )
        func shapes() async throws {
            try await Media.need("ts60", "rotation", "fmp4-range")
            try await Stage.with { stage in
                let site = try HLSSite(stage)
                let nginx = try await stage.nginx(root: site.root)
                let first = try await stage.agent("\(nginx.url)/plain.m3u8")
                let second = try await stage.agent("\(nginx.url)/plain.m3u8", peers: [first.peer])
                #expect(try await second.isLinked(to: 1))
                for shape in HLSSite.shapes {
                    let expected = try await stage.streamHash("\(nginx.url)/\(shape.plain)")
                    #expect(expected.contains("SHA256="), "\(shape.name)")
                    for agent in [first, second] {
                        let local = try await agent.open("\(nginx.url)/\(shape.path)")
                        #expect(try await stage.streamHash(local) == expected, "\(shape.name)")
                        guard shape.resources > 0 else { continue }
                        let compared = try await PlaylistLinks.compare(local: local, file: "\(site.root)/\(shape.path)")
                        #expect(compared == shape.resources, "\(shape.name)")
                    }
                }
                let fromPeers = try await second.statistic("peer_bytes")
                #expect(fromPeers > 10_000_000)
                for agent in [first, second] { #expect(try await agent.statistic("banned_peers") == 0) }
                // Each agent read each key by itself.
                try await Task.sleep(for: .milliseconds(200))
                let entries = nginx.entries()
                for number in 0..<10 { #expect(entries.count { $0.path == "/rotation/key\(number).bin" } >= 5) }
                report("unusual shapes: \(fromPeers) bytes came from the peer")
            }
        }

        @Test(
            "Two servers and a steering server: the better pathway is played, and the other one when it dies",
            .needs("nginx", "ffmpeg"),
            .timeLimit(.minutes(2))
        )
        func steering() async throws {
            try await Media.need("ts60", "rotation", "fmp4-range")
            try await Stage.with { stage in
                let site = try HLSSite(stage)
                let left = try await stage.nginx(root: site.root)
                let right = try await stage.nginx(root: site.root)
                try site.write(
                    "steered.m3u8",
                    "#EXTM3U\n#EXT-X-CONTENT-STEERING:SERVER-URI=\"steer.json\",PATHWAY-ID=\"left\"\n"
                        + [(left, "left"), (right, "right")].map { server, name in
                            "#EXT-X-STREAM-INF:BANDWIDTH=3000000,PATHWAY-ID=\"\(name)\"\n\(server.url)/plain.m3u8\n"
                        }.joined()
                )
                try site.write(
                    "steer.json",
                    "{\"VERSION\":1,\"TTL\":300,\"PATHWAY-PRIORITY\":[\"right\",\"left\"]}"
                )
                let expected = try await stage.streamHash("\(left.url)/plain.m3u8")
                let first = try await stage.agent("\(left.url)/steered.m3u8")
                #expect(try await eventually(within: 5) { try await first.pathway() == "right" })
                let index = try await variants(first.playbackURL)
                #expect(Set(index).count == 1, "both pathways are one rendition")
                #expect(try await stage.streamHash(index[0]) == expected)
                try await Task.sleep(for: .milliseconds(200))
                #expect(right.entries().count { Media.isMedia($0.path) } == 10)

                let second = try await stage.agent("\(left.url)/steered.m3u8")
                #expect(try await eventually(within: 5) { try await second.pathway() == "right" })
                let before = left.entries().count { Media.isMedia($0.path) }
                await right.stop()
                let other = try await variants(second.playbackURL)
                #expect(try await stage.streamHash(other[0]) == expected)
                try await Task.sleep(for: .milliseconds(200))
                #expect(left.entries().count { Media.isMedia($0.path) } - before == 10)
                #expect(try await second.pathway() == "left")
            }
        }

        /// The media playlists that a multivariant list names.
        private func variants(_ url: String) async throws -> [String] {
            let text = String(decoding: try await Web.get(url).body, as: UTF8.self)
            #expect(!text.contains("CONTENT-STEERING"))
            return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap {
                URL(string: String($0), relativeTo: URL(string: url))?.absoluteString
            }
        }
    }
}

import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Testing
import WeirLab
import WeirNet

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A `weir serve` process with a list of channels in a file.
struct ChannelServer: Sendable {
    let program: StartedProgram
    /// `http://127.0.0.1:PORT`
    let endpoint: String
    let listPath: String

    /// A new list, put in the place of the old one at once.
    func write(_ list: String) throws {
        try Data(list.utf8).write(to: URL(fileURLWithPath: listPath + ".new"))
        guard rename(listPath + ".new", listPath) == 0 else { throw LabError("no list") }
    }

    // The names are the JSON's.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    struct Session: Decodable, Sendable {
        var players: Int
        var buffer_seconds: Double
        var stalls: Int
    }

    private var token: Substring { program.errors.split(separator: "\n").first?.split(separator: " ").last ?? "" }

    /// - Returns: the status of a control call.
    func post(_ path: String, _ body: String) async throws -> Int {
        var request = HTTPClientRequest(url: endpoint + path)
        request.method = .POST
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        request.body = .bytes(ByteBuffer(string: body))
        return Int(try await HTTPClient.shared.execute(request, timeout: .seconds(10)).status.code)
    }

    func sessions() async throws -> [Session] {
        let answer = try await Web.get(endpoint + "/v1/sessions", [("Authorization", "Bearer \(token)")])
        return try JSONDecoder().decode([Session].self, from: Data(answer.body))
    }

    func list() async throws -> String {
        String(decoding: try await Web.get(endpoint + "/channels.m3u").body, as: UTF8.self)
    }
}

extension Stage {
    func channelServer(_ list: String, flags: [String] = []) async throws -> ChannelServer {
        let path = "\(directory)/list-\(UInt32.random(in: 0 ... .max)).m3u"
        try Data(list.utf8).write(to: URL(fileURLWithPath: path))
        let arguments =
            [Programs.weir, "serve", "--listen", "127.0.0.1:0", "--channels", path, "--swarm-port", "off"] + flags
        let program = try start(arguments)
        let isThere = await eventually(within: 20) { program.output.contains("\n") || !program.process.isRunning }
        let line = program.output.split(separator: "\n").first ?? ""
        guard isThere, line.hasPrefix("http://") else { throw LabError("weir serve did not start: \(program.errors)") }
        return ChannelServer(program: program, endpoint: String(line.dropLast()), listPath: path)
    }
}

/// Channels that all look alike to a player: a multivariant list, a live list with keys and an initialisation section,
/// and media without meaning. Paths are `/N/master.m3u8` and so on.
struct ZappingContent: OriginContent {
    static let segmentSeconds = 2
    private let media = ByteBuffer(repeating: 0xA5, count: 60_000)
    private let started = ContinuousClock.now

    func resource(path: String) async -> OriginResource? {
        switch path.split(separator: "/").last ?? "" {
        case "master.m3u8":
            let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000000\nvideo.m3u8\n"
            return OriginResource(bytes: ByteBuffer(string: text), contentType: "application/vnd.apple.mpegurl")
        case "video.m3u8":
            return OriginResource(
                bytes: ByteBuffer(string: playlist),
                contentType: "application/vnd.apple.mpegurl",
                changes: true
            )
        case "init.mp4": return OriginResource(bytes: ByteBuffer(repeating: 1, count: 900), contentType: "video/mp4")
        case "key": return OriginResource(bytes: ByteBuffer(repeating: 2, count: 16), contentType: "text/plain")
        case let name where name.hasSuffix(".m4s"): return OriginResource(bytes: media, contentType: "video/mp4")
        default: return nil
        }
    }

    private var playlist: String {
        let first = Int((ContinuousClock.now - started).seconds) / Self.segmentSeconds
        let head = """
            #EXTM3U
            #EXT-X-VERSION:6
            #EXT-X-TARGETDURATION:\(Self.segmentSeconds)
            #EXT-X-MEDIA-SEQUENCE:\(first)
            #EXT-X-KEY:METHOD=AES-128,URI="key"
            #EXT-X-MAP:URI="init.mp4"

            """
        return head + (first..<first + 6).map { "#EXTINF:\(Self.segmentSeconds),\n\($0).m4s\n" }.joined()
    }
}

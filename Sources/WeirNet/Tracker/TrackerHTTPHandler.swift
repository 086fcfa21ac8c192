internal import NIOCore
internal import NIOHTTP1
internal import WeirCore
internal import WeirTrackerJSON

/// What the tracker's port answers to plain HTTP: `/stats`, `/healthz`, and for all else a line that says what this is.
final class TrackerHTTPHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let server: TrackerServer
    private var head: HTTPRequestHead?

    init(server: TrackerServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = self.head ?? head
        case .body: break
        case .end:
            guard let head else { return }
            answer(head, context)
        }
    }

    private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let path = request.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        let isRead = request.method == .GET || request.method == .HEAD
        switch (isRead, path) {
        case (false, _): respond(.methodNotAllowed, "GET or HEAD\n", request, context)
        case (true, "/healthz"): respond(.ok, "ok\n", request, context)
        case (true, "/stats"):
            let text = TrackerHTTPHandler.json(server.statistics, server.channels(limit: TrackerHTTPHandler.channels))
            respond(.ok, text, type: "application/json", request, context)
        case (true, _): respond(.notFound, "a WebSocket tracker; /stats and /healthz over HTTP\n", request, context)
        }
    }

    /// Channels that `/stats` lists.
    private static let channels = 100

    private static func json(_ statistics: TrackerServerStatistics, _ channels: [ChannelReport]) -> String {
        var json = JSONWriter()
        json.object { json in
            json.member("sockets", statistics.sockets)
            json.member("swarms", statistics.swarms)
            json.member("peers", statistics.peers)
            json.member("announces", statistics.announces)
            json.member("offers_relayed", statistics.offers)
            json.member("answers_relayed", statistics.answers)
            json.member("viewers", statistics.viewers)
            json.member("announces_per_second", statistics.announcesPerSecond)
            json.member("search", statistics.isReserve ? "reserve" : "full")
            json.member("reserve_searches", statistics.reserveSearches)
            json.name("channels")
            json.array { json in
                for channel in channels {
                    json.element()
                    write(channel, into: &json)
                }
            }
        }
        return String(decoding: json.bytes, as: UTF8.self) + "\n"
    }

    private static func write(_ channel: ChannelReport, into json: inout JSONWriter) {
        json.object { json in
            json.member("channel", channel.channel)
            json.member("peers", channel.members)
            json.member("viewers", channel.viewers)
            guard let mode = channel.mode else { return }
            json.member("mode", mode.rawValue)
            json.member("reason", channel.reason)
            json.member("since_seconds", Int(channel.since.seconds))
        }
    }

    private func respond(
        _ status: HTTPResponseStatus,
        _ text: String,
        type: String = "text/plain; charset=utf-8",
        _ request: HTTPRequestHead,
        _ context: ChannelHandlerContext
    ) {
        let headers = HTTPHeaders([
            ("Content-Type", type), ("Content-Length", "\(text.utf8.count)"), ("Cache-Control", "no-store"),
            ("Connection", "close"),
        ])
        context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: status, headers: headers))), promise: nil)
        if request.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
        }
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

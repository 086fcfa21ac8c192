internal import NIOCore
internal import NIOHTTP1
internal import WeirCore

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
            respond(.ok, TrackerHTTPHandler.json(server.statistics), type: "application/json", request, context)
        case (true, _): respond(.notFound, "a WebSocket tracker; /stats and /healthz over HTTP\n", request, context)
        }
    }

    private static func json(_ statistics: TrackerServerStatistics) -> String {
        var json = JSONWriter()
        json.object { json in
            json.member("sockets", statistics.sockets)
            json.member("swarms", statistics.swarms)
            json.member("peers", statistics.peers)
            json.member("announces", statistics.announces)
            json.member("offers_relayed", statistics.offers)
            json.member("answers_relayed", statistics.answers)
        }
        return String(decoding: json.bytes, as: UTF8.self) + "\n"
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

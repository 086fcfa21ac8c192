import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL

/// An HTTPS server, HTTP/1.1 or 2, whose answers follow from the path.
///
/// `/n/COUNT`: so many bytes; `/short`, `/long`: a body that is not as long as its Content-Length; `/reset`: none.
final class TLSServer: Sendable {
    let port: Int
    private let listener: any Channel
    private let connections: NIOLoopBound<Counter>

    final class Counter { var value = 0 }

    static func start(_ configuration: TLSConfiguration) async throws -> TLSServer {
        let context = try NIOSSLContext(configuration: configuration)
        let isHTTP2 = configuration.applicationProtocols.contains("h2")
        let loop = RawConnection.group.next()
        let counter = try await loop.submit { NIOLoopBound(Counter(), eventLoop: loop) }.get()
        let listener = try await ServerBootstrap(group: loop).childChannelInitializer { channel in
            counter.value.value += 1
            return channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                try pipeline.addHandler(NIOSSLServerHandler(context: context))
                guard isHTTP2 else {
                    try pipeline.configureHTTPServerPipeline()
                    return try pipeline.addHandler(Answerer())
                }
                _ = try pipeline.configureHTTP2Pipeline(
                    mode: .server,
                    connectionConfiguration: .init(),
                    streamConfiguration: .init()
                ) { stream in
                    stream.eventLoop.makeCompletedFuture {
                        try stream.pipeline.syncOperations.addHandlers([
                            HTTP2FramePayloadToHTTP1ServerCodec(), Answerer(),
                        ])
                    }
                }
            }
        }.bind(host: "127.0.0.1", port: 0).get()
        return TLSServer(port: listener.localAddress?.port ?? 0, listener: listener, connections: counter)
    }

    private init(port: Int, listener: any Channel, connections: NIOLoopBound<Counter>) {
        self.port = port
        self.listener = listener
        self.connections = connections
    }

    func connectionCount() async throws -> Int {
        try await listener.eventLoop.submit { [connections] in connections.value.value }.get()
    }

    func stop() async throws { try await listener.close().get() }

    private final class Answerer: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private var path = ""

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): path = head.uri
            case .body: break
            case .end: answer(context)
            }
        }

        private func answer(_ context: ChannelHandlerContext) {
            let (promised, sent) =
                switch path {
                case "/short": (100, 40)
                case "/long": (40, 100)
                default: (Int(path.dropFirst(3)) ?? 0, Int(path.dropFirst(3)) ?? 0)
                }
            if path == "/reset" { return context.close(promise: nil) }
            var head = HTTPResponseHead(version: .http1_1, status: .ok)
            head.headers.add(name: "Content-Length", value: "\(promised)")
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(repeating: 120, count: sent)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

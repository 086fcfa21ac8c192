import NIOCore
import NIOPosix
import NIOSSL
import WeirNet

/// A client that says any bytes, with or without TLS, and reads what it is told to.
final class RawClient: Sendable {
    let channel: any Channel
    private let received: AsyncStream<ByteBuffer>

    private init(channel: any Channel, received: AsyncStream<ByteBuffer>) {
        self.channel = channel
        self.received = received
    }

    static func plain(_ port: Int) async throws -> RawClient {
        try await connect(port, reads: true) { _ in }
    }

    /// - Parameter reads: false for a client that never takes anything from its socket after the handshake.
    static func tls(
        _ port: Int,
        identity: Identity?,
        newest: TLSVersion = .tlsv13,
        reads: Bool = true
    ) async throws -> RawClient {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.minimumTLSVersion = .tlsv1
        configuration.maximumTLSVersion = newest
        if let identity {
            let certificate = try NIOSSLCertificate(bytes: identity.certificate(), format: .der)
            configuration.certificateChain = [.certificate(certificate)]
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: identity.privateKeyBytes, format: .der))
        }
        let context = try NIOSSLContext(configuration: configuration)
        return try await connect(port, reads: reads) { channel in
            try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: context, serverHostname: nil))
        }
    }

    private static func connect(
        _ port: Int,
        reads: Bool,
        _ prepare: @escaping @Sendable (any Channel) throws -> Void
    ) async throws -> RawClient {
        let (stream, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton.next())
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try prepare(channel)
                    try channel.pipeline.syncOperations.addHandler(Collector(continuation, reads: reads))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return RawClient(channel: channel, received: stream)
    }

    func say(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// What comes next; nil when the other end has closed.
    func next() async -> [UInt8]? {
        for await buffer in received { return Array(buffer.readableBytesView) }
        return nil
    }

    /// Whatever comes until the other end closes.
    func everything() async -> [UInt8] {
        var bytes: [UInt8] = []
        for await buffer in received { bytes += buffer.readableBytesView }
        return bytes
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let continuation: AsyncStream<ByteBuffer>.Continuation
        private let reads: Bool

        init(_ continuation: AsyncStream<ByteBuffer>.Continuation, reads: Bool) {
            self.continuation = continuation
            self.reads = reads
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            continuation.yield(unwrapInboundIn(data))
            if !reads { context.channel.setOption(.autoRead, value: false).whenFailure { _ in } }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
        }

        func channelInactive(context: ChannelHandlerContext) { continuation.finish() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

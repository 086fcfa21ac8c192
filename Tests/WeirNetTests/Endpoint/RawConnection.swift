import NIOCore
import NIOPosix

/// A TCP connection that sends and receives bytes as they are: what a test needs to be a rude client or server.
final class RawConnection: Sendable {
    /// The thread that all sockets of the tests share.
    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    let channel: any Channel
    private let collector: Collector

    private init(channel: any Channel, collector: Collector) {
        self.channel = channel
        self.collector = collector
    }

    /// - Parameter receiveBuffer: SO_RCVBUF, to make a reader that is slow to take.
    static func connect(port: Int, receiveBuffer: Int32? = nil, autoRead: Bool = true) async throws -> RawConnection {
        let collector = Collector()
        var bootstrap = ClientBootstrap(group: group).channelOption(.autoRead, value: autoRead)
        if let receiveBuffer {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(receiveBuffer))
        }
        let channel = try await bootstrap.channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(collector) }
        }.connect(host: "127.0.0.1", port: port).get()
        return RawConnection(channel: channel, collector: collector)
    }

    /// Listens and runs the script for every connection.
    static func serve(
        _ script: @escaping @Sendable (RawConnection) async throws -> Void
    ) async throws -> (port: Int, listener: any Channel) {
        let listener = try await ServerBootstrap(group: group).childChannelInitializer { channel in
            let collector = Collector()
            return channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(collector)
                let connection = RawConnection(channel: channel, collector: collector)
                Task { try await script(connection) }
            }
        }.bind(host: "127.0.0.1", port: 0).get()
        return (listener.localAddress?.port ?? 0, listener)
    }

    /// Waits for a request's header and returns it.
    func requestHead() async throws -> String { try await received { $0.contains("\r\n\r\n") } }

    /// Returns when the other side has closed.
    func closed() async throws { try await channel.closeFuture.get() }

    func send(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)).get() }

    func close() async { try? await channel.close().get() }

    /// Waits until what was received satisfies the condition or the other side closed; returns all of it.
    func received(until condition: (@Sendable (String) -> Bool)?) async throws -> String {
        try await channel.eventLoop.flatSubmit { [collector, channel] in
            collector.wait(on: channel.eventLoop, until: condition)
        }.get()
    }

    func receivedToEnd() async throws -> String { try await received(until: nil) }

    /// Sends one request and reads the answer to its end, for requests whose answer closes the connection.
    static func exchange(port: Int, _ request: String) async throws -> String {
        let connection = try await connect(port: port)
        try await connection.send(request)
        let answer = try await connection.receivedToEnd()
        await connection.close()
        return answer
    }

    /// Sendable, because it is used on its channel's event loop only.
    private final class Collector: ChannelInboundHandler, @unchecked Sendable {
        typealias InboundIn = ByteBuffer
        private var text: [UInt8] = []
        private var closed = false
        private var waiting: [(condition: (@Sendable (String) -> Bool)?, promise: EventLoopPromise<String>)] = []

        func wait(on loop: any EventLoop, until condition: (@Sendable (String) -> Bool)?) -> EventLoopFuture<
            String
        > {
            let promise = loop.makePromise(of: String.self)
            waiting.append((condition, promise))
            check()
            return promise.futureResult
        }

        private func check() {
            // Text is made only for a condition that looks at it.
            guard closed || waiting.contains(where: { $0.condition != nil }) else { return }
            let string = String(decoding: text, as: UTF8.self)
            let done = waiting.filter { closed || $0.condition?(string) == true }
            waiting.removeAll { closed || $0.condition?(string) == true }
            for entry in done { entry.promise.succeed(string) }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text += unwrapInboundIn(data).readableBytesView
            check()
        }

        func channelInactive(context: ChannelHandlerContext) {
            closed = true
            check()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

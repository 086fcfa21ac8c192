import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// Upgrades everybody to a WebSocket and says what it was given.
struct HostileTracker {
    private let channel: any Channel
    var port: Int { channel.localAddress?.port ?? 0 }
    private let group: MultiThreadedEventLoopGroup

    init(messages: [String]) async throws {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let upgrader = NIOTypedWebSocketServerUpgrader<Void>(
                        shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
                        upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() }
                    )
                    let configuration = NIOTypedHTTPServerUpgradeConfiguration(
                        upgraders: [upgrader],
                        notUpgradingCompletionHandler: { $0.eventLoop.makeSucceededVoidFuture() }
                    )
                    try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
                        configuration: .init(upgradeConfiguration: configuration)
                    ).whenSuccess {
                        for message in messages {
                            let frame = WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: message))
                            channel.write(frame, promise: nil)
                        }
                        channel.flush()
                    }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    /// Ends every connection, too.
    func stop() async throws { try await group.shutdownGracefully() }
}

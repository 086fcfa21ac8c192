import NIOCore

/// Counts HTTP/1.1 connections on which bytes came that no request had asked for: a body longer than its
/// `Content-Length`. The client library closes such a connection by itself; nothing of the surplus is used.
///
/// Sendable, because it is used on the client's event loop only.
final class SurplusCounter: @unchecked Sendable {
    private let loop: any EventLoop
    weak var client: OriginClient?

    init(loop: any EventLoop) {
        self.loop = loop
    }

    /// Adds itself to a new connection, behind the library's handlers: an error gets there only between requests.
    func watch(_ channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(Watch { [weak self] in self?.client?.countSurplus() })
        }
    }

    private final class Watch: ChannelInboundHandler {
        typealias InboundIn = NIOAny
        private let found: () -> Void
        private var counted = false

        init(_ found: @escaping () -> Void) {
            self.found = found
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            // A reset of an idle connection is no surplus.
            guard !counted, !(error is IOError), !(error is ChannelError) else { return }
            counted = true
            found()
        }
    }
}

internal import Glibc
internal import NIOCore

/// Keeps a listener alive and idle while the process has no file descriptor or memory left: the kernel would otherwise
/// report the same waiting connection over and over.
final class ListenerGuard: ChannelInboundHandler {
    typealias InboundIn = Channel
    typealias InboundOut = Channel

    private static let pause = TimeAmount.seconds(1)

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode) else {
            // A connection that was gone before it was accepted; the next one may be fine.
            return
        }
        let channel = context.channel
        channel.setOption(.autoRead, value: false).whenSuccess {
            channel.eventLoop.scheduleTask(in: ListenerGuard.pause) {
                channel.setOption(.autoRead, value: true).whenFailure { _ in }
            }
        }
    }
}

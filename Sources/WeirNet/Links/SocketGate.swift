internal import NIOCore

/// The handler next to the socket: closes it at once, where closing through TLS would wait for the other end's answer.
final class SocketGate: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func abort() {
        context?.close(promise: nil)
    }
}

import NIOCore

/// Tells when bytes come on an HTTP/1.1 connection that no request had asked for: a body longer than its
/// `Content-Length` (F06). The client library closes such a connection by itself; nothing of the surplus is used.
///
/// It stands behind the library's handlers, where an error arrives only between requests.
final class SurplusWatch: ChannelInboundHandler {
    typealias InboundIn = NIOAny
    private var found: (() -> Void)?

    init(_ found: @escaping () -> Void) {
        self.found = found
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset of an idle connection is no surplus.
        if error is IOError || error is ChannelError { return }
        found?()
        found = nil
    }
}

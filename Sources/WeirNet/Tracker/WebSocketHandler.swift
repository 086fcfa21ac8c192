internal import NIOCore
internal import NIOWebSocket
internal import WeirTrackerJSON

/// One WebSocket (RFC 6455) above frames that an aggregator has put together: messages, ping, pong and close, masks,
/// UTF-8, silence, and a bound on what waits to be sent.
///
/// States: open → closing (a close frame was sent or answered) → closed; open → closed (the socket is gone).
final class WebSocketHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    enum Role { case client, server }

    struct Limits {
        /// Silence after which the other end is asked whether it lives; after as long again it is given up.
        var patience = TimeAmount.seconds(60)
        /// Bytes that wait for a slow reader.
        var pendingBytes = 256 * 1024
        /// For a close frame to be answered.
        var farewell = TimeAmount.seconds(1)
    }

    private let role: Role
    private let limits: Limits
    private var context: ChannelHandlerContext?
    private var isClosing = false
    private var isFinished = false
    private var pendingBytes = 0
    private var heardSinceCheck = true
    private var timer: Scheduled<Void>?
    private(set) var reason: String?

    /// A whole message, text or binary; text is valid UTF-8.
    var onMessage: (WebSocketHandler, ByteBuffer) -> Void = { _, _ in }
    /// The socket is gone; comes once.
    var onEnd: (WebSocketHandler) -> Void = { _ in }

    init(role: Role, limits: Limits = Limits()) {
        self.role = role
        self.limits = limits
    }

    /// The handlers of one WebSocket, this one last.
    static func install(_ handler: WebSocketHandler, on channel: any Channel) throws {
        let aggregator = NIOWebSocketFrameAggregator(
            minNonFinalFragmentSize: 0,
            maxAccumulatedFrameCount: 64,
            maxAccumulatedFrameSize: TrackerMessageJSON.byteLimit
        )
        try channel.pipeline.syncOperations.addHandlers([
            MaskCheck(role: handler.role), aggregator, handler,
        ])
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        watch()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        finish()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case NIOWebSocketError.invalidFrameLength, NIOWebSocketFrameAggregator.Error.accumulatedFrameSizeIsTooLarge:
            close(.messageTooLarge, "a message is too large")
        case is NIOWebSocketError, is NIOWebSocketFrameAggregator.Error, is MaskCheck.WrongMask:
            close(.protocolError, "a WebSocket rule is broken")
        default:
            reason = reason ?? "\(error)"
            context.close(promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        heardSinceCheck = true
        switch frame.opcode {
        case .text, .binary:
            guard !isClosing else { return }
            let message = frame.unmaskedData
            guard frame.opcode == .binary || message.isValidUTF8 else {
                return close(.dataInconsistentWithMessage, "text is no UTF-8")
            }
            onMessage(self, message)
        case .ping: write(.pong, frame.unmaskedData)
        case .pong: break
        case .connectionClose:
            reason = reason ?? "closed by the other end"
            if !isClosing {
                isClosing = true
                // The same code back, as RFC 6455 5.5.1 asks.
                write(
                    .connectionClose,
                    frame.unmaskedData.getSlice(
                        at: frame.unmaskedData.readerIndex,
                        length: min(2, frame.unmaskedData.readableBytes)
                    ) ?? ByteBuffer()
                )
            }
            context.close(promise: nil)
        default: close(.protocolError, "unknown opcode")
        }
    }

    func send(text bytes: [UInt8]) {
        guard !isClosing else { return }
        write(.text, ByteBuffer(bytes: bytes))
    }

    private func write(_ opcode: WebSocketOpcode, _ data: ByteBuffer) {
        guard let context else { return }
        let bytes = data.readableBytes
        pendingBytes += bytes
        guard pendingBytes <= limits.pendingBytes else {
            reason = reason ?? "it does not read"
            return context.close(promise: nil)
        }
        let mask: WebSocketMaskingKey? = role == .client ? .random() : nil
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in self.pendingBytes -= bytes }
        context.writeAndFlush(
            wrapOutboundOut(WebSocketFrame(fin: true, opcode: opcode, maskKey: mask, data: data)),
            promise: promise
        )
    }

    /// Says why, waits a moment for the answer, closes.
    func close(_ code: WebSocketErrorCode, _ reason: String) {
        guard let context, !isClosing else { return }
        self.reason = self.reason ?? reason
        var data = ByteBuffer()
        data.write(webSocketErrorCode: code)
        write(.connectionClose, data)
        isClosing = true
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: limits.farewell) {
            self.context?.close(promise: nil)
        }
    }

    private func watch() {
        timer = context?.eventLoop.assumeIsolated().scheduleTask(in: limits.patience) {
            guard !self.isClosing else { return }
            if self.isWaiting, !self.heardSinceCheck {
                self.reason = self.reason ?? "silent"
                self.context?.close(promise: nil)
                return
            }
            self.isWaiting = !self.heardSinceCheck
            if self.isWaiting { self.write(.ping, ByteBuffer()) }
            self.heardSinceCheck = false
            self.watch()
        }
    }

    /// A ping is out and nothing has come since.
    private var isWaiting = false

    private func finish() {
        guard !isFinished else { return }
        isFinished = true
        isClosing = true
        timer?.cancel()
        timer = nil
        onEnd(self)
        onEnd = { _ in }
        onMessage = { _, _ in }
    }
}

/// Refuses clients that do not mask and servers that do (RFC 6455 5.1), before an aggregator drops the mask.
final class MaskCheck: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = WebSocketFrame

    struct WrongMask: Error {}

    private let role: WebSocketHandler.Role
    private var isRefused = false

    init(role: WebSocketHandler.Role) { self.role = role }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        let frame = unwrapInboundIn(data)
        if (frame.maskKey != nil) == (role == .server) {
            context.fireChannelRead(data)
        } else {
            isRefused = true
            context.fireErrorCaught(WrongMask())
        }
    }
}

extension ByteBuffer {
    fileprivate var isValidUTF8: Bool { String(validating: readableBytesView, as: UTF8.self) != nil }
}

internal import NIOCore
internal import NIOSSL
internal import NIOTLS
internal import WeirCore

/// One link's frames, above TLS. It lives on the hub's event loop.
///
/// States:
/// - securing → greeting: TLS is done and the peer's key is known; the core hears `linkUp`
/// - greeting → open: the peer's first message came and is a hello
/// - greeting, open → condemned: a frame made no sense; nothing more is read, a goodbye may still be sent
/// - securing, greeting, open, condemned → closing: our decision; what was sent still leaves
/// - any → closed: the socket is gone; the core hears `linkDown`, or `dialFailed` when it never heard `linkUp`
final class LinkHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum State { case securing, greeting, open, condemned, closing, closed }

    let id: LinkID
    let dial: DialID?
    private let expecting: PeerID?
    /// Kept alive by its links: each ends with its socket.
    private let hub: LinkHub
    private let gate: SocketGate
    private(set) var state = State.securing
    /// Whether the core was told of this link.
    private(set) var announced = false

    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    /// The beginning of a frame whose rest has not come.
    private var held: ByteBuffer?
    /// The last buffer sent: it waits so that a flush can tie its promise to it.
    private var tail: ByteBuffer?
    private var unflushedBytes = 0
    var hasUnflushed: Bool { tail != nil }
    private var pendingBytes = 0
    /// Why the link ends, once something has decided it.
    private var end: LinkEnd?

    init(id: LinkID, dial: DialID?, expecting: PeerID?, hub: LinkHub, gate: SocketGate) {
        self.id = id
        self.dial = dial
        self.expecting = expecting
        self.hub = hub
        self.gate = gate
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        startTimer(hub.limits.hello) { $0.abort(.timeout) }
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
        abort(LinkEnd(error, expecting: expecting))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted: secured(context)
        // The peer's half of the link is over, and nothing we could still say would be answered.
        case TLSUserEvent.shutdownCompleted, ChannelEvent.inputClosed: abort(.closedByPeer)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    private func secured(_ context: ChannelHandlerContext) {
        guard state == .securing else { return }
        let tls = try? context.pipeline.syncOperations.handler(type: NIOSSLHandler.self)
        guard let certificate = tls?.peerCertificate, let owner = Identity.owner(of: certificate),
            expecting == nil || expecting == owner.id
        else { return abort(.notAuthentic("no key that proves who it is")) }
        state = .greeting
        announced = true
        let address = PeerAddress(context.channel.remoteAddress)
        let peer = LinkPeer(id: owner.id, publicKey: owner.publicKey, address: address)
        hub.deliver(.linkUp(id, peer, dial: dial))
    }

    // MARK: Receiving

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard state == .greeting || state == .open else { return }
        var arrived = unwrapInboundIn(data)
        var isWhole = false
        if var begun = held {
            held = nil
            begun.writeBuffer(&arrived)
            arrived = begun
            isWhole = true
        }
        while state == .greeting || state == .open {
            switch FrameCodec.split(arrived.readableBytesView) {
            case .needs(let bytes): return hold(arrived, room: bytes, isOwn: isWhole)
            case .refused(let error): return refuse(error)
            case .frame(let type, let header, let payload):
                take(from: arrived, type: type, header: header, payload: payload)
                arrived.moveReaderIndex(forwardBy: payload.upperBound)
                isWhole = false
            }
        }
    }

    /// Keeps the beginning of a frame in a buffer of its own, so that slices given out earlier stay untouched.
    private func hold(_ rest: ByteBuffer, room: Int, isOwn: Bool) {
        guard rest.readableBytes > 0 else { return }
        if isOwn {
            held = rest
            return
        }
        var begun = ByteBufferAllocator().buffer(capacity: max(room, rest.readableBytes))
        begun.writeImmutableBuffer(rest)
        held = begun
    }

    private func take(from buffer: ByteBuffer, type: UInt64, header: Range<Int>, payload: Range<Int>) {
        let start = buffer.readerIndex
        let bytes = buffer.getBytes(at: start + header.lowerBound, length: header.count) ?? []
        do throws(CodecError) {
            guard let message = try FrameCodec.decode(type: type, header: bytes, payloadBytes: payload.count) else {
                // A later version's message. Before its hello nobody may say one.
                if state == .greeting { refuse(.notWeir) }
                return
            }
            if state == .greeting {
                guard case .hello = message else { return refuse(.notWeir) }
                state = .open
                timer?.cancel()
                hub.becameKnown(self)
            }
            let slice = payload.isEmpty ? nil : buffer.getSlice(at: start + payload.lowerBound, length: payload.count)
            hub.deliver(.linkMessage(id, message, payload: slice.map(BufferPayload.init)))
        } catch {
            refuse(error)
        }
    }

    private func refuse(_ error: CodecError) {
        guard let context else { return }
        held = nil
        state = .condemned
        hub.deliver(.linkGarbage(id, error))
        // The core may answer with a goodbye in the drain that this started; then the link ends whatever it says.
        let link = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute { link.value.close() }
    }
}

// MARK: Sending and ending

extension LinkHandler {
    /// Queues a frame. What the codec's rules forbid is dropped: a value that came from elsewhere and was passed on must
    /// not end the agent.
    func send(_ message: Message, payload: (any Payload)?) {
        guard let context, state == .greeting || state == .open || state == .condemned else { return }
        guard let lead = try? FrameCodec.encodeHeader(message, payloadBytes: payload?.count ?? 0) else { return }
        queue(ByteBuffer(bytes: lead), on: context)
        if let payload { queue((payload as? BufferPayload)?.buffer ?? ByteBuffer(bytes: payload.bytes()), on: context) }
        guard pendingBytes <= hub.limits.pendingBytes else { return abort(.failed("it does not read")) }
        if unflushedBytes >= hub.limits.flushBytes { flush() }
    }

    private func queue(_ buffer: ByteBuffer, on context: ChannelHandlerContext) {
        if let tail { context.write(wrapOutboundOut(tail), promise: nil) }
        tail = buffer
        unflushedBytes += buffer.readableBytes
        pendingBytes += buffer.readableBytes
    }

    /// Lets everything that was sent leave, and reports when it has.
    func flush() {
        guard let context, let tail else { return }
        self.tail = nil
        let bytes = unflushedBytes
        unflushedBytes = 0
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess { self.left(bytes) }
        context.writeAndFlush(wrapOutboundOut(tail), promise: promise)
    }

    private func left(_ bytes: Int) {
        pendingBytes -= bytes
        guard state != .closed else { return }
        if announced { hub.deliver(.linkDrained(id, bytes: bytes)) }
        if state == .closing, pendingBytes == 0 { context?.close(promise: nil) }
    }

    /// Ends the link once what was sent has left, at the latest after `LinkLimits.farewell`.
    func close() {
        guard let context, state != .closing, state != .closed else { return }
        flush()
        state = .closing
        held = nil
        end = end ?? .closedHere
        startTimer(hub.limits.farewell) { $0.gate.abort() }
        if pendingBytes == 0 { context.close(promise: nil) }
    }

    /// Ends the link now.
    func abort(_ reason: LinkEnd) {
        guard state != .closed else { return }
        end = end ?? reason
        gate.abort()
    }

    private func startTimer(_ delay: TimeAmount, _ action: @escaping (LinkHandler) -> Void) {
        timer?.cancel()
        timer = context?.eventLoop.assumeIsolated().scheduleTask(in: delay) { action(self) }
    }

    private func finish() {
        guard state != .closed else { return }
        state = .closed
        timer?.cancel()
        timer = nil
        held = nil
        tail = nil
        hub.ended(self, end ?? .closedByPeer)
    }
}

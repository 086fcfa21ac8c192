import NIOCore
import NIOPosix
package import WeirCore

/// A TCP relay on loopback that limits the rate, delays, stalls and cuts on command.
///
/// Everything of one relay lives on one event loop, so its parts need no lock.
package final class Relay: Sendable {
    /// Where it listens.
    package let address: PeerAddress
    private let loop: any EventLoop
    private let state: NIOLoopBound<RelayState>
    private let listener: any Channel

    private init(address: PeerAddress, loop: any EventLoop, state: NIOLoopBound<RelayState>, listener: any Channel) {
        self.address = address
        self.loop = loop
        self.state = state
        self.listener = listener
    }

    package static func start(to target: PeerAddress, _ impairment: Impairment = Impairment()) async throws -> Relay {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let state = try await loop.submit { NIOLoopBound(RelayState(impairment), eventLoop: loop) }.get()
        let listener = try await ServerBootstrap(group: loop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { inbound in connect(inbound, to: target, state) }
            .bind(host: "127.0.0.1", port: 0).get()
        let bound = PeerAddress(host: "127.0.0.1", port: listener.localAddress?.port ?? 0)
        return Relay(address: bound, loop: loop, state: state, listener: listener)
    }

    /// For what passes from now on.
    package func set(_ impairment: Impairment) {
        loop.execute { [state] in state.value.impairment = impairment }
    }

    /// While stalled, connections stay open and nothing passes.
    package func set(stalled: Bool) {
        loop.execute { [state] in state.value.set(stalled: stalled) }
    }

    /// Closes every connection; new ones are taken.
    package func cut() async {
        // Waited for, so that whoever cuts again and again does not fill the loop with it.
        try? await loop.submit { [state] in state.value.cut() }.get()
    }

    package func stop() async {
        try? await listener.close().get()
        await cut()
    }

    /// Connects onwards, and joins both when that works.
    private static func connect(
        _ inbound: any Channel,
        to target: PeerAddress,
        _ state: NIOLoopBound<RelayState>
    ) -> EventLoopFuture<Void> {
        ClientBootstrap(group: inbound.eventLoop)
            .channelOption(.autoRead, value: false)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: target.host, port: target.port)
            .flatMapThrowing { outbound in
                let state = state.value
                let onwards = RelayLane(state: state, direction: 0, from: inbound, to: outbound)
                let back = RelayLane(state: state, direction: 1, from: outbound, to: inbound)
                try inbound.pipeline.syncOperations.addHandler(RelayHandler(incoming: onwards, outgoing: back))
                try outbound.pipeline.syncOperations.addHandler(RelayHandler(incoming: back, outgoing: onwards))
                state.lanes += [onwards, back]
                for channel in [inbound, outbound] { channel.setOption(.autoRead, value: true).whenComplete { _ in } }
            }
            .flatMapErrorThrowing { error in
                inbound.close(promise: nil)
                throw error
            }
    }
}

/// What the connections of a relay share.
final class RelayState {
    var impairment: Impairment
    var links = [SerialLink(), SerialLink()]
    var lanes: [RelayLane] = []
    private(set) var isStalled = false

    init(_ impairment: Impairment) {
        self.impairment = impairment
    }

    func set(stalled: Bool) {
        isStalled = stalled
        for lane in lanes { lane.deliver() }
    }

    func cut() {
        for lane in lanes { lane.from.close(promise: nil) }
    }
}

/// One direction of one connection: a queue of what is on its way.
///
/// open → ending, when its sender has closed; ending → closed, when the queue has drained.
final class RelayLane {
    let from: any Channel
    private let to: any Channel
    private let state: RelayState
    private let direction: Int
    private var queue: CircularBuffer<(due: NIODeadline, bytes: ByteBuffer)> = []
    private var queuedBytes = 0
    private var isReading = true
    private var isEnding = false
    private var timer: Scheduled<Void>?

    init(state: RelayState, direction: Int, from: any Channel, to: any Channel) {
        self.state = state
        self.direction = direction
        self.from = from
        self.to = to
    }

    func take(_ bytes: ByteBuffer) {
        var rest = bytes
        // About two milliseconds each, so that a slow rate drips instead of bursting.
        let pieceBytes = max(1448, Int((state.impairment.bytesPerSecond ?? 1e9) * 0.002))
        while let piece = rest.readSlice(length: min(pieceBytes, rest.readableBytes)), piece.readableBytes > 0 {
            let due = state.links[direction].arrival(of: piece.readableBytes, at: .now(), state.impairment)
            queue.append((due: due, bytes: piece))
            queuedBytes += piece.readableBytes
        }
        updateReading()
        deliver()
    }

    /// The sender has closed: the other side is closed after what is on its way.
    func end() {
        isEnding = true
        deliver()
    }

    /// Passes on what is due, as far as the receiver takes it.
    func deliver() {
        timer?.cancel()
        timer = nil
        guard !state.isStalled else { return }
        var written = false
        while let head = queue.first, head.due <= .now(), to.isWritable {
            queue.removeFirst()
            queuedBytes -= head.bytes.readableBytes
            to.write(head.bytes, promise: nil)
            written = true
        }
        if written { to.flush() }
        updateReading()
        if let head = queue.first {
            guard to.isActive else { return }
            if to.isWritable { schedule(head.due) }
        } else if isEnding {
            to.close(promise: nil)
            state.lanes.removeAll { $0 === self }
        }
    }

    private func schedule(_ due: NIODeadline) {
        timer = to.eventLoop.assumeIsolated().scheduleTask(deadline: due) { self.deliver() }
    }

    private func updateReading() {
        let wanted = queuedBytes < state.impairment.heldBytes
        guard wanted != isReading else { return }
        isReading = wanted
        from.setOption(.autoRead, value: wanted).whenComplete { _ in }
    }
}

/// Feeds a channel's bytes into its lane, and tells the lane towards it when it can take more.
private final class RelayHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let incoming: RelayLane
    private let outgoing: RelayLane

    init(incoming: RelayLane, outgoing: RelayLane) {
        self.incoming = incoming
        self.outgoing = outgoing
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        incoming.take(unwrapInboundIn(data))
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { outgoing.deliver() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        incoming.end()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

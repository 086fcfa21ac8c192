package import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOWebSocket
package import WeirCore
internal import WeirTrackerJSON

/// A tracker over sockets: WebTorrent's WebSocket protocol, and `/stats` and `/healthz` over plain HTTP on the same
/// port. All decisions are `TrackerServerState`'s.
///
/// Confined to its event loop.
package final class TrackerServer {
    package struct Limits: Sendable {
        /// WebSockets at once.
        package var sockets = 20_000
        /// WebSockets at once from one address: a household or an office behind one NAT.
        package var socketsPerHost = 1000
        /// Messages that one socket may send in a burst, and per second after that.
        package var messageBurst = 200
        package var messagesPerSecond = 20
        /// From TCP to the end of a request's headers.
        package var request = TimeAmount.seconds(10)
        /// Silence after which a client is asked whether it lives, and then again until it is given up.
        package var patience = TimeAmount.seconds(60)

        package init() {}
    }

    private struct Client {
        var socket: WebSocketHandler
        var host: String
        /// Messages that it may still send at once.
        var credit: Double
        var credited: NIODeadline
    }

    let limits: Limits
    private let loop: any EventLoop
    private let start = NIODeadline.now()
    private var state: TrackerServerState<RawDescription>
    private var clients: [TrackerSocket: Client] = [:]
    private var hosts: [String: Int] = [:]
    private var lastSocket: UInt64 = 0
    private var listeners: [any Channel] = []
    private var sweep: Scheduled<Void>?
    private var isDraining = false
    private var writer = TrackerAnswerWriter()

    package init(
        loop: any EventLoop,
        settings: TrackerServerSettings = TrackerServerSettings(),
        limits: Limits = Limits(),
        seed: UInt64 = .random(in: 0...UInt64.max)
    ) {
        loop.preconditionInEventLoop()
        self.loop = loop
        self.limits = limits
        state = TrackerServerState(settings: settings, seed: seed)
    }

    /// - Parameter port: 0 for any.
    /// - Returns: the port. Fails when the address cannot be bound.
    package func listen(host: String, port: Int) -> EventLoopFuture<Int> {
        let server = NIOLoopBound(self, eventLoop: loop)
        return ServerBootstrap(group: loop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ListenerGuard())
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try server.value.accept(channel) }
            }
            .bind(host: host, port: port)
            .assumeIsolated()
            .map { channel in
                self.listeners.append(channel)
                return channel.localAddress?.port ?? 0
            }
            .nonisolated()
    }

    /// Stops listening and lets every client go.
    package func stop() {
        for listener in listeners { listener.close(promise: nil) }
        listeners = []
        for client in clients.values { client.socket.close(.goingAway, "stopping") }
        sweep?.cancel()
    }

    package var statistics: TrackerServerStatistics { state.statistics }

    /// The channels with the most viewers.
    package func channels(limit: Int) -> [ChannelReport] { state.channels(limit: limit, at: now) }

    // MARK: Connections

    private func accept(_ channel: any Channel) throws {
        let server = NIOLoopBound(self, eventLoop: loop)
        let deadline = loop.scheduleTask(in: limits.request) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in deadline.cancel() }
        let upgrader = NIOTypedWebSocketServerUpgrader(
            maxFrameSize: TrackerMessageJSON.byteLimit,
            enableAutomaticErrorHandling: false,
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    deadline.cancel()
                    try server.value.opened(channel)
                }
            }
        )
        let configuration = NIOTypedHTTPServerUpgradeConfiguration(
            upgraders: [upgrader],
            notUpgradingCompletionHandler: { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(TrackerHTTPHandler(server: server.value))
                }
            }
        )
        try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
            configuration: .init(upgradeConfiguration: configuration)
        ).whenFailure { _ in channel.close(promise: nil) }
    }

    private func opened(_ channel: any Channel) throws {
        let host = PeerAddress(channel.remoteAddress).host
        let socket = WebSocketHandler(role: .server, limits: .init(patience: limits.patience))
        guard clients.count < limits.sockets, hosts[host, default: 0] < limits.socketsPerHost else {
            try WebSocketHandler.install(socket, on: channel)
            // "Try again later" of the IANA registry for RFC 6455.
            return socket.close(WebSocketErrorCode(codeNumber: 1013), "too many connections")
        }
        lastSocket += 1
        let id = TrackerSocket(lastSocket)
        // Socket and server hold each other until the socket ends, which lets go of both closures.
        socket.onMessage = { _, message in self.received(message, from: id) }
        socket.onEnd = { _ in self.closed(id) }
        clients[id] = Client(socket: socket, host: host, credit: Double(limits.messageBurst), credited: .now())
        hosts[host, default: 0] += 1
        state.opened(id, host: host)
        try WebSocketHandler.install(socket, on: channel)
    }

    private func closed(_ id: TrackerSocket) {
        guard let client = clients.removeValue(forKey: id) else { return }
        let others = hosts[client.host, default: 1] - 1
        hosts[client.host] = others > 0 ? others : nil
        state.closed(id)
    }

    // MARK: Messages

    private func received(_ message: ByteBuffer, from id: TrackerSocket) {
        guard spend(id) else {
            clients[id]?.socket.close(.policyViolation, "too many messages")
            return
        }
        do throws(TrackerServerJSON.Refusal) {
            let call = try TrackerServerJSON.decode(Array(message.readableBytesView))
            state.handle(call, from: id, at: now)
        } catch {
            clients[id]?.socket.send(text: TrackerServerJSON.encode(.failure(nil, reason: error.reason)))
        }
        drain()
        schedule()
    }

    /// A bucket that fills at `messagesPerSecond` up to `messageBurst`.
    private func spend(_ id: TrackerSocket) -> Bool {
        guard var client = clients[id] else { return false }
        let time = NIODeadline.now()
        let earned = Double((time - client.credited).nanoseconds) / 1e9 * Double(limits.messagesPerSecond)
        client.credit = min(Double(limits.messageBurst), client.credit + earned) - 1
        client.credited = time
        clients[id] = client
        return client.credit >= 0
    }

    private func drain() {
        // A socket that fails while it is written to comes back here by way of `closed`.
        guard !isDraining else { return }
        isDraining = true
        while let (id, answer) = state.nextOutput() {
            clients[id]?.socket.send(text: writer.encode(answer))
        }
        isDraining = false
    }

    private var now: Instant { Instant(nanoseconds: (NIODeadline.now() - start).nanoseconds) }

    private func schedule() {
        guard sweep == nil, let due = state.nextDeadline else { return }
        sweep = loop.assumeIsolated().scheduleTask(in: .nanoseconds(max(0, (due - now).nanoseconds))) {
            self.sweep = nil
            self.state.expire(at: self.now)
            self.schedule()
        }
    }
}

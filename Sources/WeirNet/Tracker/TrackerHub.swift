package import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import NIOWebSocket
package import WeirCore
internal import WeirTrackerJSON

/// An agent's connections to its trackers. It connects when told and never on its own: when to try again is the core's
/// decision.
///
/// A tracker: closed → connecting (`open`) → up (`Input.trackerUp`) → closed (`Input.trackerDown`, or `close`);
/// connecting → closed (`Input.trackerDown`, or `close`).
///
/// Confined to its event loop.
package final class TrackerHub {
    package struct Limits: Sendable {
        /// For TCP, names resolved.
        package var connect = TimeAmount.seconds(5)
        /// From `open` to the end of the upgrade.
        package var upgrade = TimeAmount.seconds(10)
        /// The `Origin` field, for trackers that serve only some; browsers always send one, agents none.
        package var origin: String?

        package init() {}
    }

    private final class Connection {
        var channel: (any Channel)?
        var socket: WebSocketHandler?
        var timer: Scheduled<Void>?
        var isOver = false
    }

    private let loop: any EventLoop
    private let urls: [String]
    private let limits: Limits
    private let deliver: @Sendable (Input) -> Void
    private var connections: [TrackerID: Connection] = [:]
    private var security: NIOSSLContext?

    package init(
        loop: any EventLoop,
        urls: [String],
        limits: Limits = Limits(),
        deliver: @escaping @Sendable (Input) -> Void
    ) {
        loop.preconditionInEventLoop()
        self.loop = loop
        self.urls = urls
        self.limits = limits
        self.deliver = deliver
    }

    /// Connects; ends in `trackerUp` or `trackerDown`. Nothing happens when it is open or on its way.
    package func open(_ tracker: TrackerID) {
        guard connections[tracker] == nil else { return }
        guard urls.indices.contains(tracker.value), let url = WebSocketURL(urls[tracker.value]) else {
            return deliver(.trackerDown(tracker, reason: "no ws:// or wss:// address"))
        }
        let connection = Connection()
        connections[tracker] = connection
        connection.timer = loop.assumeIsolated().scheduleTask(in: limits.upgrade) {
            self.end(tracker, connection, "no answer")
        }
        ClientBootstrap(group: loop)
            .connectTimeout(limits.connect)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: url.host, port: url.port)
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let channel): self.upgrade(channel, to: url, tracker, connection)
                case .failure(let error): self.end(tracker, connection, TrackerHub.text(of: error))
                }
            }
    }

    /// Says something to a tracker that is up; nothing happens otherwise.
    package func announce(_ tracker: TrackerID, _ request: TrackerRequest) {
        connections[tracker]?.socket?.send(text: TrackerClientJSON.encode(request))
    }

    /// Closes a connection. Nothing more is reported for it.
    package func close(_ tracker: TrackerID) {
        guard let connection = connections.removeValue(forKey: tracker) else { return }
        connection.isOver = true
        connection.timer?.cancel()
        if let socket = connection.socket {
            socket.close(.goingAway, "closed here")
        } else {
            connection.channel?.close(promise: nil)
        }
    }

    private func end(_ tracker: TrackerID, _ connection: Connection, _ reason: String) {
        guard !connection.isOver else { return }
        connection.isOver = true
        connection.timer?.cancel()
        connection.channel?.close(promise: nil)
        connections[tracker] = nil
        deliver(.trackerDown(tracker, reason: reason))
    }

    private func upgrade(_ channel: any Channel, to url: WebSocketURL, _ tracker: TrackerID, _ connection: Connection) {
        guard !connection.isOver else { return channel.close(promise: nil) }
        connection.channel = channel
        let socket = NIOLoopBound(handler(for: tracker, connection), eventLoop: loop)
        let upgrader = NIOTypedWebSocketClientUpgrader(
            maxFrameSize: TrackerMessageJSON.byteLimit,
            enableAutomaticErrorHandling: false
        ) { channel, _ in
            channel.eventLoop.makeCompletedFuture {
                try WebSocketHandler.install(socket.value, on: channel)
                return true
            }
        }
        let configuration = NIOTypedHTTPClientUpgradeConfiguration(
            upgradeRequestHead: requestHead(url),
            upgraders: [upgrader],
            notUpgradingCompletionHandler: { $0.eventLoop.makeSucceededFuture(false) }
        )
        var pipeline = NIOUpgradableHTTPClientPipelineConfiguration(upgradeConfiguration: configuration)
        // A tracker may speak in the same breath in which it upgrades.
        pipeline.leftOverBytesStrategy = .forwardBytes
        do {
            if url.isSecure {
                try channel.pipeline.syncOperations.addHandler(tls(for: url.host))
            }
            try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(configuration: pipeline)
                .assumeIsolated().whenComplete { result in
                    switch result {
                    case .success(true): self.isUp(tracker, connection, socket.value)
                    case .success(false): self.end(tracker, connection, "it speaks HTTP but no WebSocket there")
                    case .failure(let error): self.end(tracker, connection, TrackerHub.text(of: error))
                    }
                }
        } catch {
            end(tracker, connection, TrackerHub.text(of: error))
        }
        channel.closeFuture.assumeIsolated().whenComplete { _ in self.end(tracker, connection, "closed by the tracker")
        }
    }

    private func handler(for tracker: TrackerID, _ connection: Connection) -> WebSocketHandler {
        let socket = WebSocketHandler(role: .client)
        socket.onMessage = { [deliver] _, message in
            guard !connection.isOver else { return }
            // What is no reply is passed over: a tracker that says nonsense is no worse than one that is silent.
            if let reply = TrackerClientJSON.decode(Array(message.readableBytesView)) {
                deliver(.trackerReply(tracker, reply))
            }
        }
        socket.onEnd = { [weak self] socket in
            self?.end(tracker, connection, socket.reason ?? "closed by the tracker")
        }
        return socket
    }

    private func isUp(_ tracker: TrackerID, _ connection: Connection, _ socket: WebSocketHandler) {
        guard !connection.isOver else { return }
        connection.timer?.cancel()
        connection.socket = socket
        deliver(.trackerUp(tracker))
    }

    private func requestHead(_ url: WebSocketURL) -> HTTPRequestHead {
        var headers = HTTPHeaders([("Host", url.hostField), ("User-Agent", "weir")])
        if let origin = limits.origin { headers.add(name: "Origin", value: origin) }
        return HTTPRequestHead(version: .http1_1, method: .GET, uri: url.target, headers: headers)
    }

    private func tls(for host: String) throws -> NIOSSLClientHandler {
        let context = try security ?? NIOSSLContext(configuration: .makeClientConfiguration())
        security = context
        // A literal address has no server name (RFC 6066 3).
        let name = IPLiteral(host) == nil ? host : nil
        return try NIOSSLClientHandler(context: context, serverHostname: name)
    }

    private static func text(of error: any Error) -> String {
        switch LinkEnd(error) {
        case .refused: "connection refused"
        case .timeout: "no answer"
        case .closedByPeer: "closed by the tracker"
        case .closedHere: "closed here"
        case .notAuthentic: "its certificate is not accepted"
        case .failed(let text): text
        }
    }
}

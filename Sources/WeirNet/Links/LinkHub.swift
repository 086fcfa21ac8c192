package import NIOCore
internal import NIOPosix
internal import NIOSSL
package import WeirCore

/// Every TCP link of one agent: listens, dials, secures, frames. It decides nothing; what happens goes to `deliver` as
/// the core's inputs.
///
/// Confined to its event loop: made there, called there, and `deliver` is called there, also from within a call.
package final class LinkHub {
    let limits: LinkLimits
    let deliver: @Sendable (Input) -> Void
    private let loop: any EventLoop
    private let security: LinkSecurity
    private var links: [LinkID: LinkHandler] = [:]
    private var listeners: [any Channel] = []
    private var lastLink: UInt64 = 0
    /// Links with something unflushed, in the order they were first sent to.
    private var unflushed: [LinkHandler] = []
    /// Connections from outside that have not said hello.
    private var strangers: Set<LinkID> = []
    private var isStopped = false

    /// - Throws: when the identity cannot be made into a certificate.
    package init(
        loop: any EventLoop,
        identity: Identity,
        limits: LinkLimits = LinkLimits(),
        deliver: @escaping @Sendable (Input) -> Void
    ) throws {
        loop.preconditionInEventLoop()
        self.loop = loop
        self.limits = limits
        self.deliver = deliver
        security = try LinkSecurity(identity: identity)
    }

    /// Accepts links at an address of this host.
    ///
    /// - Parameter port: 0 for any.
    /// - Returns: the port. Fails when the address cannot be bound.
    package func listen(host: String, port: Int) -> EventLoopFuture<Int> {
        let hub = NIOLoopBound(self, eventLoop: loop)
        return ServerBootstrap(group: loop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 128)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ListenerGuard())
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_sndbuf), value: .init(limits.socketSendBytes))
            .childChannelOption(.tcpOption(.unsentLimit), value: .init(limits.unsentBytes))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try hub.value.accept(channel) }
            }
            .bind(host: host, port: port)
            .assumeIsolated()
            .map { channel in
                self.listeners.append(channel)
                if self.isStopped { channel.close(promise: nil) }
                return channel.localAddress?.port ?? 0
            }
            .nonisolated()
    }

    /// Connects to a peer; ends in `linkUp` or `dialFailed`.
    ///
    /// - Parameter expecting: refuse anybody else who answers there.
    package func dial(_ id: DialID, _ address: PeerAddress, expecting: PeerID?) {
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(limits.connect)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_sndbuf), value: .init(limits.socketSendBytes))
            .channelOption(.tcpOption(.unsentLimit), value: .init(limits.unsentBytes))
        let connection: EventLoopFuture<any Channel>
        if !(1...65535).contains(address.port) {
            connection = loop.makeFailedFuture(LinkRefusal.noSuchPort)
        } else if let literal = try? SocketAddress(ipAddress: address.host, port: address.port) {
            connection = bootstrap.connect(to: literal)
        } else {
            connection = bootstrap.connect(host: address.host, port: address.port)
        }
        connection.assumeIsolated().whenComplete { result in
            do {
                try self.start(
                    result.get(),
                    security: self.security.clientHandler(expecting: expecting),
                    dial: id,
                    expecting
                )
            } catch {
                self.deliver(.dialFailed(id, LinkEnd(error)))
            }
        }
    }

    /// Queues a message on a link; it leaves with the next `flush`. Nothing happens on a link that is gone.
    package func send(_ link: LinkID, _ message: Message, payload: (any Payload)?) {
        guard let handler = links[link] else { return }
        if !handler.hasUnflushed { unflushed.append(handler) }
        handler.send(message, payload: payload)
    }

    /// Lets everything leave that was sent: call it at the end of a drain.
    package func flush() {
        // Writing can come back into `send` by way of `deliver`.
        let waiting = unflushed
        unflushed.removeAll(keepingCapacity: true)
        for handler in waiting { handler.flush() }
    }

    /// Closes a link after what was sent has left, or after a second. Ends in `linkDown`.
    package func close(_ link: LinkID, reason: String) {
        links[link]?.close()
    }

    /// Stops listening and drops every link without a word.
    package func stop() {
        isStopped = true
        for listener in listeners { listener.close(promise: nil) }
        listeners = []
        for handler in links.values { handler.abort(.closedHere) }
    }

    // MARK: Links' beginnings and ends

    private func accept(_ channel: any Channel) throws {
        guard !isStopped, strangers.count < limits.strangers else { throw LinkRefusal.tooManyStrangers }
        let handler = try start(channel, security: security.serverHandler(), dial: nil, nil)
        strangers.insert(handler.id)
    }

    @discardableResult
    private func start(
        _ channel: any Channel,
        security: NIOSSLHandler,
        dial: DialID?,
        _ expecting: PeerID?
    ) throws -> LinkHandler {
        guard !isStopped else {
            channel.close(promise: nil)
            throw ChannelError.alreadyClosed
        }
        lastLink += 1
        let gate = SocketGate()
        let handler = LinkHandler(id: LinkID(lastLink), dial: dial, expecting: expecting, hub: self, gate: gate)
        links[handler.id] = handler
        try channel.pipeline.syncOperations.addHandlers([gate, security, handler])
        return handler
    }

    /// The other end of a link said hello.
    func becameKnown(_ handler: LinkHandler) {
        strangers.remove(handler.id)
    }

    func ended(_ handler: LinkHandler, _ end: LinkEnd) {
        strangers.remove(handler.id)
        guard links.removeValue(forKey: handler.id) != nil else { return }
        if handler.announced {
            deliver(.linkDown(handler.id, end))
        } else if let dial = handler.dial {
            deliver(.dialFailed(dial, end))
        }
    }
}

extension NIOBSDSocket.Option {
    /// TCP_NOTSENT_LOWAT, which the library has no name for: the number is part of Linux' interface (linux/tcp.h).
    fileprivate static let unsentLimit = NIOBSDSocket.Option(rawValue: 25)
}

/// Why a connection is not even begun.
private enum LinkRefusal: Error {
    case tooManyStrangers
    case noSuchPort
}

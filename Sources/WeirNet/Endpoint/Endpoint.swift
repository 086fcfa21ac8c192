package import NIOCore
import NIOHTTP1
import NIOPosix
package import WeirCore

/// The localhost HTTP/1.1 server: players' requests become inputs of the core, the core's outputs their answers.
///
/// Confined to its event loop, which is what makes it Sendable: every method runs there.
package final class Endpoint: @unchecked Sendable {
    let loop: any EventLoop
    let settings: EndpointSettings
    private let deliver: @Sendable (Input) -> Void
    /// What control calls read and change. Set before the first call can come.
    package weak var agent: (any ControlledAgent)?
    /// Looks for a newer list of channels before a request for one is answered; nil when there is no list.
    package var channels: ChannelSource?
    /// Set before the first request can come; nil where nothing is remuxed.
    var continuous: ContinuousOutputs?
    /// The same where no pictures are given.
    var previews: Previews?
    /// The same where nobody looks at what media are.
    var probes: Probes?
    /// The same where nothing is recorded.
    var captures: Captures?

    private var channel: (any Channel)?
    private(set) var hostRule: HostRule
    /// The port that was bound; 0 before.
    package private(set) var port = 0
    private var nextRequest: UInt64 = 0
    private var nextConnection: UInt64 = 0
    private var connections: [ObjectIdentifier: PlayerConnection] = [:]
    private var answering: [RequestID: PlayerConnection] = [:]
    /// The connection of the latest output: outputs of one request come in rows.
    private var recent: (id: RequestID, connection: PlayerConnection)?
    private var unflushed: [PlayerConnection] = []
    private var clock = HTTPDate()

    let lineBreak = ByteBuffer(string: "\r\n")
    let lastChunk = ByteBuffer(string: "0\r\n\r\n")

    package init(loop: any EventLoop, settings: EndpointSettings, deliver: @escaping @Sendable (Input) -> Void) {
        self.loop = loop
        self.settings = settings
        self.deliver = deliver
        hostRule = HostRule(extraHosts: settings.extraHosts, listenHost: settings.host, port: settings.port)
    }

    /// Starts to listen.
    /// - Returns: the port.
    package func bind() -> EventLoopFuture<Int> {
        let bootstrap = ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                // Out of file descriptors: pause, do not spin (F85).
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
                }
            }
            .childChannelOption(.socketOption(.so_sndbuf), value: .init(settings.sendBufferBytes))
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // A player's machine may vanish without a word.
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelInitializer { [weak self] channel in
                channel.eventLoop.makeCompletedFuture { try self?.accept(channel) }
            }
        return bootstrap.bind(host: settings.host, port: settings.port).map { [self] channel in
            self.channel = channel
            port = channel.localAddress?.port ?? settings.port
            hostRule = HostRule(extraHosts: settings.extraHosts, listenHost: settings.host, port: port)
            return port
        }
    }

    /// Stops to listen and closes every connection.
    package func shutDown() -> EventLoopFuture<Void> {
        loop.preconditionInEventLoop()
        flush()
        let listener = channel?.close().flatMapError { [loop] _ in loop.makeSucceededVoidFuture() }
        channel = nil
        channels?.close()
        continuous?.shutDown()
        previews?.shutDown()
        probes?.shutDown()
        captures?.shutDown()
        for connection in connections.values { connection.abort() }
        return listener ?? loop.makeSucceededVoidFuture()
    }

    // MARK: The core's outputs

    package func answerHead(_ id: RequestID, _ head: AnswerHead) { connection(of: id)?.start(head) }
    package func answerBytes(_ id: RequestID, _ bytes: [UInt8]) { connection(of: id)?.write(ByteBuffer(bytes: bytes)) }
    package func answerBody(_ id: RequestID, _ payload: any Payload) { connection(of: id)?.write(payload.asBuffer) }
    package func answerEnd(_ id: RequestID) { connection(of: id)?.end() }
    package func answerAbort(_ id: RequestID) {
        guard let connection = connection(of: id) else { return }
        forget(id)
        connection.abandon()
    }

    /// Hands everything that was written since the last flush to the kernel, one gathering write per connection.
    package func flush() {
        while !unflushed.isEmpty {
            let batch = unflushed
            unflushed = []
            for connection in batch { connection.flush() }
        }
    }

    private func connection(of id: RequestID) -> PlayerConnection? {
        if let recent, recent.id == id { return recent.connection }
        guard let connection = answering[id] else { return nil }
        recent = (id, connection)
        return connection
    }

    // MARK: For the connections

    private func accept(_ channel: any Channel) throws {
        // A few more than allowed get a polite answer, further ones none.
        guard connections.count < settings.connections + 64 else { return channel.close(promise: nil) }
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldCount = settings.headerFields
        limits.maxHeaderFieldSize = settings.headerBytes
        limits.maxHeaderListSize = settings.headerBytes
        nextConnection += 1
        let connection = PlayerConnection(
            endpoint: self,
            id: ConnectionID(nextConnection),
            refusing: connections.count >= settings.connections
        )
        connections[ObjectIdentifier(connection)] = connection
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: limits)))
        try pipeline.addHandler(connection)
    }

    func removed(_ connection: PlayerConnection) {
        connections.removeValue(forKey: ObjectIdentifier(connection))
        if connection.hasAsked { deliver(.connectionClosed(connection.id)) }
    }

    func checkHost(_ check: RequestCheck, localAddress: String?) throws(RequestRefusal) {
        guard let authority = check.authority else { return }
        guard hostRule.accepts(authority: authority, localAddress: localAddress) else {
            throw RequestRefusal(
                status: 421,
                error: "this endpoint does not answer for that host name",
                hint: "Use http://127.0.0.1:\(port)/, or name the host in the setting extra_hosts."
            )
        }
    }

    func isPlayerRoute(_ target: String) -> Bool {
        target.hasPrefix("/s/") || target == "/play" || target.hasPrefix("/play?") || isChannelRoute(target)
    }

    /// Answers a request for a continuous output or a picture.
    /// - Returns: false when the request is for something else.
    func answerContinuous(_ target: String, isHead: Bool, from connection: PlayerConnection) -> Bool {
        guard let continuous, let path = LocalPath(target: target), let stream = path.media else { return false }
        let session = agent?.sessions().first { $0.id == stream.text }
        guard let query = TimeShift.Query(target: target) else {
            continuous.refuseTime(connection)
            return true
        }
        guard case .continuous(_, let format) = path else {
            let subject = path == .contactSheet(stream) ? Previews.Subject.window : .moment(query.at)
            previews?.answer(connection, stream, subject, session: session, base: workerBase)
            return previews != nil
        }
        continuous.answer(
            connection,
            stream,
            format,
            isHead: isHead,
            at: query.at,
            session: session,
            base: workerBase
        )
        return true
    }

    /// Where processes of our own find the endpoint.
    var workerBase: String {
        // A wildcard is where it listens, not where a worker can connect to.
        let host = ["0.0.0.0": "127.0.0.1", "::": "::1", "localhost": "127.0.0.1"][settings.host] ?? settings.host
        return "http://\(PeerAddress(host: host, port: port))"
    }

    private func isChannelRoute(_ target: String) -> Bool {
        target.hasPrefix("/c/") || target == "/channels.m3u" || target.hasPrefix("/channels.m3u?")
    }

    /// Gives a request to the core, which may have answered it when this returns.
    func forward(_ request: PlayerRequest, from connection: PlayerConnection) {
        answering[request.id] = connection
        guard let channels, isChannelRoute(request.target) else { return deliver(.request(request)) }
        channels.refresh { [self] in
            // The player may have gone meanwhile.
            if answering[request.id] != nil { deliver(.request(request)) }
        }
    }

    func newRequestID() -> RequestID {
        nextRequest += 1
        return RequestID(nextRequest)
    }

    func control(
        _ check: RequestCheck,
        _ head: HTTPRequestHead,
        body: [UInt8],
        from connection: PlayerConnection,
        localAddress: String?
    ) {
        let call = ControlCall(
            method: head.method.rawValue,
            target: check.target,
            body: body,
            authority: check.authority,
            authorization: head.headers.first(name: "authorization"),
            origin: head.headers.first(name: "origin"),
            localAddress: localAddress
        )
        let calls = ControlCalls(agent: agent, token: settings.token, hostRule: hostRule)
        let connection = NIOLoopBound(connection, eventLoop: loop)
        calls.answer(call) { answer in
            connection.value.answer(status: answer.status, fields: answer.fields, body: answer.body)
        }
    }

    func needsFlush(_ connection: PlayerConnection) {
        guard !connection.awaitsFlush else { return }
        connection.awaitsFlush = true
        unflushed.append(connection)
    }

    func delivered(_ id: RequestID, bytes: Int) { deliver(.delivered(id, bytes: bytes)) }

    func finished(_ id: RequestID) { forget(id) }

    func closed(_ id: RequestID) {
        forget(id)
        deliver(.requestClosed(id))
    }

    func date() -> String { clock.text(at: WallClock.milliseconds() / 1000) }

    private func forget(_ id: RequestID) {
        answering.removeValue(forKey: id)
        if recent?.id == id { recent = nil }
    }
}

extension LocalPath {
    /// The stream of which media are made into something else.
    fileprivate var media: StreamID? {
        switch self {
        case .continuous(let stream, _), .preview(let stream), .contactSheet(let stream): stream
        default: nil
        }
    }
}

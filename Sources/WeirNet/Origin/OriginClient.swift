import AsyncHTTPClient
package import NIOCore
import NIOHTTP1
import NIOSSL
package import WeirCore

/// Performs the core's fetches: HTTP/1.1 and 2 to origins and edges.
///
/// Redirects are followed by weir's own rules, content is never decoded, and what a fetch comes to is told as inputs.
/// Confined to its event loop, which is what makes it Sendable: every method runs there.
package final class OriginClient: @unchecked Sendable {
    let loop: any EventLoop
    let settings: OriginSettings
    private let deliver: @Sendable (Input) -> Void
    private let tls: TLSConfiguration
    /// Made when first needed.
    private var clients: [OriginConnections: HTTPClient] = [:]
    private var exchanges: [FetchID: FetchExchange] = [:]
    private var probes = 0
    private(set) var connectionsMade = 0
    private var isShutDown = false
    /// Connections that sent more than the answer they promised; the surplus was dropped (F06).
    package private(set) var surplusCount = 0

    /// - Throws: when an extra trust root cannot be read.
    package init(
        loop: any EventLoop,
        settings: OriginSettings = OriginSettings(),
        deliver: @escaping @Sendable (Input) -> Void
    ) throws {
        self.loop = loop
        self.settings = settings
        self.deliver = deliver
        var tls = TLSConfiguration.makeClientConfiguration()
        // RFC 8996: nothing older.
        tls.minimumTLSVersion = .tlsv12
        tls.additionalTrustRoots = try settings.extraTrustRoots.map { path in
            .certificates(try NIOSSLCertificate.fromPEMFile(path))
        }
        self.tls = tls
    }

    /// How many exchanges are under way.
    package var count: Int { exchanges.count }

    package func fetch(_ id: FetchID, _ request: FetchRequest) {
        loop.preconditionInEventLoop()
        let exchange = FetchExchange(id: id, request: request, client: self)
        exchanges[id] = exchange
        exchange.start()
    }

    package func pause(_ id: FetchID) { exchanges[id]?.pause() }
    package func resume(_ id: FetchID) { exchanges[id]?.resume() }
    package func cancel(_ id: FetchID) { exchanges.removeValue(forKey: id)?.cancel() }

    /// Drops every exchange and closes all connections.
    package func shutDown() -> EventLoopFuture<Void> {
        loop.preconditionInEventLoop()
        isShutDown = true
        for id in exchanges.keys.sorted() { cancel(id) }
        let closings = clients.values.map { client in
            client.shutdown().flatMapError { [loop] _ in loop.makeSucceededVoidFuture() }
        }
        clients = [:]
        return EventLoopFuture.andAllComplete(closings, on: loop)
    }

    // MARK: For the exchanges

    func report(_ input: Input) { deliver(input) }
    func forget(_ id: FetchID) { exchanges.removeValue(forKey: id) }

    /// Why a certificate is not trusted, in words.
    func explainCertificate(of url: WebURL, then answer: @escaping (String) -> Void) {
        // Explanations must not cost an origin more connections than its players do.
        guard probes < 2, !isShutDown else { return answer(FetchFailure.notTrusted) }
        probes += 1
        CertificateProbe.explain(host: url.host, port: url.port, on: loop).assumeIsolated().whenComplete {
            [self] result in
            probes -= 1
            answer((try? result.get()) ?? FetchFailure.notTrusted)
        }
    }

    func execute(
        _ request: FetchRequest,
        url: WebURL,
        connections: OriginConnections,
        delegate: FetchHop
    ) throws -> HTTPClient.Task<Void> {
        var headers = HTTPHeaders()
        for field in request.fields where field.name.lowercased() != "accept-encoding" {
            headers.add(name: field.name, value: field.value)
        }
        headers.add(name: "accept-encoding", value: "identity")
        if !headers.contains(name: "user-agent") { headers.add(name: "user-agent", value: settings.userAgent) }
        if !headers.contains(name: "accept") { headers.add(name: "accept", value: "*/*") }
        if request.freshConnection { headers.replaceOrAdd(name: "connection", value: "close") }
        let message = try HTTPClient.Request(
            url: url.description,
            method: HTTPMethod(rawValue: request.method.rawValue),
            headers: headers
        )
        guard !isShutDown else { throw ChannelError.alreadyClosed }
        let client = client(connections)
        return client.execute(request: message, delegate: delegate, eventLoop: .delegate(on: loop))
    }

    private func client(_ connections: OriginConnections) -> HTTPClient {
        if let client = clients[connections] { return client }
        let client = HTTPClient(eventLoopGroupProvider: .shared(loop), configuration: configuration(connections))
        clients[connections] = client
        return client
    }

    private func configuration(_ connections: OriginConnections) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls,
            redirectConfiguration: .disallow,
            // Silence is judged by the exchange, which knows whether it paused the socket itself.
            timeout: .init(connect: settings.connectTimeout, read: nil),
            decompression: .disabled
        )
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = settings.connectionsPerHost
        // Whether to try again, and where, is the core's decision.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.dnsOverride = settings.hostAddresses
        if connections.fresh {
            configuration.maximumUsesPerConnection = 1
            configuration.httpVersion = .http1Only
        }
        let counter = NIOLoopBound(self, eventLoop: loop)
        configuration.http1_1ConnectionDebugInitializer = { channel in
            channel.eventLoop.makeCompletedFuture {
                counter.value.connectionsMade += 1
                try connections.check(channel)
                let watch = SurplusWatch { counter.value.surplusCount += 1 }
                try channel.pipeline.syncOperations.addHandler(watch)
            }
        }
        configuration.http2ConnectionDebugInitializer = { channel in
            channel.eventLoop.makeCompletedFuture {
                counter.value.connectionsMade += 1
                try connections.check(channel)
            }
        }
        return configuration
    }
}

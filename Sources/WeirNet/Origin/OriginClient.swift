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
    private let kept: HTTPClient
    private let fresh: HTTPClient
    private var exchanges: [FetchID: FetchExchange] = [:]
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
        let surplus = SurplusCounter(loop: loop)
        let configuration = try Self.configuration(settings, surplus: surplus)
        kept = HTTPClient(eventLoopGroupProvider: .shared(loop), configuration: configuration)
        var once = configuration
        // A second opinion: every request gets a connection of its own.
        once.maximumUsesPerConnection = 1
        once.httpVersion = .http1Only
        fresh = HTTPClient(eventLoopGroupProvider: .shared(loop), configuration: once)
        surplus.client = self
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
        for id in exchanges.keys.sorted() { cancel(id) }
        let both = [kept, fresh].map { client in
            client.shutdown().flatMapError { [loop] _ in loop.makeSucceededVoidFuture() }
        }
        return EventLoopFuture.andAllComplete(both, on: loop)
    }

    // MARK: For the exchanges

    func report(_ input: Input) { deliver(input) }
    func forget(_ id: FetchID) { exchanges.removeValue(forKey: id) }
    func countSurplus() { surplusCount += 1 }
    func carriesBody(_ request: FetchRequest) -> Bool { request.method == .get }

    func execute(_ request: FetchRequest, url: String, delegate: FetchHop) throws -> HTTPClient.Task<Void> {
        var headers = HTTPHeaders()
        for field in request.fields where field.name.lowercased() != "accept-encoding" {
            headers.add(name: field.name, value: field.value)
        }
        headers.add(name: "accept-encoding", value: "identity")
        if !headers.contains(name: "user-agent") { headers.add(name: "user-agent", value: settings.userAgent) }
        if !headers.contains(name: "accept") { headers.add(name: "accept", value: "*/*") }
        if request.freshConnection { headers.replaceOrAdd(name: "connection", value: "close") }
        let message = try HTTPClient.Request(
            url: url,
            method: HTTPMethod(rawValue: request.method.rawValue),
            headers: headers
        )
        let client = request.freshConnection ? fresh : kept
        return client.execute(request: message, delegate: delegate, eventLoop: .delegate(on: loop))
    }

    private static func configuration(
        _ settings: OriginSettings,
        surplus: SurplusCounter
    ) throws -> HTTPClient.Configuration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.additionalTrustRoots = try settings.extraTrustRoots.map { path in
            .certificates(try NIOSSLCertificate.fromPEMFile(path))
        }
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
        configuration.http1_1ConnectionDebugInitializer = { surplus.watch($0) }
        return configuration
    }
}

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import WeirCore

/// One fetch of the core, over all its redirects. Confined to the origin client's event loop.
final class FetchExchange {
    private enum State {
        /// No answer yet.
        case asking
        /// The answer is a redirect; its body is thrown away.
        case redirecting(to: WebURL)
        case receiving
        case ended
    }

    /// Bytes of a redirect's body that are worth reading to keep the connection.
    private static let redirectBodyLimit = 64 * 1024
    /// How often a request is sent again because a kept connection turned out to be closed (RFC 9112 9.3.1).
    private static let retryLimit = 2

    let id: FetchID
    let request: FetchRequest
    private unowned let client: OriginClient
    private let idleTimeout: TimeAmount

    /// Every URL so far, the current one last; empty when the core gave none that can be asked.
    private var visited: [WebURL]
    private var rule: RedirectRule?
    private var state = State.asking
    private var hop: FetchHop?
    private var task: HTTPClient.Task<Void>?
    private var idleTimer: Scheduled<Void>?
    private var lastActivity = NIODeadline.now()
    /// Until the request is on its way, the connect time-out alone counts.
    private var isSent = false
    private var retries = 0
    /// How many connections the client had made when the request was started: none since then means a kept one.
    private var connectionsBefore = 0
    private var paused = false
    private var resumption: EventLoopPromise<Void>?
    /// Body bytes that `Content-Length` promised, nil when it did not.
    private var promisedBytes: Int?
    private var receivedBytes = 0
    private var surplus = false

    init(id: FetchID, request: FetchRequest, client: OriginClient) {
        self.id = id
        self.request = request
        self.client = client
        visited = WebURL(request.url).map { [$0] } ?? []
        rule = visited.first.map { RedirectRule(origin: $0) }
        idleTimeout = client.settings.idleTimeout(for: request.purpose)
    }

    func start() {
        state = .asking
        lastActivity = .now()
        guard let url = visited.last else { return end(.failed(.other("not a URL that can be fetched"))) }
        let hop = FetchHop(self)
        self.hop = hop
        isSent = false
        connectionsBefore = client.connectionsMade
        do {
            task = try client.execute(request, url: url, connections: connections(to: url), delegate: hop)
            if idleTimer == nil { armIdleTimer(after: idleTimeout) }
        } catch {
            end(.failed(FetchFailure(error)))
        }
    }

    /// Whom a hop may connect to. What was asked for may be anywhere; a name that a public host redirects to may not
    /// resolve to this machine or the home network, however late it does so.
    private func connections(to url: WebURL) -> OriginConnections {
        let earlier = visited.dropLast()
        let isNewName = NetworkScope(host: url.host) == .name && !earlier.contains { $0.host == url.host }
        let wasPublic = earlier.contains { [.publicNetwork, .name].contains(NetworkScope(host: $0.host)) }
        return OriginConnections(fresh: request.freshConnection, publicOnly: isNewName && wasPublic)
    }

    func pause() { paused = true }

    func resume() {
        paused = false
        lastActivity = .now()
        let waiting = resumption
        resumption = nil
        waiting?.succeed()
    }

    /// Drops the exchange; nothing more is reported.
    func cancel() {
        if case .ended = state { return }
        state = .ended
        release()
    }

    // MARK: What the hop reports

    func sent() {
        isSent = true
        lastActivity = .now()
    }

    func received(head: HTTPResponseHead) {
        lastActivity = .now()
        if RedirectRule.statuses.contains(Int(head.status.code)), let location = head.headers.first(name: "location") {
            let decision = rule?.follow(status: Int(head.status.code), location: location)
            switch decision {
            case .follow(let target): state = .redirecting(to: target)
            case .refuse(let reason): end(.failed(.redirect(reason)))
            case nil: break
            }
            return
        }
        state = .receiving
        if request.method == .get, head.status != .notModified, let text = head.headers.first(name: "content-length") {
            promisedBytes = Int(text).flatMap { $0 < 0 ? nil : $0 }
        }
        let fields = head.headers.map { HeaderField($0.name.lowercased(), Self.trimmed($0.value)) }
        let url = visited.last?.description ?? request.url
        client.report(.fetchHead(id, FetchHead(status: Int(head.status.code), fields: fields, url: url)))
    }

    func received(body: ByteBuffer) -> EventLoopFuture<Void>? {
        lastActivity = .now()
        receivedBytes += body.readableBytes
        switch state {
        case .receiving: forward(body)
        case .redirecting(let target):
            // Not worth reading on: another connection is cheaper.
            if receivedBytes > Self.redirectBodyLimit { follow(target) }
        case .asking, .ended: break
        }
        guard paused, case .receiving = state else { return nil }
        let promise = resumption ?? client.loop.makePromise(of: Void.self)
        resumption = promise
        return promise.futureResult
    }

    func finished() {
        switch state {
        case .redirecting(let target): follow(target)
        case .receiving:
            if surplus {
                end(.failed(.malformed("the body is longer than Content-Length")))
            } else if let promisedBytes, receivedBytes < promisedBytes, request.method == .get {
                end(.failed(.truncated))
            } else {
                end(.complete)
            }
        case .asking: end(.failed(.truncated))
        case .ended: break
        }
    }

    func failed(_ error: any Error) {
        let failure = FetchFailure(error)
        if failure == .truncated, case .asking = state, retries < Self.retryLimit,
            client.connectionsMade == connectionsBefore
        {
            retries += 1
            detachHop()
            return start()
        }
        guard case .tls(FetchFailure.notTrusted) = failure, let url = visited.last else { return end(.failed(failure)) }
        client.explainCertificate(of: url) { [weak self] reason in self?.end(.failed(.tls(reason))) }
    }

    // MARK: Inside

    private func forward(_ body: ByteBuffer) {
        var body = body
        if let promisedBytes, receivedBytes > promisedBytes {
            let wanted = max(0, body.readableBytes - (receivedBytes - promisedBytes))
            surplus = true
            body = body.readSlice(length: wanted) ?? ByteBuffer()
        }
        if body.readableBytes > 0 { client.report(.fetchBody(id, BufferPayload(body))) }
    }

    private func follow(_ target: WebURL) {
        detachHop()
        visited.append(target)
        receivedBytes = 0
        promisedBytes = nil
        start()
    }

    private func end(_ end: FetchEnd) {
        if case .ended = state { return }
        state = .ended
        client.forget(id)
        release()
        client.report(.fetchEnded(id, end))
    }

    private func release() {
        idleTimer?.cancel()
        idleTimer = nil
        detachHop()
        let waiting = resumption
        resumption = nil
        waiting?.succeed()
    }

    private func detachHop() {
        hop?.detach()
        hop = nil
        let old = task
        task = nil
        // Does nothing when the request is over already.
        old?.cancel()
    }

    /// One timer for the whole fetch: when it comes too early it is set again for what is left.
    private func armIdleTimer(after delay: TimeAmount) {
        idleTimer = client.loop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            guard let self else { return }
            if case .ended = state { return }
            let quiet = NIODeadline.now() - lastActivity
            if isSent, !paused, quiet >= idleTimeout {
                end(.failed(.idleTimeout))
            } else {
                armIdleTimer(after: isSent && !paused ? idleTimeout - quiet : idleTimeout)
            }
        }
    }

    private static func trimmed(_ value: String) -> String {
        var bytes = Substring(value)
        while let first = bytes.first, first == " " || first == "\t" { bytes.removeFirst() }
        while let last = bytes.last, last == " " || last == "\t" { bytes.removeLast() }
        return String(bytes)
    }
}

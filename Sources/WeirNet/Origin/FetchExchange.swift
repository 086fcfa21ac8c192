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
        case redirecting(to: String)
        case receiving
        case ended
    }

    /// Bytes of a redirect's body that are worth reading to keep the connection.
    private static let redirectBodyLimit = 64 * 1024

    let id: FetchID
    let request: FetchRequest
    /// First the URL asked for, last the current one.
    private(set) var visited: [String]
    private unowned let client: OriginClient
    private let idleTimeout: TimeAmount

    private var state = State.asking
    private var hop: FetchHop?
    private var task: HTTPClient.Task<Void>?
    private var idleTimer: Scheduled<Void>?
    private var lastActivity = NIODeadline.now()
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
        visited = [request.url]
        idleTimeout = client.settings.idleTimeout(for: request.purpose)
    }

    func start() {
        state = .asking
        lastActivity = .now()
        let hop = FetchHop(self)
        self.hop = hop
        do {
            task = try client.execute(request, url: visited[visited.count - 1], delegate: hop)
            if idleTimer == nil { armIdleTimer(after: idleTimeout) }
        } catch {
            end(.failed(FetchFailure(error)))
        }
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

    func received(head: HTTPResponseHead) {
        lastActivity = .now()
        if let location = Self.redirectLocation(head) {
            let decision = followRedirect(
                to: location,
                visited: visited,
                maximum: client.settings.maximumRedirects
            )
            switch decision {
            case .follow(let target): state = .redirecting(to: target)
            case .refuse(let reason): end(.failed(.redirect(reason)))
            }
            return
        }
        state = .receiving
        if request.method == .get, let text = head.headers.first(name: "content-length") {
            promisedBytes = Int(text).flatMap { $0 < 0 ? nil : $0 }
        }
        let fields = head.headers.map { HeaderField($0.name.lowercased(), Self.trimmed($0.value)) }
        client.report(
            .fetchHead(id, FetchHead(status: Int(head.status.code), fields: fields, url: visited[visited.count - 1]))
        )
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
            } else if let promisedBytes, receivedBytes < promisedBytes, client.carriesBody(request) {
                end(.failed(.truncated))
            } else {
                end(.complete)
            }
        case .asking: end(.failed(.truncated))
        case .ended: break
        }
    }

    func failed(_ error: any Error) {
        end(.failed(FetchFailure(error)))
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

    private func follow(_ target: String) {
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
            if !paused, quiet >= idleTimeout {
                end(.failed(.idleTimeout))
            } else {
                armIdleTimer(after: paused ? idleTimeout : idleTimeout - quiet)
            }
        }
    }

    private static func redirectLocation(_ head: HTTPResponseHead) -> String? {
        switch head.status.code {
        case 301, 302, 303, 307, 308: head.headers.first(name: "location").map(trimmed)
        default: nil
        }
    }

    private static func trimmed(_ value: String) -> String {
        var bytes = Substring(value)
        while let first = bytes.first, first == " " || first == "\t" { bytes.removeFirst() }
        while let last = bytes.last, last == " " || last == "\t" { bytes.removeLast() }
        return String(bytes)
    }
}

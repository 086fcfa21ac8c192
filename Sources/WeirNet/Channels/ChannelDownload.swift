import NIOCore
import WeirCore

/// Fetches one list of channels, by a client of its own. Confined to its event loop.
final class ChannelDownload {
    enum Result: Sendable {
        case body([UInt8], base: WebURL?)
        case failed(String)
    }

    private static let fetch = FetchID(1)

    private let url: String
    private let limits: Limits
    private let loop: any EventLoop
    private var client: OriginClient?
    private var head: FetchHead?
    private var body: [UInt8] = []
    private var report: ((Result) -> Void)?

    /// - Throws: when an extra trust root cannot be read.
    init(
        _ url: String,
        limits: Limits,
        origin: OriginSettings,
        loop: any EventLoop,
        report: @escaping (Result) -> Void
    ) throws {
        self.url = url
        self.limits = limits
        self.loop = loop
        self.report = report
        let box = NIOLoopBoundBox<ChannelDownload?>(nil, eventLoop: loop)
        client = try OriginClient(loop: loop, settings: origin) { input in box.value?.received(input) }
        box.value = self
    }

    func start() {
        client?.fetch(Self.fetch, FetchRequest(url: url, purpose: .other))
    }

    func cancel() {
        report = nil
        close()
    }

    private func close() {
        // Not from within its own report.
        guard let client else { return }
        self.client = nil
        loop.execute { _ = client.shutDown() }
    }

    private func received(_ input: Input) {
        switch input {
        case .fetchHead(_, let head): self.head = head
        case .fetchBody(_, let payload):
            body += payload.bytes()
            if body.count > limits.channelListBytes {
                end(.failed("it is larger than \(limits.channelListBytes >> 20) MiB"))
            }
        case .fetchEnded(_, .failed(let failure)): end(.failed(failure.description))
        case .fetchEnded(_, .complete):
            guard let head, head.status == 200 else {
                return end(.failed("the server answered \(head?.status ?? 0)"))
            }
            end(.body(body, base: WebURL(head.url)))
        default: break
        }
    }

    private func end(_ result: Result) {
        let report = report
        self.report = nil
        close()
        report?(result)
    }
}

import Logging
import NIOCore
import WeirCore

/// One short job of the media program: what it writes, as one answer, or why there is none.
///
/// State: running → ended, once. Confined to its event loop, which is what makes it Sendable.
final class MediaJob: @unchecked Sendable {
    enum Result {
        case bytes([UInt8])
        case failure(String)
    }

    private var process: MediaWorkerProcess?
    private var bytes: [UInt8] = []
    private var failure: String?
    private var limit: Scheduled<Void>?
    private let mostBytes: Int
    private var onEnd: ((Result) -> Void)?

    /// - Parameters:
    ///   - mostBytes: what comes beyond them is dropped.
    ///   - seconds: that it may take.
    ///   - onEnd: called once, never before this has returned; not after `end()`.
    init(
        _ command: [String],
        mostBytes: Int,
        within seconds: Int64,
        loop: any EventLoop,
        onLine: @escaping (String) -> Void,
        onEnd: @escaping (Result) -> Void
    ) {
        self.mostBytes = mostBytes
        self.onEnd = onEnd
        do {
            process = try MediaWorkerProcess(
                command,
                loop: loop,
                onRecord: { [weak self] record, body in self?.handle(record, body) },
                onLine: onLine,
                onEnd: { [weak self] _ in self?.ended() }
            )
        } catch {
            failure = "\(error)"
            loop.assumeIsolated().execute { self.ended() }
            return
        }
        limit = loop.assumeIsolated().scheduleTask(in: .seconds(seconds)) { [weak self] in
            self?.failure = "it was not made in time"
            self?.process?.end()
            self?.ended()
        }
    }

    private func handle(_ record: RemuxRecord, _ body: ByteBuffer) {
        switch record.kind {
        case .block where bytes.count + body.readableBytes <= mostBytes: bytes += body.readableBytesView
        case .fault: failure = String(buffer: body)
        case .block, .header, .start, .damage, .damagedSegment, .end, .journal: break
        }
    }

    private func ended() {
        limit?.cancel()
        process = nil
        let report = onEnd
        onEnd = nil
        report?(failure.map { .failure($0) } ?? .bytes(bytes))
    }

    /// Gives it up.
    func end() {
        onEnd = nil
        limit?.cancel()
        process?.end()
        process = nil
    }
}

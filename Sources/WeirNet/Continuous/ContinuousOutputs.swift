import Logging
import NIOCore
import WeirCore

/// The continuous outputs of an agent: which there are, and who may have one. Confined to the endpoint's event loop,
/// which is what makes it Sendable.
final class ContinuousOutputs: @unchecked Sendable {
    private let settings: ContinuousSettings
    private let loop: any EventLoop
    private let logger: Logger
    private var outputs: [ContinuousOutput] = []
    /// Of outputs that are over.
    private var finished = (restarts: 0, damaged: 0, skips: 0)

    init(settings: ContinuousSettings, loop: any EventLoop, logger: Logger) {
        self.settings = settings
        self.loop = loop
        self.logger = logger
    }

    /// - Parameters:
    ///   - at: where to begin, if not at what is live.
    ///   - base: where the worker finds the endpoint, `http://127.0.0.1:8090`.
    ///   - session: the stream; nil when there is none of that name.
    func answer(
        _ connection: PlayerConnection,
        _ stream: StreamID,
        _ format: ContinuousFormat,
        isHead: Bool,
        at: TimeShift? = nil,
        session: SessionReport?,
        base: String
    ) {
        guard let session, !session.path.isEmpty else {
            return connection.decline(.noStream)
        }
        guard settings.isOn else {
            return connection.decline(501, "continuous outputs are off", "Set continuous_outputs to true.")
        }
        if let lack = settings.lack {
            return connection.decline(.lack(lack))
        }
        let isClamped = at.map { ContinuousOutputs.isBeyond($0, session) } ?? false
        guard !isHead else { return connection.answerHead(ContinuousOutput.head(format, isClamped: isClamped)) }
        if session.live, at == nil, let shared = outputs.first(where: { $0.source.isFor(stream, format) }) {
            return shared.join(connection)
        }
        guard outputs.count < settings.workers else {
            return connection.decline(
                503,
                "all \(settings.workers) media workers are busy",
                "Raise media_workers, or close another reader."
            )
        }
        var source = ContinuousOutput.Source(
            stream: stream,
            format: format,
            isLive: session.live && at == nil,
            command: settings.worker + [
                "remux", base + session.path, "--format", format.rawValue,
                "--lead", "\(max(1000, settings.burst.nanoseconds / 1_000_000))",
            ]
        )
        if let at { shift(&source, to: at, session, base, isClamped: isClamped) }
        let output = ContinuousOutput(
            source,
            settings: settings,
            loop: loop,
            logger: logger
        ) { [weak self] in self?.remove($0) }
        outputs.append(output)
        output.join(connection)
    }

    /// Each reader has its own now, and may pause as long as its place is kept.
    private func shift(
        _ source: inout ContinuousOutput.Source,
        to at: TimeShift,
        _ session: SessionReport,
        _ base: String,
        isClamped: Bool
    ) {
        let url = session.address(at: at, base: base)
        source.command = settings.worker + ["remux", url, "--format", source.format.rawValue, "--shifted"]
        source.patience = max(settings.stuckSeconds, Int64(session.window_seconds))
        source.isClamped = isClamped
    }

    private static func isBeyond(_ at: TimeShift, _ session: SessionReport) -> Bool {
        if case .beforeLive(let back) = at { return back.seconds > session.window_seconds }
        return false
    }

    func refuseTime(_ connection: PlayerConnection) {
        connection.decline(
            400,
            "at= is seconds before the live edge or a date with a time",
            "Write ?at=-600 or ?at=2026-01-01T20:00:00Z."
        )
    }

    private func remove(_ output: ContinuousOutput) {
        outputs.removeAll { $0 === output }
        finished.restarts += output.restarts
        finished.damaged += output.damagedSegments
        finished.skips += output.skips
    }

    func shutDown() {
        for output in outputs { output.finish() }
    }

    /// Ends the outputs of streams that are no more.
    func close(_ stream: StreamID) {
        for output in outputs where output.source.stream == stream { output.finish() }
    }

    // MARK: What is told of them

    /// Why there are none; nil when there can be.
    var lack: String? { settings.isOn ? settings.lack : "continuous_outputs is off" }

    func add(to statistics: inout AgentStatistics) {
        statistics.continuous_readers = outputs.reduce(0) { $0 + $1.readerCount }
        statistics.media_workers = outputs.count { $0.isRunning }
        statistics.media_worker_restarts = outputs.reduce(finished.restarts) { $0 + $1.restarts }
        statistics.media_damaged_segments = outputs.reduce(finished.damaged) { $0 + $1.damagedSegments }
        statistics.continuous_skips = outputs.reduce(finished.skips) { $0 + $1.skips }
    }

    func readers(of stream: String) -> Int {
        outputs.filter { $0.source.stream.text == stream }.reduce(0) { $0 + $1.readerCount }
    }
}

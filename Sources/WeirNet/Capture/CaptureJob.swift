import Logging
import NIOCore
import WeirCore

/// One recording: waits for its time, opens the stream, and has a worker write the file, another one when that dies.
///
/// State: scheduled → opening → recording → waiting → opening …; any → over. Confined to the endpoint's event loop, which is
/// what makes it Sendable.
final class CaptureJob: @unchecked Sendable {
    /// Between two looks at the clock, which may be set meanwhile.
    private static let longestWait: Int64 = 20_000

    let request: CaptureRequest
    private(set) var report: CaptureReport
    private let command: [String]
    private let settings: CaptureSettings
    private let base: String
    private let loop: any EventLoop
    private let logger: Logger
    private let tellDamage: (ByteBuffer) -> Void
    private let onChange: (CaptureReport) -> Void
    private weak var agent: (any ControlledAgent)?
    private var worker: MediaWorkerProcess?
    private var timer: Scheduled<Void>?
    private var fault: String?
    private var failures = 0
    private(set) var stream: StreamID?

    /// - Parameters:
    ///   - command: the program that records.
    ///   - base: where that finds the endpoint, `http://127.0.0.1:8090`.
    ///   - tellDamage: takes the body of a record that tells of a damaged segment.
    ///   - onChange: told of every change.
    init(
        _ request: CaptureRequest,
        id: String,
        command: [String],
        settings: CaptureSettings,
        base: String,
        agent: any ControlledAgent,
        loop: any EventLoop,
        logger: Logger,
        tellDamage: @escaping (ByteBuffer) -> Void,
        onChange: @escaping (CaptureReport) -> Void
    ) {
        self.request = request
        self.command = command
        self.settings = settings
        self.base = base
        self.agent = agent
        self.loop = loop
        self.logger = logger
        self.tellDamage = tellDamage
        self.onChange = onChange
        let url = String(request.url.prefix { $0 != "?" })
        report = CaptureReport(id: id, url: url, file: request.path, state: .scheduled)
    }

    private var now: WallTime { WallTime(milliseconds: WallClock.milliseconds()) }

    /// Begins, or waits for the time.
    func begin() {
        guard !report.isOver else { return }
        if let end = request.end, end <= now { return finish(.failed, "its time has passed") }
        if let begin = request.begin, begin > now {
            let rest = min((begin - now).nanoseconds / 1_000_000 + 1, CaptureJob.longestWait)
            return wait(rest) { $0.begin() }
        }
        open()
    }

    private func wait(_ milliseconds: Int64, then action: @escaping (CaptureJob) -> Void) {
        timer?.cancel()
        timer = loop.assumeIsolated().scheduleTask(in: .milliseconds(milliseconds)) { [weak self] in
            if let self { action(self) }
        }
    }

    private func open() {
        guard let agent else { return finish(.failed, "the agent has gone") }
        if report.state == .scheduled { change(.opening) }
        agent.open(StreamRequest(url: request.url, swarmName: request.swarm)) { [weak self] result in
            guard let self, !report.isOver else { return }
            switch result {
            case .ready(let id, let path): start(id, path)
            case .failed(.badURL, let text): finish(.failed, text)
            case .failed(_, let text): retry(text)
            }
        }
    }

    private func start(_ id: StreamID, _ path: String) {
        stream = id
        fault = nil
        var arguments = ["record", base + path, "--out", request.path, "--format", request.format.rawValue]
        arguments += ["--stream", id.text, "--floor", "\(settings.floorBytes)"]
        if let end = request.end {
            arguments += ["--until", "\(end.nanoseconds / 1_000_000)"]
        } else if let length = request.length {
            arguments += ["--length", "\(length.nanoseconds / 1_000_000)"]
        }
        do {
            worker = try MediaWorkerProcess(
                command + arguments,
                loop: loop,
                onRecord: { [weak self] record, body in self?.handle(record, body) },
                onLine: { [logger, request] in
                    logger.notice("recording: \($0)", metadata: ["file": "\(request.path)"])
                },
                onEnd: { [weak self] code in self?.ended(code) }
            )
            change(.recording)
        } catch {
            finish(.failed, "\(error)")
        }
    }

    private func handle(_ record: RemuxRecord, _ body: ByteBuffer) {
        switch record.kind {
        case .journal:
            guard let journal = CaptureJournal(text: String(buffer: body)) else { return }
            if journal.bytes > report.bytes { failures = 0 }
            report.take(journal)
            change(.recording)
        case .fault: fault = String(buffer: body)
        case .damagedSegment: tellDamage(body)
        case .header, .block, .start, .damage, .end: break
        }
    }

    private func ended(_ code: Int32) {
        worker = nil
        guard !report.isOver else { return }
        switch code {
        case 0: finish(.complete, "")
        case 73: finish(.full, "the disk has no more space than is left free")
        case 64, 65: finish(.failed, fault ?? "the program that records refuses")
        default:
            if let fault { return finish(.failed, fault) }
            retry(report.reason.isEmpty ? "the process that records ended with code \(code)" : report.reason)
        }
    }

    private func retry(_ reason: String) {
        failures += 1
        guard failures < settings.patience else { return finish(.failed, reason) }
        report.restarts += 1
        change(.waiting, reason)
        wait(settings.pauseMilliseconds << Int64(min(6, failures))) { $0.begin() }
    }

    /// Ends it. The file stays, and can be gone on with.
    func stop(_ reason: String = "") {
        guard !report.isOver else { return }
        finish(.stopped, reason)
    }

    private func finish(_ state: CaptureReport.State, _ reason: String) {
        timer?.cancel()
        worker?.end()
        worker = nil
        change(state, reason)
    }

    private func change(_ state: CaptureReport.State, _ reason: String = "") {
        if state != report.state || reason != report.reason {
            let metadata: Logger.Metadata = ["file": "\(request.path)", "reason": "\(reason)"]
            logger.info("recording: \(state.rawValue)", metadata: metadata)
        }
        report.state = state
        report.reason = reason
        onChange(report)
    }
}

extension CaptureReport {
    fileprivate mutating func take(_ journal: CaptureJournal) {
        bytes = journal.bytes
        seconds = Double(journal.point?.end ?? 0) / 1e6
        gaps = journal.gaps.map { gap in
            Gap(at_seconds: Double(gap.at) / 1e6, missing_seconds: gap.length.map { Double($0) / 1e6 })
        }
    }
}

import Logging
import NIOCore
import WeirCore

/// One remux and everybody who reads it.
///
/// State: starting → running → over; running → pausing → running when its worker died; any → over. Confined to the
/// endpoint's event loop, which is what makes it Sendable.
final class ContinuousOutput: @unchecked Sendable {
    private enum Phase { case starting, running, pausing, over }

    struct Source {
        let stream: StreamID
        let format: ContinuousFormat
        /// One now for all readers.
        let isLive: Bool
        /// The worker's command but for where the output's time begins.
        var command: [String]
        /// Seconds that a reader may take nothing, if not what is set.
        var patience: Int64?
        /// It begins later than was asked for.
        var isClamped = false

        func isFor(_ stream: StreamID, _ format: ContinuousFormat) -> Bool {
            isLive && self.stream == stream && self.format == format
        }
    }

    let source: Source
    private let settings: ContinuousSettings
    private let loop: any EventLoop
    private let logger: Logger
    private let onOver: (ContinuousOutput) -> Void
    private var phase = Phase.starting
    private var feed: ContinuousFeed
    private var readers: [(id: UInt64, connection: PlayerConnection, hasBegun: Bool)] = []
    private var nextReader: UInt64 = 0
    private var worker: MediaWorkerProcess?
    private var hasEnded = false
    /// A write may report at once that more can be written: the loop that wrote sees it itself.
    private var isServing = false
    private var failure: String?
    /// Where the output's time stands, in microseconds.
    private var time: Int64 = 0
    private var startedAt = NIODeadline.now()
    private var failedStarts = 0
    private var linger: Scheduled<Void>?
    private var watch: RepeatedTask?
    private(set) var restarts = 0
    private(set) var damagedSegments = 0

    init(
        _ source: Source,
        settings: ContinuousSettings,
        loop: any EventLoop,
        logger: Logger,
        onOver: @escaping (ContinuousOutput) -> Void
    ) {
        self.source = source
        self.settings = settings
        self.loop = loop
        self.logger = logger
        self.onOver = onOver
        // A recording's reader gets all of it, however slow: the worker waits.
        feed = ContinuousFeed(
            limit: source.isLive ? settings.cacheBytes : 1024 * 1024,
            burst: settings.burst,
            isLossless: !source.isLive
        )
    }

    var readerCount: Int { readers.count }
    var skips: Int { feed.skips }
    var isRunning: Bool { worker != nil }

    private var now: Instant { Instant(nanoseconds: Int64(clamping: NIODeadline.now().uptimeNanoseconds)) }

    // MARK: Readers

    func join(_ connection: PlayerConnection) {
        linger?.cancel()
        linger = nil
        nextReader += 1
        let id = nextReader
        readers.append((id, connection, false))
        feed.join(id, at: now)
        connection.follow(
            ContinuousReader(
                onWritable: { [weak self] in self?.serve(id) },
                onGone: { [weak self] in self?.leave(id) }
            )
        )
        if worker == nil, phase == .starting { start() }
        if phase == .running { serve(id) }
        loop.assumeIsolated().scheduleTask(in: .seconds(settings.firstByteSeconds)) { [weak self] in self?.giveUp(id) }
    }

    private func leave(_ id: UInt64) {
        guard let index = readers.firstIndex(where: { $0.id == id }) else { return }
        readers.remove(at: index)
        feed.leave(id)
        guard readers.isEmpty, phase != .over else { return resumeWorker() }
        guard source.isLive else { return finish() }
        linger = loop.assumeIsolated().scheduleTask(in: .seconds(settings.lingerSeconds)) { [weak self] in
            self?.finish()
        }
    }

    /// The reader heard nothing for as long as players wait.
    private func giveUp(_ id: UInt64) {
        guard let reader = readers.first(where: { $0.id == id }), !reader.hasBegun else { return }
        leave(id)
        reader.connection.unfollow()
        reader.connection.decline(504, "no media came in time", "Try the stream's playlist, or again later.")
    }

    /// Gives a reader what it takes.
    private func serve(_ id: UInt64) {
        guard !isServing, let index = readers.firstIndex(where: { $0.id == id }) else { return }
        isServing = true
        defer { isServing = false }
        let connection = readers[index].connection
        var hasMore = true
        while hasMore, connection.isWritable {
            hasMore = writeHeld(id, to: connection)
            // What the kernel takes at once makes room at once, and nobody tells again.
            connection.flush()
        }
        resumeWorker()
    }

    /// Writes until the connection is full, or there is nothing more.
    /// - Returns: whether there is more for this reader.
    private func writeHeld(_ id: UInt64, to connection: PlayerConnection) -> Bool {
        while connection.isWritable {
            switch feed.take(id, at: now) {
            case .bytes(let payload):
                if let index = readers.firstIndex(where: { $0.id == id }), !readers[index].hasBegun {
                    readers[index].hasBegun = true
                    connection.start(ContinuousOutput.head(source.format, isClamped: source.isClamped))
                }
                connection.write(payload.asBuffer)
            case .nothing:
                if hasEnded { end(id) }
                return false
            case .over:
                drop(id)
                return false
            }
        }
        return true
    }

    private func end(_ id: UInt64) {
        guard let reader = readers.first(where: { $0.id == id }) else { return }
        guard reader.hasBegun else { return drop(id) }
        reader.connection.unfollow()
        reader.connection.end()
        reader.connection.flush()
        leave(id)
    }

    private func drop(_ id: UInt64) {
        guard let reader = readers.first(where: { $0.id == id }) else { return }
        leave(id)
        guard !reader.hasBegun else { return reader.connection.abort() }
        let reason = failure ?? "its worker ended"
        reader.connection.unfollow()
        reader.connection.decline(502, "the stream cannot be remuxed: \(reason)", "Open the stream's playlist instead.")
    }

    static func head(_ format: ContinuousFormat, isClamped: Bool = false) -> AnswerHead {
        var fields = [
            HeaderField("content-type", format.contentType), HeaderField("cache-control", "no-store"),
            HeaderField("accept-ranges", "none"),
        ]
        if isClamped { fields.append(HeaderField("weir-time-shift", "nearest")) }
        return AnswerHead(status: 200, fields: fields, bodyLength: nil)
    }

    /// Readers that stand still keep nothing alive.
    private func dropStuck() {
        for id in feed.stuck(for: .seconds(Int(source.patience ?? settings.stuckSeconds)), at: now) {
            logger.notice("a reader that takes nothing is dropped", metadata: metadata)
            drop(id)
        }
    }

    // MARK: The worker

    private var metadata: Logger.Metadata {
        ["stream": "\(source.stream)", "format": "\(source.format.rawValue)"]
    }

    private func start() {
        startedAt = .now()
        do {
            worker = try MediaWorkerProcess(
                source.command + ["--begin", "\(time)"],
                loop: loop,
                onRecord: { [weak self] record, body in self?.handle(record, body) },
                onLine: { [logger, metadata] in logger.notice("media worker: \($0)", metadata: metadata) },
                onEnd: { [weak self] code in self?.workerEnded(code) }
            )
            logger.info("a media worker starts", metadata: metadata)
        } catch {
            failure = "\(error)"
            finish()
        }
        guard watch == nil else { return }
        watch = loop.scheduleRepeatedTask(initialDelay: .seconds(5), delay: .seconds(5)) { [weak self] _ in
            self?.dropStuck()
        }
    }

    private func handle(_ record: RemuxRecord, _ body: ByteBuffer) {
        switch record.kind {
        case .header:
            feed.begin(BufferPayload(body))
            phase = .running
        case .block, .start:
            failedStarts = 0
            time = max(time, record.time)
            feed.append(.init(bytes: BufferPayload(body), isStart: record.kind == .start, time: record.time))
            for id in readers.map(\.id) { serve(id) }
            if !feed.wantsMore { worker?.pause() }
        case .damage: damagedSegments += 1
        case .damagedSegment: settings.tellDamage(body)
        case .journal: break
        case .fault: failure = String(buffer: body)
        case .end:
            hasEnded = true
            for id in readers.map(\.id) { serve(id) }
        }
    }

    private func resumeWorker() {
        if feed.wantsMore { worker?.resume() }
    }

    private func workerEnded(_ code: Int32) {
        worker = nil
        guard phase != .over, !hasEnded else { return readers.isEmpty ? finish() : () }
        // What it said itself would come again.
        guard failure == nil, source.isLive, !readers.isEmpty else { return finish() }
        restarts += 1
        failedStarts += 1
        logger.warning(
            "a media worker ended; another one starts",
            metadata: metadata.merging(["code": "\(code)"]) { $1 }
        )
        phase = phase == .running ? .pausing : phase
        // The new one does not go on where the old one was: a gap of half a second tells the times apart.
        time += 500_000
        let pause = TimeAmount.milliseconds(250 << Int64(min(6, failedStarts)))
        loop.assumeIsolated().scheduleTask(in: pause) { [weak self] in
            guard let self, phase != .over, worker == nil else { return }
            start()
        }
    }

    /// Everything ends: readers, worker, timers.
    func finish() {
        guard phase != .over else { return }
        phase = .over
        linger?.cancel()
        watch?.cancel()
        worker?.end()
        worker = nil
        for id in readers.map(\.id) { drop(id) }
        onOver(self)
    }
}

import WeirCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file that a stream is recorded into, with its journal beside it.
///
/// Bytes are only added. The journal says up to where they belong to what it tells; what a killed process wrote behind that
/// is cut off when the recording goes on.
final class CaptureFile: RemuxSink {
    /// The recording is over in a way that is no fault of the stream.
    enum Ending: Error {
        /// As long as was wanted.
        case complete
        /// The disk is as full as it may be.
        case full
        /// What the stream is now does not fit into the file.
        case unlike
    }

    /// Between two entries of the journal: by the clock, and of a live stream, which comes in bursts, by its media.
    private static let pause = WeirCore.Duration.seconds(1)
    private static let mediaPause: Int64 = 1_000_000

    private let path: String
    private let descriptor: Int32
    private let floor: FreeSpaceFloor
    private let length: CaptureLength
    private let tell: (CaptureJournal) throws -> Void
    private(set) var journal: CaptureJournal
    private var bytes: Int64
    private var blocks: Int64
    private var markedAt: Instant?
    /// Of the newest block, in microseconds of the file's time.
    private var time: Int64 = 0
    /// Set when the stream is known.
    var isLive = false

    /// Opens the file, or makes it.
    /// - Parameter tell: takes the journal whenever it is written.
    init(_ order: CaptureWorker.Order, tell: @escaping (CaptureJournal) throws -> Void) throws {
        path = order.path
        floor = order.floor
        self.tell = tell
        descriptor = try CaptureFile.lockedFile(order.path)
        let size = lseek(descriptor, 0, SEEK_END)
        // Who removes a file and leaves its journal wants a new one.
        let text = size > 0 ? (try? Disk.text(of: order.path + CaptureWorker.journalSuffix)) ?? nil : nil
        let known = text.flatMap { CaptureJournal(text: $0) }
        journal = known ?? CaptureJournal(format: order.format, stream: order.stream, begun: WorkerClock.wall)
        length = order.until.map { [journal] in CaptureLength($0 - journal.begun) } ?? order.length
        bytes = journal.bytes
        blocks = journal.blocks
        guard known != nil || size == 0 else {
            throw RemuxFault("\(path) exists and is no recording that could go on")
        }
        if known == nil { try save() } else { try goOn(order, size) }
    }

    deinit { close(descriptor) }

    private static func lockedFile(_ path: String) throws -> Int32 {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw RemuxFault("cannot write \(path): \(Disk.reason)") }
        // Of an agent that was killed the worker may still be there for a moment.
        guard Disk.lock(descriptor) else {
            close(descriptor)
            throw RemuxFault("somebody else is writing \(path)")
        }
        return descriptor
    }

    private func goOn(_ order: CaptureWorker.Order, _ size: off_t) throws {
        if let refusal = journal.refusal(of: order.stream, order.format) { throw RemuxFault(refusal) }
        guard size >= bytes else { throw RemuxFault("\(path) is shorter than its journal says") }
        if journal.point == nil { (bytes, blocks) = (0, 0) }
        guard ftruncate(descriptor, Int(bytes)) == 0, lseek(descriptor, 0, SEEK_END) == bytes else {
            throw RemuxFault("cannot write \(path): \(Disk.reason)")
        }
        journal.state = .recording
        journal.reason = ""
    }

    // MARK: What is written

    func write(_ kind: RemuxRecord.Kind, _ body: [UInt8], time: Int64) throws {
        switch kind {
        case .header:
            guard bytes > 0 else { return try append(body) }
            guard try Disk.bytes(at: 0, count: body.count, of: descriptor) == body else {
                throw Ending.unlike
            }
        case .block, .start:
            guard !length.isOver(time: time, passed: WorkerClock.wall - journal.begun, isLive: isLive) else {
                throw Ending.complete
            }
            guard !body.isEmpty else { return }
            try append(body)
            blocks += 1
            self.time = time
        case .damage, .damagedSegment, .fault, .end, .journal: break
        }
    }

    private func append(_ body: [UInt8]) throws {
        guard floor.allows(body.count, free: Disk.free(descriptor)) else { throw Ending.full }
        var written = 0
        while written < body.count {
            let count = body.withUnsafeBytes {
                Disk.write(descriptor, UnsafeRawBufferPointer(rebasing: $0[written...]))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure() }
            written += count
        }
        bytes += Int64(body.count)
    }

    func note(_ gap: CaptureJournal.Gap) { journal.add(gap) }

    func mark(_ point: () -> CaptureJournal.Point?) throws {
        let now = WorkerClock.now
        guard isDue(now), let point = point() else { return }
        markedAt = now
        try sync()
        journal.point = point
        journal.bytes = bytes
        journal.blocks = blocks
        try save()
    }

    /// After a power cut the journal must not tell of bytes that never reached the disk; and what the disk failed to take it
    /// may have forgotten already, so that it is written again from the point before.
    private func sync() throws {
        guard !Disk.sync(descriptor) else { return }
        throw failure()
    }

    /// Why the disk did not take what was written.
    private func failure() -> any Error {
        if errno == ENOSPC || errno == EDQUOT { return Ending.full }
        return RemuxFault("cannot write \(path): \(Disk.reason)")
    }

    private func isDue(_ now: Instant) -> Bool {
        guard let markedAt, let before = journal.point else { return true }
        return now - markedAt >= CaptureFile.pause || isLive && time - before.end >= CaptureFile.mediaPause
    }

    /// All that was wanted is in the file.
    func complete() throws {
        try sync()
        journal.bytes = bytes
        journal.state = .complete
        journal.reason = ""
        try save()
    }

    /// The recording cannot go on, for now or at all.
    func end(_ state: CaptureJournal.State, reason: String) {
        journal.state = state
        journal.reason = reason
        try? save()
    }

    private func save() throws {
        guard Disk.replace(path + CaptureWorker.journalSuffix, with: journal.text) else {
            throw RemuxFault("cannot write \(path)\(CaptureWorker.journalSuffix): \(Disk.reason)")
        }
        try tell(journal)
    }
}

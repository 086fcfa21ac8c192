/// The books of what time shift windows have on the disk: never more than the budget, the newest media first.
///
/// A file's life: `being written → written → gone`; written and being read at once; gone from any of them.
struct DiskWindow {
    struct File {
        var stream: StreamID
        var rendition: RenditionKey
        /// Of the segment.
        var number: UInt64
        var bytes: Int64
        /// When the segment was the live edge.
        var edge: Instant
        var isWritten = false
        /// Somebody waits for it, so that it does not make room for others.
        var isBeingRead = false
    }

    /// A disk that failed is let alone for so long.
    static let pause = Duration.seconds(600)
    /// Of the memory for media so much is for what waits to be written.
    private static let share: Int64 = 4
    private static let mostWaiting: Int64 = 16 * 1024 * 1024

    /// Bytes; 0: no disk is used.
    let budget: Int64
    /// Bytes that wait to be written at most: they are held in memory meanwhile, and taken off what the ledger has.
    let room: Int64
    private(set) var files: [DiskFileID: File] = [:]
    private(set) var used: Int64 = 0
    private(set) var waiting: Int64 = 0
    /// Nothing is written before then.
    private(set) var resumesAt = Instant.start
    private(set) var hasFailed = false
    private var begun: UInt64 = 0

    /// - Parameter memory: bytes for media, of which the waiting ones are taken.
    init(budget: Int64, memory: Int64) {
        self.budget = max(0, budget)
        room = budget > 0 ? min(DiskWindow.mostWaiting, max(0, memory) / DiskWindow.share) : 0
    }

    /// Finds room for a file.
    /// - Returns: its number and what goes for it; nil when it is not to be written: too much waits, the disk failed not
    ///   long ago, or all that is there is newer.
    mutating func add(_ file: File, at now: Instant) -> (id: DiskFileID, gone: [DiskFileID])? {
        guard file.bytes <= budget, waiting + file.bytes <= room, now >= resumesAt else { return nil }
        var gone: [DiskFileID] = []
        if used + file.bytes > budget {
            var left = used
            let older = files.filter { $0.value.edge <= file.edge && !$0.value.isBeingRead }
            for (id, old) in older.sorted(by: { ($0.value.edge, $0.key) < ($1.value.edge, $1.key) }) {
                gone.append(id)
                left -= old.bytes
                if left + file.bytes <= budget { break }
            }
            guard left + file.bytes <= budget else { return nil }
        }
        begun += 1
        let id = DiskFileID(begun)
        files[id] = file
        used += file.bytes
        waiting += file.bytes
        return (id, gone)
    }

    /// It needs no memory any more.
    mutating func settle(_ id: DiskFileID) {
        guard let file = files[id], !file.isWritten else { return }
        files[id]?.isWritten = true
        waiting -= file.bytes
    }

    mutating func remove(_ id: DiskFileID) -> File? {
        settle(id)
        guard let file = files.removeValue(forKey: id) else { return nil }
        used -= file.bytes
        return file
    }

    mutating func setBeingRead(_ id: DiskFileID, _ isBeingRead: Bool) { files[id]?.isBeingRead = isBeingRead }

    /// The disk cannot be written to. True when that is news.
    mutating func fail(at now: Instant) -> Bool {
        resumesAt = now + DiskWindow.pause
        defer { hasFailed = true }
        return !hasFailed
    }

    /// It can again. True when that is news.
    mutating func recover() -> Bool {
        defer { hasFailed = false }
        return hasFailed
    }
}

/// What is remembered of a segment that lies on the disk.
struct DiskCopy {
    let id: DiskFileID
    let edition: Edition
    let isConfirmed: Bool
    let isPutTogether: Bool
    /// Keys of those on whose word peers' bytes of it rest.
    let voucherKeys: [[UInt8]]

    var length: Int64 { edition.length ?? 0 }
}

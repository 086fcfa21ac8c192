/// One continuous output as its readers see it: the beginning of the container, the latest blocks (the cache of groups of
/// pictures), and each reader's place.
///
/// A reader is waiting for a keyframe → reading → waiting for a keyframe again when it fell out of what is kept. What a
/// reader does never concerns another.
package struct ContinuousFeed: Sendable {
    /// What was written between two points where the container can be cut.
    package struct Block: Sendable {
        package var bytes: any Payload
        /// A decoder can begin here.
        package var isStart: Bool
        /// Microseconds of the output's time at which it begins.
        package var time: Int64

        package init(bytes: any Payload, isStart: Bool, time: Int64) {
            self.bytes = bytes
            self.isStart = isStart
            self.time = time
        }
    }

    /// What a reader gets next.
    package enum Taking: Sendable {
        case bytes(any Payload)
        /// Nothing yet.
        case nothing
        /// The container began anew in another way: this reader's cannot go on.
        case over
    }

    private struct Reader: Sendable {
        let id: UInt64
        /// The next block's number; nil: it waits for a keyframe.
        var next: UInt64?
        /// Which header it got; nil: none yet.
        var header: UInt64?
        var tookAt: Instant
    }

    /// Bytes of blocks that are kept, the newest always.
    private let limit: Int
    /// Microseconds of media that a new reader gets at once, if they are held.
    private let burst: Int64
    /// Every reader gets every block: the writer is made to wait.
    private let isLossless: Bool
    private var header: (any Payload)?
    private var generation: UInt64 = 0
    private var blocks: [Block] = []
    /// The number of `blocks[0]`.
    private var first: UInt64 = 0
    private var readers: [Reader] = []
    package private(set) var heldBytes = 0
    /// Times that a reader fell behind what is kept.
    package private(set) var skips = 0

    package init(limit: Int, burst: Duration, isLossless: Bool) {
        self.limit = limit
        self.burst = burst.nanoseconds / 1000
        self.isLossless = isLossless
    }

    package var readerCount: Int { readers.count }
    private var end: UInt64 { first + UInt64(blocks.count) }

    /// Whether more may be written now. Live media wait for nobody.
    package var wantsMore: Bool { !isLossless || heldBytes < limit }

    /// The beginning of the container. The same bytes again go on where the ones before ended.
    package mutating func begin(_ bytes: any Payload) {
        if let header, header.count == bytes.count, header.digest() == bytes.digest() { return }
        header = bytes
        generation += 1
        drop(blocks.count)
    }

    package mutating func append(_ block: Block) {
        guard block.bytes.count > 0 else { return }
        blocks.append(block)
        heldBytes += block.bytes.count
        if block.isStart {
            for index in readers.indices where readers[index].next == nil { readers[index].next = end - 1 }
        }
        if isLossless { dropTaken() } else { trim() }
    }

    /// Somebody begins to read: from the latest keyframe with enough behind it for a player to know what it reads, or else
    /// from the earliest that is held.
    package mutating func join(_ id: UInt64, at now: Instant) {
        let end = blocks.last?.time ?? 0
        let enough = isLossless ? nil : blocks.lastIndex { $0.isStart && end - $0.time >= burst }
        let start = enough ?? blocks.firstIndex { $0.isStart }
        readers.append(Reader(id: id, next: start.map { first + UInt64($0) }, header: nil, tookAt: now))
    }

    package mutating func leave(_ id: UInt64) {
        readers.removeAll { $0.id == id }
        if isLossless { dropTaken() }
    }

    /// A reader can take more.
    package mutating func take(_ id: UInt64, at now: Instant) -> Taking {
        guard let index = readers.firstIndex(where: { $0.id == id }) else { return .over }
        guard let header else { return .nothing }
        guard readers[index].header ?? generation == generation else { return .over }
        if readers[index].header == nil, readers[index].next != nil {
            readers[index].header = generation
            readers[index].tookAt = now
            // MPEG-TS has no beginning of its own.
            if header.count > 0 { return .bytes(header) }
        }
        guard let next = place(of: index), next < end else {
            // Who has everything is not slow.
            readers[index].tookAt = now
            return .nothing
        }
        readers[index].next = next + 1
        readers[index].tookAt = now
        let bytes = blocks[Int(next - first)].bytes
        if isLossless { dropTaken() }
        return .bytes(bytes)
    }

    /// Readers that took nothing for this long though there was something.
    package func stuck(for time: Duration, at now: Instant) -> [UInt64] {
        readers.filter { $0.next.map { $0 < end } ?? false && now - $0.tookAt >= time }.map(\.id)
    }

    private mutating func place(of index: Int) -> UInt64? {
        guard let next = readers[index].next else { return nil }
        guard next < first else { return next }
        skips += 1
        let start = blocks.lastIndex { $0.isStart }
        readers[index].next = start.map { first + UInt64($0) }
        return readers[index].next
    }

    private mutating func trim() {
        var excess = heldBytes - limit
        var count = 0
        while excess > 0, count < blocks.count - 1 {
            excess -= blocks[count].bytes.count
            count += 1
        }
        drop(count)
    }

    private mutating func dropTaken() {
        let needed = readers.compactMap(\.next).min() ?? (readers.isEmpty ? end : first)
        if needed > first { drop(Int(min(needed, end) - first)) }
    }

    private mutating func drop(_ count: Int) {
        guard count > 0 else { return }
        heldBytes -= blocks[..<count].reduce(0) { $0 + $1.bytes.count }
        blocks.removeFirst(count)
        first += UInt64(count)
    }
}

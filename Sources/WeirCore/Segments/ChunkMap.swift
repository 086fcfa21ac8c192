/// The chunks of one segment. Each is in exactly one state: `absent → requested → checked`, back to `absent` when its
/// source is lost; `checked` bytes leave only with the whole segment, or when their evidence turns out false.
struct ChunkMap {
    enum State: UInt8 {
        case absent
        case requested
        case checked
    }

    enum Origin: UInt8, Sendable {
        case none
        /// Read from the origin by ourselves.
        case origin
        case edge
        case peer
        /// Of the segment's parts, each of which was checked.
        case parts
    }

    private(set) var states: [State] = []
    private(set) var payloads: [(any Payload)?] = []
    private(set) var origins: [Origin] = []
    /// How many runs want each chunk just now.
    private var requests: [UInt8] = []
    private(set) var checkedBytes: Int64 = 0
    private(set) var checkedCount = 0
    /// Chunks that nobody was asked for.
    private(set) var absentCount = 0
    /// The first chunk that is not checked.
    private(set) var contiguous = 0
    private var length: Int64?

    var count: Int { states.count }
    var isComplete: Bool { count > 0 && checkedCount == count }

    mutating func resize(to length: Int64) {
        self.length = length
        grow(to: Chunk.count(ofBytes: length))
    }

    /// Room for more chunks while the length is still unknown.
    mutating func grow(to count: Int) {
        guard count > states.count else { return }
        let more = count - states.count
        states.append(contentsOf: repeatElement(.absent, count: more))
        absentCount += more
        payloads.append(contentsOf: repeatElement(nil, count: more))
        origins.append(contentsOf: repeatElement(.none, count: more))
        requests.append(contentsOf: repeatElement(0, count: more))
    }

    /// Bytes of one chunk, by the length; while that is unknown all are whole.
    func byteCount(of chunk: Int) -> Int {
        guard let length else { return Chunk.byteCount }
        return Int(min(Int64(Chunk.byteCount), length - Int64(chunk) * Int64(Chunk.byteCount)))
    }

    mutating func request(_ range: Range<Int>) {
        for chunk in range.clamped(to: 0..<count) {
            requests[chunk] &+= requests[chunk] < .max ? 1 : 0
            guard states[chunk] == .absent else { continue }
            states[chunk] = .requested
            absentCount -= 1
        }
    }

    mutating func release(_ range: Range<Int>) {
        for chunk in range.clamped(to: 0..<count) {
            if requests[chunk] > 0 { requests[chunk] -= 1 }
            guard requests[chunk] == 0, states[chunk] == .requested else { continue }
            states[chunk] = .absent
            absentCount += 1
        }
    }

    /// Puts checked bytes in place. False when they are there already.
    mutating func fill(_ chunk: Int, with payload: any Payload, from origin: Origin) -> Bool {
        guard states[chunk] != .checked else { return false }
        if states[chunk] == .absent { absentCount -= 1 }
        states[chunk] = .checked
        payloads[chunk] = payload
        origins[chunk] = origin
        checkedBytes += Int64(payload.count)
        checkedCount += 1
        while contiguous < count, states[contiguous] == .checked { contiguous += 1 }
        return true
    }

    /// Drops all chunks of one origin: their evidence was false. Answers the bytes dropped.
    mutating func dropAll(from origin: Origin) -> Int64 {
        var dropped: Int64 = 0
        for chunk in 0..<count where states[chunk] == .checked && origins[chunk] == origin {
            dropped += Int64(payloads[chunk]?.count ?? 0)
            payloads[chunk] = nil
            origins[chunk] = .none
            states[chunk] = requests[chunk] > 0 ? .requested : .absent
            if states[chunk] == .absent { absentCount += 1 }
            checkedCount -= 1
            contiguous = min(contiguous, chunk)
        }
        checkedBytes -= dropped
        return dropped
    }

    func isRequestedTwice(_ chunk: Int) -> Bool { requests[chunk] > 1 }

    /// Consecutive chunks in one state from `start` on, at most `most` of them, within `limit`.
    func run(of state: State, from start: Int, most: Int, where offered: (Int) -> Bool = { _ in true }) -> Range<Int>? {
        guard let first = (start..<max(start, count)).first(where: { states[$0] == state && offered($0) }) else {
            return nil
        }
        var end = first + 1
        while end < count, end - first < most, states[end] == state, offered(end) { end += 1 }
        return first..<end
    }

    /// The chunks of a run, as far as there are such.
    func chunks(of run: ChunkRun) -> Range<Int> {
        let first = min(count, Int(run.first))
        return first..<min(count, first + Int(run.count))
    }

    /// Checked chunks as runs, for telling peers.
    func checkedRuns(limit: Int) -> [ChunkRun] {
        var runs: [ChunkRun] = []
        var start = 0
        while runs.count < limit, let range = run(of: .checked, from: start, most: .max) {
            runs.append(ChunkRun(first: UInt32(clamping: range.lowerBound), count: UInt32(clamping: range.count)))
            start = range.upperBound
        }
        return runs
    }
}

extension [ChunkRun] {
    func contains(chunk: Int) -> Bool { contains { Int($0.first) <= chunk && chunk - Int($0.first) < Int($0.count) } }
}

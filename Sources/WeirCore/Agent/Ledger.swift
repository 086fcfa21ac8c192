/// The one budget of bytes: cached segments and buffers in flight draw on it, and are refused before it is exceeded.
/// Send queues hold no bytes of their own: what is queued belongs to a segment that is not evicted meanwhile.
struct Ledger {
    /// `window` included.
    var capacity: Int64 = 0
    /// What the time shift window may keep for good; the rest is worked with as if it were all.
    var window: Int64 = 0
    var cache: Int64 { capacity - window }
    private(set) var used: Int64 = 0

    /// Ahead of players at most this share, so that what is behind them stays for peers.
    static let shareAhead = 0.5

    /// Reserves a whole segment's bytes.
    mutating func reserve(_ length: Int64, for segment: Segment) -> Bool {
        let more = max(0, length - segment.charged)
        guard used + more <= capacity else { return false }
        used += more
        segment.charged += more
        return true
    }

    /// Bytes that arrived; beyond the reservation they are charged as they come.
    mutating func add(_ bytes: Int, to segment: Segment) {
        segment.stored += Int64(bytes)
        guard segment.stored > segment.charged else { return }
        used += segment.stored - segment.charged
        segment.charged = segment.stored
    }

    mutating func remove(_ bytes: Int64, from segment: Segment) {
        segment.stored = max(0, segment.stored - bytes)
    }

    mutating func release(_ segment: Segment) {
        used -= segment.charged
        segment.charged = 0
        segment.stored = 0
    }

    /// Bytes that may be ahead of players.
    var shareAhead: Int64 { Int64(Double(cache) * Ledger.shareAhead) }
}

extension Agent {
    /// A third of the cache, so that the player's next segments always fit beside the present one.
    var largestSegment: Int64 { min(Int64(limits.segmentBytes), ledger.cache / 3) }

    /// Fixes a segment's length and finds room for it. False when it is too large, or contradicts what is known.
    mutating func admit(_ segment: Segment, length: Int64) -> Bool {
        guard length >= 0, length <= largestSegment, segment.length == nil || segment.length == length else {
            return false
        }
        return makeRoom(length, for: segment) && segment.setLength(length)
    }

    /// Has the ledger hold this many bytes for a segment, evicting others. False when nothing more may go.
    mutating func makeRoom(_ bytes: Int64, for segment: Segment) -> Bool {
        while !ledger.reserve(bytes, for: segment) {
            guard evictOne(for: segment) else { return false }
        }
        return true
    }

    /// Takes a segment out of the cache, and off the disk, and tells the swarm.
    mutating func drop(_ segment: Segment) {
        if let copy = segment.disk { forgetFile(copy.id) }
        ledger.release(segment)
        dropRuns(of: segment)
        if segment.announced != nil { announce(segment, .gone) }
        segment.rendition.stream.racing.removeAll { $0 === segment }
        segment.reset()
    }

    /// Whether more may be fetched ahead in a stream: of what may be ahead at all, streams that are watched at the same
    /// time get equal parts (give or take a segment), and those that nobody watches none.
    func mayFetchAhead(_ bytes: Int64, in stream: Stream) -> Bool {
        let ahead = streams.filter { stream in stream.renditions.contains { isPlaying($0) } }.map { bytesAhead(of: $0) }
        let share = ledger.shareAhead / Int64(max(1, ahead.count))
        // What a stream took while it was alone does not keep others from their part: it is evicted first.
        guard ahead.reduce(bytes, { $0 + min($1, share) }) <= ledger.shareAhead else { return false }
        return ahead.count < 2 || bytesAhead(of: stream) < share
    }

    /// Bytes held or being fetched that players of a stream have not asked for yet.
    func bytesAhead(of stream: Stream) -> Int64 {
        var bytes: Int64 = 0
        for rendition in stream.renditions where isPlaying(rendition) {
            var counted: Set<UInt64> = []
            for player in stream.players where !player.isAside {
                guard let place = player.place(of: rendition.key) else { continue }
                var number = player.playheads[place].head.next
                // Behind a live edge that is far away lies what was watched and is kept.
                let end = rendition.window.entry(number).map { $0.begin + settings.maximumBuffer } ?? .never
                while let segment = rendition.media[number], counted.count < 1024, counted.insert(number).inserted {
                    if end < .never, let entry = rendition.window.entry(number), entry.begin > end { break }
                    let isRacing = segment.phase == .racing
                    bytes += isRacing ? max(segment.charged, stream.typicalSegmentBytes) : segment.charged
                    number = segment.numbers.upperBound
                }
            }
        }
        return bytes
    }

    // MARK: Housekeeping

    /// Forgets players that are long gone, and streams that nobody played or shared for longer than they should seed.
    mutating func keepHouse() {
        for stream in streams {
            stream.players.removeAll { now - $0.lastRequest > .seconds(300) }
            for rendition in stream.renditions { tellInterest(rendition, force: false) }
            settleMode(stream)
            replan(stream)
        }
        tellUntold()
        tellShares()
        forgetOldFiles()
        reviewNeighbours()
        endSeeding()
        if hosts.count > 256 { hosts = hosts.filter { now - ($0.value.estimate.lastSample ?? .start) < .seconds(600) } }
        if !streams.isEmpty { agenda.note(.house, at: now + .seconds(5)) }
    }

    /// Who has nothing of a stream any more, or shared it for long enough, is no member that trackers and peers should
    /// count.
    private mutating func endSeeding() {
        for stream in streams where stream.isMember {
            guard !stream.renditions.contains(where: { isPlaying($0) || keepsWindow($0) }) else { continue }
            let unwatched = now - stream.lastMediaRequest
            let isDone = settings.seedTime.map { unwatched > $0 } ?? false
            // What was never played waits for its first player.
            let isEmpty =
                unwatched > Agent.emptyTime && !stream.isLive && !stream.finished.isEmpty && !holdsMedia(stream)
            guard isDone || isEmpty else { continue }
            let why = isDone ? "nobody plays it here" : "nothing of it is left"
            log(.info, "stopped seeding a stream", [("stream", stream.id.text), ("why", why)])
            if stream.isOver { remove(stream) } else { leaveSwarm(stream) }
        }
    }

    static let emptyTime = Duration.seconds(60)
}

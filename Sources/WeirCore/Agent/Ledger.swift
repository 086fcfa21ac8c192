/// The one budget of bytes: cached segments and buffers in flight draw on it, and are refused before it is exceeded.
/// Send queues hold no bytes of their own: what is queued belongs to a segment that is not evicted meanwhile.
struct Ledger {
    var capacity: Int64 = 0
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
    var shareAhead: Int64 { Int64(Double(capacity) * Ledger.shareAhead) }
}

extension Agent {
    /// A third of the cache, so that the player's next segments always fit beside the present one.
    var largestSegment: Int64 { min(Int64(limits.segmentBytes), ledger.capacity / 3) }

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

    /// Drops what is least likely to be asked and most copied elsewhere. False when nothing may go.
    private mutating func evictOne(for newcomer: Segment) -> Bool {
        var worst: (segment: Segment, rank: EvictionRank)?
        let sending = links.flatMap { $0.uploads.map { ObjectIdentifier($0.segment) } }
        for stream in streams {
            for rendition in stream.renditions {
                for (_, segment) in rendition.media where mayEvict(segment, sending) && segment !== newcomer {
                    let rank = evictionRank(of: segment)
                    if worst.map({ rank < $0.rank }) ?? true { worst = (segment, rank) }
                }
            }
        }
        guard let worst else { return false }
        drop(worst.segment)
        return true
    }

    private func mayEvict(_ segment: Segment, _ sending: [ObjectIdentifier]) -> Bool {
        guard segment.charged > 0, segment.answers.isEmpty, segment.runs.isEmpty, segment.phase != .racing else {
            return false
        }
        return !sending.contains(ObjectIdentifier(segment))
    }

    /// Lowest goes first. Every field takes part, so that the order never depends on a dictionary's.
    struct EvictionRank: Comparable {
        /// What a player will ask soon goes last.
        var isAhead: Bool
        /// Segments between the nearest player and it; 0 for what no player will ask.
        var distance: UInt64
        var copiesElsewhere: Int
        var lastUse: Instant
        var id: SegmentID

        static func < (left: EvictionRank, right: EvictionRank) -> Bool {
            if left.isAhead != right.isAhead { return !left.isAhead }
            if left.distance != right.distance { return left.distance > right.distance }
            if left.copiesElsewhere != right.copiesElsewhere { return left.copiesElsewhere > right.copiesElsewhere }
            if left.lastUse != right.lastUse { return left.lastUse < right.lastUse }
            return left.id < right.id
        }
    }

    private func evictionRank(of segment: Segment) -> EvictionRank {
        let rendition = segment.rendition
        let number = segment.id.number
        let distance = rendition.stream.players.compactMap { player -> UInt64? in
            guard !player.isAside, let place = player.place(of: rendition.key) else { return nil }
            let head = player.playheads[place].head
            guard number >= head.drainedTo, now - head.lastRequest < idleAfter(rendition) else { return nil }
            return number - head.drainedTo
        }.min()
        let copies = links(of: rendition.stream).count {
            $0.holdings(rendition.stream.swarm, rendition.key)?.held.contains(number) ?? false
        }
        return EvictionRank(
            isAhead: distance != nil,
            distance: distance ?? 0,
            copiesElsewhere: copies,
            lastUse: segment.lastUse,
            id: segment.id
        )
    }

    /// Takes a segment out of the cache and tells the swarm.
    mutating func drop(_ segment: Segment) {
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
    private func bytesAhead(of stream: Stream) -> Int64 {
        var bytes: Int64 = 0
        for rendition in stream.renditions where isPlaying(rendition) {
            var counted: Set<UInt64> = []
            for player in stream.players where !player.isAside {
                guard let place = player.place(of: rendition.key) else { continue }
                var number = player.playheads[place].head.next
                while let segment = rendition.media[number], counted.count < 1024, counted.insert(number).inserted {
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
        reviewNeighbours()
        if let seedTime = settings.seedTime {
            for stream in streams where stream.isMember && now - stream.lastMediaRequest > seedTime {
                log(.info, "stopped seeding a stream that nobody plays here", [("stream", stream.id.text)])
                leaveSwarm(stream)
            }
        }
        if hosts.count > 256 { hosts = hosts.filter { now - ($0.value.estimate.lastSample ?? .start) < .seconds(600) } }
        if !streams.isEmpty { agenda.note(.house, at: now + .seconds(5)) }
    }
}

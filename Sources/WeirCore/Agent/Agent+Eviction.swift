// What leaves the cache first: what is least likely to be asked of this agent.
extension Agent {
    /// Behind players at least this share of the cache stays, for peers.
    static let shareBehind = 0.3
    /// What a player needs next stays whatever happens: so many segments, and at least so much time.
    static let guaranteedSegments = 2
    static let guaranteedTime = Duration.seconds(10)
    /// What a copy is worth beside one more that peers know to be elsewhere: holders leave, and their uplinks are busy.
    static let worthOfCopy = 0.125

    /// Drops what is least worth keeping. False when nothing may go.
    mutating func evictOne(for newcomer: Segment) -> Bool {
        let sending = Set(links.flatMap { $0.uploads.map { ObjectIdentifier($0.segment) } })
        let window = windowFloor()
        let mayTakeAhead = behindBytes - window.bytes < Int64(Double(ledger.cache) * Agent.shareBehind)
        var worst: (segment: Segment, rank: EvictionRank)?
        for stream in streams {
            let viewings = stream.popularity.viewings(at: now)
            let members = links(of: stream)
            for rendition in stream.renditions {
                let heads = stream.players.compactMap { activeHead(of: $0, in: rendition) }
                let listing = heads.isEmpty ? nil : rendition.listing
                let neighbours = members.compactMap { link in
                    link.holdings(stream.swarm, rendition.key).map { Neighbour(peer: link.peer.id, holdings: $0) }
                }
                for (_, segment) in rendition.media where mayEvict(segment, sending) && segment !== newcomer {
                    let isKept = rendition.window.entry(segment.id.number).map { $0.edge >= window.floor } ?? false
                    let place = place(of: segment, heads, listing, mayTakeAhead, isKept: isKept)
                    let worth = place.distance == 0 ? worth(of: segment, viewings, neighbours) : 0
                    let rank = EvictionRank(place: place, worth: worth, lastUse: segment.lastUse, id: segment.id)
                    if worst.map({ rank < $0.rank }) ?? true { worst = (segment, rank) }
                }
            }
        }
        guard let worst else { return false }
        evict(worst.segment)
        return true
    }

    private func mayEvict(_ segment: Segment, _ sending: Set<ObjectIdentifier>) -> Bool {
        guard segment.charged > 0, segment.answers.isEmpty, segment.runs.isEmpty, segment.phase != .racing,
            !isBeingRead(segment)
        else { return false }
        return !sending.contains(ObjectIdentifier(segment))
    }

    /// Bytes that no player of ours is about to ask for.
    private var behindBytes: Int64 {
        ledger.used - streams.reduce(0) { $0 + bytesAhead(of: $1) }
    }

    // MARK: Ranking

    /// Lowest goes first. Every field takes part, so that the order never depends on a dictionary's.
    struct EvictionRank: Comparable {
        var place: EvictionPlace
        var worth: Double
        var lastUse: Instant
        var id: SegmentID

        static func < (left: EvictionRank, right: EvictionRank) -> Bool {
            if left.place != right.place { return left.place < right.place }
            if left.worth != right.worth { return left.worth < right.worth }
            if left.lastUse != right.lastUse { return left.lastUse < right.lastUse }
            return left.id < right.id
        }
    }

    /// Where a segment is as our players see it.
    struct EvictionPlace: Comparable {
        enum Class: Int {
            /// Ahead of a player while too little is kept for peers.
            case surplus
            case behind
            case ahead
            /// Of the time shift window, within its budget.
            case window
            /// A player needs it next.
            case guaranteed
        }
        var kind: Class
        /// Segments between the nearest player and it; 0 for what no player of ours will ask.
        var distance: Int

        static func < (left: EvictionPlace, right: EvictionPlace) -> Bool {
            left.kind != right.kind ? left.kind.rawValue < right.kind.rawValue : left.distance > right.distance
        }
    }

    private func place(
        of segment: Segment,
        _ heads: [Playhead],
        _ listing: (any SegmentListing)?,
        _ mayTakeAhead: Bool,
        isKept: Bool
    ) -> EvictionPlace {
        guard let listing,
            let head = heads.filter({ $0.drainedTo <= segment.id.number }).map({ $0.drainedTo }).max()
        else { return EvictionPlace(kind: isKept ? .window : .behind, distance: 0) }
        let window = segment.rendition.window
        let distance =
            window.holds(head)
            ? window.index(atOrAfter: segment.id.number) - window.index(atOrAfter: head)
            : listing.index(atOrAfter: segment.id.number) - listing.index(atOrAfter: head)
        let isNext =
            distance < Agent.guaranteedSegments
            || listing.targetDuration.seconds * Double(distance) < Agent.guaranteedTime.seconds
        let kind: EvictionPlace.Class = isNext ? .guaranteed : isKept ? .window : mayTakeAhead ? .surplus : .ahead
        return EvictionPlace(kind: kind, distance: distance + 1)
    }

    /// What a linked agent says of a rendition.
    private struct Neighbour {
        var peer: PeerID
        var holdings: Holdings
    }

    /// Viewings of which this copy would serve a segment: those that were heard of and those that are coming up to it,
    /// less what others that hold it will serve. Of several holders the one with the lowest hash keeps it: so they do not
    /// drop it together, and each keeps other parts of what they hold together.
    private func worth(of segment: Segment, _ heardOf: Double, _ neighbours: [Neighbour]) -> Double {
        let number = segment.id.number
        let mine = (Election.score(me, segment.id), me)
        var viewings = heardOf
        var worth = 1.0
        for neighbour in neighbours {
            if neighbour.holdings.held.contains(number) {
                if (Election.score(neighbour.peer, segment.id), neighbour.peer) < mine { worth *= Agent.worthOfCopy }
            } else if let position = neighbour.holdings.position, position <= number {
                viewings += 1
            }
        }
        return viewings * worth
    }
}

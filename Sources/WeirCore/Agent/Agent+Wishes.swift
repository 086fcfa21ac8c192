// What is wanted, and how soon: asked by players, or about to be.
extension Agent {
    /// A segment that somebody waits for, or will soon.
    struct Wish {
        var segment: Segment
        /// Until the player runs dry for lack of it; nil: nobody plays towards it.
        var slack: Duration?
        var isAsked: Bool
        /// The first segment since start or seek.
        var isStart: Bool
        /// The same, until the player has all of it.
        var isFirst = false
        /// Of a part that is wanted for the sake of the segment that it belongs to.
        var whole: Whole?

        struct Whole {
            var segment: Segment
            /// Bytes that are missing of all its parts together.
            var rest: Int64
        }
    }

    /// What is wanted, most urgent first.
    mutating func wishes(of stream: Stream) -> [Wish] {
        var found: [Wish] = []
        for segment in stream.racing where !segment.answers.isEmpty {
            found.append(wish(forAsked: segment))
        }
        wishForDamaged(stream, into: &found)
        wishForNeighbour(stream, into: &found)
        for rendition in stream.renditions where rendition.isShared && isPlaying(rendition) {
            // Served directly, nothing is begun ahead of the player; what was begun before that is finished.
            guard hasSwarm(stream) || stream.mode == .direct else { continue }
            wishAhead(rendition, into: &found)
        }
        for rendition in stream.renditions { wishForWindow(rendition, into: &found) }
        stream.plans += 1
        for wish in found { wish.segment.wishedIn = stream.plans }
        return found.enumerated().map { (turn(of: $1, $0, stream), $1) }.sorted { $0.0 < $1.0 }.map { $0.1 }
    }

    /// Recorded segments that are not needed for so long are fetched in order of rarity.
    static let rarityWindow = Duration.seconds(20)

    /// Least slack first; of what is not needed soon the rarest first, before its one holder goes, and what nobody holds
    /// yet last: somebody else's player may be closer to it.
    private struct Turn: Comparable {
        var copies: Int
        var slack: Duration
        var order: Int

        static func < (left: Turn, right: Turn) -> Bool {
            (left.copies, left.slack, left.order) < (right.copies, right.slack, right.order)
        }
    }

    private func turn(of wish: Wish, _ order: Int, _ stream: Stream) -> Turn {
        let slack = wish.slack ?? .forever
        guard !wish.isAsked, slack >= Agent.rarityWindow, !wish.segment.rendition.isLive, wish.slack != nil else {
            return Turn(copies: 0, slack: slack, order: order)
        }
        let id = wish.segment.id
        let copies = links(of: stream).count {
            $0.holdings(stream.swarm, id.rendition)?.held.contains(id.number) ?? false
        }
        return Turn(copies: copies == 0 ? .max : copies, slack: slack, order: order)
    }

    /// Initialisation sections of a channel that may be watched next, as far as the budget goes.
    private func wishForNeighbour(_ stream: Stream, into found: inout [Wish]) {
        guard stream.isAhead else {
            stream.wanted = []
            return
        }
        stream.wanted.removeAll { segment in
            if case .failed = segment.phase { return true }
            return segment.isHeld || max(1, segment.length == nil ? 1 : segment.rest) > zapAllowance
        }
        for segment in stream.wanted where segment.answers.isEmpty {
            found.append(Wish(segment: segment, slack: nil, isAsked: false, isStart: true))
        }
    }

    private func wish(forAsked segment: Segment) -> Wish {
        let heads = segment.rendition.stream.players.flatMap { player in
            player.playheads.filter {
                $0.rendition == segment.id.rendition && $0.head.start == segment.id.number
            }
        }
        let starts = heads.contains { !$0.head.hasStarted }
        let isInitialisation = segment.id.kind == .initialisation
        return Wish(
            segment: segment,
            // A player that waits long enough to count as idle is dry, not away.
            slack: isInitialisation ? .zero : slack(of: segment) ?? .zero,
            isAsked: true,
            isStart: isInitialisation || starts,
            isFirst: isInitialisation || !heads.isEmpty
        )
    }

    /// What players will ask next, as far as `max_buffer_size` and the cache allow.
    private mutating func wishAhead(_ rendition: Rendition, into found: inout [Wish]) {
        guard let listing = rendition.listing else { return }
        for player in rendition.stream.players {
            guard let head = activeHead(of: player, in: rendition) else { continue }
            var slack = head.buffer(at: now)
            wishWithinWindow(rendition, head, &slack, into: &found)
            // A live player that fell out of the window goes on at its beginning.
            var index = listing.index(atOrAfter: head.drainedTo)
            while slack < settings.maximumBuffer, index < listing.count {
                let entry = listing[index]
                if !entry.isGap {
                    let segment = ensureSegment(entry, in: rendition)
                    if entry.number >= head.next, !segment.isHeld, segment.answers.isEmpty,
                        rendition.stream.mode == .peers || (segment.phase == .racing && !segment.isDirect),
                        !found.contains(where: { $0.segment === segment })
                    {
                        found.append(Wish(segment: segment, slack: slack, isAsked: false, isStart: false))
                    }
                    if found.count > 64 { return }
                }
                slack = slack + (entry.duration - head.creditedTime(of: entry.number)).orZero
                index += 1
            }
            if index >= listing.count { wishBeyond(rendition, slack, into: &found) }
        }
    }

    /// The beginning of what continues a rendition when its period ends.
    private mutating func wishBeyond(_ rendition: Rendition, _ slackAtEnd: Duration, into found: inout [Wish]) {
        guard let next = rendition.representation?.representation.next.flatMap({ rendition.stream.rendition($0) }),
            let listing = next.listing, next.isShared, !isPlaying(next)
        else { return }
        var slack = slackAtEnd
        var index = 0
        while slack < settings.maximumBuffer, index < listing.count, found.count <= 64 {
            let segment = ensureSegment(listing[index], in: next)
            if !segment.isHeld, segment.answers.isEmpty, rendition.stream.mode == .peers,
                !found.contains(where: { $0.segment === segment })
            {
                found.append(Wish(segment: segment, slack: slack, isAsked: false, isStart: false))
            }
            slack = slack + segment.duration
            index += 1
        }
    }

    /// Where a player is in a rendition; nil when it does not play it, or not any more.
    func activeHead(of player: Player, in rendition: Rendition) -> Playhead? {
        guard !player.isAside, let place = player.place(of: rendition.key) else { return nil }
        let head = player.playheads[place].head
        return !head.isLeft && now - head.lastRequest < idleAfter(rendition) ? head : nil
    }

    /// Seconds until a player runs dry for lack of this segment, given that what comes before it arrives in time.
    func slack(of segment: Segment) -> Duration? {
        guard segment.id.kind == .media else { return nil }
        let rendition = segment.rendition
        guard let listing = rendition.listing else { return nil }
        var least: Duration?
        for player in rendition.stream.players {
            guard let head = activeHead(of: player, in: rendition) else { continue }
            var slack = head.buffer(before: segment.id.number, at: now)
            slack = slack + timeBehindList(from: head, to: segment.id.number, rendition)
            var index = listing.index(atOrAfter: head.drainedTo)
            while index < listing.count, listing.number(at: index) < segment.id.number, slack < settings.maximumBuffer {
                let entry = listing[index]
                slack = slack + (entry.duration - head.creditedTime(of: entry.number)).orZero
                index += 1
            }
            least = min(least ?? .forever, slack)
        }
        return least
    }

    /// Fetching ahead must leave room for what is behind players and for what they wait for.
    func mayFetchAhead(_ segment: Segment, _ stream: Stream) -> Bool {
        if segment.phase == .racing { return true }
        let expected = segment.length ?? stream.typicalSegmentBytes
        return mayFetchAhead(expected, in: stream)
    }
}

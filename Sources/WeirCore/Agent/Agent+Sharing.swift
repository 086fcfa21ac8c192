// How a fresh segment, which one reads and everybody wants at once, is shared out: each chunk goes down a tree of its own.
extension Agent {
    /// So long may nothing of a shared segment come before what is missing is asked of those who have it: longer than ten
    /// chunks take on a home uplink.
    static let sharingPatience = Duration.milliseconds(700)
    /// And for each step between the reader and the one that was asked.
    static let sharingStep = Duration.milliseconds(60)
    /// Who let so many standing requests in a row come to nothing stands in no tree for a while.
    static let sharingFailures = 2
    static let sharingPause = Duration.seconds(60)

    /// A live segment that hardly anybody has, and for which there is time.
    func isFresh(_ wish: Wish, _ demand: Demand) -> Bool {
        mayPassOn(wish.segment) && !wish.segment.grew && !isUrgent(wish) && demand.members > 1
            && demand.holders <= max(1, demand.members / 4)
    }

    /// Asks for every chunk where its tree says, before it is there: it is passed on as it arrives, without the round
    /// trip of telling and asking.
    mutating func shareOut(_ segment: Segment, _ stream: Stream, _ sources: [Link]) {
        let tree = sharingTree(of: segment, stream)
        let readers = sources.filter { isWhole($0, segment) }
        var wanted: [(link: Link, chunk: Int, steps: Int)] = []
        var isWithoutSource = false
        for chunk in segment.chunks.states.indices where segment.chunks.states[chunk] == .absent {
            let ancestors = tree.ancestors(of: chunk).compactMap { link($0) }
            let able = ancestors.enumerated().first { _, link in mayAsk(link, segment) }
            // Whoever was to bring it did not: those who have it by now are asked as usual.
            if able?.offset ?? 0 > 0, sources.contains(where: { has($0, chunk, of: segment) }) { continue }
            if let able {
                wanted.append((able.element, chunk, ancestors.count - able.offset))
            } else if !readers.isEmpty {
                wanted.append((readers[chunk % readers.count], chunk, 0))
            } else {
                isWithoutSource = true
            }
        }
        requestStanding(wanted, of: segment, stream)
        if isWithoutSource { refuseVainUploads(of: segment) }
    }

    private mutating func requestStanding(
        _ wanted: [(link: Link, chunk: Int, steps: Int)],
        of segment: Segment,
        _ stream: Stream
    ) {
        let wanted = wanted.sorted { ($0.link.id.value, $0.chunk) < ($1.link.id.value, $1.chunk) }
        var place = 0
        while place < wanted.count {
            let first = wanted[place]
            var end = place + 1
            while end < wanted.count, wanted[end].link === first.link, wanted[end].chunk == wanted[end - 1].chunk + 1 {
                end += 1
            }
            request(
                first.chunk..<first.chunk + end - place,
                of: segment,
                from: first.link,
                stream,
                standing: Agent.sharingPatience + Agent.sharingStep * first.steps
            )
            place = end
        }
    }

    /// Nobody offers it, but some heard that it is being read: they will pass it on.
    mutating func askPassers(_ segment: Segment, _ stream: Stream) {
        guard mayPassOn(segment) else { return }
        let passers = speakers(of: segment.rendition).filter { link, holdings in
            holdings.underway.contains(segment.id.number) && mayAsk(link, segment)
        }.map { $0.link }
        guard !passers.isEmpty else { return }
        guard segment.length != nil else { return queryDigests(segment, passers) }
        shareOut(segment, stream, [])
    }

    // MARK: Passing on

    /// Somebody asks for chunks that we know no source of: it must not wait for us.
    func isWaitingInVain(_ segment: Segment, for chunks: Range<Int>) -> Bool {
        guard segment.phase == .racing, segment.length != nil, segment.announced != .fetching else { return false }
        return chunks.clamped(to: 0..<segment.chunks.count).contains { segment.chunks.states[$0] == .absent }
    }

    private mutating func refuseVainUploads(of segment: Segment) {
        for link in links where link.uploads.contains(where: { $0.segment === segment }) {
            let vain = link.uploads.filter { $0.segment === segment && isWaitingInVain(segment, for: $0.next..<$0.end) }
            for upload in vain { emitMessage(.absent(request: upload.request, reason: .notHeld), to: link) }
            link.uploads.removeAll { upload in vain.contains { $0.request == upload.request } }
        }
    }

    // MARK: The tree

    /// Whether it said that it has a chunk, and not only that it will.
    func has(_ link: Link, _ chunk: Int, of segment: Segment) -> Bool {
        guard let holdings = link.holdings(segment.rendition.stream.swarm, segment.id.rendition) else { return false }
        return holdings.held.contains(segment.id.number)
            || holdings.partial[segment.id.number]?.contains(chunk: chunk) ?? false
    }

    private func isWhole(_ link: Link, _ segment: Segment) -> Bool {
        link.holdings(segment.rendition.stream.swarm, segment.id.rendition)?.holdsOrPromises(segment.id) ?? false
    }

    private func mayAsk(_ link: Link, _ segment: Segment) -> Bool {
        guard link.failedStanding < Agent.sharingFailures || now - link.lastStall >= Agent.sharingPause else {
            return false
        }
        return segment.refusals[link.id].map { $0 <= now } ?? true
    }

    func sharingTurn(of segment: Segment) -> UInt64 {
        RandomSource.mix(segment.id.number ^ segment.id.rendition.value)
    }

    /// Of all that want the segment and have it not.
    private func sharingTree(of segment: Segment, _ stream: Stream) -> SharingTree {
        let receivers = speakers(of: segment.rendition).filter { link, holdings in
            link.hello?.uploads == true && !holdings.holdsOrPromises(segment.id)
                && holdings.position.map { $0 <= segment.numbers.upperBound } ?? false
        }
        return SharingTree(
            others: receivers.map {
                SharingTree.Member(peer: $0.link.peer.id, link: $0.link.id, share: $0.holdings.share)
            },
            own: me,
            share: settings.uploadBytesPerSecond == 0 ? nil : segment.rendition.share,
            turn: sharingTurn(of: segment)
        )
    }
}

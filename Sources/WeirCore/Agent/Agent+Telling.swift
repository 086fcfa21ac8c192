// What the members of a swarm are told of what is played and held here.
extension Agent {
    /// A part is told to this many links, to the next ones with the next segment: what they pass on is soon everywhere.
    package static let partListeners = 12
    /// What goes round by itself, because whoever hears it passes it on, is told to this many links at a time.
    static let newsListeners = 8
    /// What a peer does not need now is told after this long at the latest, or along with what it needs.
    static let untoldTime = Duration.seconds(30)
    /// Partial holdings are told at most this often per segment.
    static let partialPause = Duration.milliseconds(100)

    /// - Parameter wasPlayed: the peer believes that it is, and must hear that it is not any more.
    func interest(of rendition: Rendition, for link: Link, wasPlayed: Bool = false) -> Message? {
        guard let handle = link.handle(of: rendition.stream.swarm) else { return nil }
        let position = position(in: rendition)
        guard position != nil || wasPlayed || rendition.newestToTell != nil else { return nil }
        return .interest(
            Interest(
                handle: handle,
                rendition: rendition.key,
                position: position,
                newest: rendition.newestToTell,
                share: rendition.share
            )
        )
    }

    func position(in rendition: Rendition) -> UInt64? {
        rendition.stream.players.compactMap { activeHead(of: $0, in: rendition)?.next }.min()
    }

    /// Tells the swarm where our player is and what is listed, when either has changed.
    mutating func tellInterest(_ rendition: Rendition, force: Bool) {
        guard rendition.isShared else { return }
        let position = position(in: rendition)
        // On live, where the player is follows from what is newest; on demand each step tells the others what to expect.
        let hasMoved =
            rendition.isLive
            ? (position == nil) != (rendition.toldPosition == nil) : position != rendition.toldPosition
        let wasPlayed = rendition.toldPosition != nil
        rendition.toldPosition = position
        let newest = rendition.newestToTell
        guard force || hasMoved || newest != rendition.toldNewest else { return }
        rendition.toldNewest = newest
        var listeners = links(of: rendition.stream)
        if !force, !hasMoved {
            // Whoever told us of it, or of something newer, need not hear it from us; whoever hears it, tells others.
            listeners.removeAll { knows(newest, $0, rendition) }
            listeners = some(listeners, most: Agent.newsListeners, turn: newest ?? 0)
        }
        for link in listeners {
            if let message = interest(of: rendition, for: link, wasPlayed: wasPlayed) { emitMessage(message, to: link) }
        }
    }

    private func knows(_ newest: UInt64?, _ link: Link, _ rendition: Rendition) -> Bool {
        guard let newest, let theirs = link.holdings(rendition.stream.swarm, rendition.key)?.newest else {
            return false
        }
        return theirs >= newest
    }

    mutating func tellHoldings(_ rendition: Rendition, to link: Link) {
        guard let handle = link.handle(of: rendition.stream.swarm), !rendition.isWithdrawn else { return }
        var ranges: [Have.Range] = []
        for segment in rendition.allSegments {
            guard let state = segment.announced, state != .gone else { continue }
            if let last = ranges.last, last.kind == segment.id.kind, last.state == state,
                state == .held, last.first &+ last.count == segment.id.number
            {
                ranges[ranges.count - 1].count += segment.span
            } else {
                ranges.append(
                    Have.Range(kind: segment.id.kind, first: segment.id.number, count: segment.span, state: state)
                )
            }
        }
        for start in stride(from: 0, to: ranges.count, by: 256) {
            let part = Array(ranges[start..<min(ranges.count, start + 256)])
            emitMessage(.have(Have(handle: handle, rendition: rendition.key, ranges: part)), to: link)
        }
    }

    /// Tells the swarm that a segment is held, being read from the origin, or gone.
    mutating func announce(_ segment: Segment, _ state: Have.State) {
        let rendition = segment.rendition
        guard rendition.isShared, segment.announced != state else { return }
        guard state == .gone || (!rendition.isWithdrawn && !segment.isReplaced) else { return }
        guard settings.uploadBytesPerSecond != 0 || state == .gone else { return }
        let wasPromised = segment.announced == .fetching
        segment.announced = state == .gone ? nil : state
        let range = Have.Range(kind: segment.id.kind, first: segment.id.number, count: segment.span, state: state)
        for link in links(of: rendition.stream) {
            guard let handle = link.handle(of: rendition.stream.swarm) else { continue }
            var ranges = [range]
            if let holdings = link.holdings(rendition.stream.swarm, rendition.key), segment.id.kind == .media {
                if state == .held, !wasPromised, !wants(holdings, segment) {
                    holdings.untold.insert(first: range.first, count: range.count)
                    continue
                }
                if state == .gone, holdings.untold.contains(range.first) {
                    holdings.untold.remove(first: range.first, count: range.count)
                    continue
                }
                ranges += takeUntold(holdings)
            }
            emitMessage(.have(Have(handle: handle, rendition: rendition.key, ranges: ranges)), to: link)
        }
        if state == .gone { refuseUploads(of: segment) }
    }

    /// What a link has not heard yet of what is held, because it held it itself or did not want it.
    private func takeUntold(_ holdings: Holdings) -> [Have.Range] {
        guard !holdings.untold.isEmpty else { return [] }
        let ranges = holdings.untold.ranges.suffix(256).map { numbers in
            let count = numbers.upperBound - numbers.lowerBound
            return Have.Range(kind: .media, first: numbers.lowerBound, count: count, state: .held)
        }
        holdings.untold = HeldRanges()
        holdings.untoldSince = nil
        return ranges
    }

    /// Tells a link now what was left for later.
    mutating func tellUntold(_ holdings: Holdings, to link: Link) {
        guard let handle = link.handle(of: holdings.swarm) else { return }
        let ranges = takeUntold(holdings)
        guard !ranges.isEmpty else { return }
        emitMessage(.have(Have(handle: handle, rendition: holdings.rendition, ranges: ranges)), to: link)
    }

    /// Tells all links what was left for later, if that was long ago.
    mutating func tellUntold() {
        for link in links where link.isUp {
            for holdings in link.holdings where !holdings.untold.isEmpty {
                let since = holdings.untoldSince ?? now
                holdings.untoldSince = since
                if now - since >= Agent.untoldTime { tellUntold(holdings, to: link) }
            }
        }
    }

    /// Whoever read a segment for the swarm tells at once what it is: all will ask, and asking takes a round trip.
    mutating func pushVouches(of segment: Segment) {
        guard segment.announced == .fetching, segment.evidence.isAllOwn else { return }
        vouchFromOwn(segment, from: 0)
        let stream = segment.rendition.stream
        for link in links(of: stream) where wants(link, segment) {
            // Who knows how long it is asks for chunks, and each comes with what is stated of it.
            guard let handle = link.handle(of: stream.swarm), link.told[segment.named]?.vouches.isEmpty ?? true else {
                continue
            }
            sendVouches(of: segment, to: link, handle)
        }
    }

    /// Tells those who still lack it which chunks are here already.
    mutating func announcePart(_ segment: Segment) {
        guard segment.announced == nil, segment.rendition.isShared, settings.uploadBytesPerSecond != 0,
            segment.originOnly == nil
        else { return }
        // The first chunk at once, so that trading begins; then in steps, so that telling costs less than it brings.
        let step = segment.partialAnnounced == 0 ? 1 : max(2, segment.chunks.count / 8)
        guard segment.chunks.checkedCount >= segment.partialAnnounced + step else { return }
        if let last = segment.partialAnnouncedAt, now - last < Agent.partialPause { return }
        segment.partialAnnounced = segment.chunks.checkedCount
        segment.partialAnnouncedAt = now
        let runs = segment.chunks.checkedRuns(limit: 64)
        let news = runs.flatMap { segment.chunks.chunks(of: $0) }.filter { !segment.partsTold.contains(chunk: $0) }
        segment.partsTold = runs
        let stream = segment.rendition.stream
        for link in some(links(of: stream), most: Agent.partListeners, turn: segment.id.number) {
            guard let handle = link.handle(of: stream.swarm),
                let holdings = link.holdings(stream.swarm, segment.id.rendition), wants(holdings, segment),
                !holdings.hasPart(news, of: segment.id)
            else { continue }
            emitMessage(.partial(Partial(handle: handle, segment: segment.id, runs: runs)), to: link)
        }
    }

    /// So many of the links, with each number the next ones.
    func some(_ links: [Link], most: Int, turn number: UInt64) -> [Link] {
        guard links.count > most else { return links }
        let first = Int(number % UInt64(links.count)) * most
        return (first..<first + most).map { links[$0 % links.count] }
    }

    /// A peer that plays this rendition and has not said that it holds the segment.
    func wants(_ link: Link, _ segment: Segment) -> Bool {
        guard let holdings = link.holdings(segment.rendition.stream.swarm, segment.id.rendition) else { return false }
        return wants(holdings, segment)
    }

    private func wants(_ holdings: Holdings, _ segment: Segment) -> Bool {
        guard segment.id.kind == .media else { return !holdings.heldInitialisation.contains(segment.id.number) }
        return holdings.position.map { $0 <= segment.numbers.upperBound } ?? false
            && !holdings.held.contains(segment.id.number)
    }
}

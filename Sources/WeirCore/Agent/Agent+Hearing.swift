// What the members of a swarm say that they play and hold, and whether that is news.
extension Agent {
    private func known(_ link: Link, _ handle: UInt32) -> Stream? {
        guard let swarm = link.theirSwarms[handle], link.shared.contains(swarm) else { return nil }
        return stream(swarm: swarm)
    }

    /// Changes what is known of a peer's rendition, within the limits.
    private func change(
        _ link: Link,
        _ stream: Stream,
        _ rendition: RenditionKey,
        _ body: (Holdings) -> Void
    ) {
        if let known = link.holdings(stream.swarm, rendition) { return body(known) }
        guard link.holdings.count < limits.renditionsPerLink else { return }
        let holdings = Holdings(swarm: stream.swarm, rendition: rendition)
        link.holdings.append(holdings)
        stream.rendition(rendition)?.speakers = nil
        body(holdings)
    }

    mutating func peerInterest(_ link: Link, _ interest: Interest) {
        guard let stream = known(link, interest.handle) else { return }
        var hasMoved = false
        var comesBack: Holdings?
        change(link, stream, interest.rendition) { holdings in
            if holdings.position == nil, interest.position != nil { count(1, by: link, of: stream) }
            hasMoved = holdings.position != interest.position || holdings.share != interest.share
            holdings.share = interest.share
            if let position = interest.position, position < holdings.position ?? .max { comesBack = holdings }
            holdings.position = interest.position
            holdings.newest = interest.newest
        }
        if let rendition = stream.rendition(interest.rendition) { heardOf(interest.newest, in: rendition) }
        // It may want now what it did not.
        if let comesBack { tellUntold(comesBack, to: link) }
        // Where it plays decides who is elected; what it lists is looked up, not planned.
        if hasMoved { replanSoon(stream) }
    }

    /// A peer can make a stream look as much watched as by one viewing a minute, no more.
    private func count(_ viewings: Double, by link: Link, of stream: Stream) {
        if let last = link.countedAt[stream.swarm], now - last < Popularity.pause { return }
        if link.countedAt.count >= limits.swarmsPerLink { link.countedAt = [:] }
        link.countedAt[stream.swarm] = now
        stream.popularity.note(viewings, at: now)
    }

    private mutating func heardOf(_ number: UInt64?, in rendition: Rendition) {
        guard let number, let newest = rendition.newest, number > newest else { return }
        // A hint beyond the next one cannot be told from nonsense: it counts as the next one, twice at most.
        if rendition.hint.number != newest { rendition.hint = (newest, 0) }
        guard rendition.hint.reloads < 2 else { return }
        rendition.hint.reloads += 1
        reloadOnHint(rendition)
    }

    mutating func peerHas(_ link: Link, _ have: Have) {
        guard let stream = known(link, have.handle) else { return }
        let limit = limits.haveRangesPerLink
        change(link, stream, have.rendition) { holdings in
            for range in have.ranges { holdings.apply(range, limit: limit) }
            if link.countedAt[stream.swarm] == nil, !holdings.held.isEmpty {
                count(Popularity.earlierViewing, by: link, of: stream)
            }
        }
        guard let rendition = stream.rendition(have.rendition) else { return }
        var matters = false
        for range in have.ranges {
            rendition.forgetCandidates(range)
            // Somebody else reads it: at most a reason to wait.
            if range.state == .underway { continue }
            matters = matters || self.matters(range, of: link, in: rendition)
        }
        for range in have.ranges {
            if range.kind == .media, range.state != .gone {
                heardOf(range.first, in: rendition)
                if range.state == .fetching { reads(link, range.first, in: rendition) }
                if range.state == .fetching || range.state == .underway {
                    passOn(range.first, in: rendition, from: link)
                }
            }
        }
        if matters { replanSoon(stream) }
    }

    /// Whether this news can change what is asked of whom.
    private func matters(_ range: Have.Range, of link: Link, in rendition: Rendition) -> Bool {
        guard range.count == 1 else { return true }
        let segment = range.kind == .media ? rendition.media[range.first] : rendition.initialisation[range.first]
        return segment.map { matters(to: $0, link) } ?? false
    }

    /// What is held, or not listed yet, is no race. Nothing is asked of a link whose window is full, and where every chunk
    /// is asked already only an idle link can take something over. The next chunk has everybody looked at again.
    private func matters(to segment: Segment, _ link: Link) -> Bool {
        guard !segment.isHeld, !segment.isPassedThrough else { return false }
        guard segment.phase == .racing, segment.length != nil, segment.runs.contains(where: { isAlive($0) }) else {
            return true
        }
        if segment.chunks.absentCount > 0 { return link.outstandingChunks < link.window }
        return link.outstandingChunks == 0 && link.estimate.isKnown
    }

    /// Somebody reads a segment from the origin: those who are not linked to it should hear before they do so too. Each
    /// agent passes the news on once, and only where there are agents that it does not know.
    private mutating func passOn(_ number: UInt64, in rendition: Rendition, from source: Link) {
        let stream = rendition.stream
        guard strangers(in: stream) > 0, let segment = rendition.media[number], !segment.isUnderwayTold,
            segment.announced == nil, !segment.isHeld
        else { return }
        segment.isUnderwayTold = true
        let unaware = links(of: stream).filter { link in
            guard link !== source, let holdings = link.holdings(stream.swarm, rendition.key) else { return false }
            return !holdings.held.contains(number) && !holdings.fetching.contains(number)
                && !holdings.underway.contains(number)
        }
        for link in some(unaware, most: Agent.newsListeners, turn: number) {
            guard let handle = link.handle(of: stream.swarm) else { continue }
            let range = Have.Range(kind: .media, first: number, count: 1, state: .underway)
            emitMessage(.have(Have(handle: handle, rendition: rendition.key, ranges: [range])), to: link)
        }
    }

    mutating func peerHasPart(_ link: Link, _ partial: Partial) {
        guard let stream = known(link, partial.handle), partial.segment.kind == .media else { return }
        var isFirst = false
        var before: [ChunkRun] = []
        change(link, stream, partial.segment.rendition) { holdings in
            guard !holdings.held.contains(partial.segment.number) else { return }
            let known = holdings.partial[partial.segment.number]
            before = known ?? []
            if known == nil, holdings.partial.count >= 16, let oldest = holdings.partial.keys.min() {
                holdings.partial[oldest] = nil
                stream.rendition(partial.segment.rendition)?.media[oldest]?.candidates = nil
            }
            let runs = partial.runs.count <= 64 ? partial.runs : Array(partial.runs.prefix(64))
            holdings.partial[partial.segment.number] = runs
            isFirst = known == nil
        }
        guard let rendition = stream.rendition(partial.segment.rendition) else { return }
        if isFirst { rendition.media[partial.segment.number]?.candidates = nil }
        guard let segment = rendition.segment(partial.segment), matters(to: segment, link) else { return }
        if brings(partial.runs, beyond: before, to: segment) { replanSoon(stream) }
    }

    /// Whether a link that offered some chunks offers with these any that would be asked of it.
    private func brings(_ runs: [ChunkRun], beyond known: [ChunkRun], to segment: Segment) -> Bool {
        guard segment.length != nil else { return true }
        let wanted: ChunkMap.State = segment.chunks.absentCount > 0 ? .absent : .requested
        return runs.contains { run in
            segment.chunks.chunks(of: run).contains {
                segment.chunks.states[$0] == wanted && !known.contains(chunk: $0)
            }
        }
    }
}

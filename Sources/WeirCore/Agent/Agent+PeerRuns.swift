// Which chunks of a segment are asked of which peers.
extension Agent {
    mutating func askPeers(_ wish: Wish, _ stream: Stream, _ offering: [Link]) {
        let segment = wish.segment
        guard segment.originOnly == nil, !segment.isDirect, segment.rendition.isShared, !segment.rendition.isWithdrawn,
            acceptsPeers(segment)
        else { return }
        guard !offering.isEmpty else { return askPassers(segment, stream) }
        guard segment.length != nil else {
            if !askGrowing(segment, offering, stream) { queryDigests(segment, offering) }
            return
        }
        if segment.chunks.count == 0 { return finishIfComplete(segment) }
        if segment.chunks.absentCount > 0 { askForAbsent(wish, stream, soonestFirst(offering)) }
        takeOverTails(segment, offering, wish, stream)
    }

    /// Sorted by when a further chunk would be here.
    private func soonestFirst(_ links: [Link]) -> [Link] {
        links.map { (finish: $0.expectedFinish, link: $0) }
            .sorted { ($0.finish, $0.link.id.value) < ($1.finish, $1.link.id.value) }
            .map { $0.link }
    }

    private mutating func askForAbsent(_ wish: Wish, _ stream: Stream, _ sources: [Link]) {
        let segment = wish.segment
        let busy = segment.runs.compactMap { run -> LinkID? in
            if case .link(let id, _) = run.source { return id }
            return nil
        }
        // The fewest sources that will do: two to four, all of them when time is short.
        // In a large swarm most sources hold a little each, and all of them are needed.
        let most = isUrgent(wish) || sources.count > 8 ? sources.count : max(4, busy.count)
        let demand = demand(for: wish, stream, sources)
        if isFresh(wish, demand) { shareOut(segment, stream, sources) }
        var used = Set(busy)
        for link in sources {
            guard segment.chunks.absentCount > 0 else { return }
            guard link.outstandingChunks < link.window, used.contains(link.id) || used.count < most else { continue }
            if askLink(link, segment, wish, stream, demand) { used.insert(link.id) }
        }
    }

    func isUrgent(_ wish: Wish) -> Bool {
        guard let slack = wish.slack else { return false }
        return wish.isStart || slack < max(.seconds(2), wish.segment.duration)
    }

    /// Asks one link for as many runs as its window allows. True when it was asked at all.
    private mutating func askLink(
        _ link: Link,
        _ segment: Segment,
        _ wish: Wish,
        _ stream: Stream,
        _ demand: Demand
    ) -> Bool {
        var asked = false
        let allowance = allowance(of: link, segment, wish, demand)
        while link.outstandingChunks < link.window {
            let room = min(link.window - link.outstandingChunks, allowance - chunks(asked: link, of: segment))
            guard room > 0, let range = pickRun(segment, link, wish, demand, most: min(room, 16)) else { break }
            request(range, of: segment, from: link, stream)
            asked = true
        }
        return asked
    }

    func chunks(asked link: Link, of segment: Segment) -> Int {
        segment.runs.reduce(0) { sum, run in
            guard case .link(link.id, _) = run.source else { return sum }
            return sum + (run.end ?? run.next) - run.next
        }
    }

    /// How many chunks of one segment may be asked of a link at once. Who has just read it is asked by everybody: each
    /// takes its share and half as much again, and trades the rest, or all would wait in one uplink's queue.
    private func allowance(of link: Link, _ segment: Segment, _ wish: Wish, _ demand: Demand) -> Int {
        if isUrgent(wish) { return demand.shares[link.id] ?? .max }
        guard let holdings = link.holdings(demand.swarm, segment.id.rendition) else { return .max }
        guard holdings.holdsOrPromises(segment.id) else { return 2 }
        guard demand.holders <= max(1, demand.members / 4) else { return .max }
        return max(1, segment.chunks.count * 3 * demand.holders / (2 * max(1, demand.members)))
    }

    /// How many want a segment, and how many have or promise the whole of it.
    struct Demand {
        var swarm: SwarmID
        var members: Int
        var holders: Int
        /// Where this agent begins to ask when there is time.
        var ownPlace = 0
        /// When time is short: how many chunks each holder brings until all are done together. Empty otherwise.
        var shares: [LinkID: Int] = [:]
    }

    private func demand(for wish: Wish, _ stream: Stream, _ offering: [Link]) -> Demand {
        let segment = wish.segment
        let holders = holderCount(of: segment)
        var demand = Demand(swarm: stream.swarm, members: links(of: stream).count, holders: holders)
        guard isUrgent(wish) else {
            demand.ownPlace = ownPlace(in: segment, stream)
            return demand
        }
        let whole = offering.filter {
            $0.holdings(stream.swarm, segment.id.rendition)?.holdsOrPromises(segment.id) ?? false
        }
        demand.shares = shares(of: wish, whole)
        return demand
    }

    /// A wide window alone would let one peer queue what others could bring sooner.
    private func shares(of wish: Wish, _ holders: [Link]) -> [LinkID: Int] {
        let segment = wish.segment
        let ranges = segment.runs.filter { $0.isHTTP }.map { $0.rest(of: segment.chunks.count) }
        let rest = segment.chunks.states.indices.count { chunk in
            segment.chunks.states[chunk] != .checked && !ranges.contains { $0.contains(chunk) }
        }
        // HTTP sources that are done with their ranges take a part of the rest, too.
        let others = rangeSources(wish).map { planSource($0, segment) }
        let peers = holders.map { link in
            RangePlan.Source(rate: link.estimate.rate, delay: (link.leastLatency ?? .zero).seconds)
        }
        let shares = RangePlan.shares(ofChunks: rest, over: peers + others)
        // Two at least, so that a slow peer's rate is still learnt.
        return Dictionary(
            zip(holders.map { $0.id }, shares.map { max(2, Int($0.rounded(.up))) }),
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// Where this agent begins to ask: members in order of their ids take successive parts, so that together they ask
    /// for everything once.
    private func ownPlace(in segment: Segment, _ stream: Stream) -> Int {
        let members = links(of: stream)
        let rank = members.count { $0.peer.id < me }
        let turn = Int(truncatingIfNeeded: RandomSource.mix(segment.id.number) & 0xFFFF)
        return (rank * segment.chunks.count / (members.count + 1) + turn) % max(1, segment.chunks.count)
    }

    /// The chunks to ask next: in order when the player is close, else from a place of our own, so that those who fetch
    /// together soon hold different parts to trade. Beside a start from the origin peers fill the end first.
    private func pickRun(
        _ segment: Segment,
        _ link: Link,
        _ wish: Wish,
        _ demand: Demand,
        most: Int
    ) -> Range<Int>? {
        guard segment.chunks.absentCount > 0 else { return nil }
        let chunks = segment.chunks
        let offered = offer(of: link, for: segment)
        if wish.isStart, segment.runs.contains(where: { $0.isHTTP }) {
            guard let last = (0..<chunks.count).last(where: { chunks.states[$0] == .absent && offered($0) }) else {
                return nil
            }
            var first = last
            while first > 0, last - first + 1 < most, chunks.states[first - 1] == .absent, offered(first - 1) {
                first -= 1
            }
            return first..<last + 1
        }
        guard !isUrgent(wish) else {
            return chunks.run(of: .absent, from: chunks.contiguous, most: most, where: offered)
        }
        return chunks.run(of: .absent, from: demand.ownPlace, most: min(most, 4), where: offered)
            ?? chunks.run(of: .absent, from: 0, most: min(most, 4), where: offered)
    }

    /// - Parameters:
    ///   - isGrowing: the chunks may not be there yet, and the segment may end before them.
    ///   - patience: how long nothing may come, when the link itself waits for the chunks.
    mutating func request(
        _ range: Range<Int>,
        of segment: Segment,
        from link: Link,
        _ stream: Stream,
        isGrowing: Bool = false,
        standing patience: Duration? = nil
    ) {
        guard let handle = link.handle(of: stream.swarm) else { return }
        let named = segment.listRoot
        if named == nil, let list = link.ownLists[segment.named], list.life != segment.life || list.isOutdated {
            // It believes that we still have what it once told us.
            link.ownLists[segment.named] = OwnList(life: segment.life)
            askDigests(of: segment, from: link, handle)
        }
        let number = link.nextRequest
        link.nextRequest &+= 1
        let run = Run(
            source: .link(link.id, request: number),
            first: range.lowerBound,
            end: range.upperBound,
            askedAt: now,
            expected: patience ?? expectation(of: link)
        )
        run.isGrowing = isGrowing
        run.list = named
        run.isStanding = patience != nil
        segment.runs.append(run)
        segment.claim(run, to: isGrowing ? min(range.upperBound, segment.chunks.count) : range.upperBound)
        link.runs[number] = RunOnLink(segment: segment, run: run)
        if link.outstandingChunks == 0, run.isCounted {
            link.sampleStart = now
            link.sampleBytes = 0
            link.wasIdle = true
        }
        if run.isCounted { link.outstandingChunks += range.count }
        let chunks = ChunkRun(first: UInt32(clamping: range.lowerBound), count: UInt32(clamping: range.count))
        send(number, for: chunks, of: segment, to: link, handle, list: run.list)
    }

    private func expectation(of link: Link) -> Duration {
        (link.latency ?? .milliseconds(400)) + .seconds(link.secondsPerChunk)
    }

    /// Asks for digests alone, to learn how long the segment is. Those who do not answer are passed over, and asked last
    /// from then on.
    mutating func queryDigests(_ segment: Segment, _ sources: [Link]) {
        var waiting = 0
        for link in sources {
            guard let asked = segment.queried[link.id] else { continue }
            let due = asked + queryTime(link, segment)
            if due <= now {
                segment.refusals[link.id] = now + .seconds(10)
                segment.queried[link.id] = nil
                link.mutes += 1
            } else {
                waiting += 1
                agenda.note(.plan(segment.rendition.stream.id), at: due)
            }
        }
        let ranked = sources.enumerated().sorted { ($0.element.mutes, $0.offset) < ($1.element.mutes, $1.offset) }
        for link in ranked.map({ $0.element }) where waiting < 2 && segment.queried[link.id] == nil {
            guard let handle = link.handle(of: segment.rendition.stream.swarm),
                segment.refusals[link.id].map({ $0 <= now }) ?? true
            else { continue }
            waiting += 1
            segment.queried[link.id] = now
            askDigests(of: segment, from: link, handle)
            agenda.note(.plan(segment.rendition.stream.id), at: now + queryTime(link, segment))
        }
    }

    /// Who promises has to read it first.
    private func queryTime(_ link: Link, _ segment: Segment) -> Duration {
        let holdings = link.holdings(segment.rendition.stream.swarm, segment.id.rendition)
        let isHeld = holdings?.held.contains(segment.id.number) ?? false
        return isHeld ? settings.stallTimeout / 2 : settings.stallTimeout * 2
    }

    private mutating func send(
        _ number: UInt32,
        for chunks: ChunkRun,
        of segment: Segment,
        to link: Link,
        _ handle: UInt32,
        list: Digest? = nil
    ) {
        let request = RunRequest(
            request: number,
            handle: handle,
            segment: segment.id,
            edition: segment.edition,
            chunks: chunks,
            list: list
        )
        emitMessage(.request(request), to: link)
    }

    private mutating func askDigests(of segment: Segment, from link: Link, _ handle: UInt32) {
        let number = link.nextRequest
        link.nextRequest &+= 1
        // A peer that never answers must not make the book grow.
        if link.queries.count >= 64, let oldest = link.queries.keys.min() { link.queries[oldest] = nil }
        link.queries[number] = segment
        send(number, for: ChunkRun(first: 0, count: 0), of: segment, to: link, handle)
    }

    /// When nothing is left to ask, a faster idle source takes the unsent tail of the slowest one.
    private mutating func takeOverTails(_ segment: Segment, _ sources: [Link], _ wish: Wish, _ stream: Stream) {
        guard segment.chunks.absentCount == 0, segment.runs.contains(where: { !$0.isHTTP }) else { return }
        for thief in soonestFirst(sources.filter { $0.outstandingChunks == 0 && $0.estimate.isKnown }) {
            guard let (run, victim, finish) = slowestRun(segment, except: thief.id), let end = run.end else { return }
            let keep = run.next + 1
            guard end - keep >= 1 else { continue }
            let middle = max(keep, run.next + (end - run.next) / 2)
            let offered = offer(of: thief, for: segment)
            guard (middle..<end).allSatisfy(offered) else { continue }
            let thiefFinish = thief.expectedFinish * Double(end - middle)
            guard thiefFinish * 1.5 + 0.05 < finish else { continue }
            if case .link(_, let request) = run.source {
                emitMessage(.cancel(request: request, fromChunk: UInt32(clamping: middle)), to: victim)
            }
            segment.shorten(run, to: middle)
            victim.outstandingChunks -= end - middle
            self.request(middle..<end, of: segment, from: thief, stream)
        }
    }

    private func slowestRun(_ segment: Segment, except id: LinkID) -> (Run, Link, Double)? {
        var slowest: (Run, Link, Double)?
        for run in segment.runs {
            guard case .link(let owner, _) = run.source, owner != id, let link = link(owner), let end = run.end,
                !run.isStanding
            else { continue }
            let finish = Double(end - run.next) * link.secondsPerChunk
            if finish > slowest?.2 ?? 0 { slowest = (run, link, finish) }
        }
        return slowest
    }
}

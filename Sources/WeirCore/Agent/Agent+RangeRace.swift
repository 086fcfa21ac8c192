// One segment from several HTTP sources at once, in sized ranges: edges and origin beside each other, or servers of one
// rendition.
//
// Only where several edges are configured, or when the server in use is too slow (`Agent+PathwayRace`): otherwise weir
// asks for whole segments, as a plain player does.
extension Agent {
    /// How often a race in ranges looks whether an idle source should take over a tail.
    private static let tailLook = Duration.milliseconds(15)
    /// A range that will be done within this much more than a round trip gets a successor, so that the source does not
    /// fall idle in between.
    private static let successorMargin = 0.02

    /// The HTTP sources among which this segment is split; fewer than two: no ranges.
    ///
    /// Several edges are there to be used, so they share whatever a player has asked for; the origin joins when time is
    /// short. A single edge is asked alone, with the origin behind it, except for a start that peers shorten.
    func rangeSources(_ wish: Wish) -> [HTTPSource] {
        let segment = wish.segment
        guard wish.isAsked, segment.originOnly == nil, !segment.isOpenEnded else { return [] }
        let pathways = pathwaySources(wish)
        if !pathways.isEmpty { return pathways }
        // At a start peers bring a part too, and a whole body would leave them nothing to bring.
        let isShared = wish.isStart && !settings.edges.isEmpty && hasPeerOffer(segment)
        guard settings.edges.count > 1 || isShared else { return [] }
        let sources = httpSources(for: segment).filter { source in
            guard source.isEdge || isUrgent(wish) else { return false }
            return hosts[source.host]?.wholeBodyUntil.map { $0 <= now } ?? true
        }
        return sources.count > 1 ? sources : []
    }

    /// Asks sources for what is still missing, so that all finish together.
    mutating func askRanges(_ wish: Wish, _ stream: Stream, _ sources: [HTTPSource], reason: String) {
        let segment = wish.segment
        if segment.length == nil {
            // The first answer says how long it is; until then a part is asked that is surely there.
            guard !segment.runs.contains(where: { $0.isHTTP }) else { return }
            let guess = max(1, Int(Double(stream.typicalSegmentBytes) * 0.9) / Chunk.byteCount)
            ask(0..<guess, wish, sources, reason)
        } else {
            // A source that is given a piece leaves the gap smaller, so this ends.
            var gaps = 0
            while gaps < 8, let gap = rangeGap(segment, wish), ask(gap, wish, sources, reason) { gaps += 1 }
            if rangeGap(segment, wish) == nil { takeTails(wish, sources, reason) }
        }
        if segment.runs.contains(where: { $0.isHTTP }) {
            agenda.note(.plan(stream.id), at: now + nextRangeLook(segment))
        } else {
            agenda.note(.plan(stream.id), at: now + .milliseconds(250))
        }
    }

    /// - Returns: whether anybody was asked.
    @discardableResult
    private mutating func ask(_ gap: Range<Int>, _ wish: Wish, _ sources: [HTTPSource], _ reason: String) -> Bool {
        let segment = wish.segment
        var planned = sources.map { planSource($0, segment) }
        if wish.isStart { planned += offers(of: segment).map { planSource($0) } }
        let pieces = RangePlan.pieces(of: gap, over: planned)
        for piece in pieces {
            takeBack(piece.chunks, from: segment)
            fetchSegment(segment, chunks: piece.chunks, reason: reason, from: sources[piece.source])
        }
        return !pieces.isEmpty
    }

    /// The first gap that nobody is bringing; nil: there is none.
    private func rangeGap(_ segment: Segment, _ wish: Wish) -> Range<Int>? {
        let gap = missingRange(segment, wish) ?? 0..<segment.chunks.count
        return gap.isEmpty ? nil : gap
    }

    // MARK: What is known of sources

    func planSource(_ source: HTTPSource, _ segment: Segment) -> RangePlan.Source {
        let estimate = hosts[source.host]?.estimate
        let roundTrip = (estimate?.roundTrip ?? DeadlineRule.unknownRoundTrip).seconds
        let running = rangeRuns(of: source, segment)
        let rate = estimate?.rate ?? running.compactMap { observedRate($0) }.first
        guard !running.isEmpty else { return RangePlan.Source(rate: rate, delay: roundTrip) }
        let rest = running.reduce(0.0) { $0 + remainingSeconds($1, segment, rate: rate) }
        // No second range before the first has been answered, and never a third beside them.
        let isAnswered = running.count == 1 && running.allSatisfy { fetch(of: $0)?.headAt != nil }
        let mayBeAsked = isAnswered && rest <= roundTrip + Agent.successorMargin
        return RangePlan.Source(rate: rate, delay: max(roundTrip, rest), mayBeAsked: mayBeAsked)
    }

    /// A peer's share, beyond what it is bringing already, is set aside: peers are asked by their own rules.
    private func planSource(_ link: Link) -> RangePlan.Source {
        let queued = Double(link.outstandingChunks * Chunk.byteCount) / (link.estimate.rate ?? RangePlan.unknownRate)
        let delay = max(queued, (link.leastLatency ?? .zero).seconds)
        return RangePlan.Source(rate: link.estimate.rate, delay: delay, mayBeAsked: false)
    }

    private func rangeRuns(of source: HTTPSource, _ segment: Segment) -> [Run] {
        segment.runs.filter { fetch(of: $0)?.host == source.host }
    }

    func fetch(of run: Run) -> Fetch? {
        guard case .http(let id) = run.source else { return nil }
        return fetches[id]
    }

    /// Bytes per second that a running range has shown; nil before it can be told.
    private func observedRate(_ run: Run) -> Double? {
        guard let fetch = fetch(of: run), let headAt = fetch.headAt, fetch.received >= 2 * Int64(Chunk.byteCount),
            now - headAt >= .milliseconds(20)
        else { return nil }
        return Double(fetch.received) / (now - headAt).seconds
    }

    private func restChunks(_ run: Run, _ segment: Segment) -> Int {
        max(0, (run.end ?? segment.chunks.count) - run.next)
    }

    private func remainingSeconds(_ run: Run, _ segment: Segment, rate: Double?) -> Double {
        let bytes = Double(restChunks(run, segment)) * Double(Chunk.byteCount)
        return bytes / (observedRate(run) ?? rate ?? RangePlan.unknownRate)
    }

    /// Until the next source wants a successor range or could take a tail.
    private func nextRangeLook(_ segment: Segment) -> Duration {
        var look = Agent.tailLook
        for run in segment.runs {
            guard let fetch = fetch(of: run), fetch.headAt != nil else { continue }
            let estimate = hosts[fetch.host]?.estimate
            let roundTrip = (estimate?.roundTrip ?? .zero).seconds
            let wait = remainingSeconds(run, segment, rate: estimate?.rate) - roundTrip - Agent.successorMargin / 2
            if wait > 0.002 { look = min(look, .seconds(wait)) }
        }
        return look
    }

    // MARK: Tails

    /// Idle sources take the tails of what would end clearly later than theirs: of ranges, and at a start of peers' runs.
    private mutating func takeTails(_ wish: Wish, _ sources: [HTTPSource], _ reason: String) {
        let segment = wish.segment
        for source in sources where rangeRuns(of: source, segment).isEmpty {
            let estimate = hosts[source.host]?.estimate
            // Another server of the rendition is tried when the one in use is too slow, whatever it will bring.
            guard let rate = estimate?.rate ?? (source.isEdge ? nil : RangePlan.unknownRate) else { continue }
            let thief = (rate: rate, delay: (estimate?.roundTrip ?? .zero).seconds)
            guard let taken = takeFromRange(segment, thief) ?? (wish.isStart ? takeFromPeer(segment, thief) : nil)
            else { continue }
            fetchSegment(segment, chunks: taken, reason: reason, from: source)
        }
    }

    /// - Returns: the chunks that are now to be asked of the thief.
    private func takeFromRange(_ segment: Segment, _ thief: (rate: Double, delay: Double)) -> Range<Int>? {
        guard let (run, victimRate) = slowestRange(segment) else { return nil }
        let rest = restChunks(run, segment)
        guard let count = TailRule.chunksToTake(rest: rest, rate: victimRate, thief: thief) else { return nil }
        let end = run.next + rest
        segment.shorten(run, to: end - count)
        return end - count..<end
    }

    /// The last run of the peer that would be done last gives up its tail.
    private mutating func takeFromPeer(_ segment: Segment, _ thief: (rate: Double, delay: Double)) -> Range<Int>? {
        var slowest: (link: Link, finish: Double)?
        for link in links where link.outstandingChunks > 0 {
            guard let rate = link.estimate.rate else { continue }
            let finish = Double(link.outstandingChunks) / rate
            if finish > slowest?.finish ?? 0 { slowest = (link, finish) }
        }
        guard let link = slowest?.link, let rate = link.estimate.rate,
            let count = TailRule.chunksToTake(rest: link.outstandingChunks, rate: rate, thief: thief),
            let (request, entry) = link.runs.max(by: { $0.key < $1.key }), entry.segment === segment,
            let end = entry.run.end
        else { return nil }
        let middle = max(entry.run.next + 1, end - count)
        guard end - middle >= TailRule.leastChunks else { return nil }
        emitMessage(.cancel(request: request, fromChunk: UInt32(clamping: middle)), to: link)
        segment.shorten(entry.run, to: middle)
        link.outstandingChunks -= end - middle
        return middle..<end
    }

    /// The HTTP range that would end last, and its rate; one that is overdue with its first byte counts as silent.
    private func slowestRange(_ segment: Segment) -> (Run, rate: Double)? {
        var slowest: (run: Run, rate: Double, finish: Double)?
        for run in segment.runs {
            guard let fetch = fetch(of: run), !fetch.isPaused else { continue }
            let estimate = hosts[fetch.host]?.estimate
            var rate = observedRate(run) ?? estimate?.rate ?? RangePlan.unknownRate
            if now - run.lastProgress >= silence(of: fetch.host) { rate = 0 }
            let finish = Double(restChunks(run, segment)) / max(rate, 1e-9)
            if finish > slowest?.finish ?? 0 { slowest = (run, rate, finish) }
        }
        return slowest.map { ($0.run, $0.rate) }
    }

    /// How long a host may be silent in a race in ranges before its bytes are asked elsewhere.
    func silence(of host: String) -> Duration {
        let estimate = hosts[host]?.estimate
        let perChunk = Duration.seconds(Double(Chunk.byteCount) / (estimate?.rate ?? 200_000))
        let expected = (estimate?.roundTrip ?? DeadlineRule.unknownRoundTrip) + perChunk
        return StallRule.limit(expected: expected, ceiling: settings.stallTimeout, slack: nil)
    }
}

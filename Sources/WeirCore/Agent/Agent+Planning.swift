// Which segments are raced, and from whom: the heart of the agent. Everything here is looked at anew whenever something
// happened; nothing here waits.
extension Agent {
    /// How many segments are fetched ahead of players at once: more would split uplinks without finishing anything.
    static let racesAhead = 3

    /// A segment that somebody waits for, or will soon.
    struct Wish {
        var segment: Segment
        /// Until the player runs dry for lack of it; nil: nobody plays towards it.
        var slack: Duration?
        var isAsked: Bool
        /// The first segment since start or seek.
        var isStart: Bool
    }

    mutating func plan(_ stream: Stream) {
        var ahead = 0
        for wish in wishes(of: stream) {
            let segment = wish.segment
            if segment.isHeld || segment.isPassedThrough { continue }
            if let retryAt = segment.retryAt, retryAt > now {
                agenda.note(.plan(stream.id), at: retryAt)
                continue
            }
            if !wish.isAsked {
                guard ahead < Agent.racesAhead, mayFetchAhead(segment, stream) else { continue }
                ahead += 1
            }
            race(wish, stream)
        }
        abandonUnwished(stream)
        checkAudits(stream)
    }

    // MARK: Wishes

    /// What is wanted, most urgent first.
    private mutating func wishes(of stream: Stream) -> [Wish] {
        var found: [Wish] = []
        for segment in stream.racing where !segment.answers.isEmpty {
            found.append(wish(for: segment, isAsked: true))
        }
        for rendition in stream.renditions where rendition.isShared && isPlaying(rendition) && hasSwarm(stream) {
            wishAhead(rendition, into: &found)
        }
        stream.wishedAt = now
        for wish in found { wish.segment.wishedAt = now }
        return found.enumerated().sorted { left, right in
            let leftSlack = left.element.slack ?? .forever
            let rightSlack = right.element.slack ?? .forever
            return leftSlack != rightSlack ? leftSlack < rightSlack : left.offset < right.offset
        }.map { $0.element }
    }

    private func wish(for segment: Segment, isAsked: Bool) -> Wish {
        let starts = segment.rendition.stream.players.contains { player in
            player.playheads.contains {
                $0.rendition == segment.id.rendition && $0.head.start == segment.id.number && !$0.head.hasStarted
            }
        }
        let isInitialisation = segment.id.kind == .initialisation
        return Wish(
            segment: segment,
            slack: isInitialisation ? .zero : slack(of: segment),
            isAsked: isAsked,
            isStart: isInitialisation || starts
        )
    }

    /// What players will ask next, as far as `max_buffer_size` and the cache allow.
    private mutating func wishAhead(_ rendition: Rendition, into found: inout [Wish]) {
        for player in rendition.stream.players {
            guard let place = player.place(of: rendition.key) else { continue }
            let head = player.playheads[place].head
            guard now - head.lastRequest < idleAfter(rendition) else { continue }
            var slack = head.buffer(at: now)
            var number = head.drainedTo
            // A live player that fell out of the window goes on at its beginning.
            if let first = rendition.first, number < first { number = first }
            while slack < settings.maximumBuffer, let entry = rendition.entry(number) {
                if !entry.gap {
                    let segment = ensureSegment(entry, in: rendition)
                    if number >= head.next, !segment.isHeld, segment.answers.isEmpty,
                        !found.contains(where: { $0.segment === segment })
                    {
                        found.append(Wish(segment: segment, slack: slack, isAsked: false, isStart: false))
                    }
                    if found.count > 64 { return }
                }
                slack = slack + (entry.duration - head.creditedTime(of: number)).orZero
                number += 1
            }
        }
    }

    /// Seconds until a player runs dry for lack of this segment, given that what comes before it arrives in time.
    func slack(of segment: Segment) -> Duration? {
        guard segment.id.kind == .media else { return nil }
        let rendition = segment.rendition
        var least: Duration?
        for player in rendition.stream.players {
            guard let place = player.place(of: rendition.key) else { continue }
            let head = player.playheads[place].head
            guard now - head.lastRequest < idleAfter(rendition) else { continue }
            var slack = head.buffer(at: now)
            var number = head.drainedTo
            while number < segment.id.number, slack < settings.maximumBuffer {
                let duration = rendition.entry(number)?.duration ?? rendition.targetDuration
                slack = slack + (duration - head.creditedTime(of: number)).orZero
                number += 1
            }
            least = min(least ?? .forever, slack)
        }
        return least
    }

    /// Fetching ahead must leave room for what is behind players and for what they wait for.
    private func mayFetchAhead(_ segment: Segment, _ stream: Stream) -> Bool {
        if segment.phase == .racing { return true }
        let expected = segment.length ?? stream.typicalSegmentBytes
        return ledger.canAdmit(ahead: expected, aheadNow: bytesAhead(of: stream))
    }

    // MARK: One race

    private mutating func race(_ wish: Wish, _ stream: Stream) {
        let segment = wish.segment
        enterRace(segment)
        askAnchor(segment)
        let sources = offers(of: segment)
        lookForStalls(segment, wish, sources)
        for run in segment.runs where run.isHTTP && run.end != nil { claimRange(run, of: segment) }
        askPeers(wish, stream, sources)
        askHTTP(wish, stream, sources)
        if let limit = segment.runs.map({ $0.lastProgress + stallLimit($0, wish, sources) }).min() {
            agenda.note(.plan(stream.id), at: max(limit, now + .milliseconds(10)))
        }
    }

    mutating func enterRace(_ segment: Segment) {
        guard segment.phase != .racing, !segment.isHeld else { return }
        segment.phase = .racing
        segment.raceStart = now
        if let range = segment.id.range { _ = admit(segment, length: range.length) }
        let stream = segment.rendition.stream
        if !stream.racing.contains(where: { $0 === segment }) { stream.racing.append(segment) }
    }

    /// Nobody wants it any more, or it cannot be had: what arrived so far stays until the cache needs the room.
    mutating func leaveRace(_ segment: Segment) {
        dropRuns(of: segment)
        segment.rendition.stream.racing.removeAll { $0 === segment }
        if segment.phase == .racing { segment.phase = .absent }
    }

    mutating func dropRuns(of segment: Segment) {
        for run in segment.runs {
            switch run.source {
            case .http(let id):
                // A body that is all here ends by itself, and its connection stays usable.
                if let fetch = fetches[id], fetch.offset < fetch.end ?? segment.length ?? .max { cancel(fetch) }
            case .link(let id, let request):
                guard let link = link(id) else { continue }
                emitMessage(.cancel(request: request, fromChunk: UInt32(clamping: run.next)), to: link)
                removeRun(request, from: link)
            }
            segment.unclaim(run)
        }
        segment.runs = []
    }

    mutating func abandon(_ segment: Segment) {
        leaveRace(segment)
        if segment.announced == .fetching { announce(segment, .gone) }
        guard segment.answers.isEmpty, !segment.isHeld else { return }
        ledger.release(segment)
        segment.reset()
    }

    /// Races that nobody wishes for any more, after a seek or when a player left.
    private mutating func abandonUnwished(_ stream: Stream) {
        for segment in stream.racing
        where segment.answers.isEmpty && segment.wishedAt != now && !segment.isHeld && !isWantedByPeers(segment) {
            abandon(segment)
        }
    }

    /// Peers were promised it.
    private func isWantedByPeers(_ segment: Segment) -> Bool {
        segment.announced == .fetching && links.contains { $0.uploads.contains { $0.segment === segment } }
    }

    // MARK: Stalls

    private func stallLimit(_ run: Run, _ wish: Wish, _ sources: [Link]) -> Duration {
        switch run.source {
        case .http(let id):
            if let fetch = fetches[id], !rangeSources(wish).isEmpty {
                return max(silence(of: fetch.host), .milliseconds(400))
            }
            // The first byte of an origin that makes the segment on demand takes its time.
            let hasAlternative = !sources.isEmpty || !settings.edges.isEmpty
            guard let fetch = fetches[id], fetch.headAt != nil else {
                return hasAlternative ? settings.stallTimeout : Agent.firstByteTime
            }
            return hasAlternative ? settings.stallTimeout : settings.stallTimeout * 2
        case .link:
            return StallRule.limit(expected: run.expected, ceiling: settings.stallTimeout, slack: wish.slack)
        }
    }

    /// A source that fell silent loses its runs. A peer does so only to another that has the chunks: when there is none,
    /// asking the same one again would bring nothing but a second copy.
    private mutating func lookForStalls(_ segment: Segment, _ wish: Wish, _ sources: [Link]) {
        for run in segment.runs where now - run.lastProgress >= stallLimit(run, wish, sources) {
            switch run.source {
            case .http(let id):
                guard let fetch = fetches[id], !fetch.isPaused else { continue }
                hosts[fetch.host, default: HostState()].failures += 1
                drop(run, of: segment, fetch: fetch, why: "silent")
            case .link(let id, let request):
                guard let link = link(id), sources.contains(where: { mayTakeOver(run, from: link, $0, segment) }) else {
                    continue
                }
                link.stalls += 1
                link.window = max(2, link.window / 2)
                emitMessage(.cancel(request: request, fromChunk: UInt32(clamping: run.next)), to: link)
                removeRun(request, from: link)
                segment.runs.removeAll { $0 === run }
                segment.unclaim(run)
                segment.refusals[id] = now + .seconds(1)
            }
        }
    }

    private func mayTakeOver(_ run: Run, from owner: Link, _ other: Link, _ segment: Segment) -> Bool {
        other !== owner && other.outstandingChunks < other.window && offer(of: other, for: segment)(run.next)
    }

    // MARK: HTTP sources

    private mutating func askHTTP(_ wish: Wish, _ stream: Stream, _ sources: [Link]) {
        let segment = wish.segment
        let ranged = rangeSources(wish)
        guard !segment.runs.contains(where: { $0.isHTTP }) else {
            if !ranged.isEmpty { askRanges(wish, stream, ranged, reason: segment.originReason) }
            return
        }
        switch whetherHTTP(wish, stream, isOffered: !sources.isEmpty || segment.runs.contains { !$0.isHTTP }) {
        case .now(let reason):
            guard ranged.isEmpty else { return askRanges(wish, stream, ranged, reason: reason) }
            let range = missingRange(segment, wish)
            if let range, range.isEmpty { return }
            if let range { takeBack(range, from: segment) }
            fetchSegment(segment, chunks: range, reason: reason)
            if !segment.runs.contains(where: { $0.isHTTP }) {
                // Every HTTP source is being left alone after a failure.
                agenda.note(.plan(stream.id), at: now + .milliseconds(250))
            }
        case .later(let due):
            agenda.note(.plan(stream.id), at: max(due, now + .milliseconds(5)))
        }
    }

    private enum WhetherHTTP {
        case now(reason: String)
        case later(Instant)
    }

    private func whetherHTTP(_ wish: Wish, _ stream: Stream, isOffered: Bool) -> WhetherHTTP {
        let segment = wish.segment
        if let reason = segment.originOnly { return .now(reason: reason) }
        if settings.integrity == .origin { return .now(reason: "integrity is set to origin") }
        if settings.integrity == .signed { return .now(reason: "nobody signs this stream") }
        if settings.integrity == .anchored, !provedAnchored(segment.url.originKey) {
            return .now(reason: "the origin states no digests")
        }
        if !segment.rendition.isShared { return .now(reason: "not shared") }
        if !hasSwarm(stream) { return .now(reason: "no peers") }
        if wish.isStart, wish.isAsked { return .now(reason: "start") }
        let estimate = hosts[segment.url.originKey]?.estimate ?? SourceEstimate()
        let rule = DeadlineRule(minimumBuffer: settings.minimumBuffer, downloadTimeout: settings.downloadTimeout)
        var due = Instant.never
        if let slack = wish.slack {
            let patience = rule.patience(
                slack: slack,
                rest: segment.rest,
                estimate: estimate,
                isBeingMeasured: isBeingMeasured(segment.url.originKey),
                at: now
            )
            if patience <= .zero { return .now(reason: isOffered ? "deadline" : "no peer had it") }
            due = now + patience
        }
        if let waiting = segment.answers.compactMap({ answers[$0] }).first(where: { !$0.hasHead }) {
            // However much is buffered, a player that gets no first byte gives up.
            let limit = waiting.arrived + Agent.firstByteTime / 2
            if limit <= now { return .now(reason: "no first byte") }
            due = min(due, limit)
        }
        if isOffered {
            if let slack = wish.slack, slack < settings.minimumBuffer, let start = segment.raceStart {
                let timeout = start + settings.downloadTimeout
                if timeout <= now { return .now(reason: "download timeout") }
                due = min(due, timeout)
            }
            return .later(due)
        }
        let (turn, rank) = electionTurn(segment, stream)
        if turn <= now { return .now(reason: rank == 0 ? "elected" : "stood in for the elected") }
        return .later(min(due, turn))
    }

    /// An exchange begun less than two seconds ago will soon say how fast this host is.
    private func isBeingMeasured(_ host: String) -> Bool {
        fetches.values.contains { fetch in
            guard case .segment = fetch.purpose else { return false }
            return fetch.host == host && now - fetch.startedAt < .seconds(2)
        }
    }

    /// When this agent should read the segment for the swarm, if nobody has announced it by then.
    private func electionTurn(_ segment: Segment, _ stream: Stream) -> (turn: Instant, rank: Int) {
        guard settings.uploadBytesPerSecond != 0 else { return (.never, 0) }
        let others = electorate(segment, stream)
        let rank = Election.rank(of: me, among: others, for: segment.id)
        let delay = Election.delay(
            rank: rank,
            score: Election.score(me, segment.id),
            strangers: strangers(in: stream)
        )
        let begun = max(segment.listedAt, segment.raceStart ?? now)
        // Somebody further away reads it already: its chunks will come this way, or the deadline rule decides.
        guard !isUnderway(segment, stream) else { return (begun + .seconds(4), rank) }
        return (begun + delay, rank)
    }

    private func isUnderway(_ segment: Segment, _ stream: Stream) -> Bool {
        links.contains {
            $0.holdings(stream.swarm, segment.id.rendition)?.underway.contains(segment.id.number) ?? false
        }
    }

    /// The first gap that no source is sure to fill in time; nil: the whole segment, of which nothing is known.
    func missingRange(_ segment: Segment, _ wish: Wish) -> Range<Int>? {
        guard segment.length != nil else { return nil }
        let late = lateChunks(segment, wish)
        let chunks = segment.chunks
        let beingRead = segment.runs.filter { $0.isHTTP }.map { $0.next..<max($0.next, $0.end ?? chunks.count) }
        func isMissing(_ chunk: Int) -> Bool {
            if beingRead.contains(where: { $0.contains(chunk) }) { return false }
            return switch chunks.states[chunk] {
            case .checked: false
            case .absent: true
            case .requested: late.contains(chunk)
            }
        }
        guard let first = (0..<chunks.count).first(where: isMissing) else { return 0..<0 }
        var end = first
        var filled = 0
        // Small islands in between cost less than another request.
        for chunk in first..<chunks.count {
            if isMissing(chunk) {
                end = chunk + 1
                filled = 0
            } else {
                filled += 1
                if filled > 2 { break }
            }
        }
        return first == 0 && end == chunks.count && chunks.checkedCount == 0 && segment.carry == nil ? nil : first..<end
    }

    /// Chunks under way from peers that will not be here when they are needed.
    private func lateChunks(_ segment: Segment, _ wish: Wish) -> Set<Int> {
        var late: Set<Int> = []
        for run in segment.runs {
            guard case .link(let id, _) = run.source, let link = link(id) else { continue }
            let perChunk = link.estimate.rate.map { Double(Chunk.byteCount) / $0 } ?? 0.1
            // At a start there is no slack: what peers deliver is not late, it shortens the start.
            let available = wish.isStart ? .infinity : (wish.slack ?? .zero).seconds
            for chunk in run.next..<(run.end ?? segment.chunks.count) {
                let finish = Double(chunk - run.next + 1) * perChunk
                if finish > available { late.insert(chunk) }
            }
        }
        return late
    }

    /// Peers' later runs yield to the HTTP range that now covers them.
    mutating func takeBack(_ range: Range<Int>, from segment: Segment) {
        for run in segment.runs {
            guard case .link(let id, let request) = run.source, let link = link(id),
                range.contains(run.next)
            else { continue }
            emitMessage(.cancel(request: request, fromChunk: UInt32(clamping: run.next)), to: link)
            segment.unclaim(run)
            segment.runs.removeAll { $0 === run }
            removeRun(request, from: link)
        }
    }

    // MARK: Peers

    private mutating func askPeers(_ wish: Wish, _ stream: Stream, _ offering: [Link]) {
        let segment = wish.segment
        guard segment.originOnly == nil, segment.rendition.isShared, acceptsPeers(segment) else { return }
        var sources = offering
        guard !sources.isEmpty else { return }
        guard segment.length != nil else { return queryDigests(segment, sources) }
        if segment.chunks.count == 0 { return finishIfComplete(segment) }
        sources.sort { ($0.expectedFinish, $0.id.value) < ($1.expectedFinish, $1.id.value) }
        let busy = segment.runs.compactMap { run -> LinkID? in
            if case .link(let id, _) = run.source { return id }
            return nil
        }
        // The fewest sources that will do: two to four, all of them when time is short.
        // In a large swarm most sources hold a little each, and all of them are needed.
        let most = isUrgent(wish) || sources.count > 8 ? sources.count : max(4, busy.count)
        let demand = demand(for: segment, stream, sources)
        var used = Set(busy)
        for link in sources {
            guard used.contains(link.id) || used.count < most else { continue }
            if askLink(link, segment, wish, stream, demand) { used.insert(link.id) }
        }
        takeOverTails(segment, sources, wish, stream)
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
            guard room > 0, let range = pickRun(segment, link, wish, stream, most: min(room, 16)) else { break }
            request(range, of: segment, from: link, stream)
            asked = true
        }
        return asked
    }

    private func chunks(asked link: Link, of segment: Segment) -> Int {
        segment.runs.reduce(0) { sum, run in
            guard case .link(link.id, _) = run.source else { return sum }
            return sum + (run.end ?? run.next) - run.next
        }
    }

    /// How many chunks of one segment may be asked of a link at once. Who has just read it is asked by everybody: each
    /// takes its share and half as much again, and trades the rest, or all would wait in one uplink's queue.
    private func allowance(of link: Link, _ segment: Segment, _ wish: Wish, _ demand: Demand) -> Int {
        guard !isUrgent(wish), let holdings = link.holdings(demand.swarm, segment.id.rendition) else { return .max }
        guard holdings.holdsOrPromises(segment.id) else { return 2 }
        guard demand.holders <= max(1, demand.members / 4) else { return .max }
        return max(1, segment.chunks.count * 3 * demand.holders / (2 * max(1, demand.members)))
    }

    /// How many want a segment, and how many have or promise the whole of it.
    private struct Demand {
        var swarm: SwarmID
        var members: Int
        var holders: Int
    }

    private func demand(for segment: Segment, _ stream: Stream, _ offering: [Link]) -> Demand {
        let holders = offering.count {
            $0.holdings(stream.swarm, segment.id.rendition)?.holdsOrPromises(segment.id) ?? false
        }
        return Demand(swarm: stream.swarm, members: links(of: stream).count, holders: holders)
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
        _ stream: Stream,
        most: Int
    ) -> Range<Int>? {
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
        let place = ownPlace(in: segment, stream)
        return chunks.run(of: .absent, from: place, most: min(most, 4), where: offered)
            ?? chunks.run(of: .absent, from: 0, most: min(most, 4), where: offered)
    }

    private mutating func request(_ range: Range<Int>, of segment: Segment, from link: Link, _ stream: Stream) {
        guard let handle = link.handle(of: stream.swarm) else { return }
        if let list = link.ownLists[segment.id], list.life != segment.life || list.isOutdated {
            // It believes that we still have what it once told us.
            link.ownLists[segment.id] = OwnList(life: segment.life)
            askDigests(of: segment, from: link, handle)
        }
        let number = link.nextRequest
        link.nextRequest &+= 1
        let run = Run(
            source: .link(link.id, request: number),
            first: range.lowerBound,
            end: range.upperBound,
            askedAt: now,
            expected: expectation(of: link)
        )
        segment.runs.append(run)
        segment.claim(run, to: range.upperBound)
        link.runs[number] = RunOnLink(segment: segment, run: run)
        if link.outstandingChunks == 0 {
            link.sampleStart = now
            link.sampleBytes = 0
        }
        link.outstandingChunks += range.count
        let chunks = ChunkRun(first: UInt32(clamping: range.lowerBound), count: UInt32(clamping: range.count))
        emitMessage(
            .request(
                RunRequest(
                    request: number,
                    handle: handle,
                    segment: segment.id,
                    edition: segment.edition,
                    chunks: chunks
                )
            ),
            to: link
        )
    }

    private func expectation(of link: Link) -> Duration {
        let perChunk = link.estimate.rate.map { Double(Chunk.byteCount) / $0 } ?? 0.1
        return (link.latency ?? .milliseconds(400)) + .seconds(perChunk)
    }

    /// Asks for digests alone, to learn how long the segment is. Those who do not answer are passed over, and asked last
    /// from then on.
    private mutating func queryDigests(_ segment: Segment, _ sources: [Link]) {
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

    private mutating func askDigests(of segment: Segment, from link: Link, _ handle: UInt32) {
        let number = link.nextRequest
        link.nextRequest &+= 1
        // A peer that never answers must not make the book grow.
        if link.queries.count >= 64, let oldest = link.queries.keys.min() { link.queries[oldest] = nil }
        link.queries[number] = segment
        emitMessage(
            .request(
                RunRequest(
                    request: number,
                    handle: handle,
                    segment: segment.id,
                    edition: segment.edition,
                    chunks: ChunkRun(first: 0, count: 0)
                )
            ),
            to: link
        )
    }

    /// When nothing is left to ask, a faster idle source takes the unsent tail of the slowest one.
    private mutating func takeOverTails(_ segment: Segment, _ sources: [Link], _ wish: Wish, _ stream: Stream) {
        guard segment.chunks.run(of: .absent, from: 0, most: 1) == nil else { return }
        for thief in sources where thief.outstandingChunks == 0 && thief.estimate.isKnown {
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
            guard case .link(let owner, _) = run.source, owner != id, let link = link(owner), let end = run.end else {
                continue
            }
            let perChunk = link.estimate.rate.map { Double(Chunk.byteCount) / $0 } ?? 0.1
            let finish = Double(end - run.next) * perChunk
            if finish > slowest?.2 ?? 0 { slowest = (run, link, finish) }
        }
        return slowest
    }
}

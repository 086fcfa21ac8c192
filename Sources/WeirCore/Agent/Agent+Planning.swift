// Which segments are raced, and from whom: the heart of the agent. Everything here is looked at anew whenever something
// happened; nothing here waits.
extension Agent {
    /// How many segments are fetched ahead of players at once: more would split uplinks without finishing anything.
    static let racesAhead = 3

    mutating func plan(_ stream: Stream) {
        var ahead = 0
        let wishes = wishes(of: stream)
        let isStarting = isStarting(wishes, stream)
        var line = UrgentPart()
        for wish in wishes {
            let segment = wish.segment
            if segment.isHeld || segment.isPassedThrough { continue }
            if !wish.isAsked {
                guard ahead < Agent.racesAhead, !isStarting || segment.phase == .racing,
                    mayFetchAhead(segment, stream)
                else { continue }
                ahead += 1
                if line.isShort { continue }
            }
            if readFromDisk(segment) { continue }
            if !raceParts(for: wish, stream) { race(wish, stream) }
            line.add(wish, rate: downlink.rate(at: now))
        }
        raceProofs(stream)
        abandonUnwished(stream)
        checkAnchors(stream)
        checkAudits(stream)
    }

    /// A start has the line to itself: what is fetched ahead beside it makes the player wait.
    static let startTime = Duration.seconds(2)
    /// Over a narrow line it takes longer, as long as something comes.
    static let longestStart = Duration.seconds(10)

    /// A player waits for its first segment since start or seek, and not for so long that something must be wrong.
    private mutating func isStarting(_ wishes: [Wish], _ stream: Stream) -> Bool {
        let begun = wishes.filter { wish in
            wish.isFirst && wish.isAsked && !wish.segment.rendition.isParts && !wish.segment.isHeld
                && !wish.segment.isPassedThrough
        }.map { wish in
            let begun = wish.segment.raceStart ?? now
            return min(max(begun, wish.segment.lastArrival) + Agent.startTime, begun + Agent.longestStart)
        }
        guard let until = begun.max(), until > now else { return false }
        agenda.note(.plan(stream.id), at: until)
        return true
    }

    // MARK: One race

    /// What wishes that are more urgent take of the line.
    private struct UrgentPart {
        private var rest: Int64 = 0
        /// One of them might not come in time if another one took half of the line: nothing more is asked for.
        private(set) var isShort = false

        mutating func add(_ wish: Wish, rate: Double?) {
            rest += wish.segment.rest
            guard let rate, let slack = wish.slack, wish.isAsked || wish.segment.length != nil else { return }
            if Double(rest) > rate / 2 * slack.seconds { isShort = true }
        }
    }

    mutating func race(_ wish: Wish, _ stream: Stream) {
        let segment = wish.segment
        enterRace(segment)
        askAnchor(segment)
        let sources = offers(of: segment)
        if !sources.isEmpty { segment.lastOffer = now }
        watchPromises(of: segment)
        lookForStalls(segment, wish, sources)
        for run in segment.runs where run.isHTTP && run.end != nil { claimRange(run, of: segment) }
        askPeers(wish, stream, sources)
        askHTTP(wish, stream, sources)
        var limit = Instant.never
        for run in segment.runs { limit = min(limit, quietSince(run, of: segment) + stallLimit(run, wish, sources)) }
        if limit < .never {
            // Overdue, and nobody could take over: whoever could soon is news of its own.
            let next = limit > now ? max(limit, now + .milliseconds(10)) : now + .milliseconds(50)
            agenda.note(.plan(stream.id), at: next)
        }
    }

    mutating func enterRace(_ segment: Segment) {
        guard segment.phase != .racing, !segment.isHeld else { return }
        segment.phase = .racing
        segment.raceStart = now
        segment.isDirect = segment.rendition.stream.mode == .direct
        noteOtherPlaces(segment)
        if let range = segment.id.range { _ = admit(segment, length: range.length) }
        let stream = segment.rendition.stream
        if !stream.racing.contains(where: { $0 === segment }) { stream.racing.append(segment) }
    }

    /// Nobody wants it any more, or it cannot be had: what arrived so far stays until the cache needs the room.
    mutating func leaveRace(_ segment: Segment) {
        dropRuns(of: segment)
        segment.rendition.stream.racing.removeAll { $0 === segment }
        if segment.phase == .racing { segment.phase = .absent }
        // Whoever counts on it to be passed on asks elsewhere.
        if segment.announced != .fetching { refuseUploads(of: segment) }
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
        where segment.answers.isEmpty && segment.wishedIn != stream.plans && !segment.isHeld
            && !isWantedByPeers(segment) && !isBeingChecked(segment)
        {
            abandon(segment)
        }
    }

    /// All of it is here, a player may have had it early, and what is asked of the origin says soon whether it stays.
    private func isBeingChecked(_ segment: Segment) -> Bool { segment.length != nil && segment.chunks.isComplete }

    /// Peers were promised it, and ask for it or will when it is here: whoever was to read it must not leave them to
    /// begin anew because its own player went to another quality.
    private func isWantedByPeers(_ segment: Segment) -> Bool {
        guard segment.announced == .fetching else { return false }
        if links.contains(where: { $0.uploads.contains { $0.segment === segment } }) { return true }
        guard segment.runs.contains(where: { $0.isHTTP }) else { return false }
        return links(of: segment.rendition.stream).contains { wants($0, segment) }
    }

    // MARK: Stalls

    func stallLimit(_ run: Run, _ wish: Wish, _ sources: [Link]) -> Duration {
        switch run.source {
        case .http(let id):
            if let fetch = fetches[id], !settings.edges.isEmpty, !rangeSources(wish).isEmpty {
                return max(silence(of: fetch.host), .milliseconds(400))
            }
            if let fetch = fetches[id], fetch.isEdge {
                // Behind an edge there is always the origin.
                return min(settings.stallTimeout, max(.seconds(1), (wish.slack ?? .forever) / 3))
            }
            // The first byte of an origin that makes the segment on demand takes its time.
            let hasAlternative =
                !sources.isEmpty || !settings.edges.isEmpty || wish.segment.rendition.places.count > 1
            guard let fetch = fetches[id], fetch.headAt != nil else {
                return hasAlternative ? settings.stallTimeout : Agent.firstByteTime
            }
            if !wish.segment.mirrors.isEmpty {
                return min(settings.stallTimeout, max(.seconds(1), (wish.slack ?? .forever) / 3))
            }
            return hasAlternative ? settings.stallTimeout : settings.stallTimeout * 2
        case .link:
            if run.isGrowing { return growingPause(wish.segment) }
            // Close to the deadline whoever has it is asked sooner.
            if run.isStanding { return max(StallRule.least, min(run.expected, (wish.slack ?? .forever) / 3)) }
            return StallRule.limit(expected: run.expected, ceiling: settings.stallTimeout, slack: wish.slack)
        }
    }

    /// A run that waits behind another one of the same link is not silent while that one delivers.
    func quietSince(_ run: Run, of segment: Segment) -> Instant {
        guard case .link(let id, _) = run.source, let link = link(id) else { return run.lastProgress }
        // As long as the segment comes in from others, it is on its way to this one's source as well.
        return max(run.lastProgress, link.lastChunk, run.isStanding ? segment.lastArrival : .start)
    }

    /// A source that fell silent loses its runs. A peer does so only to another that has the chunks: when there is none,
    /// asking the same one again would bring nothing but a second copy.
    private mutating func lookForStalls(_ segment: Segment, _ wish: Wish, _ sources: [Link]) {
        for run in segment.runs where now - quietSince(run, of: segment) >= stallLimit(run, wish, sources) {
            switch run.source {
            case .http(let id):
                guard let fetch = fetches[id], !fetch.isPaused else { continue }
                hostFailed(fetch.host, retryAfter: fetch.isEdge ? "5" : nil, isAnswer: fetch.headAt != nil)
                drop(run, of: segment, fetch: fetch, why: "silent")
                if !fetch.isEdge { _ = mayAskElsewhere(segment, fetch, why: "the server fell silent") }
            case .link(let id, let request):
                guard let link = link(id), sources.contains(where: { mayTakeOver(run, from: link, $0, segment) }) else {
                    continue
                }
                link.lastStall = now
                if run.isStanding {
                    link.failedStanding += 1
                } else {
                    link.stalls += 1
                    link.window = max(2, link.window / 2)
                }
                emitMessage(.cancel(request: request, fromChunk: UInt32(clamping: run.next)), to: link)
                removeRun(request, from: link)
                segment.refusals[id] = now + .seconds(1)
            }
        }
    }

    private func mayTakeOver(_ run: Run, from owner: Link, _ other: Link, _ segment: Segment) -> Bool {
        guard other !== owner, other.outstandingChunks < other.window else { return false }
        return run.isStanding
            ? has(other, run.next, of: segment) : offer(of: other, for: segment)(run.next)
    }
}

// When an edge or the origin is asked for a segment, and for which chunks of it.
extension Agent {
    /// How soon after the deadline it is looked at again whether peers bring what they are counted on for.
    private static let secondLook = Duration.milliseconds(50)

    mutating func askHTTP(_ wish: Wish, _ stream: Stream, _ sources: [Link]) {
        let segment = wish.segment
        let ranges = rangeSources(wish)
        watchServer(wish)
        guard !segment.runs.contains(where: { $0.isHTTP }) else {
            if !ranges.isEmpty { askRanges(wish, stream, ranges, reason: segment.originReason) }
            return
        }
        if let retryAt = segment.retryAt, retryAt > now { return agenda.note(.plan(stream.id), at: retryAt) }
        switch whetherHTTP(wish, stream, isOffered: !sources.isEmpty || segment.runs.contains { isAlive($0) }) {
        case .now(let reason):
            guard ranges.isEmpty else { return askRanges(wish, stream, ranges, reason: reason) }
            let range = missingRange(segment, wish)
            if let range, range.isEmpty {
                // Those who are counted on may turn out late after all.
                return agenda.note(.plan(stream.id), at: now + Agent.secondLook)
            }
            if let range { takeBack(range, from: segment) }
            // What is still being made has one reader.
            if range == nil, segment.length == nil { dropPeerRuns(of: segment) }
            if reason == Agent.stoodIn { noteFailures(before: me, segment) }
            fetchSegment(segment, chunks: range, reason: reason)
            if !segment.runs.contains(where: { $0.isHTTP }) {
                // Every HTTP source is being left alone after a failure.
                agenda.note(.plan(stream.id), at: now + .milliseconds(250))
            }
        case .later(let due):
            agenda.note(.plan(stream.id), at: max(due, now + .milliseconds(5)))
        }
    }

    var deadlineRule: DeadlineRule {
        DeadlineRule(minimumBuffer: settings.minimumBuffer, downloadTimeout: settings.downloadTimeout)
    }

    /// Something may still come of a peer's run.
    func isAlive(_ run: Run) -> Bool {
        guard case .link(let id, _) = run.source, let link = link(id) else { return false }
        return now - link.lastHeard < Agent.promiseTime
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
        if settings.integrity == .anchored, !provedAnchored(segment.originKey) {
            return .now(reason: "the origin states no digests")
        }
        if !segment.rendition.isShared { return .now(reason: "not shared") }
        if segment.rendition.isWithdrawn { return .now(reason: "the origin refuses its playlist") }
        if segment.isDirect { return .now(reason: "served directly") }
        if links(of: stream).isEmpty { return .now(reason: "no peers") }
        if wish.isStart, wish.isAsked { return .now(reason: "start") }
        let estimate = hosts[segment.originKey]?.estimate ?? SourceEstimate()
        var due = Instant.never
        if wish.isAsked, isTooSlowForPeers(segment) { return .now(reason: "a chunk takes too long to fill") }
        if let limit = wish.whole == nil ? patience(forPart: segment) ?? patience(forGrowing: segment) : nil {
            if limit <= now { return .now(reason: isOffered ? "deadline" : "no peer had it") }
            due = limit
        } else if let slack = wish.slack {
            // What came from others may have to be compared with the origin before it is played.
            let comparing = segment.networks.isEmpty ? .zero : estimate.roundTrip ?? .zero
            let patience = deadlineRule.patience(
                slack: slack - comparing,
                rest: wish.whole?.rest ?? segment.rest,
                estimate: estimate,
                isBeingMeasured: isBeingMeasured(segment.originKey),
                at: now
            )
            if patience <= .zero { return .now(reason: isOffered ? "deadline" : "no peer had it") }
            due = now + patience
        }
        let asked = wish.whole?.segment ?? segment
        if let waiting = asked.answers.compactMap({ answers[$0] }).first(where: { !$0.hasHead }) {
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
        var (turn, rank) = electionTurn(segment, stream)
        if !wish.isAsked, !segment.rendition.isParts { turn = max(turn, stream.metFirst + Agent.greetingRound) }
        if turn <= now { return .now(reason: rank == 0 ? "elected" : Agent.stoodIn) }
        return .later(min(due, turn))
    }

    /// An exchange begun less than two seconds ago will soon say how fast this host is.
    private func isBeingMeasured(_ host: String) -> Bool {
        fetches.values.contains { fetch in
            guard case .segment = fetch.purpose else { return false }
            return fetch.host == host && now - fetch.startedAt < .seconds(2)
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
        let island = cheapIsland(of: segment)
        for chunk in first..<chunks.count {
            if isMissing(chunk) {
                end = chunk + 1
                filled = 0
            } else {
                filled += 1
                if filled > island { break }
            }
        }
        return first == 0 && end == chunks.count && chunks.checkedCount == 0 && segment.carry == nil ? nil : first..<end
    }

    /// How many chunks that are not missing cost less than another request: as many as come in a round trip.
    private func cheapIsland(of segment: Segment) -> Int {
        // Several ranges side by side may be asked for what lies between them, too.
        guard !segment.runs.contains(where: { $0.isHTTP }), let estimate = hosts[segment.originKey]?.estimate,
            let rate = estimate.rate,
            let roundTrip = estimate.roundTrip
        else { return 2 }
        return min(8, max(2, Int(rate * roundTrip.seconds / Double(Chunk.byteCount))))
    }

    /// Chunks under way from peers that cannot be counted on: those that may come so late that HTTP could not bring
    /// them in time any more.
    private func lateChunks(_ segment: Segment, _ wish: Wish) -> Set<Int> {
        var late: Set<Int> = []
        let available = timeLeftToPeers(wish)
        for link in links where link.runs.values.contains(where: { $0.segment === segment }) {
            let perChunk = link.secondsPerChunk * (1 + 2 * link.estimate.spread(at: now))
            // Who never delivered, or not since it last fell silent, is not to be counted on when time is short.
            let isUnproven = !wish.isStart && (!link.estimate.isKnown || link.lastChunk < link.lastStall)
            let isUnreliable = isUnproven || now - link.lastHeard >= Agent.promiseTime
            // In the order in which it was asked, which is the one in which it sends.
            var queued = 0
            for run in link.runs.sorted(by: { $0.key < $1.key }).map({ $0.value.run }) where !run.isGrowing {
                guard segment.runs.contains(where: { $0 === run }) else {
                    queued += max(0, (run.end ?? run.next) - run.next)
                    continue
                }
                let isSilent = isUnreliable || now - quietSince(run, of: segment) >= stallLimit(run, wish, [])
                for chunk in run.rest(of: segment.chunks.count) {
                    queued += 1
                    // Whoever was asked may not have it itself.
                    if isSilent || run.isStanding || Double(queued) * perChunk > available { late.insert(chunk) }
                }
            }
        }
        return late
    }

    /// Seconds within which a chunk of a peer has to be here to be counted on: then HTTP could still bring it, if it did
    /// not come. An origin too slow for that leaves peers half of the time.
    private func timeLeftToPeers(_ wish: Wish) -> Double {
        // At a start there is no slack: what peers deliver is not late, it shortens the start.
        guard !wish.isStart else { return .infinity }
        let slack = wish.slack ?? .zero
        let estimate = hosts[wish.segment.originKey]?.estimate ?? SourceEstimate()
        let need = deadlineRule.need(rest: Int64(Chunk.byteCount), estimate: estimate, at: now)
        return max((slack - need).seconds, slack.seconds / 2)
    }

    /// Peers' later runs yield to the HTTP range that now covers them; what lies before it they keep.
    mutating func takeBack(_ range: Range<Int>, from segment: Segment) {
        for run in segment.runs {
            guard case .link(let id, let request) = run.source, let link = link(id), let end = run.end else { continue }
            if run.next < range.lowerBound, range.lowerBound < end {
                emitMessage(.cancel(request: request, fromChunk: UInt32(clamping: range.lowerBound)), to: link)
                if run.isCounted {
                    link.outstandingChunks = max(0, link.outstandingChunks - (end - range.lowerBound))
                }
                segment.shorten(run, to: range.lowerBound)
                continue
            }
            guard range.contains(run.next) else { continue }
            emitMessage(.cancel(request: request, fromChunk: UInt32(clamping: run.next)), to: link)
            removeRun(request, from: link)
        }
    }
}

// When an edge or the origin is asked for a segment, and for which chunks of it.
extension Agent {
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
            if let range, range.isEmpty { return }
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
        let rule = DeadlineRule(minimumBuffer: settings.minimumBuffer, downloadTimeout: settings.downloadTimeout)
        var due = Instant.never
        if wish.isAsked, isTooSlowForPeers(segment) { return .now(reason: "a chunk takes too long to fill") }
        if let limit = wish.whole == nil ? patience(forPart: segment) ?? patience(forGrowing: segment) : nil {
            if limit <= now { return .now(reason: isOffered ? "deadline" : "no peer had it") }
            due = limit
        } else if let slack = wish.slack {
            let patience = rule.patience(
                slack: slack,
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
        let (turn, rank) = electionTurn(segment, stream)
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
            // At a start there is no slack: what peers deliver is not late, it shortens the start.
            let available = wish.isStart ? .infinity : (wish.slack ?? .zero).seconds
            // Who never delivered, or not since it last fell silent, is not to be counted on when time is short.
            let isUnproven = !wish.isStart && (!link.estimate.isKnown || link.lastChunk < link.lastStall)
            let isSilent =
                isUnproven || now - quietSince(run) >= stallLimit(run, wish, [])
                || now - link.lastHeard >= Agent.promiseTime
            for chunk in run.rest(of: segment.chunks.count) {
                let finish = Double(chunk - run.next + 1) * link.secondsPerChunk
                if isSilent || finish > available { late.insert(chunk) }
            }
        }
        return late
    }

    /// Peers' later runs yield to the HTTP range that now covers them; what lies before it they keep.
    mutating func takeBack(_ range: Range<Int>, from segment: Segment) {
        for run in segment.runs {
            guard case .link(let id, let request) = run.source, let link = link(id), let end = run.end else { continue }
            if run.next < range.lowerBound, range.lowerBound < end {
                emitMessage(.cancel(request: request, fromChunk: UInt32(clamping: range.lowerBound)), to: link)
                link.outstandingChunks = max(0, link.outstandingChunks - (end - range.lowerBound))
                segment.shorten(run, to: range.lowerBound)
                continue
            }
            guard range.contains(run.next) else { continue }
            emitMessage(.cancel(request: request, fromChunk: UInt32(clamping: run.next)), to: link)
            removeRun(request, from: link)
        }
    }
}

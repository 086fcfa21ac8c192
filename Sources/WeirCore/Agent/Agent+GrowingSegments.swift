// Segments whose length nobody knows yet, because the origin sends them while it makes them: peers get them as they
// come. Digests run ahead of whole chunks; the last chunk comes with the length.
extension Agent {
    /// Chunks asked ahead of what is there.
    static let growingAhead = 4
    /// The longest wait for the next chunk of a peer has this much added: two hops and a busy box.
    static let growingMargin = Duration.milliseconds(300)

    /// The rendition's segments may have no known length at first. Only the origin's word counts: a peer that leaves the
    /// length out elsewhere would get its bytes to the player before they are checked as a whole.
    func mayGrow(_ segment: Segment) -> Bool {
        segment.id.kind == .media && segment.id.range == nil && !segment.rendition.isParts
            && (segment.rendition.isReadWhileMade || segment.rendition.comesWithoutLength)
    }

    /// Nobody has the whole of it yet, as far as is known.
    private func isGrowing(_ segment: Segment) -> Bool {
        guard mayGrow(segment), segment.length == nil else { return false }
        let swarm = segment.rendition.stream.swarm
        return !offers(of: segment).contains { link in
            link.holdings(swarm, segment.id.rendition)?.held.contains(segment.id.number) ?? false
        }
    }

    // MARK: Waiting for peers

    /// How long a chunk takes to come into being; nil: not known.
    private func chunkTime(of segment: Segment) -> Duration? {
        let rendition = segment.rendition
        if rendition.bandwidth > 0 { return .seconds(Double(Chunk.byteCount) * 8 / Double(rendition.bandwidth)) }
        guard rendition.stream.hasSegmentSizes, rendition.stream.typicalSegmentBytes > 0 else { return nil }
        return segment.duration * (Double(Chunk.byteCount) / Double(rendition.stream.typicalSegmentBytes))
    }

    /// How long nothing new may come from peers.
    func growingPause(_ segment: Segment) -> Duration {
        let pause = (chunkTime(of: segment) ?? segment.duration / 4) * 2 + Agent.growingMargin
        return max(.milliseconds(500), min(pause, segment.duration))
    }

    /// Until when a segment that grows, or grew while it came, may stay with peers; nil for others, whose rule is the
    /// deadline's. That one asks whether the rest could be read in time, and nobody can read what is not made yet.
    func patience(forGrowing segment: Segment) -> Instant? {
        guard segment.grew || isGrowing(segment) else { return nil }
        return max(segment.raceStart ?? now, segment.lastArrival) + growingPause(segment)
    }

    /// Peers pass on whole chunks. Where one takes long to fill, whoever waits for the segment's first bytes reads them
    /// itself: such renditions, sound mostly, are small.
    func isTooSlowForPeers(_ segment: Segment) -> Bool {
        guard isGrowing(segment), let time = chunkTime(of: segment) else { return false }
        return time > segment.duration / 3
    }

    // MARK: Asking

    /// True when it was dealt with here.
    mutating func askGrowing(_ segment: Segment, _ sources: [Link], _ stream: Stream) -> Bool {
        guard mayGrow(segment), segment.length == nil else { return false }
        // What is still being made has one reader: here it is this agent.
        guard !segment.runs.contains(where: { $0.isHTTP }) else { return true }
        let running = segment.runs.compactMap { run -> LinkID? in
            if case .link(let id, _) = run.source { return id }
            return nil
        }
        let next = max(segment.chunks.contiguous, segment.runs.compactMap { $0.end }.max() ?? 0)
        guard next - segment.chunks.contiguous < Agent.growingAhead, running.count < Agent.growingAhead else {
            return true
        }
        let able = sources.filter { offer(of: $0, for: segment)(next) }
        let best = able.min { left, right in
            (running.contains(left.id) ? 0 : 1, left.expectedFinish, left.id.value)
                < (running.contains(right.id) ? 0 : 1, right.expectedFinish, right.id.value)
        }
        guard let best else { return true }
        segment.grew = true
        request(next..<segment.chunks.contiguous + Agent.growingAhead, of: segment, from: best, stream, isGrowing: true)
        return true
    }

    // MARK: What peers state

    /// Whether a statement about a segment of unknown length can be used: no hole before it, and no more than is held.
    func mayGrow(_ segment: Segment, by vouch: Vouch) -> Bool {
        let first = Int(vouch.firstChunk)
        let end = Int64(first + vouch.digests.count)
        return mayGrow(segment) && first <= segment.chunks.count && end * Int64(Chunk.byteCount) <= largestSegment
    }

    /// Makes room for the chunks that a statement is about. What this agent reads itself grows by what it reads.
    func grow(_ segment: Segment, to count: Int) {
        guard segment.length == nil, !segment.runs.contains(where: { $0.isHTTP }) else { return }
        segment.chunks.grow(to: count)
        segment.evidence.resize(to: segment.chunks.count)
        claimGrown(segment)
    }

    private func claimGrown(_ segment: Segment) {
        for run in segment.runs where run.isGrowing { segment.claim(run, to: min(run.end ?? 0, segment.chunks.count)) }
    }

    /// Whether a length is possible after what came without one: all that was whole chunks.
    func fits(_ length: Int64, _ segment: Segment) -> Bool {
        guard segment.length == nil else { return segment.length == length }
        let read = segment.runs.reduce(Int64(0)) { most, run in
            guard case .http(let id) = run.source else { return most }
            return max(most, fetches[id].map { $0.offset } ?? 0)
        }
        return Int64(segment.chunks.count) * Int64(Chunk.byteCount) <= length && read <= length
    }

    /// Now that the length is known, runs end where the segment does, and count like any others.
    mutating func lengthBecameKnown(_ segment: Segment) {
        for run in segment.runs where run.isGrowing {
            run.isGrowing = false
            guard case .link(let id, let number) = run.source, let link = link(id), let end = run.end else { continue }
            if run.next >= segment.chunks.count {
                // Whoever serves it finds out by itself.
                link.runs[number] = nil
                segment.runs.removeAll { $0 === run }
                segment.unclaim(run)
                continue
            }
            run.end = min(end, segment.chunks.count)
            segment.claim(run, to: run.end ?? 0)
            link.outstandingChunks += (run.end ?? run.next) - run.next
        }
    }

    /// A chunk of a segment that may be endless needs room that nobody reserved. False: there is none, and peers are out.
    mutating func hasRoom(for payload: any Payload, of segment: Segment) -> Bool {
        guard segment.length == nil else { return true }
        let stored = segment.stored + Int64(payload.count)
        if stored <= largestSegment, makeRoom(stored, for: segment) { return true }
        log(.notice, "no room for a segment without a length", [("segment", String(segment.id.number))])
        setAside(segment, why: "no room while its length is unknown")
        return false
    }

    // MARK: Telling

    /// The end of what was passed on without a length: who still waits for chunks that there are not learns so first.
    mutating func tellLength(of segment: Segment) {
        guard segment.grew, segment.originOnly == nil else { return }
        let stream = segment.rendition.stream
        for link in links where link.uploads.contains(where: { $0.segment === segment }) {
            guard let handle = link.handle(of: stream.swarm) else { continue }
            vouchFromOwn(segment, from: segment.evidence.firstUnvouched)
            sendVouches(of: segment, to: link, handle)
        }
    }

    // MARK: Against the origin

    /// The origin sends other bytes than peers' length had room for, or ended before it.
    mutating func lengthsDiffer(_ segment: Segment, _ run: Run, _ fetch: Fetch) {
        log(.notice, "peers stated another length than the origin's", [("segment", String(segment.id.number))])
        for vouch in segment.evidence.vouches where vouch.edition.length != nil { noteMismatch(vouch) }
        otherEdition(segment, run, fetch)
    }
}

extension Rendition {
    /// The manifest says that segments can be asked for before they are complete (`availabilityTimeOffset`).
    var isReadWhileMade: Bool {
        guard let representation = representation?.representation, representation.isDynamic else { return false }
        return representation.availabilityOffset > .zero && representation.availabilityOffset != .forever
    }
}

// Segments from origins and edges: which bytes are asked, and how what arrives becomes checked chunks.
extension Agent {
    /// Asks an HTTP source for the whole segment or for the chunks `range` of it.
    ///
    /// - Parameter source: nil takes the one that should finish first, edges before the origin.
    mutating func fetchSegment(
        _ segment: Segment,
        chunks range: Range<Int>?,
        reason: String,
        from source: HTTPSource? = nil
    ) {
        guard let source = source ?? httpSources(for: segment).first else { return }
        let host = source.host
        let size = Int64(Chunk.byteCount)
        var first = Int64(range?.lowerBound ?? 0) * size
        if let carry = segment.carry, carry.chunk == range?.lowerBound ?? 0 { first += Int64(carry.bytes) }
        let wholeBody = hosts[host]?.wholeBodyUntil.map { $0 > now } ?? false
        // A range that ends with the segment is open: a source that knows more bytes than we do says so.
        let endsWithSegment = range.map { segment.length != nil && $0.upperBound >= segment.chunks.count } ?? true
        let last = endsWithSegment ? nil : range.map { Int64($0.upperBound) * size }
        let needsRange = segment.id.range != nil || ((first > 0 || last != nil) && !wholeBody)
        var fields: [HeaderField] = []
        if needsRange {
            let base = segment.id.range?.offset ?? 0
            let end = last.map { base + $0 } ?? segment.id.range.map { $0.offset + $0.length }
            fields.append(HeaderField("range", "bytes=\(base + first)-" + (end.map { String($0 - 1) } ?? "")))
        }
        let request = FetchRequest(url: source.url, fields: fields, purpose: .segment)
        let run = Run(
            source: .http(FetchID(0)),
            first: Int(first / size),
            end: range?.upperBound,
            askedAt: now,
            expected: hosts[host]?.estimate.roundTrip ?? .seconds(1)
        )
        segment.runs.append(run)
        let fetch = begin(request, purpose: .segment(segment, run), host: host, isEdge: source.isEdge)
        run.source = .http(fetch.id)
        fetch.offset = first
        fetch.end = last
        if let carry = segment.carry, carry.chunk == run.next {
            fetch.parts = carry.parts
            fetch.partBytes = carry.bytes
            segment.carry = nil
        }
        totals.origin_requests += source.isEdge ? 0 : 1
        if segment.originReason.isEmpty { segment.originReason = reason }
        claimRange(run, of: segment)
        if isReadingAll(segment) { announce(segment, .fetching) }
    }

    /// Marks an HTTP run's chunks as requested, as soon as it is known how many there are.
    func claimRange(_ run: Run, of segment: Segment) {
        guard segment.length != nil else { return }
        segment.claim(run, to: min(run.end ?? .max, segment.chunks.count))
    }

    /// Whether our own HTTP ranges bring everything that is not here yet.
    private func isReadingAll(_ segment: Segment) -> Bool {
        let ranges = segment.runs.filter { $0.isHTTP }.map { $0.next..<max($0.next, $0.end ?? .max) }
        guard segment.length != nil else { return ranges.contains { $0.lowerBound == 0 && $0.upperBound == .max } }
        let states = segment.chunks.states
        return states.indices.allSatisfy { place in
            states[place] == .checked || ranges.contains { $0.contains(place) }
        }
    }

    /// Who can be asked for it by HTTP now, edges before the origin; none while all must be left alone.
    func httpSources(for segment: Segment) -> [HTTPSource] {
        var sources: [HTTPSource] = []
        for edge in settings.edges {
            guard let base = try? WebURL(parsing: edge), mayAsk(base.originKey) else { continue }
            sources.append(
                HTTPSource(host: base.originKey, url: segment.url.atEdge(base).description, isEdge: true)
            )
        }
        if mayAsk(segment.url.originKey) {
            sources.append(
                HTTPSource(host: segment.url.originKey, url: segment.url.description, isEdge: false)
            )
        }
        return sources
    }

    private func mayAsk(_ host: String) -> Bool { hosts[host]?.retryAt.map { $0 <= now } ?? true }

    // MARK: What arrives

    mutating func segmentHead(_ segment: Segment, _ run: Run, _ fetch: Fetch, _ head: FetchHead) {
        run.lastProgress = now
        guard head.status == 200 || head.status == 206 else {
            return segmentRefused(segment, run, fetch, status: head.status)
        }
        let asked = fetch.request.fields.contains { $0.name == "range" }
        if head.status == 200, asked, !acceptWholeBody(segment, run, fetch, head) { return }
        guard let total = totalLength(segment, fetch, head) else {
            return drop(run, of: segment, fetch: fetch, why: "a Content-Range that is not what was asked")
        }
        if head.status == 206 { hosts[fetch.host, default: HostState()].servesRanges = true }
        if !sameEdition(segment, head, total: total.length) {
            guard !segment.isConfirmed else { return otherEdition(segment, run, fetch) }
            believeOrigin(segment, run)
        }
        if total.length != nil { confirm(segment, head, isEdge: fetch.isEdge) }
        if let length = total.length {
            guard admit(segment, length: length) else { return tooLarge(segment, run, fetch) }
            claimRange(run, of: segment)
            // Now that the length is known, the other sources' ranges can be planned.
            if !settings.edges.isEmpty { replan(segment.rendition.stream) }
        } else {
            segment.isOpenEnded = true
        }
        noteAnchor(segment, head, isWhole: head.status == 200 && !asked)
        for id in segment.answers { if let answer = answers[id] { pump(answer) } }
    }

    private struct Total {
        /// Of the segment; nil when the source does not say.
        var length: Int64?
    }

    /// The segment's length by this head; nil when the head is not an answer to what was asked.
    private func totalLength(_ segment: Segment, _ fetch: Fetch, _ head: FetchHead) -> Total? {
        if let part = segment.id.range { return Total(length: part.length) }
        if head.status == 206 {
            guard let range = ContentRange(head.first("content-range") ?? ""), range.first == fetch.offset else {
                return nil
            }
            return Total(length: range.total)
        }
        guard let text = head.first("content-length") else { return Total(length: nil) }
        guard let length = Int64(text), length >= 0 else { return nil }
        return Total(length: length)
    }

    /// A 200 to a range: used if what is wanted begins early in it, else dropped; either way the host is not asked for
    /// ranges for a while.
    private mutating func acceptWholeBody(
        _ segment: Segment,
        _ run: Run,
        _ fetch: Fetch,
        _ head: FetchHead
    ) -> Bool {
        hosts[fetch.host, default: HostState()].wholeBodyUntil = now + .seconds(600)
        let wanted = fetch.offset + (segment.id.range?.offset ?? 0)
        let total = head.first("content-length").flatMap { Int64($0) }
        guard let total, wanted * 4 <= total else {
            drop(run, of: segment, fetch: fetch, why: "the source ignores ranges")
            return false
        }
        fetch.skip = wanted
        return true
    }

    func sameEdition(_ segment: Segment, _ head: FetchHead, total: Int64?) -> Bool {
        let validator = Edition.validatorHash(head.fields)
        let edition = Edition(length: total, validator: validator, name: segment.edition.name)
        return segment.edition.agrees(with: edition)
    }

    /// What peers stated is not what this source serves: all of theirs goes, and the exchange goes on.
    private mutating func believeOrigin(_ segment: Segment, _ run: Run) {
        segment.disputed = Array((segment.evidence.vouches + segment.disputed).prefix(64))
        let disputed = segment.disputed
        let (queried, refusals, start, anchorAsked) = (
            segment.queried, segment.refusals, segment.raceStart, segment.anchorAsked
        )
        segment.unclaim(run)
        segment.runs.removeAll { $0 === run }
        dropRuns(of: segment)
        totals.wasted_bytes += segment.chunks.checkedBytes
        for id in segment.answers { if let answer = answers[id], answer.hasHead { abort(answer) } }
        ledger.release(segment)
        if segment.announced != nil { announce(segment, .gone) }
        segment.reset()
        segment.phase = .racing
        (segment.queried, segment.refusals, segment.raceStart, segment.anchorAsked) = (
            queried, refusals, start, anchorAsked
        )
        segment.disputed = disputed
        segment.runs = [run]
        segment.originOnly = "another edition at the origin"
    }

    /// From now on the edition is what an HTTP source said, and not what peers say.
    private mutating func confirm(_ segment: Segment, _ head: FetchHead, isEdge: Bool) {
        guard !segment.isConfirmed else { return }
        segment.isConfirmed = true
        let validator = Edition.validatorHash(head.fields)
        if validator != 0, !isEdge { segment.edition.validator = validator }
        for vouch in segment.disputed where !sameEdition(segment, head, as: vouch.edition) { noteMismatch(vouch) }
        segment.disputed.removeAll { !sameEdition(segment, head, as: $0.edition) }
    }

    private func sameEdition(_ segment: Segment, _ head: FetchHead, as other: Edition) -> Bool {
        let total = head.status == 206 ? ContentRange(head.first("content-range") ?? "")?.total : nil
        let length = total ?? (head.status == 200 ? head.first("content-length").flatMap { Int64($0) } : nil)
        let validator = Edition.validatorHash(head.fields)
        return Edition(length: segment.id.range?.length ?? length, validator: validator, name: other.name)
            .agrees(with: other)
    }

    /// The origin now serves other bytes under this name. What was not yet given to a player is read anew.
    private mutating func otherEdition(_ segment: Segment, _ run: Run, _ fetch: Fetch) {
        log(.notice, "a segment changed at the origin", [("segment", String(segment.id.number))])
        drop(run, of: segment, fetch: fetch, why: "another edition")
        let isBeingRead = segment.answers.contains { answers[$0]?.hasHead ?? false }
        guard !isBeingRead else {
            for id in segment.answers { if let answer = answers[id], answer.hasHead { abort(answer) } }
            return restart(segment, why: "another edition at the origin")
        }
        restart(segment, why: "another edition at the origin")
    }

    /// Forgets all bytes of a segment and races it anew, from the origin alone.
    mutating func restart(_ segment: Segment, why: String) {
        dropRuns(of: segment)
        ledger.release(segment)
        if segment.announced != nil { announce(segment, .gone) }
        let wanted = segment.phase == .racing || segment.phase == .held
        segment.reset()
        segment.originOnly = why
        if wanted {
            segment.phase = .racing
            segment.raceStart = now
        }
        replan(segment.rendition.stream)
    }

    private mutating func tooLarge(_ segment: Segment, _ run: Run, _ fetch: Fetch) {
        log(
            .notice,
            "a segment is too large for the cache and passes through",
            [("segment", String(segment.id.number))]
        )
        drop(run, of: segment, fetch: fetch, why: "too large")
        if segment.announced != nil { announce(segment, .gone) }
        segment.isPassedThrough = true
        leaveRace(segment)
        for id in segment.answers {
            if let answer = answers[id], !answer.hasHead { passThrough(answer, segment) }
        }
    }

    mutating func segmentBody(_ segment: Segment, _ run: Run, _ fetch: Fetch, _ payload: any Payload) {
        guard fetch.head != nil else { return }
        run.lastProgress = now
        count(payload.count, isEdge: fetch.isEdge, in: segment)
        var piece = payload
        if fetch.skip > 0 {
            let skipped = min(Int64(piece.count), fetch.skip)
            fetch.skip -= skipped
            totals.wasted_bytes += skipped
            guard skipped < piece.count else { return }
            piece = piece.slice(Int(skipped)..<piece.count)
        }
        if let length = segment.length {
            // A body longer than announced is cut where it was announced to end.
            let room = length - fetch.offset
            guard room > 0 else { return }
            if Int64(piece.count) > room { piece = piece.slice(0..<Int(room)) }
        }
        fetch.offset += Int64(piece.count)
        collect(piece, segment, run, fetch)
        if fetches[fetch.id] != nil, peersHaveTheRest(segment, run, fetch) { finishEarly(segment, run, fetch) }
    }

    /// Whether what is still to come is there already, or was taken over by others: a body is cut where peers' bytes
    /// begin.
    private func peersHaveTheRest(_ segment: Segment, _ run: Run, _ fetch: Fetch) -> Bool {
        guard segment.length != nil, fetch.partBytes == 0, run.next < segment.chunks.count else { return false }
        let size = Int64(Chunk.byteCount)
        let bodyEnd = fetch.end.map { Int(($0 + size - 1) / size) } ?? segment.chunks.count
        let runEnd = min(run.end ?? bodyEnd, bodyEnd)
        if run.next >= runEnd { return runEnd < bodyEnd }
        guard segment.chunks.states[run.next] == .checked else { return false }
        return (run.next..<runEnd).allSatisfy {
            segment.chunks.states[$0] == .checked || segment.chunks.isRequestedTwice($0)
        }
    }

    /// Cuts the arriving bytes into chunks.
    private mutating func collect(_ piece: any Payload, _ segment: Segment, _ run: Run, _ fetch: Fetch) {
        var rest = piece
        while rest.count > 0 {
            let whole =
                segment.length == nil
                ? Chunk.byteCount : segment.chunks.byteCount(of: run.next)
            let wanted = whole - fetch.partBytes
            guard rest.count >= wanted else {
                fetch.parts.append(rest.stored())
                fetch.partBytes += rest.count
                return compactParts(fetch)
            }
            let last = wanted == rest.count ? rest : rest.slice(0..<wanted)
            let chunk =
                ((fetch.parts.first ?? last).stored(
                    followedBy: fetch.parts.isEmpty ? [] : Array(fetch.parts.dropFirst()) + [last]
                ))
            fetch.parts = []
            fetch.partBytes = 0
            guard ownChunk(chunk, segment, run, fetch) else { return }
            guard wanted < rest.count else { return }
            rest = rest.slice(wanted..<rest.count)
        }
    }

    /// A dripping source must not make a list of tiny buffers.
    private func compactParts(_ fetch: Fetch) {
        guard fetch.parts.count > 16, let first = fetch.parts.first else { return }
        fetch.parts = [first.stored(followedBy: Array(fetch.parts.dropFirst()))]
    }

    /// A whole chunk read by ourselves. False when the run is over.
    private mutating func ownChunk(
        _ payload: any Payload,
        _ segment: Segment,
        _ run: Run,
        _ fetch: Fetch
    ) -> Bool {
        let chunk = run.next
        segment.passChunks(of: run, upTo: chunk + 1)
        run.delivered += payload.count
        if segment.length == nil {
            guard Int64(chunk + 1) * Int64(Chunk.byteCount) <= largestSegment else {
                tooLarge(segment, run, fetch)
                return false
            }
            segment.chunks.grow(to: chunk + 1)
        }
        let contradicted = segment.evidence.addOwn(payload.digest(), chunk: chunk)
        let origin: ChunkMap.Origin = fetch.isEdge ? .edge : .origin
        if segment.chunks.fill(chunk, with: payload, from: origin) {
            ledger.add(payload.count, to: segment)
        } else {
            totals.wasted_bytes += Int64(payload.count)
        }
        if let contradicted { ownReadingContradicts(segment, chunk: chunk, vouched: contradicted) }
        settleDispute(segment, chunk: chunk)
        chunkArrived(segment, chunk)
        return fetches[fetch.id] != nil
    }

    /// All that was still missing behind this run is there or on its way from peers: stop the body here.
    private mutating func finishEarly(_ segment: Segment, _ run: Run, _ fetch: Fetch) {
        noteRate(fetch)
        cancel(fetch)
        segment.runs.removeAll { $0 === run }
        replan(segment.rendition.stream)
    }

    mutating func segmentEnded(_ segment: Segment, _ run: Run, _ fetch: Fetch, _ end: FetchEnd) {
        noteRate(fetch)
        guard segment.runs.contains(where: { $0 === run }) else { return }
        segment.runs.removeAll { $0 === run }
        if end == .complete, segment.isOpenEnded, segment.length == nil, fetch.head != nil {
            lastOpenEndedChunk(segment, run, fetch)
        } else {
            keepCarry(segment, run, fetch)
        }
        segment.unclaim(run)
        finishIfComplete(segment)
        if !segment.isHeld {
            if segment.announced == .fetching, !segment.runs.contains(where: { $0.isHTTP }) {
                announce(segment, .gone)
            }
            if case .failed(let failure) = end {
                log(
                    .info,
                    "a source was lost in a race",
                    [("segment", String(segment.id.number)), ("why", failure.description)]
                )
            }
        }
        replan(segment.rendition.stream)
    }

    /// Bytes of an unfinished chunk are kept, so that nothing is read twice.
    private func keepCarry(_ segment: Segment, _ run: Run, _ fetch: Fetch) {
        guard fetch.partBytes > 0, run.next < segment.chunks.count, segment.chunks.states[run.next] != .checked else {
            return
        }
        segment.carry = Carry(chunk: run.next, parts: fetch.parts, bytes: fetch.partBytes)
    }

    /// The end of a body without length: its rest is the last chunk, and now the length is known.
    private mutating func lastOpenEndedChunk(_ segment: Segment, _ run: Run, _ fetch: Fetch) {
        let length = fetch.offset
        if let first = fetch.parts.first {
            segment.chunks.grow(to: run.next + 1)
            let last = first.stored(followedBy: Array(fetch.parts.dropFirst()))
            fetch.parts = []
            _ = ownChunk(last, segment, run, fetch)
        }
        segment.isOpenEnded = false
        _ = segment.setLength(length)
        segment.chunks.resize(to: length)
    }

    private mutating func count(_ bytes: Int, isEdge: Bool, in segment: Segment) {
        if isEdge {
            totals.edge_bytes += Int64(bytes)
            segment.edgeBytes += Int64(bytes)
        } else {
            totals.origin_bytes += Int64(bytes)
            segment.originBytes += Int64(bytes)
        }
    }

    // MARK: Refusals

    private mutating func segmentRefused(_ segment: Segment, _ run: Run, _ fetch: Fetch, status: Int) {
        let host = fetch.host
        let isEdge = fetch.isEdge
        // Asked before the length was known, and the segment turned out shorter: nobody's fault.
        if status == 416, run.next > 0, run.next >= segment.chunks.count || segment.length == nil {
            return drop(run, of: segment, fetch: fetch, why: "beyond the segment's end")
        }
        drop(run, of: segment, fetch: fetch, why: "status \(status)")
        if segment.announced == .fetching { announce(segment, .gone) }
        if isEdge {
            // An edge that cannot serve is passed over; the origin decides what is true.
            var state = hosts[host] ?? HostState()
            state.retryAt = now + .seconds(5)
            hosts[host] = state
            return replan(segment.rendition.stream)
        }
        segment.statusRetries += 1
        // Asked beyond the end of what the origin has: its length was only peers' word, or it changed.
        if status == 416, fetch.offset > 0, segment.id.range == nil, segment.statusRetries <= 2 {
            return restart(segment, why: "the origin has fewer bytes")
        }
        let rendition = segment.rendition
        let isNearEdge = rendition.isLive && now - segment.listedAt < rendition.targetDuration
        let isHonest = (400..<500).contains(status) && status != 429 && status != 408
        // A 404 close to the live edge is a packager that lists before it serves; a 5xx may pass.
        let mayRetry = isHonest ? (status == 404 && isNearEdge) : segment.statusRetries <= 4
        guard !mayRetry else {
            segment.retryAt = now + .milliseconds(250 << min(3, segment.statusRetries - 1))
            return replan(rendition.stream)
        }
        guard !hasPeerOffer(segment) else { return replan(rendition.stream) }
        segment.retryAt = now + .seconds(2)
        for id in segment.answers {
            if let answer = answers[id], !answer.hasHead {
                end(answer, status: status, text: "the origin answered \(status)\n")
            }
        }
        if segment.answers.isEmpty {
            leaveRace(segment)
            segment.phase = .failed(status: status)
        }
        replan(rendition.stream)
    }

    /// Takes a run and its exchange out of the race; its chunks are missing again.
    mutating func drop(_ run: Run, of segment: Segment, fetch: Fetch, why: String) {
        cancel(fetch)
        keepCarry(segment, run, fetch)
        segment.runs.removeAll { $0 === run }
        segment.unclaim(run)
        log(.debug, "dropped a source", [("segment", String(segment.id.number)), ("why", why)])
        replan(segment.rendition.stream)
    }
}

/// Where a segment can be asked by HTTP.
struct HTTPSource: Equatable {
    /// `scheme://host:port`, under which experience is kept.
    var host: String
    var url: String
    var isEdge: Bool
}

/// `Content-Range: bytes 0-499/1234` (RFC 9110 14.4).
struct ContentRange: Equatable {
    var first: Int64
    var last: Int64
    var total: Int64?

    init?(_ text: String) {
        guard text.hasPrefix("bytes ") else { return nil }
        let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Int64(ends[0]), let last = Int64(ends[1]), first >= 0, last >= first else {
            return nil
        }
        self.first = first
        self.last = last
        total = Int64(parts[1])
        guard parts[1] == "*" || (total ?? -1) > last else { return nil }
    }
}

// How what arrives from origins and edges becomes checked chunks.
extension Agent {
    mutating func segmentHead(_ segment: Segment, _ run: Run, _ fetch: Fetch, _ head: FetchHead) {
        run.lastProgress = now
        guard head.status == 200 || head.status == 206 else {
            return segmentRefused(segment, run, fetch, status: head.status)
        }
        let asked = fetch.request.fields.contains { $0.name == "range" }
        if head.status == 200, asked, !acceptWholeBody(segment, run, fetch, head) { return }
        guard let total = totalLength(segment, fetch, head) else {
            log(.notice, "a source answers with another range than was asked", [("host", fetch.host)])
            return segmentRefused(segment, run, fetch, status: 502)
        }
        if head.status == 206 { hosts[fetch.host, default: HostState()].servesRanges = true }
        if !sameEdition(segment, head, total: total.length) {
            if isMirror(fetch, of: segment), segment.isConfirmed { return keepApart(segment, run, fetch) }
            guard !segment.isConfirmed else { return otherEdition(segment, run, fetch) }
            believeOrigin(segment, run)
        }
        renewalHelped(segment)
        if PlaylistCoding.isCoded(head) {
            return cannotHold(segment, run, fetch, isForGood: true, why: "a segment comes in a coding")
        }
        if total.length != nil { confirm(segment, head, isEdge: fetch.isEdge) }
        if let length = total.length {
            guard admit(segment, length: length) else {
                return cannotHold(segment, run, fetch, isForGood: length > largestSegment)
            }
            claimRange(run, of: segment)
            // Now that the length is known, the other sources' ranges can be planned.
            if !settings.edges.isEmpty || !segment.mirrors.isEmpty { replan(segment.rendition.stream) }
        } else {
            segment.isOpenEnded = true
            segment.grew = true
            segment.rendition.comesWithoutLength = true
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
        let part = segment.id.range
        if head.status == 206 {
            guard let range = ContentRange(head.first("content-range") ?? ""),
                range.first == fetch.offset + (part?.offset ?? 0)
            else { return nil }
            return Total(length: part?.length ?? range.total)
        }
        if let part { return Total(length: part.length) }
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
        if let total, wanted <= total / 4 {
            fetch.skip = wanted
            return true
        }
        guard segment.id.range != nil else {
            // Asked again without a range, it is skipped up to what is missing.
            drop(run, of: segment, fetch: fetch, why: "the source ignores ranges")
            return false
        }
        // A part of a resource can't be had in another way than by reading what lies before it.
        guard wanted <= Int64(limits.segmentBytes) else {
            segmentRefused(segment, run, fetch, status: 502)
            return false
        }
        fetch.skip = wanted
        return true
    }

    /// There is no room for it, ever or just now: it passes through, and nobody is told of it.
    private mutating func cannotHold(
        _ segment: Segment,
        _ run: Run,
        _ fetch: Fetch,
        isForGood: Bool,
        why: String? = nil
    ) {
        let usual = isForGood ? "a segment is too large for the cache" : "the cache is in use; a segment passes through"
        log(.notice, why ?? usual, [("segment", String(segment.id.number))])
        drop(run, of: segment, fetch: fetch, why: "no room")
        if segment.announced != nil { announce(segment, .gone) }
        leaveRace(segment)
        for id in segment.answers {
            guard let answer = answers[id] else { continue }
            // What was sent of a body without length cannot be continued from elsewhere.
            if answer.hasHead { abort(answer) } else { passThrough(answer, segment) }
        }
        ledger.release(segment)
        segment.reset()
        segment.isPassedThrough = isForGood
        if !isForGood { segment.retryAt = now + .seconds(2) }
    }

    mutating func segmentBody(_ segment: Segment, _ run: Run, _ fetch: Fetch, _ payload: any Payload) {
        guard fetch.head != nil else { return }
        run.lastProgress = now
        let isFirst = fetch.received == Int64(payload.count)
        if isFirst, fetch.offset == 0, segment.id.range == nil, !segment.rendition.isSubtitles {
            // The one look into a body: an error page must reach neither the player nor the swarm.
            let start = payload.slice(0..<min(ErrorPage.byteCount, payload.count)).bytes()
            guard !ErrorPage.isLikely(start) else {
                log(.notice, "an error page came instead of media", [("host", fetch.host)])
                segmentRefused(segment, run, fetch, status: 502)
                return forgetLength(segment)
            }
        }
        count(payload.count, isEdge: fetch.isEdge, in: segment)
        if isFirst { for id in segment.answers { if let answer = answers[id], !answer.hasHead { pump(answer) } } }
        noteSpentAhead(payload.count, on: segment.rendition.stream)
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
            if segment.isOpenEnded, !segment.isConfirmed, Int64(piece.count) > room {
                return lengthsDiffer(segment, run, fetch)
            }
            guard room > 0 else { return }
            if Int64(piece.count) > room { piece = piece.slice(0..<Int(room)) }
        }
        fetch.offset += Int64(piece.count)
        collect(piece, segment, run, fetch)
        if fetches[fetch.id] != nil, peersHaveTheRest(segment, run, fetch) { finishEarly(segment, run, fetch) }
    }

    /// The length that was stated was another thing's.
    private mutating func forgetLength(_ segment: Segment) {
        guard segment.runs.isEmpty, segment.chunks.checkedCount == 0 else { return }
        ledger.release(segment)
        segment.edition = Edition(length: nil, validator: 0, name: segment.edition.name)
        segment.chunks = ChunkMap()
        segment.evidence = Evidence()
        segment.life += 1
        segment.isConfirmed = false
        segment.isOpenEnded = false
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
                if segment.isOpenEnded {
                    for id in segment.answers { if let answer = answers[id] { pump(answer) } }
                }
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
            let stored = segment.stored + Int64(payload.count)
            guard stored <= largestSegment, makeRoom(stored, for: segment) else {
                cannotHold(segment, run, fetch, isForGood: stored > largestSegment)
                return false
            }
            segment.chunks.grow(to: chunk + 1)
        }
        if !fetch.isEdge, !segment.servers.contains(fetch.host) { segment.servers.append(fetch.host) }
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
        segment.unclaim(run)
        finishIfComplete(segment)
        replan(segment.rendition.stream)
    }

    mutating func segmentEnded(_ segment: Segment, _ run: Run, _ fetch: Fetch, _ end: FetchEnd) {
        noteRate(fetch)
        guard segment.runs.contains(where: { $0 === run }) else { return }
        segment.runs.removeAll { $0 === run }
        if segment.isOpenEnded, fetch.head != nil, fetch.end == nil {
            guard end != .complete || segment.length == nil || segment.length == fetch.offset else {
                return lengthsDiffer(segment, run, fetch)
            }
            openEnd(segment, run, fetch, isComplete: end == .complete)
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
                if !fetch.isEdge, fetch.headAt == nil || hosts[fetch.host]?.failures ?? 0 > 1 {
                    _ = mayAskElsewhere(segment, fetch, why: failure.description)
                }
            }
        }
        replan(segment.rendition.stream)
    }

    /// Bytes of an unfinished chunk are kept, so that nothing is read twice.
    func keepCarry(_ segment: Segment, _ run: Run, _ fetch: Fetch) {
        guard fetch.partBytes > 0, run.next < segment.chunks.count, segment.chunks.states[run.next] != .checked else {
            return
        }
        segment.carry = Carry(chunk: run.next, parts: fetch.parts, bytes: fetch.partBytes)
    }

    /// The end of a body without length, or its loss.
    private mutating func openEnd(_ segment: Segment, _ run: Run, _ fetch: Fetch, isComplete: Bool) {
        guard isComplete else {
            keepCarry(segment, run, fetch)
            // What peers say of the length may finish it.
            if segment.length != nil { segment.isOpenEnded = false }
            return
        }
        guard segment.length != nil || endFits(segment, run, fetch) else { return }
        _ = segment.setLength(fetch.offset)
        segment.isOpenEnded = false
        segment.isConfirmed = true
        lengthBecameKnown(segment)
        // What is left is the last chunk. Only now, so that it is never taken for a whole one.
        guard let first = fetch.parts.first, run.next < segment.chunks.count else { return }
        let last = first.stored(followedBy: Array(fetch.parts.dropFirst()))
        fetch.parts = []
        _ = ownChunk(last, segment, run, fetch)
    }

    /// Whether the length that the origin's end tells has room, in the cache and with what peers stated.
    private mutating func endFits(_ segment: Segment, _ run: Run, _ fetch: Fetch) -> Bool {
        let length = fetch.offset
        if Chunk.count(ofBytes: length) < segment.chunks.count {
            // Peers stated chunks that there are not.
            log(.notice, "peers stated more than the origin has", [("segment", String(segment.id.number))])
            for vouch in segment.evidence.vouches { noteMismatch(vouch) }
            restart(segment, why: "the origin has fewer bytes")
            return false
        }
        guard length <= largestSegment, makeRoom(length, for: segment) else {
            cannotHold(segment, run, fetch, isForGood: length > largestSegment)
            return false
        }
        return true
    }

    mutating func count(_ bytes: Int, isEdge: Bool, in segment: Segment) {
        if isEdge {
            totals.edge_bytes += Int64(bytes)
            segment.edgeBytes += Int64(bytes)
        } else {
            totals.origin_bytes += Int64(bytes)
            segment.originBytes += Int64(bytes)
        }
    }
}

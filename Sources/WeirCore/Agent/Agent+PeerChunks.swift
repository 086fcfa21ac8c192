// Chunks that peers send: checked, counted, or rejected.
extension Agent {
    mutating func peerSends(_ link: Link, _ request: UInt32, _ firstChunk: Int, _ payload: any Payload) {
        link.receivedBytes += Int64(payload.count)
        downlink.note(payload.count, at: now)
        totals.peer_bytes += Int64(payload.count)
        guard let entry = link.runs[request] else { return lateData(link, request, firstChunk, payload) }
        entry.segment.peerBytes += Int64(payload.count)
        var offset = 0
        var chunk = firstChunk
        while offset < payload.count, link.phase == .up, link.runs[request] != nil {
            let size = min(Chunk.byteCount, payload.count - offset)
            let piece = size == payload.count ? payload : payload.slice(offset..<offset + size)
            peerChunk(link, request, entry, chunk, piece)
            offset += size
            chunk += 1
        }
    }

    /// Data of a request that was given up: used where the chunk is still missing.
    private mutating func lateData(_ link: Link, _ request: UInt32, _ chunk: Int, _ payload: any Payload) {
        guard let segment = link.late.first(where: { $0.request == request })?.segment, segment.phase == .racing,
            segment.originOnly == nil, chunk < segment.chunks.count, segment.chunks.states[chunk] != .checked,
            payload.count == segment.chunks.byteCount(of: chunk), segment.evidence.digest(of: chunk) == payload.digest()
        else {
            totals.wasted_bytes += Int64(payload.count)
            return
        }
        segment.peerBytes += Int64(payload.count)
        fill(segment, chunk, with: payload, from: link)
        chunkArrived(segment, chunk)
        replan(segment.rendition.stream)
    }

    /// Puts a checked chunk of a peer in place.
    mutating func fill(_ segment: Segment, _ chunk: Int, with payload: any Payload, from link: Link) {
        guard segment.chunks.fill(chunk, with: payload.stored(), from: .peer) else {
            totals.wasted_bytes += Int64(payload.count)
            return
        }
        ledger.add(payload.count, to: segment)
        if !link.isLocal { segment.networks[chunk] = link.network }
        if !segment.contributors.contains(link.peer.id) { segment.contributors.append(link.peer.id) }
    }

    private mutating func peerChunk(
        _ link: Link,
        _ request: UInt32,
        _ entry: RunOnLink,
        _ chunk: Int,
        _ payload: any Payload
    ) {
        let segment = entry.segment
        let run = entry.run
        guard let end = run.end, chunk >= run.next, chunk < end, chunk < segment.chunks.count else {
            totals.wasted_bytes += Int64(payload.count)
            return
        }
        guard let expected = segment.evidence.digest(of: chunk) else {
            return unlisted(link, request, entry, payload.count)
        }
        if !run.isCounted {
            run.delivered += payload.count
        } else {
            learn(link, run, payload.count, isPromised: isPromised(link, segment))
        }
        // Chunks that were passed over will not come any more on this request.
        let passed = run.next..<chunk + 1
        segment.passChunks(of: run, upTo: chunk + 1)
        run.lastProgress = now
        link.lastChunk = now
        if run.isStanding { link.failedStanding = 0 }
        if run.isCounted { link.outstandingChunks = max(0, link.outstandingChunks - passed.count) }
        guard expected == payload.digest(),
            payload.count == segment.chunks.byteCount(of: chunk)
        else { return reject(link, segment, run, chunk, payload.count) }
        guard hasRoom(for: payload, of: segment) else { return }
        if let list = run.list { noteAgreement(of: link, on: list, segment) }
        fill(segment, chunk, with: payload, from: link)
        if run.next >= end {
            link.runs[request] = nil
            segment.runs.removeAll { $0 === run }
        }
        chunkArrived(segment, chunk)
        replan(segment.rendition.stream)
    }

    /// Bytes of which no digest is known: an honest sender believes that we have it. It is asked anew, list first.
    private mutating func unlisted(_ link: Link, _ request: UInt32, _ entry: RunOnLink, _ bytes: Int) {
        let segment = entry.segment
        totals.wasted_bytes += Int64(bytes)
        emitMessage(.cancel(request: request, fromChunk: 0), to: link)
        removeRun(request, from: link)
        link.ownLists[segment.named, default: OwnList(life: segment.life)].isOutdated = true
        link.unlisted += 1
        segment.refusals[link.id] = now + .milliseconds(250 << min(8, link.unlisted))
        replan(segment.rendition.stream)
    }

    private func isPromised(_ link: Link, _ segment: Segment) -> Bool {
        let holdings = link.holdings(segment.rendition.stream.swarm, segment.id.rendition)
        return holdings.map { !$0.held.contains(segment.id.number) } ?? true
    }

    /// What a chunk's arrival says of the link's speed, and how much may be outstanding from now on.
    mutating func learn(_ link: Link, _ run: Run, _ bytes: Int, isPromised: Bool) {
        run.delivered += bytes
        let start = link.sampleStart ?? run.askedAt
        link.sampleBytes += bytes
        // The last chunks of a queue often come in one read: by themselves they would look infinitely fast.
        let isEnd = link.outstandingChunks <= 1 && now - start >= .milliseconds(20)
        if link.wasIdle, link.outstandingChunks > 1 {
            // The time before the first chunk is latency, which is counted apart.
            link.sampleStart = now
            link.sampleBytes = 0
        } else if now - start >= .milliseconds(50) || isEnd {
            link.estimate.note(bytes: link.sampleBytes, in: max(now - start, .milliseconds(1)), at: now)
            link.sampleStart = now
            link.sampleBytes = 0
        } else if link.outstandingChunks <= 1, !link.estimate.isKnown {
            link.estimate.note(
                bytes: run.delivered,
                in: max(now - run.askedAt, .milliseconds(1)),
                isShort: true,
                at: now
            )
        }
        link.wasIdle = false
        let latency = now - run.lastProgress
        guard run.delivered == bytes, !isPromised else {
            link.window = min(Link.largestWindow, link.window + (latency < .milliseconds(100) ? 1 : 0))
            return
        }
        link.latency = link.latency.map { $0 + (latency - $0) * 0.25 } ?? latency
        link.leastLatency = min(link.leastLatency ?? latency, latency)
        if latency < (link.leastLatency ?? latency) * 2 + .milliseconds(50) {
            link.window = min(Link.largestWindow, link.window + 2)
        } else if latency > .milliseconds(400), now - link.lastWindowCut > .milliseconds(200) {
            link.window = max(2, link.window * 3 / 4)
            link.lastWindowCut = now
        }
    }

    /// Bytes that are not what the list says. Whoever passed on that list itself has contradicted itself.
    private mutating func reject(
        _ link: Link,
        _ segment: Segment,
        _ run: Run,
        _ chunk: Int,
        _ bytes: Int
    ) {
        totals.rejected_bytes += Int64(bytes)
        link.rejectedBytes += Int64(bytes)
        let isListed =
            link.ownLists[segment.named].map { $0.life == segment.life && $0.chunks.contains(chunk) } ?? false
        // Sending for a list that was named without another one ahead of it is stating that list.
        let isAgreed = run.list != nil && run.list == segment.listRoot
        if isListed || isAgreed {
            ban(link.peer.id, why: "its bytes contradict its own digest list")
        } else {
            dials.postpone(link.peer.id, until: now + .seconds(300))
            close(link, .protocolError)
        }
        replan(segment.rendition.stream)
    }

    mutating func peerRefuses(_ link: Link, _ request: UInt32, _ reason: AbsentReason) {
        if let segment = link.queries.removeValue(forKey: request) {
            if reason != .busy { refused(link, segment, reason) }
            return
        }
        guard let entry = link.runs[request] else { return }
        removeRun(request, from: link)
        refused(link, entry.segment, reason)
        replan(entry.segment.rendition.stream)
    }

    func refused(_ link: Link, _ segment: Segment, _ reason: AbsentReason) {
        let pause: Duration =
            switch reason {
            case .busy: .milliseconds(500)
            case .notHeld: .seconds(2)
            case .otherEdition, .unknownSwarm: .seconds(60)
            }
        segment.refusals[link.id] = now + pause
        segment.queried[link.id] = nil
    }

    /// A chunk is checked: whoever waits for it gets it.
    mutating func chunkArrived(_ segment: Segment, _ chunk: Int) {
        segment.lastArrival = now
        finishIfComplete(segment)
        for id in segment.answers { if let answer = answers[id] { pump(answer) } }
        if links.contains(where: { $0.uploads.contains { $0.segment === segment } }) { pumpUploads() }
        if !segment.isHeld { announcePart(segment) }
    }

    /// All chunks are here: what remains is the whole-segment check.
    mutating func finishIfComplete(_ segment: Segment) {
        guard segment.phase == .racing || segment.phase == .absent, let length = segment.length else { return }
        guard segment.chunks.isComplete || length == 0 else { return }
        // While the origin sends it without a length, its end says whether peers' is right.
        guard !segment.isOpenEnded || !segment.runs.contains(where: { $0.isHTTP }) else { return }
        segment.isOpenEnded = false
        if segment.chunks.origins.contains(.peer) {
            guard segment.anchorFetch == nil else { return }
            guard passesAnchor(segment) else { return setAside(segment, why: "the origin's digest differs") }
            drawAudits(segment)
            guard segment.audits.allSatisfy({ !$0.isOpen }) else { return }
        }
        dropRuns(of: segment)
        if !segment.answers.isEmpty, !segment.rendition.isParts, !segment.isPutTogether, let begun = segment.raceStart {
            segment.rendition.stream.raceEstimate.note(bytes: Int(length), in: now - begun, at: now)
        }
        segment.phase = .held
        segment.networks = [:]
        segment.refusals = [:]
        segment.queried = [:]
        segment.candidates = nil
        segment.raceEnd = now
        tellLength(of: segment)
        trimUploads(of: segment)
        let stream = segment.rendition.stream
        stream.racing.removeAll { $0 === segment }
        if segment.id.kind == .media, !segment.rendition.isParts {
            let typical = stream.typicalSegmentBytes
            stream.typicalSegmentBytes = stream.hasSegmentSizes ? (typical * 3 + length) / 4 : length
            stream.hasSegmentSizes = true
        }
        stream.finished.append(report(segment))
        segmentsFinished += 1
        if stream.finished.count > 256 { stream.finished.removeFirst() }
        if segment.originOnly == nil, !segment.isPutTogether {
            pushVouches(of: segment)
            announce(segment, .held)
        }
        settleDamage(segment)
        if segment.id.kind == .media { compositionArrived(segment) }
        for id in segment.answers { if let answer = answers[id] { pump(answer) } }
        replan(stream)
    }
}

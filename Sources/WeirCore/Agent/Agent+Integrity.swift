// What counts as true: vouches, checks of what arrives, release to the player.
extension Agent {
    /// The whole segment must have passed before its peers' chunks reach a player, unless there is no time for that.
    func mayRelease(_ segment: Segment, _ chunk: Int, isEarly: Bool) -> Bool {
        if segment.isHeld { return true }
        guard segment.chunks.states[chunk] == .checked else { return false }
        return segment.chunks.origins[chunk] != .peer || isEarly
    }

    /// Whether peers' bytes can come to satisfy the least evidence that is asked for.
    func acceptsPeers(_ segment: Segment) -> Bool {
        switch settings.integrity {
        case .vouched: true
        case .anchored: segment.anchor != nil || provedAnchored(segment.url.originKey)
        // Nobody signs yet.
        case .signed, .origin: false
        }
    }

    /// Whether checked chunks of peers may leave before the rest is here: only on the word of a voucher, and only when
    /// waiting for the whole would eat into the player's buffer.
    func mayReleaseEarly(_ segment: Segment) -> Bool {
        guard settings.integrity == .vouched, segment.anchor == nil, segment.audits.allSatisfy({ !$0.isOpen }),
            !provedAnchored(segment.url.originKey)
        else { return false }
        guard let slack = slack(of: segment) else { return false }
        let rate = segment.runs.reduce(0.0) { sum, run in
            guard case .link(let id, _) = run.source else { return sum }
            return sum + (link(id)?.estimate.rate ?? 0)
        }
        return slack < .seconds(Double(segment.rest) / max(rate, 100_000)) * 2
    }

    // MARK: Statements

    mutating func peerVouches(_ link: Link, _ vouch: Vouch) {
        guard let segment = vouchedSegment(link, vouch.handle, vouch.segment) else { return }
        link.ownLists[segment.id]?.statements += 1
        guard link.ownLists[segment.id]?.statements ?? 0 <= limits.vouchesPerSegment,
            let voucher = signer.identity(ofKey: vouch.voucherKey), isConsistent(vouch)
        else { return }
        link.mutes = 0
        if !segment.evidence.vouches.contains(vouchWithSignature: vouch.signature) {
            guard !bans.isBanned(voucher, at: now), !mismatches.isDistrusted(voucher, at: now) else {
                segment.refusals[link.id] = now + .seconds(60)
                return
            }
            guard signer.verify(vouch.signature, over: vouch.signedDigest, publicKey: vouch.voucherKey) else {
                log(.notice, "a vouch with a false signature", [("peer", link.peer.id.description)])
                return close(link, .protocolError)
            }
        }
        guard segment.edition.agrees(with: vouch.edition) else { return editionsDiffer(link, segment, vouch) }
        adoptEdition(vouch.edition, segment)
        switch segment.evidence.add(vouch, limit: limits.vouchesPerSegment) {
        case .agrees:
            let first = Int(vouch.firstChunk)
            link.ownLists[segment.id]?.chunks.formUnion(first..<first + vouch.digests.count)
        case .contradictsVoucher: dispute(segment, with: vouch)
        case .contradictsOwn(let chunk):
            prove(segment, chunk: chunk, vouched: vouch.digests[chunk - Int(vouch.firstChunk)], by: vouch.voucherKey)
        case .refused: break
        }
        replan(segment.rendition.stream)
    }

    /// Names chunks, and none beyond the length that it states itself. That a segment is empty only the origin may say.
    private func isConsistent(_ vouch: Vouch) -> Bool {
        guard let length = vouch.edition.length, length > 0, !vouch.digests.isEmpty else { return false }
        return Int(vouch.firstChunk) + vouch.digests.count <= Chunk.count(ofBytes: length)
    }

    mutating func peerVouchesRoot(_ link: Link, _ root: RootVouch) {
        guard let segment = vouchedSegment(link, root.handle, root.segment), segment.evidence.root == nil,
            segment.edition.agrees(with: root.edition), let length = segment.length, root.edition.length != nil
        else { return }
        link.ownLists[segment.id]?.statements += 1
        guard link.ownLists[segment.id]?.statements ?? 0 <= limits.vouchesPerSegment,
            signer.verify(root.signature, over: root.signedDigest, publicKey: root.voucherKey)
        else { return }
        if let list = segment.evidence.completeList, Digest.root(of: list, length: length) != root.root {
            // A root that the list does not have is of no use; the chunk digests decide.
            return
        }
        segment.evidence.setRoot(root)
    }

    /// The segment a statement is about, if we race it and asked this link for something of it.
    private mutating func vouchedSegment(_ link: Link, _ handle: UInt32, _ id: SegmentID) -> Segment? {
        guard let swarm = link.theirSwarms[handle], let stream = stream(swarm: swarm),
            let segment = stream.rendition(id.rendition)?.segment(id)
        else { return nil }
        if link.ownLists[segment.id]?.life != segment.life {
            link.ownLists[segment.id] = OwnList(life: segment.life)
            forgetOldLists(of: link)
        }
        // Whoever reads for the swarm tells unasked what it promised.
        let isAsked =
            segment.queried[link.id] != nil || link.runs.values.contains { $0.segment === segment }
            || link.holdings(swarm, id.rendition)?.holdsOrPromises(id) ?? false
        guard segment.phase == .racing, segment.originOnly == nil, acceptsPeers(segment), isAsked else {
            // What comes too late or unasked is not used; its sender believes that it was.
            link.ownLists[segment.id]?.isOutdated = true
            return nil
        }
        return segment
    }

    /// Not the bytes that this agent wants, or whose edition is the origin's cannot be told from here.
    private mutating func editionsDiffer(_ link: Link, _ segment: Segment, _ vouch: Vouch) {
        log(.info, "editions differ", [("segment", String(segment.id.number)), ("peer", link.peer.id.description)])
        segment.refusals[link.id] = now + .seconds(60)
        guard segment.edition.name == vouch.edition.name else { return }
        if segment.isConfirmed {
            noteMismatch(vouch)
        } else if !segment.evidence.vouches.isEmpty {
            segment.disputed = Array(([vouch] + segment.evidence.vouches + segment.disputed).prefix(64))
            setAside(segment, why: "editions differ")
        }
    }

    /// A voucher that states other editions than the origin's may be honest, at another cache or an older time; it is of
    /// no use here, and a liar must not hide behind it.
    mutating func noteMismatch(_ vouch: Vouch) {
        guard let voucher = signer.identity(ofKey: vouch.voucherKey) else { return }
        mismatches.note(voucher, at: now)
    }

    /// A segment's edition as peers state it: believed until an HTTP source says otherwise.
    private mutating func adoptEdition(_ edition: Edition, _ segment: Segment) {
        guard !segment.isConfirmed else { return }
        if segment.edition.validator == 0 { segment.edition.validator = edition.validator }
        guard segment.length == nil, let length = edition.length else { return }
        _ = admit(segment, length: length)
    }

    /// Two vouchers say different things: nothing of it is believed, and the origin decides.
    private mutating func dispute(_ segment: Segment, with vouch: Vouch) {
        log(.warning, "vouchers disagree", [("segment", String(segment.id.number))])
        segment.disputed = Array(([vouch] + segment.evidence.vouches + segment.disputed).prefix(64))
        setAside(segment, why: "roots differ")
    }

    /// Peers are out of this segment: their statements and their chunks are dropped.
    mutating func setAside(_ segment: Segment, why: String) {
        segment.originOnly = why
        dropPeerRuns(of: segment)
        segment.evidence.dropVouches()
        segment.life += 1
        let dropped = segment.chunks.dropAll(from: .peer)
        ledger.remove(dropped, from: segment)
        totals.wasted_bytes += dropped
        if segment.announced != nil { announce(segment, .gone) }
        segment.audits = segment.audits.filter { audit in
            if case .proving = audit.phase { return true }
            return false
        }
        replan(segment.rendition.stream)
    }

    private mutating func dropPeerRuns(of segment: Segment) {
        for run in segment.runs {
            guard case .link(let id, let request) = run.source, let link = link(id) else { continue }
            emitMessage(.cancel(request: request, fromChunk: UInt32(clamping: run.next)), to: link)
            removeRun(request, from: link)
            segment.unclaim(run)
        }
        segment.runs.removeAll { !$0.isHTTP }
    }

    /// Signs what this agent read itself, from a chunk on, as far as it reaches.
    mutating func vouchFromOwn(_ segment: Segment, from start: Int) {
        guard segment.length != nil else { return }
        var digests: [Digest] = []
        var chunk = start
        while segment.evidence.isOwn(chunk), let digest = segment.evidence.digest(of: chunk), digests.count < 512,
            !segment.evidence.vouches.contains(where: { Int($0.firstChunk) == chunk })
        {
            digests.append(digest)
            chunk += 1
        }
        guard !digests.isEmpty else { return }
        var vouch = Vouch(
            handle: Agent.noHandle,
            segment: segment.id,
            edition: segment.edition,
            firstChunk: UInt32(clamping: start),
            digests: digests,
            voucherKey: signer.publicKey,
            signature: []
        )
        vouch.signature = signer.sign(vouch.signedDigest)
        segment.evidence.addOwn(vouch)
        signRoot(segment)
    }

    private mutating func signRoot(_ segment: Segment) {
        guard segment.evidence.root == nil, segment.evidence.isAllOwn, let list = segment.evidence.completeList,
            list.count == segment.chunks.count, let length = segment.length
        else { return }
        var root = RootVouch(
            handle: Agent.noHandle,
            segment: segment.id,
            edition: segment.edition,
            root: .root(of: list, length: length),
            voucherKey: signer.publicKey,
            signature: []
        )
        root.signature = signer.sign(root.signedDigest)
        segment.evidence.setRoot(root)
    }

    /// Handles belong to a link; a stored statement has none yet.
    private static let noHandle: UInt32 = 0

    // MARK: Chunks

    mutating func peerSends(_ link: Link, _ request: UInt32, _ firstChunk: Int, _ payload: any Payload) {
        link.receivedBytes += Int64(payload.count)
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
    private mutating func fill(_ segment: Segment, _ chunk: Int, with payload: any Payload, from link: Link) {
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
        learn(link, run, payload.count, isPromised: isPromised(link, segment))
        // Chunks that were passed over will not come any more on this request.
        let passed = run.next..<chunk + 1
        segment.passChunks(of: run, upTo: chunk + 1)
        run.lastProgress = now
        link.outstandingChunks = max(0, link.outstandingChunks - passed.count)
        guard expected == payload.digest(),
            payload.count == segment.chunks.byteCount(of: chunk)
        else { return reject(link, segment, chunk, payload.count) }
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
        segment.runs.removeAll { $0 === entry.run }
        segment.unclaim(entry.run)
        link.ownLists[segment.id, default: OwnList(life: segment.life)].isOutdated = true
        link.unlisted += 1
        segment.refusals[link.id] = now + .milliseconds(250 << min(8, link.unlisted))
        replan(segment.rendition.stream)
    }

    private func isPromised(_ link: Link, _ segment: Segment) -> Bool {
        let holdings = link.holdings(segment.rendition.stream.swarm, segment.id.rendition)
        return holdings.map { !$0.held.contains(segment.id.number) } ?? true
    }

    /// What a chunk's arrival says of the link's speed, and how much may be outstanding from now on.
    private mutating func learn(_ link: Link, _ run: Run, _ bytes: Int, isPromised: Bool) {
        run.delivered += bytes
        let start = link.sampleStart ?? run.askedAt
        link.sampleBytes += bytes
        if now - start >= .milliseconds(50) || link.outstandingChunks <= 1 {
            link.estimate.note(bytes: link.sampleBytes, in: max(now - start, .milliseconds(1)), at: now)
            link.sampleStart = now
            link.sampleBytes = 0
        }
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
        _ chunk: Int,
        _ bytes: Int
    ) {
        totals.rejected_bytes += Int64(bytes)
        link.rejectedBytes += Int64(bytes)
        if let list = link.ownLists[segment.id], list.life == segment.life, list.chunks.contains(chunk) {
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
        let run = entry.run
        removeRun(request, from: link)
        entry.segment.runs.removeAll { $0 === run }
        entry.segment.unclaim(run)
        refused(link, entry.segment, reason)
        replan(entry.segment.rendition.stream)
    }

    private func refused(_ link: Link, _ segment: Segment, _ reason: AbsentReason) {
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
        finishIfComplete(segment)
        for id in segment.answers { if let answer = answers[id] { pump(answer) } }
        if links.contains(where: { $0.uploads.contains { $0.segment === segment } }) { pumpUploads() }
        if !segment.isHeld { announcePart(segment) }
    }

    /// All chunks are here: what remains is the whole-segment check.
    mutating func finishIfComplete(_ segment: Segment) {
        guard segment.phase == .racing || segment.phase == .absent, let length = segment.length else { return }
        guard segment.chunks.isComplete || length == 0, !segment.isOpenEnded else { return }
        if segment.chunks.origins.contains(.peer) {
            guard segment.anchorFetch == nil else { return }
            guard passesAnchor(segment) else { return setAside(segment, why: "the origin's digest differs") }
            drawAudits(segment)
            guard segment.audits.allSatisfy({ !$0.isOpen }) else { return }
        }
        dropRuns(of: segment)
        segment.phase = .held
        segment.networks = [:]
        segment.refusals = [:]
        segment.queried = [:]
        segment.raceEnd = now
        trimUploads(of: segment)
        let stream = segment.rendition.stream
        stream.racing.removeAll { $0 === segment }
        if segment.id.kind == .media {
            stream.typicalSegmentBytes = (stream.typicalSegmentBytes * 3 + length) / 4
            segment.rendition.known.insert(first: segment.id.number, count: 1)
        }
        stream.finished.append(report(segment))
        if stream.finished.count > 256 { stream.finished.removeFirst() }
        if segment.originOnly == nil {
            pushVouches(of: segment)
            announce(segment, .held)
        }
        for id in segment.answers { if let answer = answers[id] { pump(answer) } }
        replan(stream)
    }
}

extension [Vouch] {
    fileprivate func contains(vouchWithSignature signature: [UInt8]) -> Bool {
        contains { $0.signature == signature }
    }
}

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
        case .anchored: segment.anchor != nil || provedAnchored(segment.originKey)
        // Nobody signs yet.
        case .signed, .origin: false
        }
    }

    /// Whether checked chunks of peers may leave before the rest is here: only on the word of a voucher, and only when
    /// waiting for the whole would eat into the player's buffer.
    func mayReleaseEarly(_ segment: Segment) -> Bool {
        guard settings.integrity == .vouched, segment.anchor == nil, !provedAnchored(segment.originKey) else {
            return false
        }
        // A part is wanted at once: samples of it convict afterwards.
        if segment.rendition.isParts || (segment.grew && segment.rendition.isReadWhileMade) { return true }
        guard segment.audits.allSatisfy({ !$0.isOpen }) else { return false }
        // What a first audit finds must not be in the player already: its answer could only be broken off.
        let isKnown = segment.networks.values.allSatisfy { networks[$0].map { !$0.isNew } ?? false }
        guard isKnown || isAgreed(segment) else { return false }
        guard let slack = slack(of: segment) else { return false }
        let rate = segment.runs.reduce(0.0) { sum, run in
            guard case .link(let id, _) = run.source else { return sum }
            return sum + (link(id)?.estimate.rate ?? 0)
        }
        return slack < .seconds(Double(segment.rest) / max(rate, 100_000)) * 2
    }

    // MARK: Statements

    mutating func peerVouches(_ link: Link, _ vouch: Vouch) {
        // Who states a list of its own does not send by the one that was named to it.
        for entry in link.runs.values where entry.segment.id == vouch.segment { entry.run.list = nil }
        guard let segment = vouchedSegment(link, vouch.handle, vouch.segment) else { return }
        link.ownLists[segment.named]?.statements += 1
        guard link.ownLists[segment.named]?.statements ?? 0 <= limits.vouchesPerSegment,
            let voucher = signer.identity(ofKey: vouch.voucherKey), isConsistent(vouch, about: segment)
        else { return }
        link.mutes = 0
        if !segment.evidence.vouches.contains(where: { $0.statesTheSame(as: vouch) }) {
            guard !bans.isBanned(voucher, at: now), !mismatches.isDistrusted(voucher, at: now) else {
                return dropRuns(of: segment, from: link, until: now + .seconds(60))
            }
            let stated = vouch.signedDigest(in: segment.rendition.stream.swarm)
            guard signer.verify(vouch.signature, over: stated, publicKey: vouch.voucherKey) else {
                log(.notice, "a vouch with a false signature", [("peer", link.peer.id.description)])
                return close(link, .protocolError)
            }
        }
        guard segment.edition.agrees(with: vouch.edition) else { return editionsDiffer(link, segment, vouch) }
        let hadLength = segment.length != nil
        guard adoptEdition(vouch.edition, segment) else { return dispute(segment, with: vouch) }
        grow(segment, to: Int(vouch.firstChunk) + vouch.digests.count)
        let statements = segment.evidence.vouches.count
        switch segment.evidence.add(vouch, limit: limits.vouchesPerSegment) {
        case .agrees:
            let first = Int(vouch.firstChunk)
            link.ownLists[segment.named]?.chunks.insert(first..<first + vouch.digests.count)
        case .contradictsVoucher: dispute(segment, with: vouch)
        case .contradictsOwn(let chunk):
            prove(segment, chunk: chunk, vouch)
        case .refused: break
        }
        // The same statement by another way tells nothing that could be acted upon.
        let isNews = statements != segment.evidence.vouches.count || hadLength != (segment.length != nil)
        if isNews { replan(segment.rendition.stream) }
    }

    /// Its list is not to be believed, so what it would send is of no use; it may have been deceived itself.
    private mutating func dropRuns(of segment: Segment, from link: Link, until end: Instant) {
        segment.refusals[link.id] = end
        for request in link.runs.keys.sorted() {
            guard let run = link.runs[request]?.run, link.runs[request]?.segment === segment else { continue }
            emitMessage(.cancel(request: request, fromChunk: UInt32(clamping: run.next)), to: link)
            removeRun(request, from: link)
        }
        replan(segment.rendition.stream)
    }

    /// Names chunks, and none beyond the length that it states or that is known. That a segment is empty only the origin
    /// may say.
    private func isConsistent(_ vouch: Vouch, about segment: Segment) -> Bool {
        guard !vouch.digests.isEmpty else { return false }
        guard let length = vouch.edition.length ?? segment.length else { return mayGrow(segment, by: vouch) }
        guard length > 0 else { return false }
        return Int(vouch.firstChunk) + vouch.digests.count <= Chunk.count(ofBytes: length)
    }

    mutating func peerVouchesRoot(_ link: Link, _ root: RootVouch) {
        guard let segment = vouchedSegment(link, root.handle, root.segment) else { return }
        // The same statement by another way says that its list is no word to us alone.
        if let known = segment.evidence.root, known.statesTheSame(as: root) { return noteRoot(of: link, segment) }
        guard segment.evidence.root == nil, segment.edition.agrees(with: root.edition),
            let length = root.edition.length, length > 0
        else { return }
        link.ownLists[segment.named]?.statements += 1
        guard link.ownLists[segment.named]?.statements ?? 0 <= limits.vouchesPerSegment,
            let voucher = signer.identity(ofKey: root.voucherKey), !bans.isBanned(voucher, at: now),
            !mismatches.isDistrusted(voucher, at: now),
            signer.verify(
                root.signature,
                over: root.signedDigest(in: segment.rendition.stream.swarm),
                publicKey: root.voucherKey
            )
        else { return }
        guard adoptEdition(root.edition, segment) else { return setAside(segment, why: "lengths differ") }
        guard segment.length == length else { return }
        if let list = segment.evidence.completeList, Digest.root(of: list, length: length) != root.root {
            // A root that the list does not have is of no use; the chunk digests decide.
            return
        }
        segment.evidence.setRoot(root)
        noteRoot(of: link, segment)
        finishIfComplete(segment)
        replan(segment.rendition.stream)
    }

    /// The segment a statement is about, if we race it and asked this link for something of it.
    private mutating func vouchedSegment(_ link: Link, _ handle: UInt32, _ id: SegmentID) -> Segment? {
        guard let swarm = link.theirSwarms[handle], let stream = stream(swarm: swarm),
            let segment = stream.rendition(id.rendition)?.segment(id)
        else { return nil }
        if link.ownLists[segment.named]?.life != segment.life {
            link.ownLists[segment.named] = OwnList(life: segment.life)
            forgetOldLists(of: link)
        }
        // Whoever reads for the swarm tells unasked what it promised.
        let isAsked =
            segment.queried[link.id] != nil || link.runs.values.contains { $0.segment === segment }
            || link.holdings(swarm, id.rendition)?.holdsOrPromises(id) ?? false
        guard segment.phase == .racing, segment.originOnly == nil, acceptsPeers(segment), isAsked else {
            // What comes too late or unasked is not used; its sender believes that it was.
            link.ownLists[segment.named]?.isOutdated = true
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

    /// A segment's edition as peers state it: believed until an HTTP source says otherwise. False: its length leaves no
    /// room for what is there already.
    private mutating func adoptEdition(_ edition: Edition, _ segment: Segment) -> Bool {
        guard !segment.isConfirmed else { return true }
        if segment.edition.validator == 0 { segment.edition.validator = edition.validator }
        guard segment.length == nil, let length = edition.length else { return true }
        guard fits(length, segment) else { return false }
        if admit(segment, length: length) { lengthBecameKnown(segment) }
        return true
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
        segment.agreed = []
        segment.rootTellers = []
        segment.life += 1
        let dropped = segment.chunks.dropAll(from: .peer)
        ledger.remove(dropped, from: segment)
        totals.wasted_bytes += dropped
        if segment.announced != nil { announce(segment, .gone) } else { refuseUploads(of: segment) }
        segment.audits = segment.audits.filter { audit in
            if case .proving = audit.phase { return true }
            return false
        }
        replan(segment.rendition.stream)
    }

    mutating func dropPeerRuns(of segment: Segment) {
        for run in segment.runs {
            guard case .link(let id, let request) = run.source, let link = link(id) else { continue }
            emitMessage(.cancel(request: request, fromChunk: UInt32(clamping: run.next)), to: link)
            removeRun(request, from: link)
        }
        segment.runs.removeAll { !$0.isHTTP }
    }

    /// Signs what this agent read itself, from a chunk on, as far as it reaches.
    mutating func vouchFromOwn(_ segment: Segment, from start: Int) {
        guard segment.length != nil || mayGrow(segment) else { return }
        var digests: [Digest] = []
        var chunk = start
        while segment.evidence.isOwn(chunk), let digest = segment.evidence.digest(of: chunk), digests.count < 512,
            !segment.evidence.vouches.contains(where: { Int($0.firstChunk) == chunk })
        {
            digests.append(digest)
            chunk += 1
        }
        guard !digests.isEmpty else { return signRoot(segment) }
        var vouch = Vouch(
            handle: Agent.noHandle,
            segment: segment.id,
            edition: segment.edition,
            firstChunk: UInt32(clamping: start),
            digests: digests,
            voucherKey: signer.publicKey,
            signature: []
        )
        vouch.signature = signer.sign(vouch.signedDigest(in: segment.rendition.stream.swarm))
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
        root.signature = signer.sign(root.signedDigest(in: segment.rendition.stream.swarm))
        segment.evidence.setRoot(root)
    }

    /// Handles belong to a link; a stored statement has none yet.
    private static let noHandle: UInt32 = 0
}

extension RootVouch {
    /// Whether it is the same signed statement, whoever passed it on.
    fileprivate func statesTheSame(as other: RootVouch) -> Bool {
        var stated = other
        stated.handle = handle
        return self == stated
    }
}

extension Vouch {
    /// Whether it states this chunk's digest.
    func isAbout(_ chunk: Int) -> Bool { Int(firstChunk) <= chunk && chunk - Int(firstChunk) < digests.count }

    /// Whether it is the same signed statement, whoever passed it on: one check of the signature is enough for both.
    fileprivate func statesTheSame(as other: Vouch) -> Bool {
        var stated = other
        stated.handle = handle
        return self == stated
    }
}

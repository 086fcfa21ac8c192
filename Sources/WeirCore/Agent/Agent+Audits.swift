// Comparing with the origin: secret samples of what peers sent, proofs against a voucher, the origin's own digests.
extension Agent {
    /// Of what came by one network alone a swarm compares about a twenty-fifth of a copy in the long run, and nobody more
    /// than a hundredth of what it receives.
    static let swarmRate = 0.04
    static let leastRate = 0.001
    static let mostRate = 0.01
    /// A list that this many networks share is compared by one of all members: so much of a copy in all, and no more than
    /// this of what each receives.
    static let networksThatAgree = 3
    static let sharedSwarmRate = 0.08
    static let mostSharedRate = 0.005

    /// Chooses, once per segment, which of peers' chunks are compared.
    mutating func drawAudits(_ segment: Segment) {
        guard !segment.auditsDrawn else { return }
        segment.auditsDrawn = true
        // The origin's own digest has already said more than samples could.
        guard segment.anchor == nil else { return }
        checkRoot(segment)
        let stream = segment.rendition.stream
        let members = max(stream.announcedMembers, links(of: stream).count + 1)
        let trusted = min(Agent.mostRate, max(Agent.leastRate, Agent.swarmRate / Double(members)))
        let shared = isAgreed(segment) ? min(Agent.mostSharedRate, Agent.sharedSwarmRate / Double(members)) : nil
        for chunk in 0..<segment.chunks.count where segment.chunks.origins[chunk] == .peer {
            guard let network = segment.networks[chunk] else { continue }
            let isDrawn =
                shared.map { random.fraction() < $0 }
                ?? networks[network, default: NetworkSample()].draws(trustedRate: trusted, random: &random)
            guard isDrawn, let expected = segment.evidence.digest(of: chunk)
            else { continue }
            let vouch = segment.evidence.vouch(of: expected, chunk: chunk)
            segment.audits.append(Audit(chunk: chunk, expected: expected, vouch: vouch, since: now))
        }
        if networks.count > 4096 { networks = [:] }
    }

    /// A link named the list that is known here, or sent a chunk by it.
    func noteAgreement(of link: Link, on list: Digest, _ segment: Segment) {
        if list == segment.listRoot { note(link, among: &segment.agreed) }
    }

    /// A link passed on the root that is known here.
    func noteRoot(of link: Link, _ segment: Segment) { note(link, among: &segment.rootTellers) }

    /// Networks beyond the household's own, each once, and no more than are looked for.
    private func note(_ link: Link, among networks: inout [String]) {
        guard !link.isLocal, networks.count < Agent.networksThatAgree, !networks.contains(link.network) else { return }
        networks.append(link.network)
    }

    /// Who signs another root than its own list has told others something else: it is not relied on any more.
    private mutating func checkRoot(_ segment: Segment) {
        guard let root = segment.evidence.root, let list = segment.listRoot, root.root != list,
            segment.evidence.vouches.allSatisfy({ $0.voucherKey == root.voucherKey }),
            let voucher = signer.identity(ofKey: root.voucherKey)
        else { return }
        log(.notice, "a root that its list does not have", [("peer", voucher.description)])
        mismatches.note(voucher, at: now)
    }

    /// Whether several networks share the whole list that is known here. Then it is no word to us alone: whoever
    /// lies, lies to all of them, and each of them draws.
    func isAgreed(_ segment: Segment) -> Bool {
        var agreed = segment.agreed
        if let root = segment.evidence.root, root.root == segment.listRoot {
            agreed += segment.rootTellers.filter { !agreed.contains($0) }
        }
        for link in links where !agreed.contains(link.network) && segment.contributors.contains(link.peer.id) {
            guard let list = link.ownLists[segment.named], list.life == segment.life,
                list.chunks.covers(segment.chunks.count)
            else { continue }
            agreed.append(link.network)
        }
        return agreed.count >= Agent.networksThatAgree
    }

    /// Asks for what was drawn, and gives up on an origin that does not answer in time.
    mutating func checkAudits(_ stream: Stream) {
        for segment in stream.racing where !segment.audits.isEmpty {
            let patience = auditPatience(segment)
            for index in segment.audits.indices {
                // An audit that fails takes the others with it.
                guard segment.audits.indices.contains(index), segment.audits[index].isOpen else { continue }
                if segment.audits[index].phase == .drawn { ask(segment, index) }
                guard segment.audits.indices.contains(index) else { continue }
                let due = segment.audits[index].since + patience
                if due <= now { waive(segment, index) } else { agenda.note(.plan(stream.id), at: due) }
            }
            finishIfComplete(segment)
        }
    }

    /// How long a segment waits for the origin's word: half of its slack, within bounds.
    private func auditPatience(_ segment: Segment) -> Duration {
        min(.seconds(2), max(.milliseconds(300), (slack(of: segment) ?? .seconds(4)) / 2))
    }

    private mutating func ask(_ segment: Segment, _ index: Int, isProof: Bool = false) {
        let host = segment.originKey
        if hosts[host]?.wholeBodyUntil.map({ $0 > now }) ?? false { return waive(segment, index) }
        let chunk = segment.audits[index].chunk
        let fetch = readChunk(chunk, of: segment, purpose: .audit(segment, chunk: chunk), isFresh: isProof)
        segment.audits[index].phase = isProof ? .proving(fetch.id) : .asked(fetch.id)
        segment.audits[index].since = now
    }

    /// Has one chunk read from the origin for comparison.
    mutating func readChunk(_ chunk: Int, of segment: Segment, purpose: Fetch.Purpose, isFresh: Bool) -> Fetch {
        let first = (segment.id.range?.offset ?? 0) + Int64(chunk) * Int64(Chunk.byteCount)
        let last = first + Int64(segment.chunks.byteCount(of: chunk)) - 1
        let request = FetchRequest(
            url: segment.url.description,
            fields: [HeaderField("range", "bytes=\(first)-\(last)")],
            purpose: .audit,
            freshConnection: isFresh
        )
        totals.origin_requests += 1
        return begin(request, purpose: purpose, host: segment.originKey)
    }

    /// What was read for that; nil when the origin did not answer with the chunk.
    func chunkRead(_ chunk: Int, of segment: Segment, by fetch: Fetch, _ end: FetchEnd) -> Digest? {
        guard end == .complete, let head = fetch.head, head.status == 206, let first = fetch.parts.first,
            let range = ContentRange(head.first("content-range") ?? ""),
            fetch.partBytes == range.last - range.first + 1,
            range.first == (segment.id.range?.offset ?? 0) + Int64(chunk) * Int64(Chunk.byteCount)
        else { return nil }
        return first.stored(followedBy: Array(fetch.parts.dropFirst())).digest()
    }

    private mutating func waive(_ segment: Segment, _ index: Int) {
        let isDoubtful = segment.audits[index].first != nil
        switch segment.audits[index].phase {
        case .asked(let id), .proving(let id): if let fetch = fetches[id] { cancel(fetch) }
        case .drawn, .passed, .waived: break
        }
        segment.audits[index].phase = .waived
        log(.info, "an audit was waived: the origin does not answer", [("segment", String(segment.id.number))])
        // One reading was against it: nobody can be blamed for that, and nobody has to believe it.
        if isDoubtful, segment.originOnly == nil { setAside(segment, why: "an audit failed") }
    }

    mutating func auditBody(_ fetch: Fetch, _ payload: any Payload) {
        // What a refusal says is no media.
        guard let head = fetch.head, (200..<300).contains(head.status) else { return }
        totals.origin_bytes += Int64(payload.count)
        totals.audit_bytes += Int64(payload.count)
        guard fetch.partBytes + payload.count <= Chunk.byteCount else { return cancelOversized(fetch) }
        fetch.parts.append(payload.stored())
        fetch.partBytes += payload.count
    }

    /// The host sends more than was asked: it ignores ranges.
    private mutating func cancelOversized(_ fetch: Fetch) {
        hosts[fetch.host, default: HostState()].wholeBodyUntil = now + .seconds(600)
        cancel(fetch)
        guard case .audit(let segment, _) = fetch.purpose else { return }
        if let index = segment.audits.firstIndex(where: { $0.isAsked(by: fetch.id) }) {
            segment.audits[index].phase = .waived
        }
        finishIfComplete(segment)
    }

    mutating func auditEnded(_ segment: Segment, chunk: Int, _ fetch: Fetch, _ end: FetchEnd) {
        guard let index = segment.audits.firstIndex(where: { $0.isAsked(by: fetch.id) }) else { return }
        let stream = segment.rendition.stream
        defer { replan(stream) }
        guard let read = chunkRead(chunk, of: segment, by: fetch, end), let head = fetch.head else {
            waive(segment, index)
            return finishIfComplete(segment)
        }
        let total = ContentRange(head.first("content-range") ?? "")?.total
        guard sameEdition(segment, head, total: segment.id.range?.length ?? total) else {
            segment.audits[index].phase = .waived
            return auditFoundOtherEdition(segment, segment.audits[index])
        }
        let audit = segment.audits[index]
        if case .asked = audit.phase {
            guard read != audit.expected else {
                segment.audits[index].phase = .passed
                return finishIfComplete(segment)
            }
            log(.warning, "an audit found other bytes", [("segment", String(segment.id.number))])
            segment.audits[index].first = read
            return ask(segment, index, isProof: true)
        }
        segment.audits[index].phase = .passed
        judge(audit, second: read, in: stream)
        if segment.originOnly == nil { setAside(segment, why: "an audit failed") }
    }

    /// The origin serves another edition by now, or to us: no proof against anybody, and no reason to believe.
    private mutating func auditFoundOtherEdition(_ segment: Segment, _ audit: Audit) {
        for vouch in segment.evidence.vouches where vouch.voucherKey == audit.vouch?.voucherKey { noteMismatch(vouch) }
        if segment.originOnly == nil { setAside(segment, why: "another edition at the origin") }
    }

    /// Two readings of the origin over separate connections that agree prove the voucher wrong.
    private mutating func judge(_ audit: Audit, second: Digest, in stream: Stream) {
        guard second == audit.first, second != audit.expected, let vouch = audit.vouch else {
            log(.notice, "the origin answers differently each time; nobody is blamed")
            return
        }
        convict(of: vouch, chunk: audit.chunk, read: second, in: stream)
    }

    /// What else rests on a liar's word goes: it would reach players and peers yet.
    mutating func forgetStatements(by key: [UInt8]) {
        forgetFiles(vouchedBy: key)
        for segment in streams.flatMap({ $0.renditions.flatMap { $0.allSegments } }) {
            guard segment.chunks.origins.contains(.peer),
                segment.evidence.vouches.contains(where: { $0.voucherKey == key })
            else { continue }
            if segment.isHeld {
                if segment.answers.isEmpty { drop(segment) } else { announce(segment, .gone) }
            } else if segment.originOnly == nil {
                setAside(segment, why: "its voucher lied")
            }
        }
    }

    // MARK: Proofs

    /// This agent read other bytes than a voucher stated: a second reading decides.
    mutating func prove(_ segment: Segment, chunk: Int, _ vouch: Vouch) {
        defer { if segment.originOnly == nil { setAside(segment, why: "roots differ") } }
        guard let own = segment.evidence.digest(of: chunk), let vouched = vouch.digest(of: chunk),
            !segment.audits.contains(where: { $0.vouch?.voucherKey == vouch.voucherKey && $0.first != nil }),
            segment.audits.count(where: { $0.first != nil }) < 8
        else { return }
        log(.warning, "a voucher contradicts the origin", [("segment", String(segment.id.number))])
        var audit = Audit(chunk: chunk, expected: vouched, vouch: vouch, since: now)
        audit.first = own
        segment.audits.append(audit)
        ask(segment, segment.audits.count - 1, isProof: true)
    }

    mutating func ownReadingContradicts(_ segment: Segment, chunk: Int, vouched: Digest) {
        guard let vouch = segment.evidence.vouch(of: vouched, chunk: chunk) else { return }
        prove(segment, chunk: chunk, vouch)
    }

    /// After a dispute, what is read from the origin shows whose statement was false.
    mutating func settleDispute(_ segment: Segment, chunk: Int) {
        guard !segment.disputed.isEmpty, let own = segment.evidence.digest(of: chunk) else { return }
        for vouch in segment.disputed {
            guard let stated = vouch.digest(of: chunk), stated != own else { continue }
            prove(segment, chunk: chunk, vouch)
        }
    }

    // MARK: Anchors

    /// Whether this host has shown that it states digests of whole bodies, and answers questions for them.
    func provedAnchored(_ host: String) -> Bool {
        guard let host = hosts[host] else { return false }
        return host.anchoredBodies >= 3 && !host.refusesHead
    }

    /// What a head says of the whole body, and what it teaches about the host.
    mutating func noteAnchor(_ segment: Segment, _ head: FetchHead, isWhole: Bool) {
        guard segment.id.range == nil else { return }
        segment.anchor = segment.anchor ?? Anchor(head.fields, isWholeBody: isWhole)
        guard isWhole else { return }
        var host = hosts[segment.originKey] ?? HostState()
        if segment.anchor != nil { host.anchoredBodies += 1 }
        hosts[segment.originKey] = host
    }

    /// Asks the origin for the digest of a segment that comes from peers, where bodies have carried one.
    mutating func askAnchor(_ segment: Segment) {
        let host = segment.originKey
        guard provedAnchored(host), segment.anchor == nil, !segment.anchorAsked, segment.id.range == nil,
            !segment.rendition.isParts
        else { return }
        segment.anchorAsked = true
        let request = FetchRequest(method: .head, url: segment.url.description, purpose: .audit)
        segment.anchorFetch = begin(request, purpose: .anchor(segment), host: host).id
    }

    /// A HEAD that is not answered must not hold back a segment that is all here.
    mutating func checkAnchors(_ stream: Stream) {
        for segment in stream.racing {
            guard let id = segment.anchorFetch, let fetch = fetches[id] else { continue }
            let due = fetch.startedAt + auditPatience(segment)
            guard due <= now else {
                agenda.note(.plan(stream.id), at: due)
                continue
            }
            log(.info, "the origin does not say its digest in time", [("segment", String(segment.id.number))])
            cancel(fetch)
            segment.anchorFetch = nil
            finishIfComplete(segment)
        }
    }

    mutating func anchorHead(_ segment: Segment, _ fetch: Fetch, _ head: FetchHead) {
        if head.status == 403 || head.status == 405 { hosts[fetch.host, default: HostState()].refusesHead = true }
        guard head.status == 200 else { return }
        // Content-Digest and Content-MD5 of a HEAD are about the message, not the whole body.
        segment.anchor = segment.anchor ?? Anchor(head.fields, isWholeBody: false)
        if segment.anchor == nil {
            hosts[fetch.host, default: HostState()].headsWithoutDigest += 1
            if hosts[fetch.host]?.headsWithoutDigest ?? 0 >= 3 { hosts[fetch.host]?.refusesHead = true }
        }
    }

    /// Whether a complete segment is what the origin says it is; true when the origin says nothing and that is allowed.
    func passesAnchor(_ segment: Segment) -> Bool {
        guard let anchor = segment.anchor else { return settings.integrity != .anchored }
        return anchor.matches(segment.chunks.payloads.compactMap { $0 })
    }
}

extension Audit {
    func isAsked(by id: FetchID) -> Bool {
        switch phase {
        case .asked(let asked), .proving(let asked): asked == id
        case .drawn, .passed, .waived: false
        }
    }
}

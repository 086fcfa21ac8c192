// Proofs that go round: what one agent found out protects all, once each has looked for itself.
extension Agent {
    /// At most so many refutations are being checked at once, and one of a link in this time.
    static let checksAtOnce = 4
    static let refutationPause = Duration.seconds(10)
    /// Who named true statements false this often is not listened to for a while.
    static let falseRefutationLimit = 2
    static let falseRefutationPause = Duration.seconds(600)

    /// A voucher was proved wrong here: it is banned, what rests on its word goes, and those who may rest on it too hear.
    mutating func convict(of vouch: Vouch, chunk: Int, read: Digest, in stream: Stream, toldBy source: Link? = nil) {
        guard let voucher = signer.identity(ofKey: vouch.voucherKey) else { return }
        totals.proved_lies += 1
        let told = links(of: stream)
        ban(voucher, why: "it vouched for bytes that the origin does not have")
        forgetStatements(by: vouch.voucherKey)
        for link in told where link !== source && link.isUp && link.peer.id != voucher {
            guard let handle = link.handle(of: stream.swarm) else { continue }
            var relayed = vouch
            relayed.handle = handle
            emitMessage(.refutation(Refutation(vouch: relayed, chunk: UInt32(clamping: chunk), read: read)), to: link)
        }
    }

    /// A peer says that a voucher's statement is not what the origin has. The statement is signed, so the voucher made
    /// it; whether it is false only the origin can say, and is asked by whoever relies on that voucher.
    mutating func peerRefutes(_ link: Link, _ refutation: Refutation) {
        let vouch = refutation.vouch
        guard link.refutationsHeardFrom <= now, let swarm = link.theirSwarms[vouch.handle],
            link.shared.contains(swarm), let stream = stream(swarm: swarm),
            let voucher = signer.identity(ofKey: vouch.voucherKey), voucher != me, !bans.isBanned(voucher, at: now),
            let segment = stream.rendition(vouch.segment.rendition)?.segment(vouch.segment),
            segment.edition.agrees(with: vouch.edition), relies(on: voucher, key: vouch.voucherKey)
        else { return }
        link.refutationsHeardFrom = now + Agent.refutationPause
        guard signer.verify(vouch.signature, over: vouch.signedDigest(in: swarm), publicKey: vouch.voucherKey) else {
            log(.notice, "a refutation with a false signature", [("peer", link.peer.id.description)])
            return close(link, .protocolError)
        }
        let chunk = Int(refutation.chunk)
        if segment.evidence.isOwn(chunk), let own = segment.evidence.digest(of: chunk) {
            return judge(refutation, of: link, own: own, in: stream)
        }
        // Another peer that found the same out is as good as a second reading; so is one reading of our own.
        guard checksRunning < Agent.checksAtOnce, !isChecking(vouch.voucherKey),
            !(hosts[segment.originKey]?.wholeBodyUntil.map { $0 > now } ?? false)
        else { return }
        _ = readChunk(chunk, of: segment, purpose: .check(segment, link.id, refutation), isFresh: true)
    }

    private var checksRunning: Int {
        fetches.values.count {
            if case .check = $0.purpose { return true }
            return false
        }
    }

    private func isChecking(_ key: [UInt8]) -> Bool {
        fetches.values.contains {
            if case .check(_, _, let refutation) = $0.purpose { return refutation.vouch.voucherKey == key }
            return false
        }
    }

    /// We are linked to it, or something that is here rests on its word.
    private func relies(on voucher: PeerID, key: [UInt8]) -> Bool {
        links.contains { $0.peer.id == voucher }
            || streams.contains { stream in
                stream.renditions.contains { rendition in
                    rendition.allSegments.contains { $0.evidence.vouches.contains { $0.voucherKey == key } }
                }
            }
    }

    mutating func checkEnded(
        _ segment: Segment,
        _ teller: LinkID,
        _ refutation: Refutation,
        _ fetch: Fetch,
        _ end: FetchEnd
    ) {
        guard let read = chunkRead(Int(refutation.chunk), of: segment, by: fetch, end), let head = fetch.head,
            sameEdition(segment, head, as: refutation.vouch.edition)
        else { return }
        judge(refutation, of: link(teller), own: read, in: segment.rendition.stream)
    }

    /// Two readings of the origin that agree, one of them our own, prove the statement false. Where only the other's
    /// differs from it, nobody is blamed, but that peer's further word costs us less.
    private mutating func judge(_ refutation: Refutation, of link: Link?, own: Digest, in stream: Stream) {
        let vouch = refutation.vouch
        let stated = vouch.digests[Int(refutation.chunk - vouch.firstChunk)]
        if own == refutation.read, own != stated {
            if let voucher = signer.identity(ofKey: vouch.voucherKey), bans.isBanned(voucher, at: now) { return }
            return convict(of: vouch, chunk: Int(refutation.chunk), read: own, in: stream, toldBy: link)
        }
        guard own == stated, let link else { return }
        link.falseRefutations += 1
        log(.notice, "a peer calls a true statement false", [("peer", link.peer.id.description)])
        guard link.falseRefutations >= Agent.falseRefutationLimit else { return }
        link.falseRefutations = 0
        link.refutationsHeardFrom = now + Agent.falseRefutationPause
    }
}

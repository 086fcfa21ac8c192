// What an agent says of itself to trackers, and what it makes of what others say.
extension Agent {
    /// A peer from outside that dialled us within this time shows that others can.
    static let dialableTime = Duration.seconds(600)
    /// Bytes from which on a peer's own record says more than its claims.
    static let provedBytes: Int64 = 256 * 1024

    mutating func claims(of stream: Stream, since last: TrackerState.Swarm?) -> PeerClaims {
        var claims = PeerClaims()
        claims.viewers = stream.players.count { !$0.isAside && now - $0.lastRequest < .seconds(30) }
        claims.uploads = settings.uploadBytesPerSecond != 0
        if let cap = settings.uploadBytesPerSecond, let last, now > last.lastAnnounce {
            let sent = Double(totals.uploaded_bytes - last.uploadedBytes) / (now - last.lastAnnounce).seconds
            claims.freeUpload = max(0, cap - Int(sent))
        }
        claims.isDialable = lastDialled.map { now - $0 < Agent.dialableTime } ?? false
        claims.timeslot = timeslot(in: stream)
        return claims
    }

    private func timeslot(in stream: Stream) -> Timeslot? {
        for rendition in stream.renditions where rendition.isShared {
            guard let number = position(in: rendition), let listing = rendition.listing else { continue }
            return Timeslot(rendition: rendition.key, number: number, place: place(number, listing, rendition))
        }
        return nil
    }

    private func place(_ number: UInt64, _ listing: any SegmentListing, _ rendition: Rendition) -> Timeslot.Place {
        guard listing.isComplete else {
            let behind = listing.timeToEnd(from: listing.index(atOrAfter: number))
            let newest = listing.newest.flatMap { rendition.media[$0]?.listedAt } ?? now
            return .live(age: max(0, Int64((behind + (now - newest)).milliseconds)))
        }
        let index = listing.index(atOrAfter: number)
        // All who read this list count alike, which is all that matters.
        let position = Int64(Double(index) * listing.targetDuration.milliseconds)
        return .recorded(position: position, part: HeldParts.part(ofIndex: index, of: listing.count))
    }

    /// Parts of a recording that are held here; of a live stream everybody holds what is near the end.
    func holdings(of stream: Stream) -> [HeldParts] {
        guard settings.uploadBytesPerSecond != 0 else { return [] }
        var found: [HeldParts] = []
        for rendition in stream.renditions where rendition.isShared && !rendition.isWithdrawn {
            guard let listing = rendition.listing, listing.isComplete, listing.count > 0 else { continue }
            var parts: UInt64 = 0
            for segment in rendition.media.values where segment.announced == .held {
                let index = listing.index(atOrAfter: segment.id.number)
                parts |= 1 << UInt64(HeldParts.part(ofIndex: index, of: listing.count))
            }
            if parts != 0 { found.append(HeldParts(rendition: rendition.key, parts: parts)) }
        }
        return Array(found.prefix(ClaimLimits.renditions))
    }

    /// What peers sent since this was last told: a link counts for the first swarm that both are in.
    func receipts(of stream: Stream) -> [Receipt] {
        let senders = links.filter { $0.isUp && $0.shared.first == stream.swarm && $0.receivedBytes > $0.toldReceived }
        let most = senders.enumerated().sorted { left, right in
            let (one, other) = (
                left.element.receivedBytes - left.element.toldReceived,
                right.element.receivedBytes - right.element.toldReceived
            )
            return one != other ? one > other : left.offset < right.offset
        }
        return most.prefix(ClaimLimits.receipts).map { entry in
            let link = entry.element
            let bad = link.rejectedBytes - link.toldRejected
            let good = link.receivedBytes - link.toldReceived - bad
            link.toldReceived = link.receivedBytes
            link.toldRejected = link.rejectedBytes
            return Receipt(
                sender: TrackerPeerID.derive(link.peer.id, in: stream.swarm),
                good: Int(clamping: good / 1024),
                bad: Int(clamping: (bad + 1023) / 1024)
            )
        }
    }

    // MARK: What others claim

    /// How much a link to a peer promises: by its own record here if there is one, else by its claims.
    func worth(of peer: PeerID, claims: PeerClaims?, in stream: Stream?) -> Double {
        if let known = acquaintances.worth(of: peer, at: now) { return known }
        guard let claims else { return 0 }
        var own = PeerClaims()
        own.timeslot = stream.flatMap { timeslot(in: $0) }
        // Where it is from, only the tracker knows.
        return SearchRank.value(
            of: SearchRank.Member(claims: claims, announced: now, host: 1, network: 1),
            for: SearchRank.Member(claims: own, announced: now, host: 2, network: 2),
            at: now
        )
    }

    /// Remembers a peer by what it was seen to do.
    mutating func remember(_ link: Link) {
        guard link.receivedBytes >= Agent.provedBytes || link.rejectedBytes > 0 else { return }
        acquaintances.note(link.peer.id, worth: 20 * (2 * link.score - 1), at: now, limit: limits.knownPeers)
    }
}

/// Peers that sent something once: what that was worth, beyond anything that claims can add up to.
struct Acquaintances {
    private var entries: [PeerID: (worth: Double, at: Instant)] = [:]

    /// People's lines change.
    static let memory = Duration.seconds(3600)

    func worth(of peer: PeerID, at now: Instant) -> Double? {
        entries[peer].flatMap { now - $0.at < Acquaintances.memory ? $0.worth : nil }
    }

    mutating func note(_ peer: PeerID, worth: Double, at now: Instant, limit: Int) {
        entries[peer] = (worth, now)
        guard entries.count > limit else { return }
        let oldest = entries.min { ($0.value.at, $0.key) < ($1.value.at, $1.key) }
        if let oldest { entries[oldest.key] = nil }
    }
}

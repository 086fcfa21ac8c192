// Whom to link to: peers named by the user, by trackers and by other peers.
extension Agent {
    /// Links beyond this are left to others to open.
    static let wantedLinks = 20

    mutating func dialDue() {
        guard !isStopping else { return }
        dials.forget(at: now, limit: limits.knownPeers)
        let linked = links.filter { $0.phase != .closing }.map { $0.peer.id }
        for place in dials.due(at: now) {
            guard linked.count + dials.pending < min(Agent.wantedLinks, limits.dialledLinks),
                dials.pending < limits.dials
            else { break }
            if let expecting = dials.entries[place].peer,
                linked.contains(expecting) || bans.isBanned(expecting, at: now)
                    || expecting == me
            {
                dials.entries[place].retryAt = now + .seconds(30)
                continue
            }
            let (id, address, expecting) = dials.begin(place)
            emit(.dial(id, address, expecting: expecting))
        }
        if let next = dials.nextDue(after: now) { agenda.note(.dials, at: next) }
    }

    mutating func dialFailed(_ id: DialID, _ end: LinkEnd) {
        let jitter = Duration.milliseconds(Int(random.next() % 500))
        dials.failed(id, at: now, jitter: jitter)
        log(.debug, "no link", [("why", "\(end)")])
        agenda.note(.dials, at: now + .milliseconds(500))
    }

    /// Wants a link to an address that somebody named, if it may be named by whoever did.
    mutating func consider(_ address: PeerAddress, peer: PeerID?, namedFrom scope: NetworkScope) {
        guard peer != me, address.port > 0, address.port < 65_536, !settings.ownAddresses.contains(address) else {
            return
        }
        guard scope.mayName(NetworkScope(host: address.host)) else { return }
        if let peer, links.contains(where: { $0.peer.id == peer && $0.phase != .closing }) { return }
        dials.wish(for: address, peer: peer, isPermanent: false, at: now)
        agenda.note(.dials, at: now)
    }

    // MARK: Peer exchange

    /// Names other members of a swarm that can be dialled.
    mutating func introduce(_ link: Link, in stream: Stream) {
        guard let handle = link.handle(of: stream.swarm) else { return }
        let hints = links(of: stream).filter { $0 !== link }.compactMap { other in
            other.dialAddress.map { PeerHint(id: other.peer.id, address: $0) }
        }
        guard !hints.isEmpty else { return }
        emitMessage(.peers(handle: handle, Array(hints.prefix(20))), to: link)
        guard let address = link.dialAddress else { return }
        // Those who are here already hear of the newcomer, which keeps a swarm together without its tracker.
        let news = PeerHint(id: link.peer.id, address: address)
        for other in links(of: stream) where other !== link {
            guard let handle = other.handle(of: stream.swarm) else { continue }
            emitMessage(.peers(handle: handle, [news]), to: other)
        }
    }

    mutating func peerIntroduces(_ link: Link, _ handle: UInt32, _ hints: [PeerHint]) {
        guard link.theirSwarms[handle].map({ link.shared.contains($0) }) ?? false else { return }
        let scope = NetworkScope(host: link.peer.address.host)
        if let swarm = link.theirSwarms[handle], let stream = stream(swarm: swarm) {
            for hint in hints.prefix(20) where stream.named.count < limits.knownPeers && hint.id != me {
                stream.named.insert(hint.id)
            }
        }
        for hint in hints.prefix(20) { consider(hint.address, peer: hint.id, namedFrom: scope) }
    }
}

/// Addresses to dial and how that went.
///
/// An entry's life: `wished → dialling → linked → wished` (lost), `dialling → wished` (failed, later), `→ forgotten`.
struct DialBook {
    struct Entry {
        var address: PeerAddress
        var peer: PeerID?
        /// Named by the user: tried for ever.
        var isPermanent: Bool
        var retryAt: Instant
        var failures = 0
        var dialling: DialID?
        var isLinked = false
    }

    private(set) var begun: UInt64 = 0
    var entries: [Entry] = []

    /// Strangers are given up after this many failures in a row.
    static let patience = 5

    var pending: Int { entries.count { $0.dialling != nil } }

    mutating func wish(for address: PeerAddress, peer: PeerID? = nil, isPermanent: Bool = true, at now: Instant) {
        if let known = entries.firstIndex(where: { $0.address == address }) {
            if entries[known].peer == nil { entries[known].peer = peer }
            return
        }
        entries.append(Entry(address: address, peer: peer, isPermanent: isPermanent, retryAt: now))
    }

    func due(at now: Instant) -> [Int] {
        entries.indices.filter { entries[$0].dialling == nil && !entries[$0].isLinked && entries[$0].retryAt <= now }
    }

    func nextDue(after now: Instant) -> Instant? {
        entries.filter { $0.dialling == nil && !$0.isLinked }.map { max($0.retryAt, now + .milliseconds(100)) }.min()
    }

    mutating func begin(_ place: Int) -> (DialID, PeerAddress, PeerID?) {
        begun += 1
        let id = DialID(begun)
        entries[place].dialling = id
        return (id, entries[place].address, entries[place].peer)
    }

    mutating func connected(_ id: DialID, to peer: PeerID) {
        guard let place = entries.firstIndex(where: { $0.dialling == id }) else { return }
        entries[place].dialling = nil
        entries[place].isLinked = true
        entries[place].peer = peer
        entries[place].failures = 0
    }

    /// A link from the other side: its address needs no dial.
    mutating func reached(_ peer: PeerID, at address: PeerAddress?) {
        for place in entries.indices where entries[place].peer == peer || entries[place].address == address {
            entries[place].isLinked = true
            entries[place].peer = peer
        }
    }

    mutating func failed(_ id: DialID, at now: Instant, jitter: Duration) {
        guard let place = entries.firstIndex(where: { $0.dialling == id }) else { return }
        entries[place].dialling = nil
        entries[place].failures += 1
        let wait = Duration.milliseconds(min(60_000, 500 << min(7, entries[place].failures)))
        entries[place].retryAt = now + wait + jitter
    }

    mutating func lost(_ peer: PeerID, at now: Instant) {
        for place in entries.indices where entries[place].peer == peer {
            entries[place].isLinked = false
            entries[place].retryAt = max(entries[place].retryAt, now + .seconds(1))
        }
    }

    mutating func postpone(_ peer: PeerID, until: Instant) {
        for place in entries.indices where entries[place].peer == peer { entries[place].retryAt = until }
    }

    mutating func forget(at now: Instant, limit: Int) {
        entries.removeAll { !$0.isPermanent && !$0.isLinked && $0.failures >= DialBook.patience }
        guard entries.count > limit else { return }
        var surplus = entries.count - limit
        entries.removeAll { entry in
            guard surplus > 0, !entry.isPermanent, !entry.isLinked else { return false }
            surplus -= 1
            return true
        }
    }
}

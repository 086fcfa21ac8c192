// Whom to link to: peers named by the user, by trackers and by other peers.
extension Agent {
    /// Links beyond this are left to others to open. Who watches a live stream wants what all others want, and fewer
    /// links bring it sooner, with less talk; holders of a recording are few, and each may have another part.
    package static let linksForLive = 12
    package static let linksForRecordings = 20
    /// Who watches live alone accepts no more strangers than this.
    static let linksAcceptedForLive = 28

    var wantedLinks: Int { watchesLiveAlone ? Agent.linksForLive : Agent.linksForRecordings }

    /// All that is shared here is live, and somebody watches it.
    var watchesLiveAlone: Bool {
        var isWatched = false
        for stream in streams where stream.isMember {
            guard stream.isLive else { return false }
            isWatched = isWatched || stream.renditions.contains { isPlaying($0) }
        }
        return isWatched
    }

    mutating func dialDue() {
        guard !isStopping else { return }
        dials.forget(at: now, limit: limits.knownPeers)
        let linked = links.filter { $0.phase != .closing }.map { $0.peer.id }
        var held = Instant.never
        for place in dials.due(at: now, onlyPermanent: !mayDialStrangers(linked.count)) {
            guard dials.pending < limits.dials else { break }
            guard dials.entries[place].isPermanent || mayDialStrangers(linked.count) else { continue }
            let allowed = mayDial(place)
            guard allowed <= now else {
                held = min(held, allowed)
                continue
            }
            if let expecting = dials.entries[place].peer,
                linked.contains(expecting) || bans.isBanned(expecting, at: now)
                    || expecting == me
            {
                dials.entries[place].retryAt = now + .seconds(30)
                continue
            }
            let entry = dials.entries[place]
            guard hasRoom(forHost: entry.address.host, isPermanent: entry.isPermanent) else {
                dials.entries[place].retryAt = now + .seconds(30)
                continue
            }
            let (id, address, expecting) = dials.begin(place)
            if dials.entries[place].isStranger { vainDials.take(at: now) }
            noteDial(place)
            emit(.dial(id, address, expecting: expecting))
        }
        // At a limit there is nothing to look at before a dial ends or a link is lost, which note it themselves.
        guard dials.pending < limits.dials else { return }
        let next = dials.nextDue(after: now, onlyPermanent: !mayDialStrangers(linked.count))
        agenda.note(.dials, at: min(next ?? .never, held))
    }

    /// When an address may be dialled, as far as it depends on how many strangers' were vain.
    private func mayDial(_ place: Int) -> Instant {
        let entry = dials.entries[place]
        guard entry.isStranger else { return now }
        var allowed = vainDials.nextCredit(at: now)
        if case .tracker(let id)? = entry.namedBy, let tracker = trackers.first(where: { $0.id == id }) {
            allowed = max(allowed, tracker.dialsFrom)
        }
        return allowed
    }

    /// A tracker that names addresses where nobody is waits longer and longer between two of them.
    private func noteDial(_ place: Int) {
        guard case .tracker(let id)? = dials.entries[place].namedBy,
            let tracker = trackers.first(where: { $0.id == id })
        else { return }
        tracker.dialsFrom = now + VainDials.pause(after: tracker.vainDials)
    }

    private func mayDialStrangers(_ linked: Int) -> Bool {
        linked + dials.pending < min(wantedLinks, limits.dialledLinks)
    }

    mutating func dialFailed(_ id: DialID, _ end: LinkEnd) {
        let jitter = Duration.milliseconds(Int(random.next() % 500))
        switch dials.failed(id, at: now, jitter: jitter) {
        case .peer(let namer): hintWasVain(of: namer)
        case .tracker(let id): trackers.first { $0.id == id }?.vainDials += 1
        case nil: break
        }
        log(.debug, "no link", [("why", "\(end)")])
        agenda.note(.dials, at: now + .milliseconds(500))
    }

    /// A peer named an address where nobody is. One that goes on doing so is not listened to for a while, and what it
    /// named is forgotten: or it could send everybody to knock at somebody's door (F48).
    private mutating func hintWasVain(of namer: PeerID) {
        guard let link = links.first(where: { $0.peer.id == namer && $0.isUp }) else { return }
        link.vainHints += 1
        guard link.vainHints >= Agent.vainHintLimit else { return }
        link.vainHints = 0
        link.hintsHeardFrom = now + Agent.hintPause
        dials.forget(namedBy: namer)
        log(.notice, "a peer names addresses where nobody is", [("peer", namer.description)])
    }

    /// Somebody was met where a dial led.
    mutating func dialSucceeded(_ dial: DialID, to peer: PeerID) {
        guard let (namer, wasStranger) = dials.connected(dial, to: peer) else { return }
        if wasStranger { vainDials.giveBack() }
        switch namer {
        case .peer(let id): links.first { $0.peer.id == id }?.vainHints = 0
        case .tracker(let id): trackers.first { $0.id == id }?.vainDials = 0
        case nil: break
        }
    }

    /// The network is there again: whom this agent knew is dialled at once, and not when its turn would come after so
    /// many failures.
    mutating func dialAgain() {
        dials.tryMet(at: now)
        agenda.note(.dials, at: now)
    }

    static let vainHintLimit = 8
    static let hintPause = Duration.seconds(60)

    /// Wants a link to an address that somebody named, if it may be named by whoever did.
    mutating func consider(
        _ address: PeerAddress,
        peer: PeerID?,
        namedFrom scope: NetworkScope,
        by namer: DialBook.Namer,
        worth: Double = 0
    ) {
        guard peer != me, address.port > 0, address.port < 65_536, !settings.ownAddresses.contains(address) else {
            return
        }
        guard scope.mayName(NetworkScope(host: address.host)) else { return }
        if let peer, links.contains(where: { $0.peer.id == peer && $0.phase != .closing }) { return }
        dials.wish(for: address, peer: peer, isPermanent: false, namedBy: namer, worth: worth, at: now)
        // A link that is lost has everybody looked at again.
        if mayDialStrangers(links.count { $0.phase != .closing }) { agenda.note(.dials, at: now) }
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
        let others = links(of: stream).filter { $0 !== link }
        for other in some(others, most: Agent.newsListeners, turn: link.id.value) {
            guard let handle = other.handle(of: stream.swarm) else { continue }
            emitMessage(.peers(handle: handle, [news]), to: other)
        }
    }

    mutating func peerIntroduces(_ link: Link, _ handle: UInt32, _ hints: [PeerHint]) {
        guard link.theirSwarms[handle].map({ link.shared.contains($0) }) ?? false, link.hintsHeardFrom <= now else {
            return
        }
        let scope = NetworkScope(host: link.peer.address.host)
        if let swarm = link.theirSwarms[handle], let stream = stream(swarm: swarm) {
            for hint in hints.prefix(20) where stream.named.count < limits.knownPeers && hint.id != me {
                stream.named.insert(hint.id)
            }
        }
        for hint in hints.prefix(20) {
            let worth = worth(of: hint.id, claims: nil, in: nil)
            consider(hint.address, peer: hint.id, namedFrom: scope, by: .peer(link.peer.id), worth: worth)
        }
    }
}

/// Addresses to dial and how that went.
///
/// An entry's life: `wished → dialling → linked → wished` (lost), `dialling → wished` (failed, later), `→ forgotten`.
struct DialBook {
    /// Who named an address, if not the user.
    enum Namer: Equatable {
        case peer(PeerID)
        case tracker(TrackerID)
    }

    struct Entry {
        var address: PeerAddress
        var peer: PeerID?
        /// Named by the user: tried for ever.
        var isPermanent: Bool
        var namedBy: Namer?
        /// Nobody of ours was ever met there, and the user did not name it.
        var isStranger: Bool { !isPermanent && !wasMet }
        var wasMet = false
        /// How much a link to it promises; of two that are due the better one is dialled first.
        var worth = 0.0
        var retryAt: Instant
        /// Not dialled before, whatever happens: it broke the protocol, or has no place.
        var heldUntil = Instant.start
        var failures = 0
        var dialling: DialID?
        var isLinked = false
    }

    private(set) var begun: UInt64 = 0
    var entries: [Entry] = []

    /// Strangers are given up after this many failures in a row.
    static let patience = 5

    private(set) var pending = 0

    private var triedMetAt: Instant?
    static let pauseOfMet = Duration.seconds(10)

    mutating func wish(
        for address: PeerAddress,
        peer: PeerID? = nil,
        isPermanent: Bool = true,
        namedBy namer: Namer? = nil,
        worth: Double = 0,
        at now: Instant
    ) {
        if let known = entries.firstIndex(where: { $0.address == address }) {
            if entries[known].peer == nil { entries[known].peer = peer }
            entries[known].worth = worth
            return
        }
        entries.append(
            Entry(
                address: address,
                peer: peer,
                isPermanent: isPermanent,
                namedBy: namer,
                worth: worth,
                retryAt: now
            )
        )
    }

    /// Those of the user first, then the most promising; else in the order in which they were named.
    func due(at now: Instant, onlyPermanent: Bool) -> [Int] {
        entries.indices.filter {
            entries[$0].dialling == nil && !entries[$0].isLinked && entries[$0].retryAt <= now
                && (entries[$0].isPermanent || !onlyPermanent)
        }.sorted { left, right in
            let (one, other) = (entries[left], entries[right])
            if one.isPermanent != other.isPermanent { return one.isPermanent }
            return one.worth != other.worth ? one.worth > other.worth : left < right
        }
    }

    /// Somebody whom the user did not name could be dialled now.
    func hasStranger(at now: Instant) -> Bool {
        entries.contains { $0.dialling == nil && !$0.isLinked && !$0.isPermanent && $0.retryAt <= now }
    }

    func isPermanent(_ peer: PeerID) -> Bool { entries.contains { $0.isPermanent && $0.peer == peer } }

    /// When the next of those that are not due yet is.
    func nextDue(after now: Instant, onlyPermanent: Bool) -> Instant? {
        entries.filter {
            $0.dialling == nil && !$0.isLinked && $0.retryAt > now && ($0.isPermanent || !onlyPermanent)
        }.map { max($0.retryAt, now + .milliseconds(100)) }.min()
    }

    mutating func begin(_ place: Int) -> (DialID, PeerAddress, PeerID?) {
        begun += 1
        let id = DialID(begun)
        entries[place].dialling = id
        pending += 1
        return (id, entries[place].address, entries[place].peer)
    }

    /// - Returns: who named the address, and whether nobody had been met there before; nil: no such dial.
    mutating func connected(_ id: DialID, to peer: PeerID) -> (namer: Namer?, wasStranger: Bool)? {
        guard let place = entries.firstIndex(where: { $0.dialling == id }) else { return nil }
        let wasStranger = entries[place].isStranger
        entries[place].dialling = nil
        pending -= 1
        entries[place].isLinked = true
        entries[place].peer = peer
        entries[place].failures = 0
        entries[place].wasMet = true
        defer { entries[place].namedBy = nil }
        return (entries[place].namedBy, wasStranger)
    }

    /// A link from the other side: its address needs no dial.
    mutating func reached(_ peer: PeerID, at address: PeerAddress?) {
        for place in entries.indices {
            let entry = entries[place]
            // A port that somebody claims must not take the place of whom we expect there.
            guard entry.peer == peer || (entry.peer == nil && entry.address == address) else { continue }
            entries[place].isLinked = true
            entries[place].peer = peer
        }
    }

    /// - Returns: who named the address, if somebody did and nobody was ever met there.
    mutating func failed(_ id: DialID, at now: Instant, jitter: Duration) -> Namer? {
        guard let place = entries.firstIndex(where: { $0.dialling == id }) else { return nil }
        entries[place].dialling = nil
        pending -= 1
        entries[place].failures += 1
        let wait = Duration.milliseconds(min(60_000, 500 << min(7, entries[place].failures)))
        entries[place].retryAt = now + wait + jitter
        return entries[place].namedBy
    }

    mutating func forget(namedBy namer: PeerID) {
        entries.removeAll { $0.namedBy == .peer(namer) && !$0.isPermanent && !$0.isLinked && $0.dialling == nil }
    }

    mutating func lost(_ peer: PeerID, at now: Instant) {
        for place in entries.indices where entries[place].peer == peer {
            entries[place].isLinked = false
            entries[place].retryAt = max(entries[place].retryAt, now + .seconds(1))
        }
    }

    mutating func postpone(_ peer: PeerID, until: Instant) {
        for place in entries.indices where entries[place].peer == peer {
            entries[place].retryAt = until
            entries[place].heldUntil = until
        }
    }

    /// Makes all due who were met before and not put off since.
    mutating func tryMet(at now: Instant) {
        // A server that comes and goes must not make us knock at their doors all the time.
        guard triedMetAt.map({ now - $0 >= DialBook.pauseOfMet }) ?? true else { return }
        triedMetAt = now
        for place in entries.indices where entries[place].wasMet && entries[place].retryAt > now {
            entries[place].retryAt = max(now, entries[place].heldUntil)
            entries[place].failures = 0
        }
    }

    mutating func forget(at now: Instant, limit: Int) {
        // Who has no link at all may be cut off itself, and keeps those whom it met.
        let isAlone = !entries.contains { $0.isLinked }
        entries.removeAll { entry in
            !entry.isPermanent && !entry.isLinked && entry.dialling == nil && entry.failures >= DialBook.patience
                && !(isAlone && entry.wasMet)
        }
        guard entries.count > limit else { return }
        var surplus = entries.count - limit
        entries.removeAll { entry in
            guard surplus > 0, !entry.isPermanent, !entry.isLinked, entry.dialling == nil else { return false }
            surplus -= 1
            return true
        }
    }
}

// Links: greeting, what peers say, and their end.
extension Agent {
    /// A link that says nothing valid for this long is dead; pings go out at half of it.
    static let linkSilence = Duration.seconds(30)
    static let greetingTime = Duration.seconds(5)

    mutating func linkUp(_ id: LinkID, _ peer: LinkPeer, dial: DialID?) {
        if let dial {
            dialSucceeded(dial, to: peer.id)
            agenda.note(.dials, at: now)
        }
        let link = Link(
            id: id,
            peer: peer,
            isOutbound: dial != nil,
            isLocal: isLocal(peer.address.host),
            now: now
        )
        add(link)
        guard !isStopping else { return close(link, .stopping) }
        guard peer.id != me else { return close(link, .duplicateLink) }
        guard !bans.isBanned(peer.id, at: now) else { return close(link, .banned) }
        guard links.count <= limits.links, link.isOutbound || link.isLocal || acceptsMore else {
            return close(link, .tooManyLinks)
        }
        guard hasRoom(forHost: peer.address.host, isPermanent: dials.isPermanent(peer.id), besides: link) else {
            log(.info, "enough links with one address", [("address", peer.address.host)])
            return close(link, .tooManyLinks)
        }
        greet(link)
        agenda.note(.link(id), at: now + Agent.greetingTime)
    }

    /// Whether there is room for a stranger who dialled us.
    private var acceptsMore: Bool { links.count <= Agent.linksAcceptedForLive || !watchesLiveAlone }

    /// Whether one more link is allowed with who speaks from the same line as a host. Who is named by the settings, is in
    /// a local network or on this machine, where nobody else can pretend to be, has as many as there are.
    func hasRoom(forHost host: String, isPermanent: Bool, besides newcomer: Link? = nil) -> Bool {
        guard !isPermanent, !isLocal(host), NetworkScope(host: host) != .loopback else { return true }
        let line = NetworkPrefix.line(of: host)
        return links.count { $0.phase != .closing && $0.line == line && $0 !== newcomer } < limits.linksPerLine
    }

    private mutating func greet(_ link: Link) {
        let swarms = streams.filter { $0.isMember }.prefix(limits.swarmsPerLink).map { $0.swarm }
        for swarm in swarms {
            link.ourHandles.append((swarm, link.nextHandle))
            link.nextHandle += 1
        }
        let port = settings.ownAddresses.first?.port ?? 0
        let hello = Hello(
            listenPort: UInt16(clamping: port),
            uploads: settings.uploadBytesPerSecond != 0,
            swarms: Array(swarms)
        )
        emitMessage(.hello(hello), to: link)
    }

    func isLocal(_ host: String) -> Bool { settings.localNetworks.contains { $0.contains(host) } }

    /// Sends a message that carries no payload.
    mutating func emitMessage(_ message: Message, to link: Link) {
        guard link.phase != .closing else { return }
        emit(.send(link.id, message, payload: nil))
    }

    mutating func linkSays(_ id: LinkID, _ message: Message, _ payload: (any Payload)?) {
        guard let link = link(id), link.phase != .closing else { return }
        link.lastHeard = now
        guard link.announcements.take(message.cost, at: now) else {
            log(.notice, "a peer announces too much", [("peer", link.peer.id.description)])
            dials.postpone(link.peer.id, until: now + .seconds(300))
            return close(link, .protocolError)
        }
        if link.phase == .greeting {
            guard case .hello(let hello) = message else { return close(link, .protocolError) }
            return greeted(link, hello)
        }
        switch message {
        case .hello: close(link, .protocolError)
        case .join(let handle, let swarm): peerJoined(link, handle, swarm)
        case .leave(let handle): peerLeft(link, handle)
        case .interest(let interest): peerInterest(link, interest)
        case .have(let have): peerHas(link, have)
        case .partial(let partial): peerHasPart(link, partial)
        case .request(let request): peerRequests(link, request)
        case .digests(let vouch): peerVouches(link, vouch)
        case .root(let root): peerVouchesRoot(link, root)
        case .data(let request, let firstChunk):
            guard let payload else { return close(link, .protocolError) }
            peerSends(link, request, Int(firstChunk), payload)
        case .cancel(let request, let fromChunk): peerCancels(link, request, Int(fromChunk))
        case .absent(let request, let reason): peerRefuses(link, request, reason)
        case .peers(let handle, let hints): peerIntroduces(link, handle, hints)
        case .ping(let nonce): emitMessage(.pong(nonce), to: link)
        case .pong(let nonce): pong(link, nonce)
        case .goodbye(let reason): saidGoodbye(link, reason)
        case .refutation(let refutation): peerRefutes(link, refutation)
        }
    }

    private mutating func pong(_ link: Link, _ nonce: UInt64) {
        if confirms(link, nonce) { return }
        guard let ping = link.ping, ping.nonce == nonce else { return }
        link.ping = nil
        link.leastPing = min(link.leastPing ?? .forever, now - ping.sentAt)
        link.estimate.note(roundTrip: now - ping.sentAt, at: now)
    }

    private mutating func greeted(_ link: Link, _ hello: Hello) {
        guard hello.minimumVersion <= 1, hello.maximumVersion >= 1 else { return close(link, .protocolError) }
        link.hello = hello
        link.phase = .up
        guard keepsAfterDuplicates(link) else { return }
        dials.reached(link.peer.id, at: link.dialAddress)
        if !link.isOutbound, !link.isLocal { lastDialled = now }
        for (index, swarm) in hello.swarms.prefix(limits.swarmsPerLink).enumerated() {
            link.theirSwarms[UInt32(index)] = swarm
        }
        log(.debug, "link up", [("peer", link.peer.id.description), ("address", link.peer.address.description)])
        for stream in streams where stream.isMember && hello.swarms.contains(stream.swarm) { meet(link, in: stream) }
        // How long the way there and back takes, before anything else is on it.
        if settings.uploadBytesPerSecond != 0, !link.isLocal { sendPing(link) }
        agenda.note(.link(link.id), at: now + Agent.linkSilence / 2)
    }

    /// Of two links between the same pair the one that the lower id dialled stays. Of two that the same side dialled
    /// that side chooses, because the two ends may have greeted in different order. False when this one goes.
    private mutating func keepsAfterDuplicates(_ link: Link) -> Bool {
        for old in links where replaces(link, old) { close(old, .duplicateLink) }
        let others = links.filter { $0 !== link && $0.peer.id == link.peer.id && $0.isUp }
        guard let other = others.first else { return true }
        if link.isOutbound == other.isOutbound, !link.isOutbound, others.count < 2 {
            // If it is there at all it answers before one of the two is closed.
            sendPing(other)
            return true
        }
        let lowerDials = me < link.peer.id
        let loser = link.isOutbound == lowerDials ? (other.isOutbound == lowerDials ? link : other) : link
        close(loser, .duplicateLink)
        return loser !== link
    }

    /// Whoever dials although it has had a link for a while does not know of it any more: it began anew, or its line was
    /// away. From another address that may be a copy of its key: then only if the old link has fallen silent.
    ///
    /// Both ends see about the same age, and decide alike.
    private func replaces(_ link: Link, _ old: Link) -> Bool {
        guard old !== link, old.isUp, old.peer.id == link.peer.id, link.since - old.since >= Agent.linkMemory else {
            return false
        }
        return old.line == link.line || now - old.lastHeard >= Agent.promiseTime
    }

    /// Two that dial each other at the same time are done by then.
    static let linkMemory = Duration.seconds(5)

    private mutating func saidGoodbye(_ link: Link, _ reason: GoodbyeReason) {
        if reason == .banned || reason == .nothingInCommon || reason == .tooManyLinks {
            dials.postpone(link.peer.id, until: now + .seconds(60))
        }
        link.phase = .closing
        emit(.closeLink(link.id, reason: "the peer said goodbye"))
        forgetTransfers(of: link)
    }

    mutating func linkGarbage(_ id: LinkID, _ error: CodecError) {
        guard let link = link(id), link.phase != .closing else { return }
        log(.notice, "a peer broke the protocol", [("peer", link.peer.id.description), ("how", "\(error)")])
        dials.postpone(link.peer.id, until: now + .seconds(300))
        close(link, .protocolError)
    }

    mutating func linkDown(_ id: LinkID, _ end: LinkEnd) {
        guard let link = link(id) else { return }
        remove(link)
        remember(link)
        if link.phase != .closing {
            link.phase = .closing
            forgetTransfers(of: link)
        }
        log(.debug, "link down", [("peer", link.peer.id.description), ("why", "\(end)")])
        dials.lost(link.peer.id, at: now)
        agenda.note(.dials, at: now + .milliseconds(500))
        for stream in streams { replan(stream) }
    }

    /// Says goodbye and closes; the link is treated as gone from here on.
    mutating func close(_ link: Link, _ reason: GoodbyeReason) {
        guard link.phase != .closing else { return }
        emitMessage(.goodbye(reason), to: link)
        link.phase = .closing
        emit(.closeLink(link.id, reason: "\(reason)"))
        forgetTransfers(of: link)
        for stream in streams { replan(stream) }
    }

    private mutating func forgetTransfers(of link: Link) {
        membershipChanged()
        for request in link.runs.keys.sorted() {
            guard let entry = link.runs[request] else { continue }
            entry.segment.runs.removeAll { $0 === entry.run }
            entry.segment.unclaim(entry.run)
        }
        link.runs = [:]
        link.queries = [:]
        link.outstandingChunks = 0
        link.uploads = []
        link.holdings = []
        for stream in streams {
            for segment in stream.racing { segment.queried[link.id] = nil }
        }
    }

    /// Takes a run from a link: what it has not delivered is missing again.
    func removeRun(_ request: UInt32, from link: Link) {
        guard let entry = link.runs.removeValue(forKey: request) else { return }
        link.late.append((request, entry.segment))
        if link.late.count > 32 { link.late.removeFirst() }
        let rest = !entry.run.isCounted ? 0 : (entry.run.end ?? entry.run.next) - entry.run.next
        link.outstandingChunks = max(0, link.outstandingChunks - max(0, rest))
        entry.segment.runs.removeAll { $0 === entry.run }
        entry.segment.unclaim(entry.run)
    }

    mutating func checkLink(_ id: LinkID) {
        guard let link = link(id), link.phase != .closing else { return }
        let silent = now - link.lastHeard
        if link.phase == .greeting {
            if now - link.since >= Agent.greetingTime { close(link, .protocolError) }
            return
        }
        if silent >= Agent.linkSilence {
            close(link, .protocolError)
            return
        }
        // Whoever asks and never reads would keep segments in the cache for itself.
        if link.sentNotDrained > 0, now - link.lastDrained >= Agent.linkSilence / 2 {
            dials.postpone(link.peer.id, until: now + .seconds(60))
            return close(link, .protocolError)
        }
        if !link.isOutbound, let first = links.first(where: { $0.peer.id == link.peer.id && $0.isUp }), first !== link {
            // The other end of the first may be gone without a word.
            guard first.lastHeard < link.since else { return close(link, .duplicateLink) }
            close(first, .duplicateLink)
        }
        if silent >= Agent.linkSilence / 2 { sendPing(link) }
        agenda.note(.link(id), at: now + Agent.linkSilence / 3)
    }

    mutating func sendPing(_ link: Link) {
        let nonce = nonces.next()
        link.ping = (nonce, now)
        emitMessage(.ping(nonce), to: link)
    }

    // MARK: Bans

    /// Only for bytes that contradict the peer's own word, never for slowness.
    mutating func ban(_ peer: PeerID, why: String) {
        if !bans.isBanned(peer, at: now) { totals.banned_peers += 1 }
        bans.ban(peer, at: now, limit: limits.bannedPeers)
        log(.warning, "banned a peer", [("peer", peer.description), ("why", why)])
        for link in links where link.peer.id == peer { close(link, .banned) }
    }

    // MARK: Stopping

    mutating func stop() {
        guard !isStopping else { return }
        isStopping = true
        for stream in streams { leaveTrackers(stream) }
        for link in links { close(link, .stopping) }
        for answer in answers.values.sorted(by: { $0.request.id < $1.request.id }) {
            end(answer, status: 503, text: "weir is stopping\n")
        }
        for fetch in fetches.values.sorted(by: { $0.id < $1.id }) { cancel(fetch) }
        emit(.stopped)
    }
}

/// Who is not to be linked to, and until when.
struct BanList {
    /// A first offence counts for an hour; each further one doubles it, up to a day.
    private var entries: [PeerID: (until: Instant, offences: Int)] = [:]

    mutating func ban(_ peer: PeerID, at now: Instant, limit: Int) {
        let offences = (entries[peer]?.offences ?? 0) + 1
        entries[peer] = (now + .seconds(min(86_400, 3_600 << min(5, offences - 1))), offences)
        guard entries.count > limit else { return }
        let oldest = entries.min { ($0.value.until, $0.key) < ($1.value.until, $1.key) }
        if let oldest { entries[oldest.key] = nil }
    }

    func isBanned(_ peer: PeerID, at now: Instant) -> Bool { entries[peer].map { $0.until > now } ?? false }
}

extension Message {
    /// What handling it takes, in eighths of a simple announcement. What is bounded elsewhere costs nothing here.
    var cost: Int {
        switch self {
        case .have(let have): 8 + have.ranges.count
        case .partial(let partial): 8 + partial.runs.count / 4
        case .interest, .leave, .ping: 8
        // We answer with all that we hold, and tell others.
        case .join: 128
        case .peers: 64
        // A signature is checked, and maybe a chunk.
        case .refutation: 128
        case .hello, .request, .digests, .root, .data, .cancel, .absent, .pong, .goodbye: 0
        }
    }
}

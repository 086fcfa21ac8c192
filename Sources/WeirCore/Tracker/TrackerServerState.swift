/// A tracker's whole mind: who is in which swarm, whom to introduce, where offers and answers go, and in which mode each
/// channel is delivered. It owns no socket and reads no clock; a program and a simulation run the same one.
///
/// A member of a swarm: absent → present (announce) → absent (`stopped`, its socket closed, or two intervals without
/// an announce).
package struct TrackerServerState<Description: Sendable>: ~Copyable {
    package typealias Answer = TrackerAnswer<Description>

    package let settings: TrackerServerSettings
    private let modeRule: ModeRule?
    private var swarms: [SwarmID: TrackerSwarm] = [:]
    private var clients: [TrackerSocket: TrackerClient] = [:]
    var random: RandomSource
    private var load: SearchLoad
    private var nextSweep: Instant?
    private var outputs: [(TrackerSocket, Answer)] = []
    private var sent = 0
    package internal(set) var statistics = TrackerServerStatistics()

    package init(settings: TrackerServerSettings = TrackerServerSettings(), seed: UInt64) {
        self.settings = settings
        modeRule = settings.maximumStreams.map {
            ModeRule(maximumStreams: $0, dynamicStreamingRate: settings.dynamicStreamingRate)
        }
        random = RandomSource(seed: seed)
        load = SearchLoad(limit: settings.fullSearchRate)
    }

    /// The next thing to say, in order; nil when there is nothing left.
    package mutating func nextOutput() -> (TrackerSocket, Answer)? {
        guard sent < outputs.count else {
            outputs.removeAll(keepingCapacity: true)
            sent = 0
            return nil
        }
        defer { sent += 1 }
        return outputs[sent]
    }

    /// When to call `expire`, if at all.
    package var nextDeadline: Instant? { nextSweep }

    package mutating func opened(_ socket: TrackerSocket, host: String) {
        clients[socket] = TrackerClient(socket: socket, host: host)
        statistics.sockets = clients.count
    }

    package mutating func closed(_ socket: TrackerSocket) {
        guard let client = clients.removeValue(forKey: socket) else { return }
        for (swarm, place) in client.memberships { remove(place, from: swarm) }
        statistics.sockets = clients.count
    }

    package mutating func handle(_ call: TrackerCall<Description>, from socket: TrackerSocket, at now: Instant) {
        guard let client = clients[socket] else { return }
        switch call {
        case .announce(let announcement): announce(announcement, from: client, at: now)
        case .answer(let swarm, let name, let peer, let offer, let description):
            guard let index = client.index(in: swarm) else { return refuseAnswer(swarm, client) }
            let membership = client.memberships[index]
            guard membership.swarm.members[Int(membership.place)].name == name else {
                return refuseAnswer(swarm, client)
            }
            // A peer that has left meanwhile is nobody's fault.
            guard let place = membership.swarm.place(of: peer),
                let other = membership.swarm.members[Int(place)].client
            else { return }
            statistics.answers += 1
            say(.answer(swarm: swarm, from: name, offer: offer, description), to: other.socket)
        case .scrape(let wanted):
            let counts = wanted.prefix(settings.swarmsPerSocket).map { swarm in
                (swarm, swarms[swarm]?.complete ?? 0, swarms[swarm]?.incomplete ?? 0)
            }
            say(.scrape(counts), to: socket)
        }
    }

    private mutating func refuseAnswer(_ swarm: SwarmID, _ client: TrackerClient) {
        say(.failure(swarm, reason: "announce before you answer"), to: client.socket)
    }

    private mutating func announce(
        _ announcement: TrackerAnnouncement<Description>,
        from client: TrackerClient,
        at now: Instant
    ) {
        statistics.announces += 1
        load.note(at: now)
        showLoad()
        if announcement.event == .stopped { return stop(announcement, client, at: now) }
        let entered: (swarm: TrackerSwarm, place: Int32)
        do throws(Refusal) {
            entered = try enter(announcement, from: client, at: now)
        } catch {
            return say(.failure(announcement.swarm, reason: error.reason), to: client.socket)
        }
        let (swarm, place) = entered
        update(swarm, place, announcement, at: now)
        let interval = nextInterval()
        swarm.setDue(place, now + .seconds(2 * interval))
        say(
            .swarm(
                swarm.id,
                interval: interval,
                complete: swarm.complete,
                incomplete: swarm.incomplete,
                mode: announcement.claims == nil ? nil : mode(of: swarm, at: now)
            ),
            to: client.socket
        )
        introduce(place, in: swarm, announcement, at: now)
    }

    private mutating func stop(
        _ announcement: TrackerAnnouncement<Description>,
        _ client: TrackerClient,
        at now: Instant
    ) {
        guard let index = client.index(in: announcement.swarm) else { return }
        let (swarm, place) = client.memberships[index]
        guard swarm.members[Int(place)].name == announcement.peer else { return }
        client.memberships.remove(at: index)
        remove(place, from: swarm)
        if !swarm.isEmpty { _ = mode(of: swarm, at: now) }
    }

    private mutating func update(
        _ swarm: TrackerSwarm,
        _ place: Int32,
        _ announcement: TrackerAnnouncement<Description>,
        at now: Instant
    ) {
        let before = swarm.viewers
        swarm.update(
            place,
            isComplete: announcement.isComplete || announcement.event == .completed,
            claims: announcement.claims,
            holdings: announcement.holdings,
            at: now
        )
        statistics.viewers += swarm.viewers - before
        let network = swarm.members[Int(place)].client?.networkKey ?? 0
        for receipt in announcement.receipts.prefix(ClaimLimits.receipts) {
            // Whoever shares a network with a peer may be that peer.
            guard let sender = swarm.place(of: receipt.sender), sender != place,
                swarm.members[Int(sender)].client?.networkKey != network
            else { continue }
            swarm.report(sender, good: receipt.good, bad: receipt.bad, by: network, at: now)
        }
    }

    /// Relays the announce's offers, one to each of those that suit it best.
    private mutating func introduce(
        _ place: Int32,
        in swarm: TrackerSwarm,
        _ announcement: TrackerAnnouncement<Description>,
        at now: Instant
    ) {
        let room = min(announcement.offers.count, announcement.wanted, settings.offersPerAnnounce)
        let (chosen, looks) =
            load.isReserve
            ? swarm.searchReserve(for: place, upTo: room)
            : swarm.searchFully(for: place, upTo: room, at: now, using: &random)
        statistics.looks += Int64(looks)
        if load.isReserve { statistics.reserveSearches += 1 }
        swarm.reserve.take(swarm.members[Int(place)].prefix, swarm.reference(place))
        // By index: pairs of a generic type would be put together from metadata, each anew, a third of the whole search.
        for index in 0..<min(chosen.count, announcement.offers.count) {
            let other = chosen[index]
            guard let client = swarm.client(other) else { continue }
            let offer = announcement.offers[index]
            statistics.offers += 1
            swarm.countIntroduction(other)
            say(
                .offer(
                    swarm: swarm.id,
                    from: announcement.peer,
                    offer: offer.id,
                    offer.description,
                    claims: announcement.claims
                ),
                to: client.socket
            )
        }
    }

    // MARK: Members

    private struct Refusal: Error {
        var reason: String
    }

    /// Finds or adds a member.
    private mutating func enter(
        _ announcement: TrackerAnnouncement<Description>,
        from client: TrackerClient,
        at now: Instant
    ) throws(Refusal) -> (swarm: TrackerSwarm, place: Int32) {
        let name = announcement.peer
        if let index = client.index(in: announcement.swarm) {
            let (swarm, place) = client.memberships[index]
            if swarm.members[Int(place)].name == name { return (swarm, place) }
            if swarm.place(of: name) == nil {
                // A new name on an old connection.
                client.memberships.remove(at: index)
                remove(place, from: swarm)
            }
        }
        if let swarm = swarms[announcement.swarm], let place = swarm.place(of: name) {
            return try takeOver(place, in: swarm, by: client, at: now)
        }
        guard client.memberships.count < settings.swarmsPerSocket else {
            throw Refusal(reason: "too many swarms on one connection")
        }
        let known = swarms[announcement.swarm]
        guard statistics.peers < settings.peers, known != nil || swarms.count < settings.swarms else {
            throw Refusal(reason: "the tracker is full")
        }
        let swarm = known ?? TrackerSwarm(id: announcement.swarm)
        if known == nil { swarms[swarm.id] = swarm }
        let place = swarm.add(name, client: client, at: now)
        client.memberships.append((swarm, place))
        statistics.peers += 1
        statistics.swarms = swarms.count
        nextSweep = nextSweep ?? now + settings.interval
        return (swarm, place)
    }

    /// Names are no secrets: somebody else gets one only when its owner has missed an announce.
    private mutating func takeOver(
        _ place: Int32,
        in swarm: TrackerSwarm,
        by client: TrackerClient,
        at now: Instant
    ) throws(Refusal) -> (swarm: TrackerSwarm, place: Int32) {
        let member = swarm.members[Int(place)]
        let isSameHost = member.client?.hostKey == client.hostKey
        let announced = swarm.announced(place)
        let missed = announced + (member.due - announced) * 0.5
        guard isSameHost || now > missed else { throw Refusal(reason: "this peer_id is in use") }
        let index = client.index(in: swarm.id)
        guard index != nil || client.memberships.count < settings.swarmsPerSocket else {
            throw Refusal(reason: "too many swarms on one connection")
        }
        if let owner = member.client, let old = owner.memberships.firstIndex(where: { $0.swarm === swarm }) {
            owner.memberships.remove(at: old)
        }
        if let index {
            let earlier = client.memberships.remove(at: index).place
            remove(earlier, from: swarm)
        }
        swarm.move(place, to: client)
        client.memberships.append((swarm, place))
        return (swarm, place)
    }

    private mutating func remove(_ place: Int32, from swarm: TrackerSwarm) {
        let before = swarm.viewers
        swarm.remove(place)
        statistics.viewers += swarm.viewers - before
        statistics.peers -= 1
        if swarm.isEmpty { swarms[swarm.id] = nil }
        statistics.swarms = swarms.count
    }

    /// Forgets whom nobody has heard of for two intervals. Nothing happens before `nextDeadline`.
    package mutating func expire(at now: Instant) {
        guard let due = nextSweep, due <= now else { return }
        load.advance(to: now)
        showLoad()
        for id in swarms.keys.sorted() {
            guard let swarm = swarms[id] else { continue }
            for place in swarm.present where swarm.members[Int(place)].due < now {
                if let client = swarm.members[Int(place)].client, let index = client.index(in: id) {
                    client.memberships.remove(at: index)
                }
                remove(place, from: swarm)
            }
            guard !swarm.isEmpty else { continue }
            swarm.tidy()
            _ = mode(of: swarm, at: now)
        }
        nextSweep = swarms.isEmpty ? nil : now + settings.interval
    }

    // MARK: Load and mode

    private mutating func showLoad() {
        statistics.isReserve = load.isReserve
        statistics.announcesPerSecond = load.rate
    }

    /// Seconds. Twice as long under load, and never the same for all.
    private mutating func nextInterval() -> Int {
        let usual = Double(max(1, settings.intervalSeconds)) * (load.isReserve ? 2 : 1)
        let jitter = settings.intervalJitter * (2 * random.fraction() - 1)
        return max(1, Int((usual * (1 + jitter)).rounded()))
    }

    private mutating func mode(of swarm: TrackerSwarm, at now: Instant) -> ChannelMode? {
        guard let modeRule else { return nil }
        modeRule.decide(&swarm.mode, viewers: swarm.viewers, at: now)
        return ChannelMode(swarm.mode.mode, viewers: swarm.viewers, reason: swarm.mode.reason)
    }

    /// The channels with the most viewers.
    package func channels(limit: Int, at now: Instant) -> [ChannelReport] {
        let largest = swarms.values.sorted { ($1.viewers, $0.id) < ($0.viewers, $1.id) }.prefix(limit)
        return largest.map { swarm in
            ChannelReport(
                channel: String(swarm.id.description.prefix(8)),
                members: swarm.count,
                viewers: swarm.viewers,
                mode: modeRule == nil ? nil : swarm.mode.mode,
                reason: swarm.mode.reason,
                since: swarm.mode.switched.map { now - $0 } ?? .zero
            )
        }
    }

    private mutating func say(_ answer: Answer, to socket: TrackerSocket) {
        outputs.append((socket, answer))
    }
}

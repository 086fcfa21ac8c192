/// A tracker's whole mind: who is in which swarm, and which offers and answers go where. It owns no socket and reads no
/// clock; a program and a simulation run the same one.
///
/// A member of a swarm: absent → present (announce) → absent (`stopped`, its socket closed, or two intervals without
/// an announce).
package struct TrackerServerState<Description: Sendable>: Sendable {
    package typealias Answer = TrackerAnswer<Description>

    private struct Socket {
        /// Where it comes from: the same host may take over its own names after a reconnection.
        var host: String
        var names: [SwarmID: TrackerPeerID] = [:]
    }

    package let settings: TrackerServerSettings
    private var swarms: [SwarmID: TrackerSwarm] = [:]
    private var sockets: [TrackerSocket: Socket] = [:]
    private var random: TrackerRandom
    private var nextSweep: Instant?
    private var outputs: [(TrackerSocket, Answer)] = []
    private var sent = 0
    package private(set) var statistics = TrackerServerStatistics()

    package init(settings: TrackerServerSettings = TrackerServerSettings(), seed: UInt64) {
        self.settings = settings
        random = TrackerRandom(seed: seed)
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
        sockets[socket] = Socket(host: host)
        statistics.sockets = sockets.count
    }

    package mutating func closed(_ socket: TrackerSocket) {
        guard let names = sockets.removeValue(forKey: socket)?.names else { return }
        for (swarm, name) in names { remove(name, from: swarm) }
        statistics.sockets = sockets.count
    }

    package mutating func handle(_ call: TrackerCall<Description>, from socket: TrackerSocket, at now: Instant) {
        guard sockets[socket] != nil else { return }
        switch call {
        case .announce(let announcement): announce(announcement, from: socket, at: now)
        case .answer(let swarm, let name, let peer, let offer, let description):
            guard sockets[socket]?.names[swarm] == name else {
                return say(.failure(swarm, reason: "announce before you answer"), to: socket)
            }
            // A peer that has left meanwhile is nobody's fault.
            guard let member = swarms[swarm]?[peer] else { return }
            statistics.answers += 1
            say(.answer(swarm: swarm, from: name, offer: offer, description), to: member.socket)
        case .scrape(let wanted):
            let counts = wanted.prefix(settings.swarmsPerSocket).map { swarm in
                (swarm, swarms[swarm]?.complete ?? 0, swarms[swarm]?.incomplete ?? 0)
            }
            say(.scrape(counts), to: socket)
        }
    }

    private mutating func announce(
        _ announcement: TrackerAnnouncement<Description>,
        from socket: TrackerSocket,
        at now: Instant
    ) {
        statistics.announces += 1
        let swarm = announcement.swarm
        if announcement.event == .stopped {
            guard sockets[socket]?.names[swarm] == announcement.peer else { return }
            sockets[socket]?.names[swarm] = nil
            remove(announcement.peer, from: swarm)
            return
        }
        if let refusal = enter(announcement, from: socket, at: now) {
            return say(.failure(swarm, reason: refusal), to: socket)
        }
        guard let members = swarms[swarm] else { return }
        say(
            .swarm(
                swarm,
                interval: settings.intervalSeconds,
                complete: members.complete,
                incomplete: members.incomplete
            ),
            to: socket
        )
        let room = min(announcement.offers.count, announcement.wanted, settings.offersPerAnnounce)
        let chosen = members.others(than: announcement.peer, upTo: room, random: &random)
        for (member, offer) in zip(chosen, announcement.offers) {
            statistics.offers += 1
            say(
                .offer(swarm: swarm, from: announcement.peer, offer: offer.id, offer.description),
                to: member.socket
            )
        }
    }

    /// Adds or refreshes a member.
    ///
    /// - Returns: why not, when it may not.
    private mutating func enter(
        _ announcement: TrackerAnnouncement<Description>,
        from socket: TrackerSocket,
        at now: Instant
    ) -> String? {
        let swarm = announcement.swarm
        let name = announcement.peer
        let known = swarms[swarm]?[name]
        if let known, known.socket != socket {
            // Names are no secrets: somebody else gets one only when its owner has missed an announce.
            let isSameHost = sockets[known.socket]?.host == sockets[socket]?.host
            guard isSameHost || now - known.announced > settings.interval else { return "this peer_id is in use" }
            sockets[known.socket]?.names[swarm] = nil
        }
        if let earlier = sockets[socket]?.names[swarm], earlier != name { remove(earlier, from: swarm) }
        if known == nil {
            let isNewToSocket = sockets[socket]?.names[swarm] == nil
            if isNewToSocket, (sockets[socket]?.names.count ?? 0) >= settings.swarmsPerSocket {
                return "too many swarms on one connection"
            }
            guard statistics.peers < settings.peers, swarms[swarm] != nil || swarms.count < settings.swarms else {
                return "the tracker is full"
            }
        }
        let isComplete = announcement.isComplete || announcement.event == .completed
        let member = TrackerSwarm.Member(name: name, socket: socket, announced: now, isComplete: isComplete)
        if swarms[swarm, default: TrackerSwarm()].update(member) { statistics.peers += 1 }
        statistics.swarms = swarms.count
        sockets[socket]?.names[swarm] = name
        nextSweep = nextSweep ?? now + settings.interval
        return nil
    }

    /// Forgets whom nobody has heard of for two intervals. Nothing happens before `nextDeadline`.
    package mutating func expire(at now: Instant) {
        guard let due = nextSweep, due <= now else { return }
        for swarm in swarms.keys.sorted() {
            guard let members = swarms[swarm] else { continue }
            for member in members.members where now - member.announced > settings.interval * 2 {
                sockets[member.socket]?.names[swarm] = nil
                remove(member.name, from: swarm)
            }
        }
        nextSweep = swarms.isEmpty ? nil : now + settings.interval
    }

    private mutating func remove(_ name: TrackerPeerID, from swarm: SwarmID) {
        if swarms[swarm]?.remove(name) == true { statistics.peers -= 1 }
        if swarms[swarm]?.members.isEmpty == true { swarms[swarm] = nil }
        statistics.swarms = swarms.count
    }

    private mutating func say(_ answer: Answer, to socket: TrackerSocket) {
        outputs.append((socket, answer))
    }
}

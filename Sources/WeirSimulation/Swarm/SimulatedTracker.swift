package import WeirCore

/// Trackers that the agents of a scenario are told of: the very core that `weir tracker` runs, reached by messages that
/// take their time.
package struct TrackerModel: Sendable {
    package struct Outage: Sendable {
        package var tracker: Int
        package var from: Instant
        package var until: Instant

        package init(tracker: Int = 0, from: Instant, until: Instant) {
            self.tracker = tracker
            self.from = from
            self.until = until
        }
    }

    package var settings = TrackerServerSettings()
    package var count = 1
    /// Nil: every agent knows every tracker. Otherwise only the first few do, and the rest one each, in turn.
    package var bridges: Int?
    package var roundTrip = Duration.milliseconds(60)
    /// Added to every answer.
    package var answerDelay = Duration.zero
    /// The process is gone with all that it knew, and comes back empty.
    package var outages: [Outage] = []
    /// What becomes of each answer, by the agent that it is for: trackers that lie. Nil: it is passed on.
    package var twist: (@Sendable (TrackerReply, _ agent: Int) -> [TrackerReply])?

    package init() {}
}

/// One tracker on the virtual clock.
final class SimulatedTracker {
    let model: TrackerModel
    private let addresses: AgentAddresses
    private let seed: UInt64
    private var state: TrackerServerState<Endpoints>
    private var lives: UInt64 = 0
    private(set) var isAway = false
    /// Whose each connection is, and the tracker's place in that agent's list.
    private(set) var clients: [TrackerSocket: (agent: Int, id: TrackerID)] = [:]
    private var lastSocket: UInt64 = 0
    var calls = Ring<(TrackerSocket, TrackerRequest)>()
    var replies = Ring<(TrackerSocket, TrackerReply)>()
    /// The time for which a sweep is in the queue.
    var sweepAt = Instant.never
    /// Of earlier lives too.
    private var earlier = TrackerServerStatistics()

    init(model: TrackerModel, addresses: AgentAddresses, seed: UInt64) {
        self.model = model
        self.addresses = addresses
        self.seed = seed
        state = TrackerServerState(settings: model.settings, seed: seed)
    }

    var nextDeadline: Instant? { state.nextDeadline }

    var statistics: TrackerServerStatistics {
        var all = state.statistics
        all.announces += earlier.announces
        all.offers += earlier.offers
        all.answers += earlier.answers
        all.looks += earlier.looks
        all.reserveSearches += earlier.reserveSearches
        return all
    }

    func channels(at now: Instant) -> [ChannelReport] { state.channels(limit: 100, at: now) }

    func accept(_ agent: Int, _ id: TrackerID) -> TrackerSocket {
        lastSocket += 1
        let socket = TrackerSocket(lastSocket)
        clients[socket] = (agent, id)
        state.opened(socket, host: addresses.address(of: agent).host)
        return socket
    }

    func close(_ socket: TrackerSocket) {
        guard clients.removeValue(forKey: socket) != nil else { return }
        state.closed(socket)
    }

    func handle(_ request: TrackerRequest, from socket: TrackerSocket, at now: Instant) {
        state.handle(TrackerCall(request), from: socket, at: now)
    }

    func nextReply() -> (TrackerSocket, TrackerReply)? {
        while let (socket, answer) = state.nextOutput() {
            if let reply = answer.reply, clients[socket] != nil { return (socket, reply) }
        }
        return nil
    }

    func expire(at now: Instant) { state.expire(at: now) }

    /// - Returns: who has lost its connection, in order.
    func goAway() -> [(agent: Int, id: TrackerID)] {
        isAway = true
        earlier = statistics
        lives += 1
        state = TrackerServerState(settings: model.settings, seed: seed &+ lives)
        sweepAt = .never
        let lost = clients.sorted { $0.key < $1.key }.map(\.value)
        clients = [:]
        return lost
    }

    func comeBack() { isAway = false }
}

extension Simulation {
    /// The baselines keep their own introductions.
    var usesTrackers: Bool { scenario.tracker != nil && scenario.policy == .weir }

    func addTrackers() {
        guard usesTrackers, let model = scenario.tracker else { return }
        for number in 0..<max(1, model.count) {
            let seed = mixed(scenario.seed, 0x7472_6163, UInt64(number))
            trackers.append(SimulatedTracker(model: model, addresses: scenario.addresses, seed: seed))
        }
        for outage in model.outages where trackers.indices.contains(outage.tracker) {
            queue.schedule(Event(.trackerOutage, outage.tracker, detail: 1), at: outage.from)
            queue.schedule(Event(.trackerOutage, outage.tracker, detail: 0), at: outage.until)
        }
    }

    /// How many trackers an agent knows.
    func trackerCount(of agent: Int) -> Int {
        guard usesTrackers, let model = scenario.tracker else { return 0 }
        return model.bridges.map { agent < $0 } ?? true ? trackers.count : 1
    }

    private func tracker(_ id: TrackerID, of agent: Int) -> SimulatedTracker {
        trackers[trackerCount(of: agent) == trackers.count ? id.value : agent % trackers.count]
    }

    /// One round trip for TCP and one for the upgrade.
    func openTracker(_ id: TrackerID, for agent: SimulatedAgent) {
        guard usesTrackers, let model = scenario.tracker else {
            queue.schedule(Event(.trackerDown, agent.number, detail: Int64(id.value)), at: queue.now)
            return
        }
        queue.schedule(Event(.trackerOpened, agent.number, detail: Int64(id.value)), after: model.roundTrip * 2)
    }

    func trackerOpened(_ agent: SimulatedAgent, _ id: TrackerID) {
        guard agent.state == .running else { return }
        let tracker = tracker(id, of: agent.number)
        guard !tracker.isAway else { return feed(agent, .trackerDown(id, reason: "connection refused")) }
        agent.trackerSockets[id] = tracker.accept(agent.number, id)
        feed(agent, .trackerUp(id))
    }

    func announce(_ id: TrackerID, _ request: TrackerRequest, of agent: SimulatedAgent) {
        guard let socket = agent.trackerSockets[id], let model = scenario.tracker else { return }
        let tracker = tracker(id, of: agent.number)
        guard let place = trackers.firstIndex(where: { $0 === tracker }) else { return }
        tracker.calls.append((socket, request))
        queue.schedule(Event(.trackerCall, place), after: model.roundTrip / 2)
    }

    func closeTracker(_ id: TrackerID, of agent: SimulatedAgent) {
        guard let socket = agent.trackerSockets.removeValue(forKey: id) else { return }
        tracker(id, of: agent.number).close(socket)
    }

    /// The agent's process has ended: the kernel closes its connections.
    func closeTrackers(of agent: SimulatedAgent) {
        for id in agent.trackerSockets.keys.sorted() { closeTracker(id, of: agent) }
    }

    func trackerCalled(_ place: Int) {
        let tracker = trackers[place]
        guard let (socket, request) = tracker.calls.popFirst(), tracker.clients[socket] != nil else { return }
        tracker.handle(request, from: socket, at: queue.now)
        while let (to, reply) = tracker.nextReply() {
            let agent = tracker.clients[to]?.agent ?? 0
            for reply in tracker.model.twist.map({ $0(reply, agent) }) ?? [reply] {
                tracker.replies.append((to, reply))
                queue.schedule(
                    Event(.trackerReply, place),
                    after: tracker.model.roundTrip / 2 + tracker.model.answerDelay
                )
            }
        }
        if let due = tracker.nextDeadline, due < tracker.sweepAt {
            tracker.sweepAt = due
            queue.schedule(Event(.trackerSweep, place), at: due)
        }
    }

    func trackerReplied(_ place: Int) {
        let tracker = trackers[place]
        guard let (socket, reply) = tracker.replies.popFirst(), let (agent, id) = tracker.clients[socket] else {
            return
        }
        feed(agents[agent], .trackerReply(id, reply))
    }

    func sweepTracker(_ place: Int) {
        let tracker = trackers[place]
        guard tracker.sweepAt <= queue.now else { return }
        tracker.expire(at: queue.now)
        tracker.sweepAt = .never
        guard let due = tracker.nextDeadline else { return }
        tracker.sweepAt = due
        queue.schedule(Event(.trackerSweep, place), at: due)
    }

    func turnTracker(_ place: Int, isAway: Bool) {
        guard isAway else { return trackers[place].comeBack() }
        for (agent, id) in trackers[place].goAway() {
            agents[agent].trackerSockets[id] = nil
            feed(agents[agent], .trackerDown(id, reason: "closed by the tracker"))
        }
    }
}

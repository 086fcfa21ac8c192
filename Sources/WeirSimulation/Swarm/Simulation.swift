package import WeirCore

/// A whole swarm on the virtual clock: network, servers, agents, players, and the oracles that watch them.
package final class Simulation {
    package let scenario: Scenario
    let queue = EventQueue()
    let network: Network
    /// Whom agents are introduced to.
    var random: SeededGenerator
    /// Who comes and goes when, and where they are: the same whatever the agents do, so that policies are compared on
    /// the same audience.
    var audience: SeededGenerator
    var servers: [Server] = []
    package internal(set) var agents: [SimulatedAgent] = []
    var players: [SimulatedPlayer] = []
    var trackers: [SimulatedTracker] = []
    /// Of recordings: who watches what, in the order in which the viewings begin.
    let viewings: [Viewing]
    /// The player of each viewing that has begun.
    var playerOfViewing: [Int: Int] = [:]
    /// Agents that began each title, oldest first.
    var viewersOfTitle: [Int: [Int]] = [:]
    var exchanges: [Exchange?] = []
    /// Whose a connection is.
    enum Owner {
        case link(Int, Int)
        case http(agent: Int, server: Int)
    }
    var owners: [Owner] = []
    /// Fetches to nowhere, to be reported.
    var failures = Ring<(agent: Int, fetch: FetchID)>()
    var closedLinks = Ring<(agent: Int, link: LinkID)>()
    /// Sees every log line of every agent.
    package var onLog: ((_ agent: Int, Instant, LogEvent) -> Void)?
    package internal(set) var oracle: WireOracle
    package internal(set) var oracles = Oracles()
    /// Dials to where no agent is or was.
    package internal(set) var strayDials: [(agent: Int, address: PeerAddress)] = []
    package internal(set) var timeline = Timeline()
    /// Sees every message that arrives, for looking into a run.
    package var onMessage: ((_ from: Int, _ to: Int, Instant, Message, _ payloadBytes: Int) -> Void)?
    /// Sees every exchange begin, end or be given up.
    package var onFetch: ((_ agent: Int, Instant, FetchID, _ what: String) -> Void)?
    /// Sees every message to a tracker.
    package var onAnnounce: ((_ agent: Int, TrackerRequest) -> Void)?
    let end: Instant
    private var lastInstant = Instant.start
    private var eventsAtInstant = 0

    package static let originAuthority = "origin.test"
    static let swarm: SwarmID = {
        let text = Simulation.url(ofTitle: 0)
        guard let url = try? WebURL(parsing: text) else { preconditionFailure("the stream's address is one") }
        return SwarmID.derive(url: url, name: nil)
    }()

    package init(_ scenario: Scenario) {
        self.scenario = scenario
        oracle = WireOracle(isLive: scenario.isLive)
        random = SeededGenerator(seed: scenario.seed)
        audience = SeededGenerator(seed: mixed(scenario.seed, 0x6175_6469_656e_6365))
        network = Network(queue: queue, roundTrips: scenario.roundTrips)
        end = .start + scenario.duration
        viewings = scenario.onDemand?.plan(scenario) ?? []
        addOrigin()
        addTrackers()
        for (number, role) in drawRoles().enumerated() {
            let start = scenario.arrivals * audience.fraction()
            addAgent(role: role, startsAt: arrivalOnDemand(of: number) ?? .start + start)
        }
        scheduleViewings()
        for (place, entry) in scenario.script.enumerated() {
            queue.schedule(Event(.script, place), at: entry.at)
        }
        for (place, swing) in scenario.swings.enumerated() {
            queue.schedule(Event(.swing, place), at: swing.from)
        }
        queue.schedule(Event(.sample, 0), at: .start + .seconds(1))
        for moment in healings { queue.schedule(Event(.healed, 0), at: moment) }
    }

    /// Of those who are there from the start, by number.
    private func drawRoles() -> [Scenario.Role] {
        var roles = Array(repeating: Scenario.Role.honest, count: scenario.peers)
        var order = audience.choose(scenario.peers, from: Array(0..<scenario.peers))[...]
        for (role, share) in [(.freeRider, scenario.freeRiders)] + scenario.shares {
            let count = Int(Double(scenario.peers) * share + 0.5)
            for number in order.prefix(count) { roles[number] = role }
            order = order.dropFirst(count)
        }
        for entry in scenario.roles where roles.indices.contains(entry.agent) { roles[entry.agent] = entry.role }
        return roles
    }

    private func addOrigin() {
        let rate = scenario.originRate / 8
        let host = network.addHost(
            HostSettings(uplink: rate, downlink: rate, fixedRoundTrip: scenario.originRoundTrip)
        )
        servers.append(
            Server(
                number: 0,
                host: host,
                authority: Simulation.originAuthority,
                scenario: scenario,
                faults: scenario.faults,
                queue: queue,
                network: network
            )
        )
        servers[0].onMediaSent = { [unowned self] bytes in timeline.noteOrigin(bytes, at: queue.now) }
    }

    func addAgent(role: Scenario.Role, startsAt: Instant) {
        let number = agents.count
        let place = (x: audience.fraction(), y: audience.fraction())
        let uplink = scenario.uplink(of: number) / 8 * (role.isSlow ? Scenario.slowShare : 1)
        let downlink = scenario.downlink(of: number) / 8
        let host = network.addHost(HostSettings(uplink: uplink, downlink: downlink, place: place))
        let signer = SimulatedSigner(number: mixed(scenario.seed, UInt64(number)))
        let http = HTTPPool(host: host, handshakes: 2, network: network, queue: queue) { [unowned self] in
            servers[$0].host
        }
        http.onConnect = { [unowned self] connection, server in
            own(connection, .http(agent: number, server: server))
        }
        let agent = SimulatedAgent(
            number: number,
            host: host,
            role: role,
            signer: signer,
            startsAt: startsAt,
            decider: makeDecider(number, role: role, signer: signer),
            http: http
        )
        agents.append(agent)
        if scenario.onDemand == nil { addPlayer(of: agent) }
        queue.schedule(Event(.start, number), at: startsAt)
    }

    /// A player on the agent's endpoint.
    @discardableResult
    func addPlayer(of agent: SimulatedAgent, viewing: Viewing? = nil) -> SimulatedPlayer {
        let player = SimulatedPlayer(number: players.count, scenario: scenario, viewing: viewing, queue: queue) {
            [unowned self, unowned agent] input in
            feed(agent, input)
        }
        player.onTaken = { [unowned self, unowned agent] bytes in
            if !agent.role.isHostile { timeline.noteDelivered(bytes, at: queue.now) }
        }
        player.onStall = { [unowned self, unowned agent] dry in
            if !agent.role.isHostile { timeline.noteStall(at: dry) }
        }
        player.onWrong = { [unowned self, unowned agent] bytes in checkBytes(of: agent, wrong: bytes) }
        players.append(player)
        agent.players.append(player)
        return player
    }

    private func makeDecider(_ number: Int, role: Scenario.Role, signer: SimulatedSigner) -> any Decider {
        let seed = mixed(scenario.seed, 0x6167_656e_74, UInt64(number))
        var settings = scenario.settings
        settings.ownAddresses = scenario.policy == .plain ? [] : [scenario.addresses.address(of: number)]
        if role == .freeRider { settings.uploadBytesPerSecond = 0 }
        settings.trackerCount = trackerCount(of: number)
        // Where agents' addresses are private, only a private tracker may name them.
        settings.trackerHosts = (0..<settings.trackerCount).map { "10.255.255.\($0 + 1)" }
        let decider: any Decider
        switch scenario.policy {
        case .onePeer, .elected:
            decider = OnePeerPolicy(scenario: scenario, id: signer.id, uploads: role != .freeRider, seed: seed)
        case .weir, .plain:
            decider = CoreDecider(settings: settings, limits: scenario.limits, signer: signer, seed: seed)
        }
        switch role {
        case .honest, .freeRider, .slow, .stalling: return decider
        case .polluter: return PollutingDecider(decider, tag: mixed(seed, 1))
        case .liar: return LyingDecider(decider, tag: mixed(seed, 2))
        default: return HostileDecider(decider, role: role, signer: signer, swarm: Simulation.swarm, seed: seed)
        }
    }

    func own(_ connection: Int, _ owner: Owner) {
        while owners.count <= connection { owners.append(owner) }
        owners[connection] = owner
    }

    // MARK: Running

    package var now: Instant { queue.now }
    package var eventCount: UInt64 { queue.taken }
    package var digest: EventDigest { queue.digest }

    /// Runs to the end of the scenario.
    package func run() -> Report {
        run(until: end)
        // Recordings may go on beyond the end.
        if scenario.onDemand == nil { for player in players { player.stop() } }
        return Report(self)
    }

    /// A segment's way through the swarm: times since it was listed.
    package struct Way {
        package var sequence: UInt64
        package var firstAsked: Duration?
        /// When each agent held it, ascending.
        package var held: [Duration]
    }

    package var ways: [Way] {
        let log = servers[0].log
        return log.firstAsked.indices.map { place in
            let sequence = StreamShape.firstSequence + UInt64(place)
            let listed = scenario.shape.listed(sequence)
            let held = agents.compactMap { $0.heldAt.indices.contains(place) ? $0.heldAt[place] : nil }
            return Way(
                sequence: sequence,
                firstAsked: log.firstAsked[place].map { $0 - listed },
                held: held.map { $0 - listed }.sorted()
            )
        }
    }

    /// Media bytes that the origin has sent so far.
    package var originMediaBytes: Int64 { servers[0].log.mediaBytes }

    /// What the first tracker says of the stream.
    package var channel: ChannelReport? { trackers.first?.channels(at: queue.now).first }

    /// What this agent's viewer noticed.
    package func figures(of agent: Int) -> PlayerFigures {
        agents[agent].players.first?.figures ?? PlayerFigures()
    }

    /// Runs to a moment, for tests that look in between.
    package func run(until time: Instant) {
        while let event = queue.next(until: min(time, end)) {
            guardProgress(event)
            if !network.handle(event) { handle(event) }
            drainNetwork()
        }
    }

    /// Time that stands still means that an agent asks to be called again and again at once.
    private func guardProgress(_ event: Event) {
        eventsAtInstant = queue.now == lastInstant ? eventsAtInstant + 1 : 0
        lastInstant = queue.now
        precondition(
            eventsAtInstant < 1_000_000,
            "no progress at \(queue.now.nanoseconds) ns: \(event.kind) of \(event.subject) again and again"
        )
    }

    private func handle(_ event: Event) {
        let subject = Int(event.subject)
        switch event.kind {
        case .agentTimer: timer(agents[subject])
        case .fetchTimer: fetchTimer(subject)
        case .serverReady: if let exchange = exchanges[Int(event.detail)] { servers[subject].answer(exchange) }
        case .serverFault: servers[subject].turn(event.detail)
        case .localDelivery: players[subject].take()
        case .playerTimer: players[subject].timer()
        case .start: start(agents[subject])
        case .viewing: begin(viewing: subject)
        case .viewingOver: end(viewing: subject)
        case .script: perform(scenario.script[subject].action)
        case .leave: leave(agents[subject])
        case .depart: depart(agents[subject])
        case .swing: swing(scenario.swings[subject], number: subject)
        case .stall: stall(agents[subject])
        case .sample: sample()
        case .healed: checkLiveness()
        case .linkClosed: reportClosedLink()
        case .dialFailed: reportFailedDial(agents[subject])
        case .trackerOpened: trackerOpened(agents[subject], TrackerID(Int(event.detail)))
        case .trackerCall: trackerCalled(subject)
        case .trackerReply: trackerReplied(subject)
        case .trackerSweep: sweepTracker(subject)
        case .trackerOutage: turnTracker(subject, isAway: event.detail == 1)
        case .trackerDown: feed(agents[subject], .trackerDown(TrackerID(Int(event.detail)), reason: "no tracker yet"))
        default: preconditionFailure("an event that nobody handles: \(event.kind)")
        }
    }

    private func start(_ agent: SimulatedAgent) {
        guard agent.state == .waiting else { return }
        agent.state = .running
        guard scenario.onDemand == nil else { return }
        introduce(agent)
        if agent.role == .stalling { stall(agent) }
        if let mean = scenario.churn { queue.schedule(Event(.leave, agent.number), after: mean * exponential()) }
        for player in agent.players { player.start(url: Simulation.url(ofTitle: 0)) }
        updateTimer(agent)
    }

    static func url(ofTitle title: Int) -> String {
        "https://\(originAuthority)\(StreamShape.manifestPath(ofTitle: title))"
    }

    /// Exponential with mean 1, at most 8.
    private func exponential() -> Double { min(8, audience.exponential()) }

    /// Links a new agent to others at random, as a tracker would.
    private func introduce(_ agent: SimulatedAgent) {
        guard scenario.policy != .plain, !usesTrackers else { return }
        let others = agents.filter { other in
            other.state == .running && other !== agent && other.linkCount < 2 * scenario.introductions
                && isReachable(agent.number, other.number)
        }
        for other in random.choose(scenario.introductions, from: others) {
            connect(agent, to: other, dial: nil)
        }
    }

    func isReachable(_ one: Int, _ other: Int) -> Bool {
        guard scenario.unreachable > 0 else { return true }
        let word = mixed(scenario.seed, UInt64(min(one, other)), UInt64(max(one, other)))
        return Double(word >> 11) * 0x1p-53 >= scenario.unreachable
    }

    func connect(_ agent: SimulatedAgent, to other: SimulatedAgent, dial: DialID?) {
        let connection = network.connect(
            from: agent.host,
            to: other.host,
            handshakes: 2,
            unsentLimit: Transport.linkUnsentLimit
        )
        own(connection, .link(agent.number, other.number))
        agent.linkCount += 1
        other.linkCount += 1
        if let dial { agent.dials[connection] = dial }
    }
}

/// Without Foundation there is no `log`.
enum Logarithm {
    /// Of a number above 0.
    static func natural(_ value: Double) -> Double {
        let mantissa = value.significand
        let ratio = (mantissa - 1) / (mantissa + 1)
        var term = ratio
        var sum = 0.0
        for place in 0..<24 {
            sum += term / Double(2 * place + 1)
            term *= ratio * ratio
        }
        return 2 * sum + Double(value.exponent) * 0.693_147_180_559_945_3
    }
}

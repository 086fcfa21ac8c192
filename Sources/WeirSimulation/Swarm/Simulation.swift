package import WeirCore

/// A whole swarm on the virtual clock: network, servers, agents, players, and the oracles that watch them.
package final class Simulation {
    package let scenario: Scenario
    let queue = EventQueue()
    let network: Network
    var random: SeededGenerator
    var servers: [Server] = []
    package internal(set) var agents: [SimulatedAgent] = []
    var players: [SimulatedPlayer] = []
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
    package internal(set) var oracle = WireOracle()
    /// Sees every message that arrives, for looking into a run.
    package var onMessage: ((_ from: Int, _ to: Int, Instant, Message, _ payloadBytes: Int) -> Void)?
    /// Sees every exchange begin, end or be given up.
    package var onFetch: ((_ agent: Int, Instant, FetchID, _ what: String) -> Void)?
    let end: Instant
    private var lastInstant = Instant.start
    private var eventsAtInstant = 0

    package static let originAuthority = "origin.test"
    static let manifestPath = "/live/index.m3u8"

    package init(_ scenario: Scenario) {
        self.scenario = scenario
        random = SeededGenerator(seed: scenario.seed)
        network = Network(queue: queue, roundTrips: scenario.roundTrips)
        end = .start + scenario.duration
        addOrigin()
        let order = random.choose(scenario.peers, from: Array(0..<scenario.peers))
        let riders = Set(order.prefix(Int(Double(scenario.peers) * scenario.freeRiders + 0.5)))
        for number in 0..<scenario.peers {
            let role = scenario.roles.first { $0.agent == number }?.role
            let start = scenario.arrivals * random.fraction()
            addAgent(role: role ?? (riders.contains(number) ? .freeRider : .honest), startsAt: .start + start)
        }
        for (place, entry) in scenario.script.enumerated() {
            queue.schedule(Event(.script, place), at: entry.at)
        }
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
    }

    func addAgent(role: Scenario.Role, startsAt: Instant) {
        let number = agents.count
        let place = (x: random.fraction(), y: random.fraction())
        let host = network.addHost(
            HostSettings(uplink: scenario.uplink(of: number) / 8, downlink: scenario.downlink / 8, place: place)
        )
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
        players.append(
            SimulatedPlayer(number: number, scenario: scenario, queue: queue) { [unowned self] input in
                feed(agents[number], input)
            }
        )
        queue.schedule(Event(.start, number), at: startsAt)
    }

    private func makeDecider(_ number: Int, role: Scenario.Role, signer: SimulatedSigner) -> any Decider {
        let seed = mixed(scenario.seed, 0x6167_656e_74, UInt64(number))
        var settings = scenario.settings
        settings.ownAddresses = scenario.policy == .plain ? [] : [SimulatedAgent.address(of: number)]
        if role == .freeRider { settings.uploadBytesPerSecond = 0 }
        let decider: any Decider
        switch scenario.policy {
        case .onePeer, .elected:
            decider = OnePeerPolicy(scenario: scenario, id: signer.id, uploads: role != .freeRider, seed: seed)
        case .weir, .plain:
            decider = CoreDecider(settings: settings, limits: scenario.limits, signer: signer, seed: seed)
        }
        switch role {
        case .honest, .freeRider: return decider
        case .polluter: return PollutingDecider(decider, tag: mixed(seed, 1))
        case .liar: return LyingDecider(decider, tag: mixed(seed, 2))
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
        for player in players { player.stop() }
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

    /// What this agent's viewer noticed.
    package func figures(of agent: Int) -> PlayerFigures { players[agent].figures }

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
        case .start: start(agents[subject], isRetry: event.detail == 1)
        case .script: perform(scenario.script[subject].action)
        case .leave: leave(agents[subject])
        case .linkClosed: reportClosedLink()
        case .dialFailed: reportFailedDial(agents[subject])
        case .trackerDown: feed(agents[subject], .trackerDown(TrackerID(Int(event.detail)), reason: "no tracker yet"))
        default: preconditionFailure("an event that nobody handles: \(event.kind)")
        }
    }

    private func start(_ agent: SimulatedAgent, isRetry: Bool) {
        guard agent.state == .waiting || isRetry && agent.state == .running else { return }
        if !isRetry {
            agent.state = .running
            introduce(agent)
            if let mean = scenario.churn {
                queue.schedule(Event(.leave, agent.number), after: mean * exponential())
            }
        }
        players[agent.number].start(url: "https://\(Simulation.originAuthority)\(Simulation.manifestPath)")
        updateTimer(agent)
    }

    /// Exponential with mean 1, at most 8.
    private func exponential() -> Double {
        let uniform = max(random.fraction(), 0x1p-53)
        // −ln by halving and a series: the standard library has no logarithm without Foundation.
        return min(8, -Logarithm.natural(uniform))
    }

    /// A viewer goes and another comes.
    private func leave(_ agent: SimulatedAgent) {
        guard agent.state == .running else { return }
        perform(.stop(agent: agent.number))
        addAgent(role: agent.role, startsAt: queue.now)
    }

    private func perform(_ action: Scenario.Action) {
        switch action {
        case .kill(let number): remove(agents[number], silently: false)
        case .vanish(let number): remove(agents[number], silently: true)
        case .stop(let number):
            guard agents[number].state == .running else { return }
            players[number].stop()
            feed(agents[number], .stop)
        }
    }

    func remove(_ agent: SimulatedAgent, silently: Bool) {
        guard agent.state == .running else { return }
        agent.state = .gone
        agent.endedAt = queue.now
        players[agent.number].stop()
        network.kill(agent.host, silently: silently)
    }

    /// Links a new agent to others at random, as a tracker would.
    private func introduce(_ agent: SimulatedAgent) {
        guard scenario.policy != .plain else { return }
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

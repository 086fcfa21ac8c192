package import WeirCore

/// What has to hold in a run, watched from outside of what decides.
package struct Violation: Sendable, Equatable, CustomStringConvertible {
    package enum Oracle: String, Sendable {
        /// Players get the origin's bytes and nothing else.
        case bytes = "bit-exact delivery"
        /// Ledger and sockets stay within their budgets.
        case budget = "byte budget"
        /// Nobody is asked for what it never offered.
        case offers = "no request without an offer"
        /// Within a target duration after trouble is over, nobody waits.
        case liveness = "liveness after healing"
        /// Stalls and start-up beside the plain player's on the same seed.
        case plain = "never worse than plain"
    }

    package let oracle: Oracle
    package let at: Instant
    package let what: String

    package init(_ oracle: Oracle, at: Instant, _ what: String) {
        self.oracle = oracle
        self.at = at
        self.what = what
    }

    package var description: String {
        "\(oracle.rawValue), at \(DecimalText.format(Double(at.nanoseconds) / 1e9, digits: 3)) s: \(what)"
    }
}

/// The first violation of each kind, and how many there were.
package struct Oracles: Sendable {
    package private(set) var violations: [Violation] = []
    private(set) var counts: [Violation.Oracle: Int] = [:]

    mutating func violated(_ oracle: Violation.Oracle, at now: Instant, _ what: @autoclosure () -> String) {
        counts[oracle, default: 0] += 1
        if counts[oracle] == 1 { violations.append(Violation(oracle, at: now, what())) }
    }
}

extension Simulation {
    /// Bytes that an agent may have handed to one link's socket and that have not left: two chunks that it paces by
    /// itself, one more frame, and what it says between: lists of digests, holdings, refusals.
    static let socketBudget = 8 * Chunk.byteCount

    /// After every input: the budget that the agent was given, and what its sockets hold.
    func checkBudget(of agent: SimulatedAgent) {
        guard let drawn = agent.decider.ledgerBytes else { return }
        if drawn > scenario.settings.cacheBytes {
            oracles.violated(
                .budget,
                at: queue.now,
                "agent \(agent.number) draws \(drawn) of \(scenario.settings.cacheBytes) bytes"
            )
        }
    }

    /// After every media frame that an agent hands to a link: what waits in its socket.
    func checkSocket(of agent: SimulatedAgent, _ connection: Int, side: Int) {
        let waiting = network.unsentBytes(on: connection, side: side)
        guard waiting > Simulation.socketBudget, agent.decider.ledgerBytes != nil else { return }
        oracles.violated(
            .budget,
            at: queue.now,
            "agent \(agent.number) has \(waiting) bytes waiting in one link's socket"
        )
    }

    /// A player's bytes, as they were handed over.
    func checkBytes(of agent: SimulatedAgent, wrong: Int) {
        guard wrong > 0, !agent.role.isHostile, !scenario.mayDeliverWrongBytes else { return }
        oracles.violated(.bytes, at: queue.now, "agent \(agent.number) gives its player \(wrong) wrong bytes")
    }

    // MARK: Liveness

    /// When trouble that a scenario makes is over, and service has to be normal again.
    var healings: [Instant] {
        let target = Duration.seconds((scenario.segmentDuration.seconds).rounded(.up))
        let faults = scenario.faults.filter { $0.kind != .wrongBytes }.map(\.until)
        let departures = scenario.script.compactMap { entry -> Instant? in
            if case .leave(_, let span) = entry.action { entry.at + span } else { nil }
        }
        return (faults + departures).map { $0 + target }.filter { $0 < end }.sorted()
    }

    /// Nobody who was watching before the trouble was over waits now.
    func checkLiveness() {
        guard scenario.policy == .weir else { return }
        let late = agents.filter { agent in
            agent.state == .running && !agent.role.isHostile && agent.players.contains { $0.isDry }
        }
        guard let first = late.first else { return }
        oracles.violated(.liveness, at: queue.now, "\(late.count) players wait, agent \(first.number)'s among them")
    }

    // MARK: Every second

    func sample() {
        var (dry, uplinks) = (0, 0.0)
        var bitrates: [Double] = []
        for agent in agents where agent.state == .running && !agent.role.isHostile {
            let watched = agent.players.filter { $0.isOn }
            guard !watched.isEmpty else { continue }
            bitrates += watched.map { servers[0].shape.rate(ofRendition: $0.rendition) }
            dry += watched.count { $0.isDry }
            if agent.role != .freeRider { uplinks += network.settings(of: agent.host).uplink * 8 }
        }
        let bound = Bounds.offload(bitrates: bitrates, uplinks: [Report.payloadRate(uplinks)])
        timeline.noteAudience(watching: bitrates.count, dry: dry, bound: bound, mode: channel?.mode, at: queue.now)
        timeline.noteRenditions(Set(bitrates).count, at: queue.now)
        queue.schedule(Event(.sample, 0), after: .seconds(1))
    }
}

import WeirCore

/// What a scenario lets happen at its times: viewers come and go, links change.
extension Simulation {
    /// A viewer goes and another comes.
    func leave(_ agent: SimulatedAgent) {
        guard agent.state == .running else { return }
        depart(agent)
        addAgent(role: agent.role, startsAt: queue.now)
    }

    /// A viewer goes.
    func depart(_ agent: SimulatedAgent) {
        guard agent.state == .running else { return }
        for player in agent.players { player.stop() }
        feed(agent, .stop)
    }

    func perform(_ action: Scenario.Action) {
        switch action {
        case .kill(let number): remove(agents[number], silently: false)
        case .vanish(let number): remove(agents[number], silently: true)
        case .stop(let number): depart(agents[number])
        case .join(let count, let span):
            for _ in 0..<count { addAgent(role: drawRole(), startsAt: queue.now + span * audience.fraction()) }
        case .leave(let share, let span):
            let running = agents.filter { $0.state == .running }.map(\.number)
            let count = Int(Double(running.count) * share + 0.5)
            for number in audience.choose(count, from: running) {
                queue.schedule(Event(.depart, number), after: span * audience.fraction())
            }
        }
    }

    /// A newcomer's, by the shares.
    private func drawRole() -> Scenario.Role {
        var place = audience.fraction()
        for (role, share) in [(.freeRider, scenario.freeRiders)] + scenario.shares {
            if place < share { return role }
            place -= share
        }
        return .honest
    }

    /// Draws every viewer's rates anew, and again at the next step.
    func swing(_ swing: Scenario.Swing, number: Int) {
        let isOver = queue.now >= swing.until
        for agent in agents where agent.state == .running {
            let settings = network.settings(of: agent.host)
            let factor = swing.factors.least + (swing.factors.most - swing.factors.least) * audience.fraction()
            let now = isOver ? 1 : factor
            network.setRates(agent.host, uplink: settings.uplink * now, downlink: settings.downlink * now)
        }
        guard !isOver else { return }
        queue.schedule(Event(.swing, number), at: min(swing.until, queue.now + swing.every))
    }

    /// Its uplink stands still for a while, and again and again.
    func stall(_ agent: SimulatedAgent) {
        guard agent.state == .running else { return }
        network.freezeUplink(of: agent.host, until: queue.now + Scenario.stallTime)
        queue.schedule(Event(.stall, agent.number), after: Scenario.stallPeriod)
    }

    /// Its process or its host is gone.
    func remove(_ agent: SimulatedAgent, silently: Bool) {
        guard agent.state == .running else { return }
        agent.state = .gone
        agent.endedAt = queue.now
        for player in agent.players { player.stop() }
        // Of a host that lost its power the tracker hears nothing more.
        if !silently { closeTrackers(of: agent) }
        network.kill(agent.host, silently: silently)
    }
}

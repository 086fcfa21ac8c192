import WeirCore

/// Viewers of recordings: they come, watch one title or several, and are introduced to who has it.
extension Simulation {
    /// When a passing agent comes; nil for those that are there from the beginning.
    func arrivalOnDemand(of agent: Int) -> Instant? {
        guard let onDemand = scenario.onDemand else { return nil }
        guard case .passing = onDemand.audience else { return .start }
        return viewings.first { $0.agent == agent }?.startsAt ?? .never
    }

    func scheduleViewings() {
        guard let onDemand = scenario.onDemand else { return }
        for (number, viewing) in viewings.enumerated() {
            queue.schedule(Event(.viewing, number), at: viewing.startsAt)
            switch onDemand.audience {
            case .passing: queue.schedule(Event(.depart, viewing.agent), at: viewing.endsAt)
            case .resident: queue.schedule(Event(.viewingOver, number), at: viewing.endsAt)
            }
        }
    }

    func begin(viewing number: Int) {
        let viewing = viewings[number]
        let agent = agents[viewing.agent]
        guard agent.state == .running else { return }
        let player = addPlayer(of: agent, viewing: viewing)
        playerOfViewing[number] = player.number
        introduce(agent, toAudienceOf: viewing.title)
        player.start(url: Simulation.url(ofTitle: viewing.title))
        updateTimer(agent)
    }

    /// The viewer ends the session, as a program does that opened it.
    func end(viewing number: Int) {
        guard let place = playerOfViewing[number] else { return }
        let player = players[place]
        let agent = agents[viewings[number].agent]
        player.leave()
        guard let stream = player.stream, !agent.players.contains(where: { $0.stream == stream && !$0.isOver }) else {
            return
        }
        feed(agent, .close(stream))
        // The baselines keep nothing of what nobody watches here.
        if scenario.policy != .weir { viewersOfTitle[viewings[number].title]?.removeAll { $0 == agent.number } }
    }

    /// As a tracker would that searches by timeslot: whoever began last is the closest, and lately had all of it.
    private func introduce(_ agent: SimulatedAgent, toAudienceOf title: Int) {
        defer {
            viewersOfTitle[title, default: []].removeAll { $0 == agent.number }
            viewersOfTitle[title, default: []].append(agent.number)
        }
        guard scenario.policy != .plain, !usesTrackers else { return }
        let linked = Set(
            network.openConnections(of: agent.host).compactMap { connection -> Int? in
                guard case .link(let from, let to) = owners[connection] else { return nil }
                return from == agent.number ? to : from
            }
        )
        let others = (viewersOfTitle[title] ?? []).reversed().filter { other in
            other != agent.number && agents[other].state == .running && isReachable(agent.number, other)
        }
        for other in others.prefix(scenario.introductions) where !linked.contains(other) {
            connect(agent, to: agents[other], dial: nil)
        }
    }
}

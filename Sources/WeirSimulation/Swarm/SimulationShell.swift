import WeirCore

/// The shell's part for every agent: outputs become traffic, traffic becomes inputs.
extension Simulation {
    /// One input, then every output, as the box does it.
    func feed(_ agent: SimulatedAgent, _ input: Input) {
        guard agent.state == .running else { return }
        if let onFetch, case .fetchEnded(let id, let end) = input { onFetch(agent.number, queue.now, id, "\(end)") }
        agent.decider.handle(input, at: queue.now)
        network.hold()
        while let output = agent.decider.nextOutput() { perform(output, of: agent) }
        network.release()
        if scenario.isLive { agent.noteFinished(at: queue.now) }
        checkBudget(of: agent)
        updateTimer(agent)
    }

    func updateTimer(_ agent: SimulatedAgent) {
        guard agent.state == .running, let deadline = agent.decider.nextDeadline, deadline < agent.timerAt else {
            return
        }
        agent.timerAt = max(deadline, queue.now)
        queue.schedule(Event(.agentTimer, agent.number), at: agent.timerAt)
    }

    func timer(_ agent: SimulatedAgent) {
        // Events for deadlines that were brought forward come late and find a later one noted, or none.
        guard agent.timerAt <= queue.now else { return }
        agent.timerAt = .never
        guard let deadline = agent.decider.nextDeadline else { return }
        if deadline <= queue.now { feed(agent, .timer) } else { updateTimer(agent) }
    }

    // MARK: Outputs

    private func perform(_ output: Output, of agent: SimulatedAgent) {
        switch output {
        case .answerHead(let id, let head): player(id).answerHead(id, head)
        case .answerBytes(let id, let bytes): player(id).answerBytes(id, bytes)
        case .answerBody(let id, let payload): player(id).answerBody(id, payload)
        case .answerEnd(let id): player(id).answerEnd(id)
        case .answerAbort(let id): player(id).answerAbort(id)
        case .opened(let id, let result): players[Int(id.value)].opened(result)
        case .fetch(let id, let request):
            onFetch?(agent.number, queue.now, id, request.trace)
            fetch(id, request, for: agent)
        case .pauseFetch(let id): agent.http.setPaused(true, id)
        case .resumeFetch(let id): agent.http.setPaused(false, id)
        case .cancelFetch(let id):
            onFetch?(agent.number, queue.now, id, "cancelled")
            agent.http.cancel(id)
        case .dial(let id, let address, let expecting): dial(id, address, expecting, from: agent)
        case .send(let link, let message, let payload): send(message, payload, on: link, from: agent)
        case .closeLink(let link, _): close(link, of: agent)
        case .openTracker(let id): openTracker(id, for: agent)
        case .announce(let id, let request):
            onAnnounce?(agent.number, request)
            announce(id, request, of: agent)
        case .closeTracker(let id): closeTracker(id, of: agent)
        case .readSteering, .disk: break
        case .log(let event): onLog?(agent.number, queue.now, event)
        case .stopped: stopped(agent)
        }
    }

    private func player(_ id: RequestID) -> SimulatedPlayer { players[SimulatedPlayer.number(of: id)] }

    private func fetch(_ id: FetchID, _ request: FetchRequest, for agent: SimulatedAgent) {
        let (authority, path) = URLText.split(request.url)
        guard let server = servers.firstIndex(where: { $0.authority == authority }) else {
            failures.append((agent.number, id))
            queue.schedule(Event(.fetchTimer, -1), at: queue.now)
            return
        }
        let exchange = Exchange(
            number: exchanges.count,
            fetch: id,
            agent: agent.number,
            server: server,
            request: request,
            path: path
        )
        exchange.isCounted = !agent.role.isHostile
        exchanges.append(exchange)
        agent.http.start(exchange)
    }

    func fetchTimer(_ number: Int) {
        guard number >= 0 else {
            if let (agent, fetch) = failures.popFirst() {
                feed(agents[agent], .fetchEnded(fetch, .failed(.nameUnknown)))
            }
            return
        }
        guard let exchange = exchanges[number] else { return }
        let agent = agents[exchange.agent]
        guard agent.state == .running, agent.http.timer(exchange) else { return }
        exchanges[number] = nil
        feed(agent, .fetchEnded(exchange.fetch, .failed(.idleTimeout)))
    }

    private func dial(_ id: DialID, _ address: PeerAddress, _ expecting: PeerID?, from agent: SimulatedAgent) {
        guard let number = scenario.addresses.agent(at: address), agents.indices.contains(number),
            number != agent.number, agents[number].state != .waiting, isReachable(agent.number, number)
        else {
            if scenario.addresses.agent(at: address).map({ !agents.indices.contains($0) }) ?? true {
                strayDials.append((agent.number, address))
            }
            return fail(id, .refused, of: agent)
        }
        if let expecting, agents[number].id != expecting {
            return fail(id, .notAuthentic("another key"), of: agent)
        }
        connect(agent, to: agents[number], dial: id)
    }

    private func fail(_ dial: DialID, _ end: LinkEnd, of agent: SimulatedAgent) {
        agent.failedDials.append((dial, end))
        queue.schedule(Event(.dialFailed, agent.number), after: scenario.roundTrips.least)
    }

    func reportFailedDial(_ agent: SimulatedAgent) {
        if let (dial, end) = agent.failedDials.popFirst() { feed(agent, .dialFailed(dial, end)) }
    }

    private func stopped(_ agent: SimulatedAgent) {
        agent.state = .gone
        agent.endedAt = queue.now
        agent.http.closeAll()
        closeTrackers(of: agent)
        // The process ends once its goodbyes have left; the kernel closes what is still open.
        for connection in network.openConnections(of: agent.host) {
            let side = network.hosts(of: connection).0 == agent.host ? 0 : 1
            network.close(connection, side: side, abort: false)
        }
    }

    // MARK: Links

    /// A link is its connection and the agent's side of it.
    private func place(_ link: LinkID) -> (connection: Int, side: Int) {
        (Int(link.value >> 1), Int(link.value & 1))
    }

    private func linkID(_ connection: Int, _ side: Int) -> LinkID {
        LinkID(UInt64(connection) << 1 | UInt64(side))
    }

    private func send(_ message: Message, _ payload: (any Payload)?, on link: LinkID, from agent: SimulatedAgent) {
        let (connection, side) = place(link)
        let bytes = MessageSize.bytes(of: message, payload: payload?.count ?? 0)
        if case .data = message {
            agent.dataBytes += Int64(payload?.count ?? 0)
            agent.controlBytes += Int64(bytes - (payload?.count ?? 0))
        } else {
            agent.controlBytes += Int64(bytes)
        }
        if case .have(let have) = message {
            for range in have.ranges where range.state == .held && range.kind == .media && range.count < 1 << 16 {
                guard scenario.isLive else { break }
                for number in range.first..<range.first + range.count { agent.noteHeld(number, at: queue.now) }
            }
        }
        if !oracle.sent(message, on: connection, side: side), !agent.role.isHostile {
            oracles.violated(.offers, at: queue.now, "agent \(agent.number) asks for what was not offered: \(message)")
        }
        network.send(Frame(byteCount: bytes, content: .message(message, payload: payload)), on: connection, side: side)
        if payload != nil, !agent.role.isHostile { checkSocket(of: agent, connection, side: side) }
        if case .request = message, agent.role == .glutton { network.setPaused(true, on: connection, side: side) }
    }

    private func close(_ link: LinkID, of agent: SimulatedAgent) {
        let (connection, side) = place(link)
        network.close(connection, side: side, abort: false)
        agent.linkCount -= 1
        closedLinks.append((agent.number, link))
        queue.schedule(Event(.linkClosed, agent.number), at: queue.now)
    }

    func reportClosedLink() {
        if let (agent, link) = closedLinks.popFirst() { feed(agents[agent], .linkDown(link, .closedHere)) }
    }

    // MARK: What the network reports

    func drainNetwork() {
        while let occurrence = network.nextOccurrence() {
            switch occurrence {
            case .opened(let connection, let side): opened(connection, side)
            case .failed(let connection, let end): failed(connection, end)
            case .frame(let connection, let side, let frame): arrived(frame, connection, side)
            case .drained(let connection, let side, let bytes): drained(bytes, connection, side)
            case .closed(let connection, let side, let end): closed(connection, side, end)
            }
        }
    }

    private func opened(_ connection: Int, _ side: Int) {
        switch owners[connection] {
        case .http(let agent, _): if side == 0 { agents[agent].http.opened(connection) }
        case .link(let from, let to):
            let (me, other) = side == 0 ? (agents[from], agents[to]) : (agents[to], agents[from])
            let peer = LinkPeer(
                id: other.id,
                publicKey: other.publicKey,
                address: scenario.addresses.address(of: other.number)
            )
            let dial = side == 0 ? me.dials.removeValue(forKey: connection) : nil
            me.firstLinkAt = me.firstLinkAt ?? queue.now
            feed(me, .linkUp(linkID(connection, side), peer, dial: dial))
        }
    }

    private func failed(_ connection: Int, _ end: LinkEnd) {
        switch owners[connection] {
        case .http(let agent, _): httpLost(connection, agents[agent], end == .timeout ? .connectTimeout : .refused)
        case .link(let from, let to):
            agents[from].linkCount -= 1
            agents[to].linkCount -= 1
            if let dial = agents[from].dials.removeValue(forKey: connection) {
                feed(agents[from], .dialFailed(dial, end))
            }
        }
    }

    private func httpLost(_ connection: Int, _ agent: SimulatedAgent, _ failure: FetchFailure) {
        guard let exchange = agent.http.lost(connection) else { return }
        exchanges[exchange.number] = nil
        feed(agent, .fetchEnded(exchange.fetch, .failed(failure)))
    }

    private func arrived(_ frame: Frame, _ connection: Int, _ side: Int) {
        switch frame.content {
        case .message(let message, let payload):
            guard case .link(let from, let to) = owners[connection] else { return }
            oracle.arrived(message, on: connection, side: side)
            noteArrival(message, payload, at: agents[side == 0 ? from : to])
            onMessage?(side == 0 ? to : from, side == 0 ? from : to, queue.now, message, payload?.count ?? 0)
            feed(agents[side == 0 ? from : to], .linkMessage(linkID(connection, side), message, payload: payload))
        case .request(let exchange): servers[exchange.server].asked(exchange)
        case .head(let exchange):
            guard let head = exchange.head, isWanted(exchange) else { return }
            feed(agents[exchange.agent], .fetchHead(exchange.fetch, head))
        case .body(let exchange, let payload):
            guard isWanted(exchange) else { return }
            feed(agents[exchange.agent], .fetchBody(exchange.fetch, payload))
        case .end(let exchange):
            guard isWanted(exchange) else { return }
            let agent = agents[exchange.agent]
            agent.http.finished(exchange)
            exchanges[exchange.number] = nil
            feed(agent, .fetchEnded(exchange.fetch, .complete))
        case .filler: break
        }
    }

    private func noteArrival(_ message: Message, _ payload: (any Payload)?, at agent: SimulatedAgent) {
        switch message {
        case .data: agent.receivedBytes += Int64(payload?.count ?? 0)
        case .goodbye(let reason):
            agent.goodbyes.append(reason)
            if reason == .banned, agent.role == .whitewasher {
                queue.schedule(Event(.leave, agent.number), after: .seconds(1))
            }
        case .request: if agent.role == .strangler { strangle(agent) }
        default: break
        }
    }

    /// A byte per second from now on.
    private func strangle(_ agent: SimulatedAgent) {
        let settings = network.settings(of: agent.host)
        network.setRates(agent.host, uplink: 1, downlink: settings.downlink)
    }

    private func isWanted(_ exchange: Exchange) -> Bool {
        exchange.touched = queue.now
        return exchange.state == .asked
    }

    private func drained(_ bytes: Int, _ connection: Int, _ side: Int) {
        switch owners[connection] {
        case .link(let from, let to):
            let agent = agents[side == 0 ? from : to]
            // Most of it is talk, which agents do not wait for.
            guard agent.state == .running, agent.decider.awaitsDrain(linkID(connection, side)) else { return }
            feed(agent, .linkDrained(linkID(connection, side), bytes: bytes))
        case .http(let agent, let server):
            guard side == 1, let exchange = agents[agent].http.exchange(on: connection) else { return }
            servers[server].drained(bytes, of: exchange)
        }
    }

    private func closed(_ connection: Int, _ side: Int, _ end: LinkEnd) {
        switch owners[connection] {
        case .http(let agent, _): if side == 0 { httpLost(connection, agents[agent], .truncated) }
        case .link(let from, let to):
            let agent = agents[side == 0 ? from : to]
            agent.linkCount -= 1
            feed(agent, .linkDown(linkID(connection, side), end))
        }
    }
}

extension FetchRequest {
    var trace: String {
        let fields = fields.map { "\($0.name): \($0.value)" }.joined(separator: ", ")
        return "\(method.rawValue) \(url) \(fields) \(purpose.rawValue)\(freshConnection ? " fresh" : "")"
    }
}

enum URLText {
    /// Authority and path of an absolute URL, without query.
    static func split(_ url: String) -> (authority: String, path: String) {
        let bytes = Array(url.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon + 3 <= bytes.count else { return ("", "/") }
        let rest = bytes[(colon + 3)...]
        let slash = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        let path = rest[slash...].prefix { $0 != UInt8(ascii: "?") }
        let authority = String(decoding: rest[..<slash], as: UTF8.self)
        return (authority, path.isEmpty ? "/" : String(decoding: path, as: UTF8.self))
    }
}

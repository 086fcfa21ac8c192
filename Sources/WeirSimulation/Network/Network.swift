package import WeirCore

/// Hosts, their access links and the connections between them: the transport model.
///
/// Connections are TCP-like byte streams in both directions. Each host's uplink serves the flows that have packets
/// waiting in turns, a quantum at a time; packets then take the pair's delay and join the receiver's downlink, first
/// come first served. Either end drops what does not fit its queue. So flows share max–min, and queueing delay is
/// backlog ÷ rate. Drain `nextOccurrence()` after every `handle` and every call.
package final class Network {
    struct Connection {
        /// connecting → open → closed; connecting → closed. Per side, because word travels.
        enum End { case connecting, open, closed }
        var hosts: (Int, Int)
        var ends: (End, End) = (.connecting, .connecting)
    }

    let queue: EventQueue
    private(set) var hosts: [Host] = []
    private(set) var connections: ContiguousArray<Connection> = []
    /// Two per connection: `2 × connection + side of the sender`.
    private(set) var flows: ContiguousArray<Flow> = []
    private var occurrences = Ring<Occurrence>()
    /// Flows to which frames were handed since `hold`; they leave together at `release`.
    var held: [Int] = []
    var isHolding = false
    /// Round trips of neighbours and of opposite corners.
    private let roundTrips: (least: Duration, most: Duration)

    package init(queue: EventQueue, roundTrips: (least: Duration, most: Duration)) {
        self.queue = queue
        self.roundTrips = roundTrips
    }

    package func addHost(_ settings: HostSettings) -> Int {
        hosts.append(Host(settings))
        return hosts.count - 1
    }

    package func settings(of host: Int) -> HostSettings { hosts[host].settings }

    package func nextOccurrence() -> Occurrence? { occurrences.popFirst() }

    /// Between two hosts, queues empty.
    package func roundTrip(_ one: Int, _ other: Int) -> Duration {
        let (left, right) = (hosts[one].settings, hosts[other].settings)
        if left.fixedRoundTrip != nil || right.fixedRoundTrip != nil {
            return max(left.fixedRoundTrip ?? .zero, right.fixedRoundTrip ?? .zero)
        }
        let (across, down) = (left.place.x - right.place.x, left.place.y - right.place.y)
        let distance = (across * across + down * down).squareRoot() / 2.0.squareRoot()
        return roundTrips.least + (roundTrips.most - roundTrips.least) * distance
    }

    /// What one side of a connection was handed and has not sent yet.
    package func unsentBytes(on connection: Int, side: Int) -> Int {
        let flow = flows[2 * connection + side]
        return Int(flow.written - flow.sent)
    }

    /// Payload bytes that this host's downlink dropped.
    package func lostBytes(at host: Int) -> Int64 { hosts[host].lostBytes }

    package func hosts(of connection: Int) -> (Int, Int) { connections[connection].hosts }

    // MARK: Connecting and closing

    /// Opens a connection; `opened` or `failed` follows.
    /// - Parameter handshakes: round trips until the connecting end may send (TCP 1, TLS 1.3 one more).
    ///   - unsentLimit: bytes that either kernel takes beyond what it has sent; nil for its default.
    package func connect(from: Int, to: Int, handshakes: Int, unsentLimit: Int? = nil) -> Int {
        let connection = connections.count
        let delay = roundTrip(from, to) / 2
        connections.append(Connection(hosts: (from, to)))
        flows.append(Flow(connection: connection, sender: from, receiver: to, delay: delay))
        flows.append(Flow(connection: connection, sender: to, receiver: from, delay: delay))
        for side in 0...1 { flows[2 * connection + side].unsentLimit = unsentLimit }
        if hosts[to].isDead {
            queue.schedule(Event(.connectFailed, connection, detail: 1), after: Transport.connectTimeout)
        } else if hosts[to].refuses {
            queue.schedule(Event(.connectFailed, connection), after: delay * 2)
        } else {
            hosts[from].connections.append(connection)
            hosts[to].connections.append(connection)
            queue.schedule(Event(.opened, connection), after: delay * (2 * handshakes))
            queue.schedule(Event(.opened, connection, detail: 1), after: delay * (2 * handshakes + 1))
        }
        return connection
    }

    /// Closes one end. It hears nothing more; the other end gets what was sent before (within a second), then word.
    package func close(_ connection: Int, side: Int, abort: Bool) {
        guard end(connection, side) != .closed else { return }
        let outgoing = flows[2 * connection + side]
        if isHolding { flush(outgoing, number: 2 * connection + side) }
        outgoing.settle(at: queue.now)
        setEnd(connection, side, .closed)
        flows[2 * connection + 1 - side].frames.removeAll()
        if abort || outgoing.acknowledged == outgoing.written || !outgoing.isOpen {
            announceClosing(connection, side: side)
        } else {
            outgoing.endsAt = outgoing.written
            watchAcknowledgements(of: outgoing, number: 2 * connection + side)
            queue.schedule(Event(.lingerOver, connection, detail: Int64(side)), after: Transport.linger)
        }
    }

    /// Connections whose end at this host is open.
    func openConnections(of host: Int) -> [Int] {
        hosts[host].connections.filter { end($0, connections[$0].hosts.0 == host ? 0 : 1) == .open }
    }

    /// The process is gone: the kernel closes its connections at once. Silent: the power is.
    package func kill(_ host: Int, silently: Bool) {
        hosts[host].isDead = true
        hosts[host].diedAt = queue.now
        for connection in hosts[host].connections {
            let side = connections[connection].hosts.0 == host ? 0 : 1
            guard end(connection, side) != .closed else { continue }
            setEnd(connection, side, .closed)
            if !silently { announceClosing(connection, side: side) }
        }
        hosts[host].connections = []
    }

    /// Connections to this host are refused from now on, and reset when `resetting`.
    package func refuse(_ host: Int, _ refuses: Bool, resetting: Bool = false) {
        hosts[host].refuses = refuses
        guard refuses, resetting else { return }
        for connection in hosts[host].connections {
            close(connection, side: connections[connection].hosts.0 == host ? 0 : 1, abort: true)
        }
        hosts[host].connections = []
    }

    /// Bytes per second from now on.
    package func setRates(_ host: Int, uplink: Double, downlink: Double) {
        hosts[host].uplinkRate = uplink
        hosts[host].downlinkRate = downlink
    }

    /// Nothing leaves this host before `end`.
    package func freezeUplink(of host: Int, until end: Instant) {
        hosts[host].frozenUntil = end
    }

    private func announceClosing(_ connection: Int, side: Int) {
        flows[2 * connection + side].drop()
        queue.schedule(
            Event(.closeArrived, connection, detail: Int64(1 - side)),
            after: flows[2 * connection].delay
        )
    }

    func end(_ connection: Int, _ side: Int) -> Connection.End {
        side == 0 ? connections[connection].ends.0 : connections[connection].ends.1
    }

    private func setEnd(_ connection: Int, _ side: Int, _ end: Connection.End) {
        if side == 0 { connections[connection].ends.0 = end } else { connections[connection].ends.1 = end }
    }

    func report(_ occurrence: Occurrence) { occurrences.append(occurrence) }

    // MARK: Events

    /// - Returns: false for an event that is not the network's.
    package func handle(_ event: Event) -> Bool {
        let subject = Int(event.subject)
        switch event.kind {
        case .uplinkDone: uplinkDone(hosts[subject], number: subject)
        case .uplinkThaw: serve(hosts[subject], number: subject)
        case .arrival: packetArrived(flows[subject], number: subject)
        case .delivery: packetDelivered(flows[subject], number: subject)
        case .acknowledgement: acknowledged(flows[subject], number: subject)
        case .loss: packetLost(flows[subject], number: subject)
        case .windowUpdate:
            flows[subject].consumedAsKnown = max(flows[subject].consumedAsKnown, flows[subject].consumed)
            emit(flows[subject], number: subject)
        case .opened: opened(subject, side: Int(event.detail))
        case .connectFailed: connectFailed(subject, timedOut: event.detail == 1)
        case .closeArrived: closeArrived(subject, side: Int(event.detail))
        case .lingerOver:
            if flows[2 * subject + Int(event.detail)].isOpen { announceClosing(subject, side: Int(event.detail)) }
        default: return false
        }
        return true
    }

    private func opened(_ connection: Int, side: Int) {
        guard end(connection, side) == .connecting else { return }
        setEnd(connection, side, .open)
        flows[2 * connection + side].isOpen = true
        report(.opened(connection: connection, side: side))
    }

    private func connectFailed(_ connection: Int, timedOut: Bool) {
        guard end(connection, 0) == .connecting else { return }
        connections[connection].ends = (.closed, .closed)
        report(.failed(connection: connection, timedOut ? .timeout : .refused))
    }

    private func closeArrived(_ connection: Int, side: Int) {
        let before = end(connection, side)
        flows[2 * connection + side].drop()
        flows[2 * connection + 1 - side].drop()
        guard before != .closed else { return }
        setEnd(connection, side, .closed)
        if before == .connecting, side == 0 {
            report(.failed(connection: connection, .failed("reset")))
        } else if before == .open {
            report(.closed(connection: connection, side: side, .closedByPeer))
        }
    }
}

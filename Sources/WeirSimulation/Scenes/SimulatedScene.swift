import WeirCore

/// Runs a micro-scene in the transport model.
package final class SimulatedScene {
    /// A connection's part in the scene.
    private struct Leg {
        var conversation: Int
        /// Where in the path its first host stands.
        var place: Int
        /// Bytes of the answer under way that are to come, and that have come.
        var wanted: Int
        var arrived = 0
        var hasRested = false
        /// The connection by which whoever asked this leg's first host is served.
        var upstream: Int?
    }

    private let scene: MicroScene
    private let queue = EventQueue()
    private let network: Network
    private var legs: [Int: Leg] = [:]
    /// Which request each conversation is at, and when its clock began.
    private var current: [(request: Int, began: Double)]
    private var ends: [Double?]
    /// Of paced answers, by connection: bytes that wait for their tokens.
    private var unsent: [Int: Int] = [:]
    /// Conversations whose first source has ended.
    private var hasBroken: Set<Int> = []

    private init(_ scene: MicroScene) {
        self.scene = scene
        let roundTrip = Duration.seconds(scene.roundTrip)
        network = Network(queue: queue, roundTrips: (roundTrip, roundTrip))
        current = scene.conversations.map { (0, $0.start) }
        ends = scene.conversations.map { _ in nil }
        for host in scene.hosts {
            _ = network.addHost(
                HostSettings(
                    uplink: host.uplink * 125_000,
                    downlink: host.downlink * 125_000,
                    queue: .seconds(MicroScene.queueSeconds),
                    fixedRoundTrip: host.roundTrip.map { .seconds($0) }
                )
            )
        }
    }

    /// - Returns: seconds from the first beginning to the last end of what is measured; nil when it did not end.
    package static func seconds(_ scene: MicroScene) -> Double? {
        SimulatedScene(scene).run()
    }

    private func run() -> Double? {
        for place in scene.conversations.indices {
            queue.schedule(Event(.start, place), at: .start + .seconds(scene.conversations[place].start))
        }
        while let event = queue.next(until: .start + .seconds(120)) {
            if !network.handle(event) { handle(event) }
            while let occurrence = network.nextOccurrence() { take(occurrence) }
        }
        let measured = scene.conversations.indices.filter { scene.conversations[$0].isMeasured }
        let finishes = measured.compactMap { ends[$0] }
        guard finishes.count == measured.count, let last = finishes.max() else { return nil }
        return last - (measured.map { current[$0].began }.min() ?? 0)
    }

    private var now: Double { Double(queue.now.nanoseconds) / 1e9 }

    private func handle(_ event: Event) {
        let (conversation, connection) = (Int(event.subject), Int(event.detail))
        switch event.kind {
        case .start: begin(conversation)
        case .leave: network.close(connection, side: 0, abort: true)
        case .stall: network.setPaused(false, on: connection, side: 0)
        case .localDelivery: sendPaced(on: connection)
        default: ask(conversation, on: connection)
        }
    }

    private func begin(_ conversation: Int) {
        let connection = connect(conversation, place: 0, upstream: nil)
        guard let patience = scene.conversations[conversation].givesUpAfter else { return }
        queue.schedule(Event(.leave, conversation, detail: Int64(connection)), after: .seconds(patience))
    }

    /// - Parameter target: in place of the path's next host.
    @discardableResult
    private func connect(_ conversation: Int, place: Int, upstream: Int?, to target: Int? = nil) -> Int {
        let path = scene.conversations[conversation].path
        let connection = network.connect(from: path[place], to: target ?? path[place + 1], handshakes: 1)
        let wanted = scene.conversations[conversation].requests[current[conversation].request].bytes
        legs[connection] = Leg(conversation: conversation, place: place, wanted: wanted, upstream: upstream)
        return connection
    }

    /// The pause before a further request is over.
    private func ask(_ conversation: Int, on connection: Int) {
        if !scene.conversations[conversation].measuresAll { current[conversation].began = now }
        legs[connection]?.wanted = scene.conversations[conversation].requests[current[conversation].request].bytes
        sendRequest(on: connection)
    }

    private func sendRequest(on connection: Int) {
        legs[connection]?.arrived = 0
        network.send(Frame(byteCount: MicroScene.requestBytes, content: .filler), on: connection, side: 0)
    }

    private func take(_ occurrence: Occurrence) {
        switch occurrence {
        case .opened(let connection, side: 0): sendRequest(on: connection)
        case .frame(let connection, side: 1, _): answer(connection)
        case .frame(let connection, side: 0, let frame): arrived(frame, on: connection)
        case .closed(let connection, side: 0, _): goOnElsewhere(connection)
        default: break
        }
    }

    private func answer(_ connection: Int) {
        guard let leg = legs[connection] else { return }
        let conversation = scene.conversations[leg.conversation]
        guard leg.place + 2 == conversation.path.count else {
            connect(leg.conversation, place: leg.place + 1, upstream: connection)
            return
        }
        if conversation.pace != nil {
            unsent[connection] = leg.wanted
            sendPaced(on: connection)
            return sendPaced(on: connection)
        }
        let isBroken =
            conversation.breaks.map { leg.wanted > $0.after && !hasBroken.contains(leg.conversation) } ?? false
        var rest = isBroken ? conversation.breaks?.after ?? 0 : leg.wanted
        while rest > 0 { rest -= sendPiece(of: rest, on: connection) }
        guard isBroken else { return }
        hasBroken.insert(leg.conversation)
        network.close(connection, side: 1, abort: false)
    }

    private func sendPiece(of rest: Int, on connection: Int) -> Int {
        let piece = Frame(byteCount: min(MicroScene.pieceBytes, rest), content: .filler)
        network.send(piece, on: connection, side: 1)
        return piece.byteCount
    }

    /// The bucket has room for another piece.
    private func sendPaced(on connection: Int) {
        guard let leg = legs[connection], let pace = scene.conversations[leg.conversation].pace,
            let rest = unsent[connection], rest > 0
        else { return }
        let sent = sendPiece(of: rest, on: connection)
        unsent[connection] = rest - sent
        // The second piece was saved up: from then on each waits for its own tokens.
        guard rest < leg.wanted else { return }
        queue.schedule(
            Event(.localDelivery, leg.conversation, detail: Int64(connection)),
            after: .seconds(Double(MicroScene.pieceBytes) / pace)
        )
    }

    /// The source has closed: what is missing is asked of the spare one, over a new connection.
    private func goOnElsewhere(_ connection: Int) {
        guard let leg = legs.removeValue(forKey: connection), leg.arrived < leg.wanted,
            let breaks = scene.conversations[leg.conversation].breaks
        else { return }
        let next = connect(leg.conversation, place: leg.place, upstream: nil, to: breaks.spare)
        legs[next]?.wanted = leg.wanted - leg.arrived
    }

    private func arrived(_ frame: Frame, on connection: Int) {
        guard let leg = legs[connection] else { return }
        if let upstream = leg.upstream { return network.send(frame, on: upstream, side: 1) }
        let arrived = leg.arrived + frame.byteCount
        legs[connection]?.arrived = arrived
        let conversation = leg.conversation
        let requests = scene.conversations[conversation].requests
        if let rest = scene.conversations[conversation].rest, arrived >= rest.after, !leg.hasRested {
            legs[connection]?.hasRested = true
            network.setPaused(true, on: connection, side: 0)
            queue.schedule(Event(.stall, conversation, detail: Int64(connection)), after: .seconds(rest.seconds))
        }
        guard arrived == leg.wanted else { return }
        ends[conversation] = now
        guard current[conversation].request + 1 < requests.count else { return }
        current[conversation].request += 1
        let pause = requests[current[conversation].request].pause
        queue.schedule(Event(.script, conversation, detail: Int64(connection)), after: .seconds(pause))
    }
}

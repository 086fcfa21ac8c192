import WeirCore

/// Runs a micro-scene in the transport model.
package final class SimulatedScene {
    /// A connection's part in the scene.
    private struct Leg {
        var conversation: Int
        /// Where in the path its first host stands.
        var place: Int
        /// Bytes of the answer under way that have come.
        var arrived = 0
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
                    queue: .seconds(MicroScene.queueSeconds)
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
            if event.kind == .start {
                begin(Int(event.subject))
            } else if !network.handle(event) {
                ask(Int(event.subject), on: Int(event.detail))
            }
            while let occurrence = network.nextOccurrence() { take(occurrence) }
        }
        let measured = scene.conversations.indices.filter { scene.conversations[$0].isMeasured }
        let finishes = measured.compactMap { ends[$0] }
        guard finishes.count == measured.count, let last = finishes.max() else { return nil }
        return last - (measured.map { current[$0].began }.min() ?? 0)
    }

    private var now: Double { Double(queue.now.nanoseconds) / 1e9 }

    private func begin(_ conversation: Int) {
        connect(conversation, place: 0, upstream: nil)
    }

    private func connect(_ conversation: Int, place: Int, upstream: Int?) {
        let path = scene.conversations[conversation].path
        let connection = network.connect(from: path[place], to: path[place + 1], handshakes: 1)
        legs[connection] = Leg(conversation: conversation, place: place, upstream: upstream)
    }

    /// The pause before a further request is over.
    private func ask(_ conversation: Int, on connection: Int) {
        current[conversation].began = now
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
        default: break
        }
    }

    private func answer(_ connection: Int) {
        guard let leg = legs[connection] else { return }
        let conversation = scene.conversations[leg.conversation]
        guard leg.place + 2 == conversation.path.count else {
            return connect(leg.conversation, place: leg.place + 1, upstream: connection)
        }
        var rest = conversation.requests[current[leg.conversation].request].bytes
        while rest > 0 {
            let piece = Frame(byteCount: min(MicroScene.pieceBytes, rest), content: .filler)
            network.send(piece, on: connection, side: 1)
            rest -= piece.byteCount
        }
    }

    private func arrived(_ frame: Frame, on connection: Int) {
        guard let leg = legs[connection] else { return }
        if let upstream = leg.upstream { return network.send(frame, on: upstream, side: 1) }
        legs[connection]?.arrived += frame.byteCount
        let conversation = leg.conversation
        let requests = scene.conversations[conversation].requests
        guard leg.arrived + frame.byteCount == requests[current[conversation].request].bytes else { return }
        ends[conversation] = now
        guard current[conversation].request + 1 < requests.count else { return }
        current[conversation].request += 1
        let pause = requests[current[conversation].request].pause
        queue.schedule(Event(.script, conversation, detail: Int64(connection)), after: .seconds(pause))
    }
}

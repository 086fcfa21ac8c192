import ArgumentParser
import FoundationEssentials
import WeirCore
import WeirLab
import WeirNet
import WeirTrackerJSON

/// What a tracker's core and its sockets cost (BOUNDS T11).
struct TrackerBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tracker",
        abstract: "Announces a second on one core with five offers each, bytes per idle peer, and what sockets take.",
        discussion: """
            "read", "decide" and "write" are the stages of one announce: JSON to a message, search among the swarm's \
            members, replies and relayed offers to JSON; no socket and no clock in them. "sockets" is a weir tracker of \
            its own process, asked over loopback by as many connections as its limits allow one address; rates are per \
            second of its processor time. Goals: 60,000 announces a second, 8 KB per idle peer.
            """
    )

    @Option(help: "Members of all swarms.") var peers = 20_000
    @Option(help: "Members of one swarm.") var swarm = 1000
    @Option(help: "Announces measured.") var announces = 60_000
    @Option(help: "Connections of the measurement over sockets, at most 1000; 0 leaves it out.") var connections = 500

    func validate() throws {
        guard (2...200_000).contains(peers), (2...peers).contains(swarm), (1000...10_000_000).contains(announces),
            (0...1000).contains(connections)
        else { throw ValidationError("peers 2…200000, swarm 2…peers, announces 1000…10000000, connections 0…1000") }
    }

    func run() async throws {
        // First of all: later the heap has room that others left.
        let memory = TrackerLoad.memory(peers: peers, swarm: swarm)
        var table = TextTable([
            "announces with", "search", "bytes", "read µs", "decide µs", "write µs", "announces/s", "goal",
        ])
        for kind in TrackerLoad.Kind.allCases {
            for isReserve in [false, true] {
                let load = TrackerLoad(kind: kind, peers: peers, swarm: swarm)
                table.add(load.measure(announces, isReserve: isReserve))
            }
        }
        print("\(peers) members in swarms of \(swarm), one core\n")
        print(table.text)
        print(memory)
        guard connections > 0 else { return }
        for line in try await TrackerSockets.measure(connections: connections) { print(line) }
    }
}

/// Messages of many agents, and the state that answers them.
struct TrackerLoad {
    enum Kind: String, CaseIterable {
        case agent = "5 offers of weir's"
        case browser = "5 offers of a browser's"
        case none = "no offers"
    }

    let kind: Kind
    let peers: Int
    let swarm: Int
    private let messages: [[UInt8]]

    init(kind: Kind, peers: Int, swarm: Int) {
        self.kind = kind
        self.peers = peers
        self.swarm = swarm
        messages = (0..<peers).map { TrackerLoad.message(of: $0, swarm: $0 / swarm, kind) }
    }

    static func message(of peer: Int, swarm: Int, _ kind: Kind) -> [UInt8] {
        let identity = PeerID(Digest.sha256([UInt8(peer & 255), UInt8(peer >> 8 & 255), UInt8(peer >> 16)]))
        let number = UInt8(truncatingIfNeeded: swarm)
        let more = UInt8(truncatingIfNeeded: swarm >> 8)
        guard let id = SwarmID([UInt8](repeating: 7, count: 18) + [number, more]) else {
            preconditionFailure("20 bytes")
        }
        var claims = PeerClaims()
        claims.viewers = 1
        claims.freeUpload = peer % 7 * 100_000
        claims.isDialable = peer % 2 == 0
        let age = Int64(peer % 20 * 700)
        claims.timeslot = Timeslot(rendition: RenditionKey(9), number: 123_456, place: .live(age: age))
        let endpoints = Endpoints(
            addresses: [
                PeerAddress(host: "203.0.113.\(peer % 250)", port: 40_000),
                PeerAddress(host: "2001:db8::\(peer % 9999)", port: 40_000),
            ],
            identity: identity
        )
        let count = kind == .none ? 0 : 5
        let announce = Announce(
            swarm: id,
            me: TrackerPeerID.derive(identity, in: id),
            event: nil,
            wanted: count,
            uploaded: 123_456_789,
            downloaded: 987_654_321,
            offers: (0..<count).map { Offer(id: OfferID(Array("offer\(peer)-\($0)".utf8)), endpoints: endpoints) },
            claims: kind == .browser ? nil : claims
        )
        let bytes = TrackerClientJSON.encode(.announce(announce))
        guard kind == .browser else { return bytes }
        // A browser's description names candidates of several kinds: about twice as long.
        let filler = #"a=candidate:842163049 1 udp 1677729535 198.51.100.7 46154 typ srflx raddr 0.0.0.0 rport 0\r\n"#
        return Array(
            String(decoding: bytes, as: UTF8.self).replacing(
                #"a=weir:1\r\n"#,
                with: String(repeating: filler, count: 9)
            ).utf8
        )
    }

    private func filled(isReserve: Bool) -> TrackerServerState<RawDescription> {
        var settings = TrackerServerSettings()
        settings.fullSearchRate = isReserve ? 1 : .max
        settings.maximumStreams = 2000
        settings.dynamicStreamingRate = 0.5
        var state = TrackerServerState<RawDescription>(settings: settings, seed: 1)
        for (peer, message) in messages.enumerated() {
            state.opened(TrackerSocket(UInt64(peer)), host: "10.\(peer >> 16).\(peer >> 8 & 255).\(peer & 255)")
            guard let call = try? TrackerServerJSON.decode(message) else { preconditionFailure("our own message") }
            state.handle(call, from: TrackerSocket(UInt64(peer)), at: .start)
            while state.nextOutput() != nil {}
        }
        return state
    }

    /// Three passes over the same announces, each adding one stage.
    func measure(_ announces: Int, isReserve: Bool) -> [String] {
        func time(_ work: () -> Void) -> Double {
            let begin = ProcessClock.ofThisThread
            work()
            return (ProcessClock.ofThisThread - begin) / Double(announces)
        }
        var state = filled(isReserve: isReserve)
        var written = 0
        var writer = TrackerAnswerWriter()
        let reading = time {
            for number in 0..<announces { if (try? TrackerServerJSON.decode(order(number).message)) == nil { return } }
        }
        func handle(_ number: Int, _ each: (TrackerAnswer<RawDescription>) -> Void) {
            let (peer, message) = order(number)
            guard let call = try? TrackerServerJSON.decode(message) else { return }
            let now = Instant.start + .milliseconds(number)
            state.handle(call, from: TrackerSocket(UInt64(peer)), at: now)
            while let (_, answer) = state.nextOutput() { each(answer) }
        }
        let deciding = time { for number in 0..<announces { handle(number) { _ in } } }
        let writing = time {
            for number in 0..<announces { handle(number) { written += writer.encode($0).count } }
        }
        precondition(written > announces * 100, "replies were written")
        func microseconds(_ value: Double) -> String { (max(0, value) * 1e6).fixed(2) }
        return [
            kind.rawValue, isReserve ? "reserve" : "full", String(messages[0].count), microseconds(reading),
            microseconds(deciding - reading), microseconds(writing - deciding), (1 / writing).fixed(0),
            kind == .agent ? "60000" : "",
        ]
    }

    /// Not one after the other through memory: as they would come.
    private func order(_ number: Int) -> (peer: Int, message: [UInt8]) {
        let peer = Int(truncatingIfNeeded: RandomSource.mix(UInt64(number)) % UInt64(peers))
        return (peer, messages[peer])
    }

    static func memory(peers: Int, swarm: Int) -> String {
        let load = TrackerLoad(kind: .agent, peers: peers, swarm: swarm)
        let before = MemoryAccount(process: ProcessInfo.processInfo.processIdentifier).anonymousBytes
        let state = load.filled(isReserve: false)
        let after = MemoryAccount(process: ProcessInfo.processInfo.processIdentifier).anonymousBytes
        let each = Double(after - before) / Double(peers)
        return
            "memory of the logic: \(each.fixed(0)) bytes per idle peer, \(state.statistics.peers) peers (goal 8192)\n"
    }
}

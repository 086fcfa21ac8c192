import WeirCore

/// A tracker and its members by number, for tests that look at whom it introduces.
struct TrackerTrace: ~Copyable {
    var state: TrackerServerState<Endpoints>
    var now = Instant.start
    private var opened = 0
    private var random: RandomSource

    static let swarm = SwarmID([UInt8](repeating: 7, count: SwarmID.byteCount))!

    init(settings: TrackerServerSettings = .exact, seed: UInt64 = 1) {
        state = TrackerServerState(settings: settings, seed: seed)
        random = RandomSource(seed: seed)
    }

    static func name(_ number: Int) -> TrackerPeerID {
        TrackerPeerID(Array("-WR0100-".utf8) + Array("\(100_000_000_000 + number)".utf8))!
    }

    mutating func fraction() -> Double { random.fraction() }

    /// Each in a network of its own, unless told otherwise.
    mutating func open(_ number: Int, host: String? = nil) {
        let usual = "\(11 + number >> 16).\(number >> 8 & 255).\(number & 255).1"
        state.opened(TrackerSocket(UInt64(number)), host: host ?? usual)
    }

    struct Introduction: Equatable {
        var to: Int
        var claims: PeerClaims?
    }

    /// - Returns: to whom the offers went, in their order, and the reply.
    @discardableResult
    mutating func announce(
        _ number: Int,
        in swarm: SwarmID = swarm,
        offers: Int = 0,
        event: Announce.Event? = nil,
        claims: PeerClaims? = PeerClaims(),
        holdings: [HeldParts] = [],
        receipts: [Receipt] = []
    ) -> (introduced: [Introduction], reply: TrackerReply?) {
        let endpoints = Endpoints(addresses: [], identity: nil)
        let announce = Announce(
            swarm: swarm,
            me: TrackerTrace.name(number),
            event: event,
            wanted: offers,
            uploaded: 0,
            downloaded: 0,
            offers: (0..<offers).map { Offer(id: OfferID([UInt8($0)]), endpoints: endpoints) },
            claims: claims,
            holdings: holdings,
            receipts: receipts
        )
        let socket = TrackerSocket(UInt64(number))
        state.handle(TrackerCall(.announce(announce)), from: socket, at: now)
        var introduced: [Introduction] = []
        var reply: TrackerReply?
        while let (to, answer) = state.nextOutput() {
            switch answer.reply {
            case .offer(_, _, _, _, let claims): introduced.append(Introduction(to: Int(to.value), claims: claims))
            case let other: if to == socket { reply = other }
            }
        }
        return (introduced, reply)
    }

    mutating func wait(_ span: Duration) { now = now + span }
}

extension TrackerReply {
    var interval: Int? { if case .swarm(_, let interval, _, _, _) = self { interval } else { nil } }
    var mode: ChannelMode? { if case .swarm(_, _, _, _, let mode) = self { mode } else { nil } }
}

extension PeerClaims {
    static func watching(
        live age: Int64? = nil,
        at position: Int64? = nil,
        of length: Int64 = 7_200_000,
        viewers: Int = 1
    ) -> PeerClaims {
        var claims = PeerClaims()
        claims.viewers = viewers
        if let age { claims.timeslot = Timeslot(rendition: RenditionKey(9), number: 500, place: .live(age: age)) }
        if let position {
            let part = Int(min(63, position * 64 / length))
            claims.timeslot = Timeslot(
                rendition: RenditionKey(9),
                number: UInt64(position / 2000),
                place: .recorded(position: position, part: part)
            )
        }
        return claims
    }

    func with(_ change: (inout PeerClaims) -> Void) -> PeerClaims {
        var copy = self
        change(&copy)
        return copy
    }
}

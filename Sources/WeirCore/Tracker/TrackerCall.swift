/// One connection of a tracker server. Whoever owns the sockets numbers them.
package struct TrackerSocket: Hashable, Comparable, Sendable {
    package var value: UInt64
    package init(_ value: UInt64) { self.value = value }
    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// What a client says to a tracker server.
///
/// `Description` is the SDP. A server over sockets relays the text as it came, because browsers' say more than weir
/// reads; a simulation uses `Endpoints`.
package enum TrackerCall<Description: Sendable>: Sendable {
    case announce(TrackerAnnouncement<Description>)
    case answer(swarm: SwarmID, from: TrackerPeerID, to: TrackerPeerID, offer: OfferID, Description)
    case scrape([SwarmID])
}

package struct TrackerAnnouncement<Description: Sendable>: Sendable {
    package enum Event: String, Sendable { case started, stopped, completed }

    package var swarm: SwarmID
    package var peer: TrackerPeerID
    package var event: Event?
    /// The client says that it lacks nothing. p2p-media-loader and weir never do.
    package var isComplete: Bool
    package var wanted: Int
    package var offers: [(id: OfferID, description: Description)]
    /// Nil: the client is no agent, and counts as one viewer.
    package var claims: PeerClaims?
    package var holdings: [HeldParts]
    package var receipts: [Receipt]

    package init(
        swarm: SwarmID,
        peer: TrackerPeerID,
        event: Event? = nil,
        isComplete: Bool = false,
        wanted: Int = 0,
        offers: [(id: OfferID, description: Description)] = [],
        claims: PeerClaims? = nil,
        holdings: [HeldParts] = [],
        receipts: [Receipt] = []
    ) {
        self.swarm = swarm
        self.peer = peer
        self.event = event
        self.isComplete = isComplete
        self.wanted = wanted
        self.offers = offers
        self.claims = claims
        self.holdings = holdings
        self.receipts = receipts
    }
}

/// What a tracker server says to a client.
package enum TrackerAnswer<Description: Sendable>: Sendable {
    /// `interval` in seconds. A mode is said to agents alone.
    case swarm(SwarmID, interval: Int, complete: Int, incomplete: Int, mode: ChannelMode?)
    case offer(swarm: SwarmID, from: TrackerPeerID, offer: OfferID, Description, claims: PeerClaims?)
    case answer(swarm: SwarmID, from: TrackerPeerID, offer: OfferID, Description)
    case scrape([(swarm: SwarmID, complete: Int, incomplete: Int)])
    case failure(SwarmID?, reason: String)
}

extension TrackerCall<Endpoints> {
    /// What an agent's request is to the server.
    package init(_ request: TrackerRequest) {
        switch request {
        case .announce(let announce):
            self = .announce(
                TrackerAnnouncement(
                    swarm: announce.swarm,
                    peer: announce.me,
                    event: announce.event.flatMap { .init(rawValue: $0.rawValue) },
                    wanted: announce.wanted,
                    offers: announce.offers.map { ($0.id, $0.endpoints) },
                    claims: announce.claims,
                    holdings: announce.holdings,
                    receipts: announce.receipts
                )
            )
        case .answer(let swarm, let me, let peer, let offer, let endpoints):
            self = .answer(swarm: swarm, from: me, to: peer, offer: offer, endpoints)
        }
    }
}

extension TrackerAnswer<Endpoints> {
    /// What the server's answer is to an agent; nil for what agents never ask.
    package var reply: TrackerReply? {
        switch self {
        case .swarm(let swarm, let interval, let complete, let incomplete, let mode):
            .swarm(swarm, interval: interval, complete: complete, incomplete: incomplete, mode: mode)
        case .offer(let swarm, let peer, let offer, let endpoints, let claims):
            .offer(swarm: swarm, from: peer, offer: offer, endpoints, claims: claims)
        case .answer(let swarm, let peer, let offer, let endpoints):
            .answer(swarm: swarm, from: peer, offer: offer, endpoints)
        case .failure(let swarm, let reason): .failure(swarm: swarm, reason: reason)
        case .scrape: nil
        }
    }
}

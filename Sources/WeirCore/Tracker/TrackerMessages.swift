/// What the core says to a tracker. The shell turns it into the WebTorrent WebSocket JSON.
package enum TrackerRequest: Hashable, Sendable {
    case announce(Announce)
    /// Our answer to a relayed offer.
    case answer(swarm: SwarmID, me: TrackerPeerID, to: TrackerPeerID, offer: OfferID, sdp: Endpoints)
}

package struct Announce: Hashable, Sendable {
    package enum Event: String, Sendable { case started, stopped }

    package var swarm: SwarmID
    package var me: TrackerPeerID
    package var event: Event?
    /// How many other peers to relay offers to.
    package var wanted: Int
    package var uploaded: Int64
    package var downloaded: Int64
    package var offers: [Offer]
    package var claims: PeerClaims?
    package var holdings: [HeldParts]
    package var receipts: [Receipt]

    package init(
        swarm: SwarmID,
        me: TrackerPeerID,
        event: Event?,
        wanted: Int,
        uploaded: Int64,
        downloaded: Int64,
        offers: [Offer],
        claims: PeerClaims? = nil,
        holdings: [HeldParts] = [],
        receipts: [Receipt] = []
    ) {
        self.swarm = swarm
        self.me = me
        self.event = event
        self.wanted = wanted
        self.uploaded = uploaded
        self.downloaded = downloaded
        self.offers = offers
        self.claims = claims
        self.holdings = holdings
        self.receipts = receipts
    }
}

package struct Offer: Hashable, Sendable {
    package var id: OfferID
    package var endpoints: Endpoints

    package init(id: OfferID, endpoints: Endpoints) {
        self.id = id
        self.endpoints = endpoints
    }
}

/// What a tracker says.
package enum TrackerReply: Hashable, Sendable {
    /// `interval` in seconds, clamped by the shell's decoder to 1…86,400. Only weir's own tracker says a mode.
    case swarm(SwarmID, interval: Int, complete: Int, incomplete: Int, mode: ChannelMode? = nil)
    case offer(swarm: SwarmID, from: TrackerPeerID, offer: OfferID, Endpoints, claims: PeerClaims? = nil)
    case answer(swarm: SwarmID, from: TrackerPeerID, offer: OfferID, Endpoints)
    case failure(swarm: SwarmID?, reason: String)
    case warning(String)
}

/// A peer as a tracker names it: 20 bytes (BEP 3).
package struct TrackerPeerID: Hashable, Comparable, Sendable {
    // Numbers, because a tracker looks peers up for every message.
    private let first: UInt64
    private let second: UInt64
    private let third: UInt32

    package static let byteCount = 20

    /// - Parameter bytes: exactly 20; any other count gives nil.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == TrackerPeerID.byteCount else { return nil }
        var iterator = bytes.makeIterator()
        func number(_ count: Int) -> UInt64 {
            var value: UInt64 = 0
            for _ in 0..<count { value = value << 8 | UInt64(iterator.next() ?? 0) }
            return value
        }
        first = number(8)
        second = number(8)
        third = UInt32(truncatingIfNeeded: number(4))
    }

    package var bytes: [UInt8] { Array(bigEndian: first, second, third) }

    package static func < (left: Self, right: Self) -> Bool {
        (left.first, left.second, left.third) < (right.first, right.second, right.third)
    }
}

/// Echoed exactly, whatever its bytes.
package struct OfferID: Hashable, Comparable, Sendable {
    package var bytes: [UInt8]
    package init(_ bytes: [UInt8]) { self.bytes = bytes }
    package static func < (left: Self, right: Self) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}

/// What weir reads out of and writes into an SDP: where an agent can be dialled and which key it will prove.
package struct Endpoints: Hashable, Sendable {
    /// Passive TCP candidates (RFC 6544), best first.
    package var addresses: [PeerAddress]
    /// SHA-256 of the SubjectPublicKeyInfo: the `a=fingerprint` line. Nil when the SDP had none, as a browser's
    /// certificate fingerprint is not one of ours.
    package var identity: PeerID?

    package init(addresses: [PeerAddress], identity: PeerID?) {
        self.addresses = addresses
        self.identity = identity
    }
}

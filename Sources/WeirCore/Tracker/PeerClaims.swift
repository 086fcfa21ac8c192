/// What an agent says of itself when it announces, beyond the tracker protocol. Other trackers pass over it, and clients
/// that are no agents never say it.
///
/// A claim costs nothing and proves nothing: it decides whom a tracker introduces first and whom an agent dials first,
/// never what is believed. What an agent has measured itself outweighs any of it.
package struct PeerClaims: Hashable, Sendable {
    /// Players that watch through it now.
    package var viewers = 0
    /// It sends media to others at all.
    package var uploads = true
    /// Bytes a second that its upload limit leaves unused; nil: unknown.
    package var freeUpload: Int?
    /// Somebody from outside has dialled it lately.
    package var isDialable = false
    /// Where its player is; nil: nobody plays.
    package var timeslot: Timeslot?

    package init() {}
}

/// Where in a stream a player is, without a wall clock.
package struct Timeslot: Hashable, Sendable {
    package enum Place: Hashable, Sendable {
        /// On live: milliseconds from the start of the segment that its player asks next to the live edge, by the stream's
        /// own clock where it has one, and since the edge was last seen to move.
        case live(age: Int64)
        /// In a recording: milliseconds of media before the player, and the 64th part of the list that it is in.
        case recorded(position: Int64, part: Int)
    }

    package var rendition: RenditionKey
    /// The segment that the player asks next.
    package var number: UInt64
    package var place: Place

    package init(rendition: RenditionKey, number: UInt64, place: Place) {
        self.rendition = rendition
        self.number = number
        self.place = place
    }
}

/// Which parts of one rendition of a recording an agent holds: bit n stands for the n-th 64th of its segments, of which
/// it holds at least one.
package struct HeldParts: Hashable, Sendable {
    package var rendition: RenditionKey
    package var parts: UInt64

    /// Parts of a rendition, whatever its length: what fits one word.
    package static let count = 64

    package init(rendition: RenditionKey, parts: UInt64) {
        self.rendition = rendition
        self.parts = parts
    }

    /// The part that a segment belongs to.
    package static func part(ofIndex index: Int, of total: Int) -> Int {
        guard total > 0, index >= 0 else { return 0 }
        return min(count - 1, index * count / total)
    }
}

/// What a receiver says of a peer that sent it media, since its last announce.
package struct Receipt: Hashable, Sendable {
    package var sender: TrackerPeerID
    /// KiB of payload that was right, and that contradicted its digest list.
    package var good: Int
    package var bad: Int

    package init(sender: TrackerPeerID, good: Int, bad: Int) {
        self.sender = sender
        self.good = good
        self.bad = bad
    }
}

/// Where media of a channel is to come from.
package enum DeliveryMode: String, Hashable, Sendable {
    /// From the origin or an edge alone.
    case direct
    /// From peers as far as they reach.
    case peers = "p2p"
}

/// A tracker's word on a channel.
package struct ChannelMode: Hashable, Sendable {
    package var mode: DeliveryMode
    /// Announced viewers.
    package var viewers: Int
    /// For people.
    package var reason: String

    package init(_ mode: DeliveryMode, viewers: Int, reason: String) {
        self.mode = mode
        self.viewers = viewers
        self.reason = reason
    }
}

/// The most of each that one announce may say; more is passed over.
package enum ClaimLimits {
    /// A household's players. One announcer must not swing a channel's mode.
    package static let viewers = 8
    package static let renditions = 8
    package static let receipts = 8
}

/// How useful one member is likely to be to another: one number from what is known of both, the larger the better.
///
/// In order of weight: it holds what the asker plays next; it is where the asker is in the stream; it can be reached; it
/// has upload to spare; receivers speak well of it. Whoever was introduced often since it last announced waits its turn.
package struct SearchRank: Sendable {
    /// What ranking looks at.
    package struct Member: Sendable {
        package var claims: PeerClaims
        package var announced: Instant
        /// The part of the asker's rendition that it holds.
        package var holdsWanted: Bool
        /// Its address as the tracker sees it, and the network of that.
        package var host: UInt64
        package var network: UInt64
        /// `PeerScore`.
        package var points: Double
        /// Since its last announce.
        package var introductions: Int

        package init(
            claims: PeerClaims,
            announced: Instant,
            holdsWanted: Bool = false,
            host: UInt64 = 0,
            network: UInt64 = 0,
            points: Double = 0,
            introductions: Int = 0
        ) {
            self.claims = claims
            self.announced = announced
            self.holdsWanted = holdsWanted
            self.host = host
            self.network = network
            self.points = points
            self.introductions = introductions
        }
    }

    package static let holdsWeight = 6.0
    package static let timeslotWeight = 4.0
    package static let reachWeight = 2.0
    package static let impactWeight = 2.0
    package static let scoreWeight = 2.0
    package static let introductionWeight = 0.5
    /// Not worth an introduction while there is anybody else.
    package static let hopeless = -4.0

    /// Further apart than this, live players have nothing to tell each other; players of a recording neither.
    package static let liveSpan = 30.0
    package static let recordedSpan = 120.0
    /// Half of the upload that counts as plenty: 4 Mbit/s.
    private static let halfUpload = 500_000.0
    /// Half of the points that count as well spoken of: 16 MiB.
    private static let halfPoints = 16_384.0

    package static func value(of member: Member, for asker: Member, at now: Instant) -> Double {
        var value = 0.0
        if member.holdsWanted { value += holdsWeight }
        value += timeslotWeight * closeness(of: member, to: asker, at: now)
        value += reachWeight * reach(of: member, from: asker)
        if member.claims.uploads {
            value += impactWeight * impact(member.claims.freeUpload)
        } else {
            value += hopeless
        }
        value += scoreWeight * saturated(member.points, half: halfPoints)
        return value - introductionWeight * Double(min(16, member.introductions))
    }

    /// −1…1, half of it at `half`.
    private static func saturated(_ amount: Double, half: Double) -> Double { amount / (abs(amount) + half) }

    private static func impact(_ free: Int?) -> Double {
        // Unknown is what most uplinks are: some.
        free.map { saturated(Double(max(0, $0)), half: halfUpload) } ?? 0.5
    }

    /// LAN, same network, dialable; only one of two must be dialable.
    private static func reach(of member: Member, from asker: Member) -> Double {
        if member.host == asker.host { return 1 }
        if member.network == asker.network { return 0.75 }
        if member.claims.isDialable { return 0.5 }
        return asker.claims.isDialable ? 0.25 : -1
    }

    /// 0…1. Both are taken to have played on since they announced, which on live changes no distance.
    package static func closeness(of member: Member, to asker: Member, at now: Instant) -> Double {
        guard let theirs = member.claims.timeslot, let own = asker.claims.timeslot else { return 0 }
        switch (theirs.place, own.place) {
        case (.live(let theirAge), .live(let age)):
            guard belongTogether(theirs.number, own.number) else { return 0 }
            return fall(Double(theirAge) - Double(age), liveSpan * 1000)
        case (.recorded(let theirPosition, _), .recorded(let position, _)):
            guard theirs.rendition == own.rendition else { return 0 }
            let moved = (now - member.announced).milliseconds - (now - asker.announced).milliseconds
            let lead = Double(theirPosition) + moved - Double(position)
            // Who is behind still lacks what the asker plays next.
            return fall(lead, recordedSpan * 1000) * (lead >= 0 ? 1 : 0.5)
        default: return 0
        }
    }

    private static func fall(_ distance: Double, _ span: Double) -> Double { max(0, 1 - abs(distance) / span) }

    /// Live numbers of one timeline lie within hours of each other; others are those of another one (a packager that
    /// began anew, times instead of numbers).
    private static func belongTogether(_ one: UInt64, _ other: UInt64) -> Bool {
        let distance = one > other ? one - other : other - one
        return distance < 100_000 || distance < max(one, other) / 4
    }
}

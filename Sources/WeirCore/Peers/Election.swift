/// Elections in a row that a peer was expected to win and did not act upon.
///
/// One may be a list that it saw late; two, and it is passed over for a minute, so that the others need not wait for it
/// again and again.
struct ElectionFailures {
    private var count = 0
    private var last = Instant.start

    static let exclusion = Duration.seconds(60)

    mutating func note(at now: Instant) {
        count = now - last > ElectionFailures.exclusion ? 1 : count + 1
        last = now
    }

    func excludes(at now: Instant) -> Bool { count >= 2 && now - last <= ElectionFailures.exclusion }
}

/// Who reads a segment from the origin for the swarm: rendezvous hashing (Thaler and Ravishankar 1998), so that all who
/// know the same members agree without a message.
package enum Election {
    /// Waiting time per unlinked agent: about one round trip for a being-fetched have to come round.
    static let waitPerStranger = Duration.milliseconds(100)
    /// How long each rank gives the one before it to announce its fetch.
    static let backupStep = Duration.milliseconds(700)

    /// Even over 0..<2^32; the lowest among the electorate fetches.
    package static func score(_ peer: PeerID, _ segment: SegmentID) -> UInt32 {
        var mixed = RandomSource.mix(peer.digest.prefix)
        mixed = RandomSource.mix(mixed ^ segment.rendition.value)
        mixed = RandomSource.mix(mixed ^ segment.number &+ UInt64(segment.kind.rawValue) << 56)
        return UInt32(truncatingIfNeeded: mixed >> 32)
    }

    /// How many of `others` come before me: 0 means that I fetch now.
    package static func rank(of me: PeerID, among others: [PeerID], for segment: SegmentID) -> Int {
        let mine = (score(me, segment), me)
        return others.reduce(0) { $0 + ((score($1, segment), $1) < mine ? 1 : 0) }
    }

    /// How long after a segment became known this rank fetches it, if nobody has announced it by then.
    ///
    /// The first of the linked agents still waits in proportion to its score when the swarm is larger than what it is
    /// linked to: several local firsts exist, and the one with the lowest score should be heard by the others.
    ///
    /// - Parameter step: how long each rank gives the one before it.
    package static func delay(
        rank: Int,
        score: UInt32,
        strangers: Int,
        step: Duration = backupStep
    ) -> Duration {
        let share = Double(score) / 4_294_967_296
        let local = waitPerStranger * (share * Double(max(0, strangers)))
        return min(local, .seconds(2)) + step * rank
    }
}

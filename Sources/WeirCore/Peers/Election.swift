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

    /// Who stands for election. Whoever has not the uplink to hand a segment out comes after all who have, in the order of
    /// what it has.
    package struct Candidate: Sendable {
        package var peer: PeerID
        /// In eighths, as it says itself.
        package var share: UInt8

        package init(peer: PeerID, share: UInt8 = UploadShare.whole) {
            self.peer = peer
            self.share = min(share, UploadShare.whole)
        }

        /// Whether it comes before another one for a segment.
        package func precedes(_ other: Candidate, for segment: SegmentID) -> Bool {
            (UploadShare.whole - share, score(peer, segment), peer)
                < (UploadShare.whole - other.share, score(other.peer, segment), other.peer)
        }
    }

    /// How many of `others` come before me: 0 means that I fetch now.
    package static func rank(of me: Candidate, among others: [Candidate], for segment: SegmentID) -> Int {
        others.count { $0.precedes(me, for: segment) }
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

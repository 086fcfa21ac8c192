// Who of those who want a segment reads it from the origin for all of them.
extension Agent {
    static let stoodIn = "stood in for the elected"

    /// When this agent should read the segment for the swarm, if nobody has announced it by then.
    func electionTurn(_ segment: Segment, _ stream: Stream) -> (turn: Instant, rank: Int) {
        guard settings.uploadBytesPerSecond != 0 else { return (.never, 0) }
        let others = electorate(segment, stream)
        let rank = Election.rank(
            of: Election.Candidate(peer: me, share: segment.rendition.share),
            among: others,
            for: segment.id
        )
        let delay = Election.delay(
            rank: rank,
            score: Election.score(me, segment.id),
            strangers: strangers(in: stream),
            step: rankStep(of: segment)
        )
        let begun = max(segment.listedAt, segment.raceStart ?? now, segment.lastOffer)
        // Somebody further away reads it already: its chunks will come this way, or the deadline rule decides.
        guard !isUnderway(segment, stream) else { return (begun + .seconds(4), rank) }
        return (begun + delay, rank)
    }

    /// Who has just come to a swarm first hears what the others hold before it reads ahead of its player:
    /// about two round trips of a far peer. Without that it would read for them what they all have.
    static let greetingRound = Duration.milliseconds(500)

    /// How long each rank gives the one before it.
    private func rankStep(of segment: Segment) -> Duration {
        segment.rendition.isParts ? segment.rendition.targetDuration / 3 : Election.backupStep
    }

    private func isUnderway(_ segment: Segment, _ stream: Stream) -> Bool {
        links.contains {
            $0.holdings(stream.swarm, segment.id.rendition)?.underway.contains(segment.id.number) ?? false
        }
    }

    /// Linked agents that would read this segment from the origin for the swarm.
    func electorate(_ segment: Segment, _ stream: Stream) -> [Election.Candidate] {
        links(of: stream).compactMap { link in
            guard link.hello?.uploads == true, let holdings = link.holdings(stream.swarm, segment.id.rendition),
                !(stream.electionFailures[link.peer.id]?.excludes(at: now) ?? false)
            else { return nil }
            guard let position = holdings.position, position <= segment.numbers.upperBound,
                segment.rendition.isLive || isWithinPrefetch(segment, of: position)
            else { return nil }
            return Election.Candidate(peer: link.peer.id, share: holdings.share)
        }
    }

    /// On demand only those whose player comes there within the prefetch window want a segment.
    private func isWithinPrefetch(_ segment: Segment, of position: UInt64) -> Bool {
        guard let listing = segment.rendition.listing else { return false }
        let window = Int(settings.maximumBuffer.seconds / max(0.5, listing.targetDuration.seconds))
        return listing.index(atOrAfter: segment.id.number) - listing.index(atOrAfter: position) <= window
    }

    /// Members of the swarm that we have no link to, as far as the tracker and other peers name them.
    func strangers(in stream: Stream) -> Int {
        let members = max(stream.announcedMembers - 1, stream.named.count)
        return max(0, members - links(of: stream).count)
    }

    // MARK: Failures

    /// A peer reads a segment from the origin: those who were elected before it, and neither read nor hold it after all
    /// this time, failed.
    mutating func reads(_ link: Link, _ number: UInt64, in rendition: Rendition) {
        rendition.stream.electionFailures[link.peer.id] = nil
        guard let segment = rendition.media[number], !segment.isHeld else { return }
        noteFailures(before: link.peer.id, segment)
    }

    /// Counts a failed election against all who rank before `reader`.
    mutating func noteFailures(before reader: PeerID, _ segment: Segment) {
        let stream = segment.rendition.stream
        guard now - max(segment.listedAt, segment.lastOffer) >= rankStep(of: segment) else { return }
        let electorate = electorate(segment, stream)
        let own = Election.Candidate(peer: me, share: segment.rendition.share)
        guard let elected = reader == me ? own : electorate.first(where: { $0.peer == reader }) else { return }
        for candidate in electorate where candidate.precedes(elected, for: segment.id) {
            guard let link = links(of: stream).first(where: { $0.peer.id == candidate.peer }),
                !(link.holdings(stream.swarm, segment.id.rendition)?.offers(segment.id) ?? false)
            else { continue }
            stream.electionFailures[candidate.peer, default: ElectionFailures()].note(at: now)
        }
        if stream.electionFailures.count > limits.knownPeers { stream.electionFailures = [:] }
    }
}

// Which links to keep when there is no room for more: those that media go over.
extension Agent {
    /// How often links are compared, and one at most is let go.
    static let neighbourReview = Duration.seconds(30)
    /// A link is not judged before it has lasted this long.
    static let settlingTime = Duration.seconds(60)
    /// Who was let go is not dialled again for this long, or two agents would part and meet for ever.
    static let partingTime = Duration.seconds(300)
    /// A link that carries less than the median link divided by this is let go for somebody who waits.
    static let neighbourMargin: Int64 = 8

    /// Lets go of the link that carried least since the last look, either way, when all places are taken, it carried next
    /// to nothing beside the others, and there is somebody else to try. In a swarm where nothing flows nobody is let go.
    mutating func reviewNeighbours() {
        guard now - neighboursReviewedAt >= Agent.neighbourReview else { return }
        neighboursReviewedAt = now
        let up = links.filter { $0.isUp }
        let carried = up.map { $0.takeCarried() }
        // Dials alone may fill all places: then there is no link to compare.
        guard !up.isEmpty, up.count + dials.pending >= min(wantedLinks, limits.dialledLinks),
            dials.hasStranger(at: now)
        else {
            return
        }
        let median = carried.sorted()[carried.count / 2]
        let candidates = up.indices.filter { place in
            carried[place] < median / Agent.neighbourMargin && now - up[place].since >= Agent.settlingTime
                && !up[place].isLocal && !dials.isPermanent(up[place].peer.id)
        }
        guard let least = candidates.min(by: { carried[$0] < carried[$1] }) else { return }
        let link = up[least]
        log(
            .debug,
            "let go of a link that carries little",
            [("peer", link.peer.id.description), ("bytes", String(carried[least])), ("median", String(median))]
        )
        dials.postpone(link.peer.id, until: now + Agent.partingTime)
        close(link, .tooManyLinks)
        agenda.note(.dials, at: now)
    }
}

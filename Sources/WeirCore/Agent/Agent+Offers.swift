// Who offers a segment, and who owes it.
extension Agent {
    /// A peer that owes chunks and has been silent for this long counts for nothing.
    static let promiseTime = Duration.milliseconds(1500)

    /// Links that hold the segment, promise it, or hold a part of it, and did not refuse it lately.
    func offers(of segment: Segment) -> [Link] {
        var offering: [Link] = []
        for link in candidates(for: segment).links
        where !isMissing(link, for: segment) && !isRefused(by: link, segment) {
            offering.append(link)
        }
        return offering
    }

    /// Links that hold, promise or have a part of it; gathered again only after news of it.
    private func candidates(for segment: Segment) -> Candidates {
        let speakers = speakers(of: segment.rendition)
        if let known = segment.candidates, known.gathering == segment.rendition.gathering { return known }
        var found = Candidates(gathering: segment.rendition.gathering)
        for (link, holdings) in speakers where holdings.offers(segment.id) {
            found.links.append(link)
            if holdings.holdsOrPromises(segment.id) { found.whole.append(link) }
            if holdings.promises(segment.id) { found.promising.append(link) }
        }
        segment.candidates = found
        return found
    }

    /// How many of those who offer it have or promise the whole.
    func holderCount(of segment: Segment) -> Int {
        candidates(for: segment).whole.count { !isMissing($0, for: segment) && !isRefused(by: $0, segment) }
    }

    private func isRefused(by link: Link, _ segment: Segment) -> Bool {
        guard !segment.refusals.isEmpty, let until = segment.refusals[link.id] else { return false }
        return until > now
    }

    /// A peer that fell silent while something is due from it: whoever waits for it waits for nothing.
    func isMissing(_ link: Link, for segment: Segment) -> Bool {
        now - link.lastHeard >= Agent.promiseTime && owes(link, segment)
    }

    private func owes(_ link: Link, _ segment: Segment) -> Bool {
        if !link.runs.isEmpty, link.runs.values.contains(where: { $0.segment === segment }) { return true }
        let holdings = link.holdings(segment.rendition.stream.swarm, segment.id.rendition)
        return holdings?.promises(segment.id) ?? false
    }

    /// Asks those who owe something and are silent for a sign of life.
    mutating func watchPromises(of segment: Segment) {
        var debtors = candidates(for: segment).promising.filter { !isRefused(by: $0, segment) }
        for run in segment.runs {
            if case .link(let id, _) = run.source, let link = link(id) { debtors.append(link) }
        }
        var next = Instant.never
        for link in debtors where now - link.lastHeard < Agent.promiseTime {
            let question = link.lastHeard + Agent.promiseTime / 3
            if question <= now, link.ping == nil { sendPing(link) }
            next = min(next, question <= now ? link.lastHeard + Agent.promiseTime : question)
        }
        agenda.note(.plan(segment.rendition.stream.id), at: next)
    }

    func hasPeerOffer(_ segment: Segment) -> Bool {
        guard segment.originOnly == nil, acceptsPeers(segment) else { return false }
        return !offers(of: segment).isEmpty
    }

    /// Which chunks a link offers.
    func offer(of link: Link, for segment: Segment) -> (Int) -> Bool {
        guard let holdings = link.holdings(segment.rendition.stream.swarm, segment.id.rendition) else {
            return { _ in false }
        }
        if holdings.holdsOrPromises(segment.id) { return { _ in true } }
        let runs = holdings.partial[segment.id.number] ?? []
        return { runs.contains(chunk: $0) }
    }
}

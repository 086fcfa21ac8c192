// The swarm of a stream: who is in it, what they hold, and what they are told.
extension Agent {
    /// A part is told to this many links, to the next ones with the next segment: what they pass on is soon everywhere.
    package static let partListeners = 16
    /// Partial holdings are told at most this often per segment.
    static let partialPause = Duration.milliseconds(100)
    /// A peer that owes chunks and has been silent for this long counts for nothing.
    static let promiseTime = Duration.milliseconds(1500)

    func links(of stream: Stream) -> [Link] {
        if let known = stream.members { return known }
        let members = links.filter { $0.isUp && $0.shared.contains(stream.swarm) }
        stream.members = members
        return members
    }

    /// There are peers, and media are to come from them.
    func hasSwarm(_ stream: Stream) -> Bool { stream.mode == .peers && !links(of: stream).isEmpty }

    /// Those of them that said something of a rendition.
    func speakers(of rendition: Rendition) -> [(link: Link, holdings: Holdings)] {
        if let known = rendition.speakers { return known }
        let swarm = rendition.stream.swarm
        let speakers = links(of: rendition.stream).compactMap { link in
            link.holdings(swarm, rendition.key).map { (link, $0) }
        }
        rendition.speakers = speakers
        rendition.gathering += 1
        return speakers
    }

    /// A link came, went, entered or left a swarm.
    func membershipChanged() {
        for stream in streams { stream.members = nil }
    }

    // MARK: Membership

    /// Enters the swarm when the stream is opened, and again when a player comes back after it was left.
    mutating func joinSwarm(_ stream: Stream) {
        guard stream.isOpen, !stream.isMember, !stream.isAhead else { return }
        stream.isMember = true
        for link in links where link.isUp {
            tellJoin(stream, link)
            if link.theirSwarms.values.contains(stream.swarm) { meet(link, in: stream) }
        }
        announceToTrackers(stream)
    }

    mutating func leaveSwarm(_ stream: Stream) {
        guard stream.isMember else { return }
        stream.isMember = false
        for link in links {
            if let handle = link.handle(of: stream.swarm) { emitMessage(.leave(handle: handle), to: link) }
            link.ourHandles.removeAll { $0.swarm == stream.swarm }
            link.forget(stream.swarm)
        }
        membershipChanged()
        leaveTrackers(stream)
    }

    private mutating func tellJoin(_ stream: Stream, _ link: Link) {
        guard link.handle(of: stream.swarm) == nil, link.ourHandles.count < limits.swarmsPerLink else { return }
        let handle = link.nextHandle
        link.nextHandle += 1
        link.ourHandles.append((stream.swarm, handle))
        emitMessage(.join(handle: handle, swarm: stream.swarm), to: link)
    }

    mutating func peerJoined(_ link: Link, _ handle: UInt32, _ swarm: SwarmID) {
        guard link.theirSwarms.count < limits.swarmsPerLink, link.theirSwarms[handle] == nil else { return }
        link.theirSwarms[handle] = swarm
        if let stream = stream(swarm: swarm), stream.isMember { meet(link, in: stream) }
    }

    mutating func peerLeft(_ link: Link, _ handle: UInt32) {
        guard let swarm = link.theirSwarms.removeValue(forKey: handle) else { return }
        link.forget(swarm)
        membershipChanged()
        guard let stream = stream(swarm: swarm) else { return }
        for request in link.runs.keys.sorted() {
            guard let entry = link.runs[request], entry.segment.rendition.stream === stream else { continue }
            removeRun(request, from: link)
        }
        replan(stream)
    }

    /// Both are in the swarm: tell what we hold and want.
    mutating func meet(_ link: Link, in stream: Stream) {
        guard !link.shared.contains(stream.swarm) else { return }
        tellJoin(stream, link)
        if links(of: stream).isEmpty { stream.metFirst = now }
        link.shared.append(stream.swarm)
        membershipChanged()
        if stream.named.count < limits.knownPeers { stream.named.insert(link.peer.id) }
        for rendition in stream.renditions where rendition.isShared {
            if let message = interest(of: rendition, for: link) { emitMessage(message, to: link) }
            tellHoldings(rendition, to: link)
            if isPlaying(rendition) { scheduleReload(rendition.manifest, stream, rendition) }
        }
        introduce(link, in: stream)
        replan(stream)
    }

    // MARK: Telling

    /// - Parameter wasPlayed: the peer believes that it is, and must hear that it is not any more.
    private func interest(of rendition: Rendition, for link: Link, wasPlayed: Bool = false) -> Message? {
        guard let handle = link.handle(of: rendition.stream.swarm) else { return nil }
        let position = position(in: rendition)
        guard position != nil || wasPlayed || rendition.newestToTell != nil else { return nil }
        return .interest(
            Interest(handle: handle, rendition: rendition.key, position: position, newest: rendition.newestToTell)
        )
    }

    func position(in rendition: Rendition) -> UInt64? {
        rendition.stream.players.filter { !$0.isAside }.compactMap { player in
            player.place(of: rendition.key).map { player.playheads[$0].head }
        }.filter { now - $0.lastRequest < idleAfter(rendition) }.map { $0.next }.min()
    }

    /// Tells the swarm where our player is and what is listed, when either has changed.
    mutating func tellInterest(_ rendition: Rendition, force: Bool) {
        guard rendition.isShared else { return }
        let position = position(in: rendition)
        // On live, where the player is follows from what is newest; on demand each step tells the others what to expect.
        let hasMoved =
            rendition.isLive
            ? (position == nil) != (rendition.toldPosition == nil) : position != rendition.toldPosition
        let wasPlayed = rendition.toldPosition != nil
        rendition.toldPosition = position
        let newest = rendition.newestToTell
        guard force || hasMoved || newest != rendition.toldNewest else { return }
        rendition.toldNewest = newest
        for link in links(of: rendition.stream) {
            // Whoever told us of it, or of something newer, need not hear it from us.
            if !force, !hasMoved, knows(newest, link, rendition) { continue }
            if let message = interest(of: rendition, for: link, wasPlayed: wasPlayed) { emitMessage(message, to: link) }
        }
    }

    private func knows(_ newest: UInt64?, _ link: Link, _ rendition: Rendition) -> Bool {
        guard let newest, let theirs = link.holdings(rendition.stream.swarm, rendition.key)?.newest else {
            return false
        }
        return theirs >= newest
    }

    private mutating func tellHoldings(_ rendition: Rendition, to link: Link) {
        guard let handle = link.handle(of: rendition.stream.swarm), !rendition.isWithdrawn else { return }
        var ranges: [Have.Range] = []
        for segment in rendition.allSegments {
            guard let state = segment.announced, state != .gone else { continue }
            if let last = ranges.last, last.kind == segment.id.kind, last.state == state,
                state == .held, last.first &+ last.count == segment.id.number
            {
                ranges[ranges.count - 1].count += segment.span
            } else {
                ranges.append(
                    Have.Range(kind: segment.id.kind, first: segment.id.number, count: segment.span, state: state)
                )
            }
        }
        for start in stride(from: 0, to: ranges.count, by: 256) {
            let part = Array(ranges[start..<min(ranges.count, start + 256)])
            emitMessage(.have(Have(handle: handle, rendition: rendition.key, ranges: part)), to: link)
        }
    }

    /// Tells the swarm that a segment is held, being read from the origin, or gone.
    mutating func announce(_ segment: Segment, _ state: Have.State) {
        let rendition = segment.rendition
        guard rendition.isShared, segment.announced != state else { return }
        guard state == .gone || (!rendition.isWithdrawn && !segment.isReplaced) else { return }
        guard settings.uploadBytesPerSecond != 0 || state == .gone else { return }
        segment.announced = state == .gone ? nil : state
        for link in links(of: rendition.stream) {
            guard let handle = link.handle(of: rendition.stream.swarm) else { continue }
            let range = Have.Range(
                kind: segment.id.kind,
                first: segment.id.number,
                count: segment.span,
                state: state
            )
            emitMessage(.have(Have(handle: handle, rendition: rendition.key, ranges: [range])), to: link)
        }
        if state == .gone { refuseUploads(of: segment) }
    }

    /// Whoever read a segment for the swarm tells at once what it is: all will ask, and asking takes a round trip.
    mutating func pushVouches(of segment: Segment) {
        guard segment.announced == .fetching, segment.evidence.isAllOwn else { return }
        vouchFromOwn(segment, from: 0)
        let stream = segment.rendition.stream
        for link in links(of: stream) where wants(link, segment) {
            guard let handle = link.handle(of: stream.swarm) else { continue }
            sendVouches(of: segment, to: link, handle)
        }
    }

    /// Tells those who still lack it which chunks are here already.
    mutating func announcePart(_ segment: Segment) {
        guard segment.announced == nil, segment.rendition.isShared, settings.uploadBytesPerSecond != 0,
            segment.originOnly == nil
        else { return }
        // The first chunk at once, so that trading begins; then in steps, so that telling costs less than it brings.
        let step = segment.partialAnnounced == 0 ? 1 : max(2, segment.chunks.count / 8)
        guard segment.chunks.checkedCount >= segment.partialAnnounced + step else { return }
        if let last = segment.partialAnnouncedAt, now - last < Agent.partialPause { return }
        segment.partialAnnounced = segment.chunks.checkedCount
        segment.partialAnnouncedAt = now
        let runs = segment.chunks.checkedRuns(limit: 64)
        let news = runs.flatMap { segment.chunks.chunks(of: $0) }.filter { !segment.partsTold.contains(chunk: $0) }
        segment.partsTold = runs
        let stream = segment.rendition.stream
        for link in partListeners(of: segment, links(of: stream)) {
            guard let handle = link.handle(of: stream.swarm),
                let holdings = link.holdings(stream.swarm, segment.id.rendition), wants(holdings, segment),
                !holdings.hasPart(news, of: segment.id)
            else { continue }
            emitMessage(.partial(Partial(handle: handle, segment: segment.id, runs: runs)), to: link)
        }
    }

    private func partListeners(of segment: Segment, _ members: [Link]) -> [Link] {
        guard members.count > Agent.partListeners else { return members }
        let first = Int(segment.id.number % UInt64(members.count)) * Agent.partListeners
        return (first..<first + Agent.partListeners).map { members[$0 % members.count] }
    }

    /// A peer that plays this rendition and has not said that it holds the segment.
    private func wants(_ link: Link, _ segment: Segment) -> Bool {
        guard let holdings = link.holdings(segment.rendition.stream.swarm, segment.id.rendition) else { return false }
        return wants(holdings, segment)
    }

    private func wants(_ holdings: Holdings, _ segment: Segment) -> Bool {
        guard segment.id.kind == .media else { return !holdings.heldInitialisation.contains(segment.id.number) }
        return holdings.position.map { $0 <= segment.numbers.upperBound } ?? false
            && !holdings.held.contains(segment.id.number)
    }

    // MARK: Hearing

    private func known(_ link: Link, _ handle: UInt32) -> Stream? {
        guard let swarm = link.theirSwarms[handle], link.shared.contains(swarm) else { return nil }
        return stream(swarm: swarm)
    }

    /// Changes what is known of a peer's rendition, within the limits.
    private func change(
        _ link: Link,
        _ stream: Stream,
        _ rendition: RenditionKey,
        _ body: (Holdings) -> Void
    ) {
        if let known = link.holdings(stream.swarm, rendition) { return body(known) }
        guard link.holdings.count < limits.renditionsPerLink else { return }
        let holdings = Holdings(swarm: stream.swarm, rendition: rendition)
        link.holdings.append(holdings)
        stream.rendition(rendition)?.speakers = nil
        body(holdings)
    }

    mutating func peerInterest(_ link: Link, _ interest: Interest) {
        guard let stream = known(link, interest.handle) else { return }
        var hasMoved = false
        change(link, stream, interest.rendition) { holdings in
            if holdings.position == nil, interest.position != nil { count(1, by: link, of: stream) }
            hasMoved = holdings.position != interest.position
            holdings.position = interest.position
            holdings.newest = interest.newest
        }
        if let rendition = stream.rendition(interest.rendition) { heardOf(interest.newest, in: rendition) }
        // Where it plays decides who is elected; what it lists is looked up, not planned.
        if hasMoved { replanSoon(stream) }
    }

    /// A peer can make a stream look as much watched as by one viewing a minute, no more.
    private func count(_ viewings: Double, by link: Link, of stream: Stream) {
        if let last = link.countedAt[stream.swarm], now - last < Popularity.pause { return }
        if link.countedAt.count >= limits.swarmsPerLink { link.countedAt = [:] }
        link.countedAt[stream.swarm] = now
        stream.popularity.note(viewings, at: now)
    }

    private mutating func heardOf(_ number: UInt64?, in rendition: Rendition) {
        guard let number, let newest = rendition.newest, number > newest else { return }
        // A hint beyond the next one cannot be told from nonsense: it counts as the next one, twice at most.
        if rendition.hint.number != newest { rendition.hint = (newest, 0) }
        guard rendition.hint.reloads < 2 else { return }
        rendition.hint.reloads += 1
        reloadOnHint(rendition)
    }

    mutating func peerHas(_ link: Link, _ have: Have) {
        guard let stream = known(link, have.handle) else { return }
        let limit = limits.haveRangesPerLink
        change(link, stream, have.rendition) { holdings in
            for range in have.ranges { holdings.apply(range, limit: limit) }
            if link.countedAt[stream.swarm] == nil, !holdings.held.isEmpty {
                count(Popularity.earlierViewing, by: link, of: stream)
            }
        }
        guard let rendition = stream.rendition(have.rendition) else { return }
        var matters = false
        for range in have.ranges {
            rendition.forgetCandidates(range)
            // Somebody else reads it: at most a reason to wait.
            if range.state == .underway { continue }
            matters = matters || self.matters(range, of: link, in: rendition)
        }
        for range in have.ranges {
            if range.kind == .media, range.state != .gone {
                heardOf(range.first, in: rendition)
                if range.state == .fetching { reads(link, range.first, in: rendition) }
                if range.state == .fetching || range.state == .underway {
                    passOn(range.first, in: rendition, from: link)
                }
            }
        }
        if matters { replanSoon(stream) }
    }

    /// Whether this news can change what is asked of whom.
    private func matters(_ range: Have.Range, of link: Link, in rendition: Rendition) -> Bool {
        guard range.count == 1 else { return true }
        let segment = range.kind == .media ? rendition.media[range.first] : rendition.initialisation[range.first]
        return segment.map { matters(to: $0, link) } ?? false
    }

    /// What is held, or not listed yet, is no race. Nothing is asked of a link whose window is full, and where every chunk
    /// is asked already only an idle link can take something over. The next chunk has everybody looked at again.
    private func matters(to segment: Segment, _ link: Link) -> Bool {
        guard !segment.isHeld, !segment.isPassedThrough else { return false }
        guard segment.phase == .racing, segment.length != nil, segment.runs.contains(where: { isAlive($0) }) else {
            return true
        }
        if segment.chunks.absentCount > 0 { return link.outstandingChunks < link.window }
        return link.outstandingChunks == 0 && link.estimate.isKnown
    }

    /// Somebody reads a segment from the origin: those who are not linked to it should hear before they do so too. Each
    /// agent passes the news on once, and only where there are agents that it does not know.
    private mutating func passOn(_ number: UInt64, in rendition: Rendition, from source: Link) {
        let stream = rendition.stream
        guard strangers(in: stream) > 0, let segment = rendition.media[number], !segment.isUnderwayTold,
            segment.announced == nil, !segment.isHeld
        else { return }
        segment.isUnderwayTold = true
        for link in links(of: stream) where link !== source {
            guard let handle = link.handle(of: stream.swarm), let holdings = link.holdings(stream.swarm, rendition.key),
                !holdings.held.contains(number), !holdings.fetching.contains(number),
                !holdings.underway.contains(number)
            else { continue }
            let range = Have.Range(kind: .media, first: number, count: 1, state: .underway)
            emitMessage(.have(Have(handle: handle, rendition: rendition.key, ranges: [range])), to: link)
        }
    }

    mutating func peerHasPart(_ link: Link, _ partial: Partial) {
        guard let stream = known(link, partial.handle), partial.segment.kind == .media else { return }
        var isFirst = false
        var before: [ChunkRun] = []
        change(link, stream, partial.segment.rendition) { holdings in
            guard !holdings.held.contains(partial.segment.number) else { return }
            let known = holdings.partial[partial.segment.number]
            before = known ?? []
            if known == nil, holdings.partial.count >= 16, let oldest = holdings.partial.keys.min() {
                holdings.partial[oldest] = nil
                stream.rendition(partial.segment.rendition)?.media[oldest]?.candidates = nil
            }
            let runs = partial.runs.count <= 64 ? partial.runs : Array(partial.runs.prefix(64))
            holdings.partial[partial.segment.number] = runs
            isFirst = known == nil
        }
        guard let rendition = stream.rendition(partial.segment.rendition) else { return }
        if isFirst { rendition.media[partial.segment.number]?.candidates = nil }
        guard let segment = rendition.segment(partial.segment), matters(to: segment, link) else { return }
        if brings(partial.runs, beyond: before, to: segment) { replanSoon(stream) }
    }

    /// Whether a link that offered some chunks offers with these any that would be asked of it.
    private func brings(_ runs: [ChunkRun], beyond known: [ChunkRun], to segment: Segment) -> Bool {
        guard segment.length != nil else { return true }
        let wanted: ChunkMap.State = segment.chunks.absentCount > 0 ? .absent : .requested
        return runs.contains { run in
            segment.chunks.chunks(of: run).contains {
                segment.chunks.states[$0] == wanted && !known.contains(chunk: $0)
            }
        }
    }

    // MARK: Offers

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

extension Holdings {
    func apply(_ range: Have.Range, limit: Int) {
        if range.kind == .initialisation {
            // Initialisation sections are named by hashes: ranges of them have one member.
            heldInitialisation.remove(range.first)
            fetchingInitialisation.remove(range.first)
            guard heldInitialisation.count + fetchingInitialisation.count < 64 else { return }
            switch range.state {
            case .held: heldInitialisation.insert(range.first)
            case .fetching: fetchingInitialisation.insert(range.first)
            case .gone, .underway: break
            }
            return
        }
        let end = range.first.addingReportingOverflow(range.count)
        let last = end.overflow ? UInt64.max : end.partialValue
        if range.state == .underway {
            if underway.count >= 32, let oldest = underway.min() { underway.remove(oldest) }
            underway.insert(range.first)
            return
        }
        let numbers = range.first..<max(range.first, last)
        if !fetching.isEmpty, fetching.contains(where: numbers.contains) {
            fetching = fetching.filter { !numbers.contains($0) }
        }
        switch range.state {
        case .held:
            held.insert(first: range.first, count: range.count)
            held.limit(to: limit)
            forgetParts(numbers)
        case .fetching:
            // One segment each: those that are named by their time stand for many numbers.
            if fetching.count < 64 { fetching.insert(range.first) }
        case .gone:
            held.remove(first: range.first, count: range.count)
            underway.remove(range.first)
            forgetParts(numbers)
        case .underway: break
        }
    }

    private func forgetParts(_ numbers: Range<UInt64>) {
        guard !partial.isEmpty else { return }
        if numbers.upperBound - numbers.lowerBound == 1 {
            partial[numbers.lowerBound] = nil
        } else {
            partial = partial.filter { !numbers.contains($0.key) }
        }
    }

    func holdsOrPromises(_ id: SegmentID) -> Bool {
        switch id.kind {
        case .media: held.contains(id.number) || fetching.contains(id.number)
        case .initialisation: heldInitialisation.contains(id.number) || fetchingInitialisation.contains(id.number)
        }
    }

    /// It said that it reads the segment.
    func promises(_ id: SegmentID) -> Bool {
        switch id.kind {
        case .media: fetching.contains(id.number)
        case .initialisation: fetchingInitialisation.contains(id.number)
        }
    }

    /// It said that it has all of these chunks.
    func hasPart(_ chunks: [Int], of id: SegmentID) -> Bool {
        guard let runs = partial[id.number] else { return false }
        return chunks.allSatisfy { runs.contains(chunk: $0) }
    }

    func offers(_ id: SegmentID) -> Bool {
        holdsOrPromises(id) || (id.kind == .media && partial[id.number] != nil)
    }
}

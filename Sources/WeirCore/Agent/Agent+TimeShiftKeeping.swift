// What is kept of live streams for time shift: the window's record, its share of the cache, and what is fetched for it
// while nobody reads.
extension Agent {
    /// Takes over what the newest list adds, and forgets what is too old.
    mutating func extendWindow(_ rendition: Rendition) {
        guard let list = rendition.playlist, !rendition.isParts, !list.iFramesOnly else { return }
        // What is a recording from the start needs no record.
        guard !list.endList || !rendition.window.entries.isEmpty else { return }
        rendition.window.add(list, of: rendition.key, inSubtitles: rendition.isSubtitles, at: now)
        for map in list.maps { _ = ensureInitialisation(map, in: rendition) }
        let isSet = settings.dvrLength > .zero
        let first = list.first ?? 0
        let media = rendition.media
        rendition.window.trim(
            to: isSet ? settings.dvrLength : nil,
            most: isSet ? limits.windowSegments : limits.heldWindowSegments,
            isThere: { number in
                guard number < first, let segment = media[number] else { return number >= first }
                return segment.isKept || hasPeerOffer(segment)
            }
        )
    }

    /// A player asked for this number.
    func noteWatched(_ rendition: Rendition, _ number: UInt64) {
        let whole = rendition.ofWhole
        whole.lastAsked = now
        guard whole.keptFrom == nil else { return }
        whole.keptFrom = whole === rendition ? number : number >> 16
    }

    // MARK: The share of the cache

    /// The oldest moment of which the window's budget keeps what is held, and the bytes that are kept so.
    func windowFloor() -> (floor: Instant, bytes: Int64) {
        guard ledger.window > 0 else { return (.never, 0) }
        var held: [TimeShiftBudget.Piece] = []
        for stream in streams {
            for rendition in stream.renditions where !rendition.window.entries.isEmpty {
                // Memory holds few of what the window lists.
                for (number, segment) in rendition.media where segment.charged > 0 {
                    guard let entry = rendition.window.entry(number) else { continue }
                    held.append(TimeShiftBudget.Piece(edge: entry.edge, bytes: segment.charged))
                }
            }
        }
        return TimeShiftBudget.floor(of: held, within: ledger.window)
    }

    // MARK: Fetching

    /// The rendition that is watched is kept though its player pauses, as long as that may come back to it.
    func keepsWindow(_ rendition: Rendition) -> Bool {
        guard settings.dvrLength > .zero, rendition.keptFrom != nil, !rendition.isWithdrawn, rendition.isLive,
            rendition.playlist != nil, !rendition.stream.isOver, let asked = rendition.lastAsked
        else { return false }
        return now - asked < settings.dvrLength
            && asked + idleAfter(rendition) >= rendition.stream.lastMediaRequest
    }

    /// While no player's reloads bring news.
    mutating func scheduleWindowReload(_ manifest: Manifest, _ rendition: Rendition, _ period: Duration) {
        guard keepsWindow(rendition) else { return }
        let pause = isPlaying(rendition) ? period * 2 : period
        let due = max((manifest.fetchedAt ?? now) + pause, now + .milliseconds(200))
        // An origin that fails is not asked more often than one that works.
        manifest.nextReload = manifest.failures > 0 ? max(due, now + period / 2) : due
        agenda.note(.reload(rendition.stream.id, rendition.key), at: manifest.nextReload ?? now)
    }

    /// What leaves the origin's list is fetched before it does so; while somebody plays, only what was left out.
    mutating func wishForWindow(_ rendition: Rendition, into found: inout [Wish]) {
        guard keepsWindow(rendition), let listing = rendition.listing, let from = rendition.keptFrom else { return }
        let isPlayed = isPlaying(rendition)
        let half = listing.timeToEnd(from: 0) / 2
        var index = listing.index(atOrAfter: from)
        // When a segment leaves the list: as soon as what lies before it, and it itself, was added at the end.
        var rest = (0..<index).reduce(Duration.zero) { $0 + listing[$1].duration }
        var isRow = true
        while index < listing.count, found.count <= 64 {
            let entry = listing[index]
            index += 1
            rest = rest + entry.duration
            guard !isPlayed || rest <= half else { return }
            guard !entry.isGap else { continue }
            let segment = ensureSegment(entry, in: rendition)
            var isDone = segment.isKept || segment.isPassedThrough
            if case .failed = segment.phase { isDone = true }
            if isDone, isRow { rendition.keptFrom = entry.number + 1 }
            isRow = isRow && isDone
            guard !isDone, segment.answers.isEmpty, !found.contains(where: { $0.segment === segment }) else { continue }
            wishForSection(of: entry, rendition, into: &found)
            let slack = (rest - listing.targetDuration).orZero
            found.append(Wish(segment: segment, slack: slack, isAsked: false, isStart: false))
        }
    }

    private func wishForSection(of entry: ListedSegment, _ rendition: Rendition, into found: inout [Wish]) {
        guard let number = rendition.window.entry(entry.number)?.section,
            let section = rendition.initialisation[number], !section.isHeld, section.phase != .racing,
            !section.isPassedThrough, section.answers.isEmpty,
            !found.contains(where: { $0.segment === section })
        else { return }
        found.append(Wish(segment: section, slack: .zero, isAsked: false, isStart: false))
    }

    // MARK: Players in the past

    /// Media between a player and a segment of the list, as far as it lies before the list.
    func timeBehindList(from head: Playhead, to number: UInt64, _ rendition: Rendition) -> Duration {
        guard let first = rendition.first, head.drainedTo < first, rendition.window.holds(head.drainedTo) else {
            return .zero
        }
        return rendition.window.time(from: head.drainedTo, to: min(first, number))
    }

    /// What a player in the past will ask next is to be had from the disk and from peers alone.
    mutating func wishWithinWindow(
        _ rendition: Rendition,
        _ head: Playhead,
        _ slack: inout Duration,
        into found: inout [Wish]
    ) {
        guard let first = rendition.first, head.drainedTo < first, rendition.window.holds(head.drainedTo) else {
            return
        }
        let window = rendition.window
        var index = window.index(atOrAfter: head.drainedTo)
        while slack < settings.maximumBuffer, index < window.entries.count, window.entries[index].number < first {
            let entry = window.entries[index]
            if entry.number >= head.next, let segment = rendition.media[entry.number], !segment.isHeld,
                segment.answers.isEmpty, found.count <= 64,
                segment.disk != nil || (hasPeerOffer(segment) && rendition.stream.mode == .peers),
                !found.contains(where: { $0.segment === segment })
            {
                found.append(Wish(segment: segment, slack: slack, isAsked: false, isStart: false))
            }
            slack = slack + (entry.duration - head.creditedTime(of: entry.number)).orZero
            index += 1
        }
    }
}

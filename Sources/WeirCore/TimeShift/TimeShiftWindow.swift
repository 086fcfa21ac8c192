/// What was listed of a live rendition, in ascending order without a gap in its numbers: the origin's list, prolonged into
/// the past.
///
/// Each segment has a moment at which its end was the live edge. These moments never descend, so that *ten minutes ago*
/// means the same segment however unsteadily lists arrived, and a list that is told ten minutes late grows as the origin's
/// did.
struct TimeShiftWindow {
    /// Numbers in a row that no list had and that are told as gaps; beyond them the window begins anew.
    static let mostMissing: UInt64 = 1000
    /// Target durations by which the edge may lag behind what was declared; beyond them the stream stood still.
    private static let mostLag = 3
    /// Declared durations are rounded: so much of what they are wrong by is made good with each segment.
    private static let correction = 16

    private(set) var entries: [WindowEntry] = []

    /// Where a moment lies.
    struct Place: Equatable {
        /// In `entries`.
        var index: Int
        /// From the segment's beginning.
        var offset: Duration
        /// What was asked lies before the window, or behind it.
        var isClamped = false
    }

    // MARK: Growing

    /// Takes over what a newer copy of the playlist adds.
    mutating func add(_ list: MediaPlaylist, of rendition: RenditionKey, inSubtitles: Bool, at now: Instant) {
        let start = entries.last.map { list.index(atOrAfter: $0.number + 1) } ?? 0
        guard start < list.count else { return }
        // The edge if the list's end were the live edge just now.
        var rest = (start..<list.count).reduce(Duration.zero) { $0 + list.segments[$1].duration }
        for index in start..<list.count {
            let segment = list.segments[index]
            rest = rest - segment.duration
            bridge(to: segment.sequence, list.targetDuration)
            let edge = edge(after: segment.duration, tail: now - rest, list.targetDuration)
            append(segment, of: list, index, edge: edge, of: rendition, inSubtitles: inSubtitles)
        }
    }

    private func edge(after duration: Duration, tail: Instant, _ target: Duration) -> Instant {
        guard let last = entries.last else { return tail }
        let expected = last.edge + duration
        let lag = tail - expected
        if lag > target * TimeShiftWindow.mostLag || lag < .zero { return max(last.edge, tail) }
        return expected + lag / TimeShiftWindow.correction
    }

    /// Numbers that no copy listed: a machine slept, or the line is one that weir cannot fetch.
    private mutating func bridge(to number: UInt64, _ target: Duration) {
        guard let last = entries.last, number > last.number + 1 else { return }
        guard number - last.number <= TimeShiftWindow.mostMissing else { return entries.removeAll() }
        for missing in last.number + 1..<number {
            entries.append(
                WindowEntry(
                    number: missing,
                    duration: target,
                    edge: last.edge,
                    date: nil,
                    hasOwnDate: false,
                    startsTimeline: false,
                    timeline: last.timeline,
                    isGap: true,
                    suffix: last.suffix,
                    section: last.section,
                    key: nil,
                    isProtected: false
                )
            )
        }
    }

    private mutating func append(
        _ segment: MediaSegment,
        of list: MediaPlaylist,
        _ index: Int,
        edge: Instant,
        of rendition: RenditionKey,
        inSubtitles: Bool
    ) {
        let last = entries.last
        let ownDate = segment.programDateTime.flatMap { WallTime(dateTime: $0) }
        let goesOn = segment.discontinuity ? nil : last?.date.map { $0 + (last?.duration ?? .zero) }
        let key = key(of: segment, in: list, last?.key)
        entries.append(
            WindowEntry(
                number: segment.sequence,
                duration: segment.duration,
                edge: edge,
                date: ownDate ?? goesOn,
                hasOwnDate: ownDate != nil,
                startsTimeline: segment.discontinuity,
                timeline: last.map { $0.timeline &+ (segment.discontinuity ? 1 : 0) } ?? timeline(of: list, index),
                isGap: segment.gap,
                suffix: segment.suffix(inSubtitles: inSubtitles),
                section: segment.map.map { list.maps[$0].id(of: rendition).number },
                key: key,
                isProtected: segment.isEncrypted && key == nil
            )
        )
    }

    /// Counted once, where the window begins: a long list is not gone through for each of its segments.
    private func timeline(of list: MediaPlaylist, _ index: Int) -> UInt64 {
        list.discontinuitySequence &+ UInt64(list.segments[0...index].count { $0.discontinuity })
    }

    private func key(
        of segment: MediaSegment,
        in list: MediaPlaylist,
        _ last: WindowEntry.Key?
    ) -> WindowEntry.Key? {
        guard let index = segment.key, let url = list.keys[index].url else { return nil }
        let key = list.keys[index]
        let own = WindowEntry.Key(method: key.method, url: url, vector: key.initialisationVector)
        return own.isSame(as: last) ? last : own
    }

    // MARK: Shrinking

    /// Forgets the oldest.
    /// - Parameters:
    ///   - length: kept before the newest; nil: what is still there.
    ///   - most: entries.
    ///   - isThere: whether it is listed or held.
    mutating func trim(to length: Duration?, most: Int, isThere: (UInt64) -> Bool) {
        guard let newest = entries.last else { return }
        var surplus = max(0, entries.count - most)
        while surplus < entries.count {
            let entry = entries[surplus]
            if let length {
                guard newest.edge - entry.edge >= length else { break }
            } else if isThere(entry.number) {
                break
            }
            surplus += 1
        }
        entries.removeFirst(surplus)
    }

    // MARK: Finding

    func index(atOrAfter number: UInt64) -> Int {
        guard let first = entries.first else { return 0 }
        return number <= first.number ? 0 : Int(min(UInt64(entries.count), number - first.number))
    }

    func entry(_ number: UInt64) -> WindowEntry? {
        let index = index(atOrAfter: number)
        return index < entries.count && entries[index].number == number ? entries[index] : nil
    }

    func holds(_ number: UInt64) -> Bool { entry(number) != nil }

    /// Media between the beginnings of two segments, as far as the window knows them.
    func time(from first: UInt64, to last: UInt64) -> Duration {
        let from = index(atOrAfter: first)
        let to = index(atOrAfter: last)
        return from < to ? entries[from..<to].reduce(.zero) { $0 + $1.duration } : .zero
    }

    /// The segment that was the live edge at that moment.
    func place(at moment: Instant) -> Place? {
        guard let first = entries.first, let last = entries.last else { return nil }
        guard moment >= first.begin else { return Place(index: 0, offset: .zero, isClamped: true) }
        guard moment < last.edge else {
            return Place(index: entries.count - 1, offset: last.duration, isClamped: moment > last.edge)
        }
        let index = partition { $0.edge > moment }
        let entry = entries[index]
        // Between two segments lies the end of the first, where the stream stood still.
        return Place(index: index, offset: min(entry.duration, (moment - entry.begin).orZero))
    }

    /// Of a stream that is over: so much media before its end.
    func place(beforeEnd back: Duration) -> Place? {
        var rest = Duration.zero
        for index in entries.indices.reversed() {
            rest = rest + entries[index].duration
            if rest >= back { return Place(index: index, offset: rest - back) }
        }
        return entries.isEmpty ? nil : Place(index: 0, offset: .zero, isClamped: true)
    }

    /// Media from a place to the end.
    func rest(from place: Place) -> Duration {
        entries[place.index...].reduce(.zero) { $0 + $1.duration } - place.offset
    }

    /// The segment that shows what the origin's clock calls by that time; nil where it has no clock.
    func place(atDate date: WallTime) -> Place? {
        var next: Int?
        for index in entries.indices.reversed() {
            guard let begin = entries[index].date else { continue }
            if begin <= date {
                let offset = date - begin
                if offset < entries[index].duration { return Place(index: index, offset: offset) }
                // A hole in the clock: what comes behind it.
                guard let next else {
                    return Place(index: index, offset: entries[index].duration, isClamped: true)
                }
                return Place(index: next, offset: .zero)
            }
            next = index
        }
        return next.map { Place(index: $0, offset: .zero, isClamped: true) }
    }

    private func partition(_ isBehind: (WindowEntry) -> Bool) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if isBehind(entries[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

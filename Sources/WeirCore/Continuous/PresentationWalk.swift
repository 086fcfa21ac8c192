/// Goes through the segments of a DASH rendition, period after period.
///
/// State: begun nowhere → at a segment of a period → over.
package struct PresentationWalk: Sendable {
    /// How far before the live edge a walk begins where the manifest suggests nothing, in segments.
    private static let usualDistance = 3

    private let content: Representation.Content
    /// Begin a live walk so far from the live end at least, and a segment more.
    package var distance: Duration = .zero
    /// Begin this much earlier than the others.
    package var lead: Duration = .zero
    /// Where to begin, and what is read, if not the usual.
    package var wish = PresentationWish()
    /// How far within the first segment the walk was asked to begin.
    package private(set) var startWithin = Duration.zero
    /// Of the period that the walk is in, and how many it has been in before.
    private var period: (start: Duration, ordinal: UInt64)?
    /// The representation that was chosen, and the next segment's name.
    private var track: String?
    private var next: UInt64?

    package init(content: Representation.Content) {
        self.content = content
    }

    /// Goes on where another walk had come to: with this segment of the period that begins there.
    /// - Parameter timeline: that the segment had there.
    package mutating func resume(at name: UInt64, period start: Duration, timeline: UInt64) {
        period = (start, timeline)
        next = name
    }

    /// Which of a period's representations is read: the same as before where it goes on, else the best picture, and of
    /// sounds the first that the manifest lists.
    package static func choice(
        _ content: Representation.Content,
        in period: MPDPeriod,
        keeping track: String? = nil
    ) -> Representation? {
        let all = period.representations.filter { $0.content == content && $0.isCarried }
        if let same = all.first(where: { $0.track == track }) { return same }
        guard content == .video else { return all.first }
        return all.max { $0.bandwidth < $1.bandwidth }
    }

    private func chosen(in period: MPDPeriod) -> Representation? {
        guard let key = wish.rendition else { return PresentationWalk.choice(content, in: period, keeping: track) }
        return period.representations.first { $0.isCarried && $0.lies(in: key) }
    }

    /// - Parameter now: the time by the clock that the manifest goes by.
    package mutating func step(in mpd: MPD, at now: WallTime) -> WalkStep {
        if period == nil { begin(in: mpd, at: now) }
        while let place = period {
            guard let current = mpd.periods.first(where: { $0.start == place.start }),
                let representation = chosen(in: current)
            else {
                guard advance(in: mpd, behind: place) else { return mpd.isDynamic ? .wait(reload(mpd)) : .end }
                continue
            }
            track = representation.track
            if let segment = segment(of: representation, place.ordinal, at: now) { return .segment(segment) }
            // More of this period may come as long as nothing follows it.
            if advance(in: mpd, behind: place) { continue }
            return mpd.isDynamic ? .wait(reload(mpd)) : .end
        }
        return mpd.isDynamic ? .wait(reload(mpd)) : .end
    }

    private func reload(_ mpd: MPD) -> Duration {
        let longest = mpd.periods.last.flatMap { chosen(in: $0) }
            .map { ListedRepresentation.segmentDuration(of: $0) }
        return max(.milliseconds(500), min(mpd.minimumUpdatePeriod ?? .seconds(2), (longest ?? .seconds(2)) / 2))
    }

    private mutating func begin(in mpd: MPD, at now: WallTime) {
        let carrying = mpd.periods.filter { chosen(in: $0).map { $0.available(at: now) != nil } ?? false }
        if let at = wish.at, let moment = mpd.moment(at, now: now) { return begin(at: moment - lead, carrying, now) }
        guard mpd.isDynamic else {
            period = mpd.periods.first.map { ($0.start, 0) }
            return
        }
        guard let last = carrying.last, let representation = chosen(in: last) else { return }
        period = (last.start, 0)
        guard let window = representation.available(at: now) else { return }
        let longest = ListedRepresentation.segmentDuration(of: representation)
        let usual = mpd.suggestedPresentationDelay ?? longest * PresentationWalk.usualDistance
        let wanted = max(usual, distance > .zero ? distance + longest : .zero) + lead
        let segments = UInt64(clamping: (wanted.nanoseconds + longest.nanoseconds - 1) / longest.nanoseconds)
        let first = window.last > segments ? max(window.first, window.last - segments + 1) : window.first
        next = representation.segment(at: first)?.name
    }

    /// With the segment that shows a moment, or the nearest that is there.
    /// - Parameter moment: since the presentation's start.
    private mutating func begin(at moment: Duration, _ carrying: [MPDPeriod], _ now: WallTime) {
        guard let current = carrying.last(where: { $0.start <= moment }) ?? carrying.first,
            let representation = chosen(in: current)
        else { return }
        period = (current.start, 0)
        guard let (place, within) = representation.place(at: (moment - current.start).orZero, now: now) else { return }
        next = representation.segment(at: place)?.name
        startWithin = lead > .zero ? .zero : within
    }

    /// To the next period that there is.
    private mutating func advance(in mpd: MPD, behind place: (start: Duration, ordinal: UInt64)) -> Bool {
        guard let following = mpd.periods.first(where: { $0.start > place.start }) else { return false }
        period = (following.start, place.ordinal + 1)
        next = nil
        return true
    }

    private mutating func segment(
        of representation: Representation,
        _ ordinal: UInt64,
        at now: WallTime
    ) -> WalkedSegment? {
        guard let window = representation.available(at: now) else { return nil }
        var place = window.first
        var end = window.last + 1
        // Names ascend with places; both may begin elsewhere in each manifest.
        while let next, place < end {
            let middle = (place + end) / 2
            if let name = representation.segment(at: middle)?.name, name < next {
                place = middle + 1
            } else {
                end = middle
            }
        }
        guard place <= window.last, let segment = representation.segment(at: place) else { return nil }
        next = segment.name + 1
        return WalkedSegment(
            number: segment.name,
            duration: segment.duration,
            media: .init(url: segment.url, range: segment.range),
            section: representation.initialisation.map { .init(url: $0.url, range: $0.range) },
            timeline: ordinal,
            period: period?.start
        )
    }
}

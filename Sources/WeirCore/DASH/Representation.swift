/// A representation in one period (5.3.5): a rendition, as far as weir carries it.
package struct Representation: Sendable {
    package enum Content: Hashable, Sendable { case video, audio, text, image, other }

    /// How its segments are found.
    enum Media: Sendable {
        case template(URLTemplate)
        case list([ListedURL])
        /// A segment index that has to be read first, and where it is.
        case indexed(ByteRange)
        /// Parts of the one resource at the base URL.
        case subsegments([ByteRange])
        /// Nothing that weir could cut into segments: left to the player and the origin.
        case none
    }

    /// Where bytes are.
    package struct Resource: Hashable, Sendable {
        package let url: WebURL
        package let range: ByteRange?
    }

    package let key: RenditionKey
    /// The same representation in the period before and in the next one, as far as ids and order tell.
    package internal(set) var before: RenditionKey?
    package internal(set) var next: RenditionKey?
    /// What tells it apart within its period.
    let track: String
    /// Empty when it has none.
    package let id: String
    /// It is made of segment sequences, which weir does not carry.
    package let hasSequences: Bool
    /// Bits per second.
    package let bandwidth: Int
    package let content: Content
    package let mimeType: String
    /// Where its resources are, in the manifest's order; never empty. The first gives segments their names.
    package let bases: [BaseChoice]
    let section: Section?
    /// Of local addresses of its segments, without a dot.
    package let suffix: String
    var media: Media
    package internal(set) var table: SegmentTable
    /// Since the presentation's start.
    package let periodStart: Duration
    /// Media time at the period's start, in ticks.
    private(set) var offset: UInt64
    /// How long before its end a segment may be asked for; `forever`: at once.
    package let availabilityOffset: Duration
    let isDynamic: Bool
    let availabilityStart: WallTime?
    let timeShiftBufferDepth: Duration?
    /// Its segments go on until the live edge, wherever that is.
    package let isOpenEnded: Bool
    /// Its end is only computed from the period's: there may be one segment more, with what encoders had left over, and
    /// players ask for it.
    let hasLooseEnd: Bool
    let element: MPDElement

    package var base: WebURL { bases[0].url }

    /// Its initialisation section, under the first base URL.
    package var initialisation: Resource? {
        section.flatMap { section in section.url(from: base).map { Resource(url: $0, range: section.range) } }
    }

    /// Weir serves its segments; of others it only passes the addresses on.
    package var isCarried: Bool {
        switch media {
        case .template, .list, .subsegments: !table.isEmpty
        case .indexed, .none: false
        }
    }

    /// The index that has to be read before there are segments.
    package var index: Resource? {
        if case .indexed(let range) = media { return Resource(url: base, range: range) }
        return nil
    }

    /// The same representation once its index was read.
    mutating func adopt(_ index: SegmentIndexReader) {
        var table = SegmentTable(timescale: index.timescale, isTimed: false)
        var ranges: [ByteRange] = []
        for (place, part) in index.subsegments.enumerated() {
            let number = UInt64(place) + 1
            table.append(number: number, time: part.time, ticks: part.ticks, count: 1)
            // Times that do not ascend would leave a number without its range.
            guard table.lastPlace == UInt64(place) else { break }
            ranges.append(part.range)
        }
        guard !ranges.isEmpty else { return abandonIndex() }
        let seconds = SegmentTable.duration(of: offset, timescale: self.table.timescale)
        offset = SegmentTable.ticks(of: seconds, timescale: index.timescale)
        self.table = table
        media = .subsegments(ranges)
    }

    /// The index cannot be had, or is none.
    mutating func abandonIndex() { media = .none }
}

/// A segment of a representation.
package struct RepresentationSegment: Sendable {
    /// Its order among the manifest's segments of the rendition, from 0.
    package let place: UInt64
    /// Its number or, where segments are named by it, its time in ticks.
    package let name: UInt64
    /// From its name to the next one's.
    package let span: Range<UInt64>
    package let duration: Duration
    package let url: WebURL
    package let range: ByteRange?
}

extension Representation {
    /// By its number or time. Nil when there is no such segment, or weir cannot fetch what the template makes of it.
    package func segment(named name: UInt64) -> RepresentationSegment? {
        slot(named: name).flatMap { segment($0) }
    }

    package func segment(at place: UInt64) -> RepresentationSegment? {
        table.slot(at: place).flatMap { segment($0) }
    }

    private func segment(_ slot: SegmentTable.Slot) -> RepresentationSegment? {
        guard let url = url(of: slot) else { return nil }
        return RepresentationSegment(
            place: slot.place,
            name: name(of: slot),
            span: span(of: slot),
            duration: table.duration(of: slot.ticks),
            url: url,
            range: range(of: slot)
        )
    }

    /// By its name, also one that follows a loose end.
    func slot(named name: UInt64) -> SegmentTable.Slot? {
        if let slot = table.slot(named: name) { return slot }
        guard hasLooseEnd, name > 0,
            let last = table.slot(named: name - (table.isTimed ? min(name, table.longest) : 1)),
            last.place == table.lastPlace
        else { return nil }
        return SegmentTable.Slot(
            place: last.place + 1,
            number: last.number + 1,
            time: last.time + last.ticks,
            ticks: last.ticks
        )
    }

    func name(of slot: SegmentTable.Slot) -> UInt64 { table.isTimed ? slot.time : slot.number }

    /// From a segment's name to the next one's.
    func span(of slot: SegmentTable.Slot) -> Range<UInt64> {
        let name = name(of: slot)
        let next = table.slot(at: slot.place + 1).map { self.name(of: $0) }
        return name..<max(name + 1, next ?? (table.isTimed ? slot.time + slot.ticks : name + 1))
    }

    /// Nil when weir cannot fetch what a template makes of it.
    func url(of slot: SegmentTable.Slot) -> WebURL? { url(of: slot, from: base) }

    /// The same under another base URL.
    func url(of slot: SegmentTable.Slot, from base: WebURL) -> WebURL? {
        switch media {
        case .template(let template):
            let reference = template.expanded(
                representation: id,
                bandwidth: bandwidth,
                number: slot.number,
                time: slot.time
            )
            return base.resolve(reference[...])
        case .list(let entries): return entries[at: slot.place]?.media.map { base.resolve($0) } ?? base
        case .subsegments: return base
        case .indexed, .none: return nil
        }
    }

    /// Nil for the whole of its resource.
    func range(of slot: SegmentTable.Slot) -> ByteRange? {
        switch media {
        case .list(let entries): entries[at: slot.place]?.range
        case .subsegments(let ranges): ranges[at: slot.place]
        case .template, .indexed, .none: nil
        }
    }

    // MARK: What is there now

    /// The places of the first and the last segment that the origin should have.
    ///
    /// - Parameter now: nil when the time is not known; what goes on until the live edge then has no last one.
    package func available(at now: WallTime?) -> (first: UInt64, last: UInt64)? {
        guard let last = table.lastPlace else { return nil }
        guard isDynamic else { return isOpenEnded ? nil : (0, last) }
        guard let now, let availabilityStart else { return isOpenEnded ? nil : (0, last) }
        let elapsed = now - availabilityStart - periodStart
        let early = availabilityOffset == .forever ? (isOpenEnded ? .zero : Duration.forever) : availabilityOffset
        guard let newest = table.lastSlot(endingBy: mediaTime(at: elapsed + early)) else {
            // A list says itself what is there; a clock that disagrees with all of it is wrong.
            return isOpenEnded ? nil : (0, last)
        }
        guard let timeShiftBufferDepth, let oldest = oldest(at: elapsed - timeShiftBufferDepth) else {
            return (0, newest.place)
        }
        return (min(oldest, newest.place), newest.place)
    }

    /// The segment in which a moment lies, and how far within it; or the nearest one that is there.
    /// - Parameter elapsed: since the period's start.
    package func place(at elapsed: Duration, now: WallTime?) -> (place: UInt64, within: Duration)? {
        guard let window = available(at: now) else { return nil }
        let time = mediaTime(at: elapsed)
        guard let slot = table.firstSlot(endingAfter: time), slot.place <= window.last else {
            return (window.last, .zero)
        }
        guard slot.place >= window.first else { return (window.first, .zero) }
        return (slot.place, table.duration(of: time > slot.time ? min(time - slot.time, slot.ticks) : 0))
    }

    /// Whether its local address is in the folder of this rendition.
    package func lies(in key: RenditionKey) -> Bool {
        let urls = [initialisation?.url, segment(at: 0)?.url].compactMap { $0 }
        return urls.contains { $0.path.split(separator: "/").contains { $0 == key.padded } }
    }

    private func oldest(at time: Duration) -> UInt64? {
        guard time > .zero, isOpenEnded else { return nil }
        return table.firstSlot(endingAfter: mediaTime(at: time))?.place
    }

    private func mediaTime(at elapsed: Duration) -> UInt64 {
        let ticks = SegmentTable.ticks(of: elapsed, timescale: table.timescale)
        return min(SegmentTable.greatest, ticks + offset)
    }
}

extension Array {
    fileprivate subscript(at place: UInt64) -> Element? {
        place < UInt64(count) ? self[Int(place)] : nil
    }
}

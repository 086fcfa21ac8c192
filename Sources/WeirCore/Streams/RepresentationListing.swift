/// A representation that listings refer to without copying it.
final class ListedRepresentation: Sendable {
    let representation: Representation
    /// The base URL in use, and what is added to addresses under it.
    let place: Place

    init(_ representation: Representation, at place: Place) {
        self.representation = representation
        self.place = place
    }

    /// By its name, whether or not it should be there already: the origin knows better than a clock.
    func entry(_ name: UInt64) -> ListedSegment? {
        guard representation.isCarried, let slot = representation.slot(named: name) else { return nil }
        return entry(slot)
    }

    func entry(_ slot: SegmentTable.Slot) -> ListedSegment {
        ListedSegment(
            numbers: representation.span(of: slot),
            duration: representation.table.duration(of: slot.ticks),
            slot: slot,
            of: self,
            byteRange: representation.range(of: slot)
        )
    }

    func url(_ slot: SegmentTable.Slot) -> WebURL { url(slot, at: place) ?? representation.base }

    /// Where another place has it.
    func url(_ slot: SegmentTable.Slot, at place: Place) -> WebURL? {
        representation.url(of: slot, from: place.url)?.settingQuery(place.parameters)
    }

    /// The initialisation section's address at a place.
    func sectionURL(at place: Place) -> WebURL? {
        representation.section?.url(from: place.url)?.settingQuery(place.parameters)
    }

    /// What names a segment's edition: the same for all agents, whatever base URL they use.
    func name(_ slot: SegmentTable.Slot) -> UInt64 {
        Edition.nameHash(of: representation.url(of: slot) ?? representation.base)
    }

    /// The greatest duration of a segment, as a bound for reloads.
    var segmentDuration: Duration { ListedRepresentation.segmentDuration(of: representation) }

    static func segmentDuration(of representation: Representation) -> Duration {
        let longest = representation.table.duration(of: representation.table.longest)
        return min(max(longest, .seconds(1)), DecimalText.longestDuration)
    }
}

/// What a DASH manifest lists of one representation at one moment.
struct RepresentationListing: SegmentListing {
    let source: ListedRepresentation
    /// Places in the representation's table.
    private let window: Range<UInt64>

    /// - Parameter now: nil when the time is not known.
    init(_ source: ListedRepresentation, at now: WallTime?) {
        self.source = source
        let there = source.representation.isCarried ? source.representation.available(at: now) : nil
        window = there.map { $0.first..<$0.last + 1 } ?? 0..<0
    }

    var count: Int { Int(clamping: window.upperBound - window.lowerBound) }

    func number(at index: Int) -> UInt64 { source.representation.name(of: slot(index)) }

    subscript(index: Int) -> ListedSegment { source.entry(slot(index)) }

    var targetDuration: Duration { source.segmentDuration }
    var isComplete: Bool { !source.representation.isDynamic }

    private func slot(_ index: Int) -> SegmentTable.Slot {
        guard let slot = source.representation.table.slot(at: window.lowerBound + UInt64(index)) else {
            preconditionFailure("a window lies within its table")
        }
        return slot
    }
}

/// A segment as a manifest lists it.
struct ListedSegment {
    /// From its number to the next segment's. Among peers a segment stands for all of them, so that neighbours become one
    /// range even where segments are named by their time: `n..<n + 1` of a media sequence number, `t..<t + d` of a time.
    let numbers: Range<UInt64>
    let duration: Duration
    /// The part of the resource that is the segment; nil for all of it.
    let byteRange: ByteRange?
    /// There is no media to fetch.
    let isGap: Bool
    private let location: Location

    private enum Location {
        case url(WebURL)
        /// Resolved when it is needed: long playlists are walked through often.
        case uri(PlaylistURI)
        case slot(SegmentTable.Slot, ListedRepresentation)
    }

    /// `SegmentID.number`.
    var number: UInt64 { numbers.lowerBound }

    var url: WebURL {
        switch location {
        case .url(let url): url
        case .uri(let uri): uri.url
        case .slot(let slot, let source): source.url(slot)
        }
    }

    /// `Edition.name`
    var name: UInt64 {
        if case .slot(let slot, let source) = location { return source.name(slot) }
        return Edition.nameHash(of: url)
    }

    init(numbers: Range<UInt64>, duration: Duration, url: WebURL, byteRange: ByteRange?, isGap: Bool = false) {
        self.numbers = numbers
        self.duration = duration
        self.byteRange = byteRange
        self.isGap = isGap
        location = .url(url)
    }

    init(numbers: Range<UInt64>, duration: Duration, uri: PlaylistURI, byteRange: ByteRange?, isGap: Bool) {
        self.numbers = numbers
        self.duration = duration
        self.byteRange = byteRange
        self.isGap = isGap
        location = .uri(uri)
    }

    init(
        numbers: Range<UInt64>,
        duration: Duration,
        slot: SegmentTable.Slot,
        of source: ListedRepresentation,
        byteRange: ByteRange?
    ) {
        self.numbers = numbers
        self.duration = duration
        self.byteRange = byteRange
        isGap = false
        location = .slot(slot, source)
    }
}

/// What a manifest lists of one rendition now, in ascending order of numbers, whatever its format.
protocol SegmentListing {
    var count: Int { get }
    /// The number alone, which costs less than the whole entry.
    func number(at index: Int) -> UInt64
    subscript(index: Int) -> ListedSegment { get }
    /// How often there can be news; at least one second but for parts.
    var targetDuration: Duration { get }
    /// Nothing will be added any more.
    var isComplete: Bool { get }
    /// From the start of the segment at a place to the end of what is listed; nothing for a place beyond it.
    func timeToEnd(from index: Int) -> Duration
}

extension SegmentListing {
    var first: UInt64? { count > 0 ? number(at: 0) : nil }
    var newest: UInt64? { count > 0 ? number(at: count - 1) : nil }

    /// The first place whose number is not below; `count` when there is none.
    func index(atOrAfter number: UInt64) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self.number(at: middle) < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func entry(_ number: UInt64) -> ListedSegment? {
        let index = index(atOrAfter: number)
        return index < count && self.number(at: index) == number ? self[index] : nil
    }
}

extension MediaPlaylist: SegmentListing {
    var count: Int { segments.count }
    var isComplete: Bool { endList }

    func number(at index: Int) -> UInt64 { segments[index].sequence }

    subscript(index: Int) -> ListedSegment {
        let segment = segments[index]
        return ListedSegment(
            numbers: segment.sequence..<segment.sequence + 1,
            duration: segment.duration,
            uri: segment.uri,
            byteRange: segment.byteRange,
            isGap: segment.gap
        )
    }
}

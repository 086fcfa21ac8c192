/// The partial segments that make up a segment, where one playlist listed all of them beside it.
struct SegmentComposition: Equatable {
    /// `SegmentID.number` of each, in order.
    let parts: [UInt64]
    /// They are byte ranges of the segment's own resource, one behind the other.
    let isRanges: Bool
    /// Files of their own are something else than pieces of an encrypted segment: its cipher runs through.
    let isEncrypted: Bool
}

extension MediaPlaylist {
    /// - Parameter index: of the segment.
    /// - Returns: nil unless the parts listed last as long as the segment: old ones are taken from the list.
    func composition(ofSegment index: Int) -> SegmentComposition? {
        let segment = segments[index]
        let own = parts(ofSequence: segment.sequence)
        guard !own.isEmpty, !segment.gap, !own.contains(where: { $0.gap }) else { return nil }
        guard own.enumerated().allSatisfy({ $0.offset == $0.element.index }) else { return nil }
        let total = own.reduce(Duration.zero) { $0 + $1.duration }
        let shortest = own.map { $0.duration }.min() ?? .zero
        let difference = total > segment.duration ? total - segment.duration : segment.duration - total
        guard difference < shortest / 2 else { return nil }
        let numbers = own.compactMap { MediaPart.number(sequence: $0.sequence, index: $0.index) }
        guard numbers.count == own.count else { return nil }
        return SegmentComposition(
            parts: numbers,
            isRanges: areRanges(own, of: segment),
            isEncrypted: segment.isEncrypted
        )
    }

    private func areRanges(_ parts: ArraySlice<MediaPart>, of segment: MediaSegment) -> Bool {
        let url = segment.url
        var end = segment.byteRange?.offset ?? 0
        for part in parts {
            guard let range = part.byteRange, range.offset == end, part.url == url else { return false }
            end += range.length
        }
        return segment.byteRange.map { $0.offset + $0.length == end } ?? true
    }

    private func parts(ofSequence sequence: UInt64) -> ArraySlice<MediaPart> {
        let all = lowLatency.parts
        var low = 0
        var high = all.count
        while low < high {
            let middle = (low + high) / 2
            if all[middle].sequence < sequence { low = middle + 1 } else { high = middle }
        }
        return all[low...].prefix { $0.sequence == sequence }
    }
}

/// Whether a rendition's segments are their parts put together: so by definition where parts are ranges of the segment,
/// and otherwise once three segments that were read whole have been equal to theirs. One that is not ends it.
struct CompositionProof {
    static let needed = 3
    private var equal = 0
    private(set) var isRefuted = false

    /// More segments are to be compared.
    var isOpen: Bool { !isRefuted && equal < CompositionProof.needed }

    func covers(_ composition: SegmentComposition) -> Bool {
        guard !isRefuted else { return false }
        return composition.isRanges || !composition.isEncrypted && equal >= CompositionProof.needed
    }

    mutating func note(isEqual: Bool) {
        if isEqual { equal += 1 } else { isRefuted = true }
    }
}

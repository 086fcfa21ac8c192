/// Which parts of a low-latency stream exist at which time, as a pure function of the time since the origin started.
///
/// Parts are counted from 0 through all segments. The stream begins with a full window, as if it had run before.
struct PartSchedule: Sendable {
    /// Nanoseconds.
    var partDuration: Int64
    var partsPerSegment: Int
    /// Complete segments that a playlist lists.
    var window: Int

    /// Parts that exist after this many nanoseconds.
    func count(at elapsed: Int64) -> Int { window * partsPerSegment + Int(max(0, elapsed) / partDuration) }

    /// The time at which a part exists; negative for those of the first window.
    func time(of index: Int) -> Int64 { Int64(index + 1 - window * partsPerSegment) * partDuration }

    func position(of index: Int) -> PartPosition {
        PartPosition(segment: index / partsPerSegment, part: index % partsPerSegment)
    }

    func index(of position: PartPosition) -> Int { position.segment * partsPerSegment + position.part }

    /// Complete segments in the list.
    func listed(at elapsed: Int64) -> Range<Int> {
        let complete = count(at: elapsed) / partsPerSegment
        return complete - window..<complete
    }

    /// The oldest part that is still served: for those who read the list before it dropped out (RFC 8216 6.2.2).
    func oldest(at elapsed: Int64) -> Int { max(0, listed(at: elapsed).lowerBound - window) * partsPerSegment }

    var segmentDuration: Int64 { partDuration * Int64(partsPerSegment) }

    /// EXT-X-TARGETDURATION: seconds of the longest segment, rounded.
    var targetDuration: Int { max(1, Int((Double(segmentDuration) / 1e9).rounded())) }

    /// What a blocking reload waits for.
    enum Reload: Equatable {
        /// The list as it is.
        case now
        /// The list as soon as this part is in it.
        case part(Int)
        /// What is asked cannot be expected, or makes no sense: 400.
        case refused
    }

    /// Reads `_HLS_msn` and `_HLS_part` (draft-pantos-hls-rfc8216bis section 6.2.5.2).
    func reload(msn: String?, part: String?, at elapsed: Int64) -> Reload {
        guard let msn else { return part == nil ? .now : .refused }
        guard let segment = Int(msn), segment >= 0, segment < 1 << 40 else { return .refused }
        let existing = count(at: elapsed)
        let newest = existing / partsPerSegment - 1
        guard segment <= newest + 2 else { return .refused }
        var wanted = index(of: PartPosition(segment: segment, part: partsPerSegment - 1))
        if let part {
            guard let number = Int(part), number >= 0, number < 1 << 20 else { return .refused }
            // One beyond the parent's last means the first of the next.
            wanted =
                number < partsPerSegment
                ? index(of: PartPosition(segment: segment, part: number)) : (segment + 1) * partsPerSegment
            // The advance part limit: three divided by a part target below one second.
            let limit = max(3, Int((3e9 / Double(partDuration)).rounded(.up)))
            guard wanted - (existing - 1) <= limit else { return .refused }
        }
        return wanted < existing ? .now : .part(wanted)
    }
}

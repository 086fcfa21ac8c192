/// Why bytes are no segment index that weir can use.
package enum SegmentIndexError: Error, Hashable, Sendable {
    /// No `sidx` box where one should be.
    case missing
    case malformed
    /// More references or levels than the limits allow.
    case tooLarge
}

/// One `sidx` box (ISO/IEC 14496-12, 8.16.3).
struct SegmentIndexBox: Hashable, Sendable {
    struct Reference: Hashable, Sendable {
        /// It refers to another `sidx` box, not to media.
        let isIndex: Bool
        /// Bytes.
        let size: Int64
        /// In the box's timescale.
        let ticks: UInt64
    }

    let timescale: UInt64
    let earliestTime: UInt64
    let references: [Reference]
    /// Where what the first reference names begins, in the resource.
    let firstByte: Int64

    /// - Parameters:
    ///   - body: the box's content, behind its size and type.
    ///   - end: where the box ends in the resource: offsets count from there.
    init?(_ body: ArraySlice<UInt8>, end: Int64) {
        var reader = ByteReader(Array(body))
        do {
            let version = try reader.byte()
            _ = try reader.raw(3)
            _ = try reader.fixed32()
            timescale = UInt64(try reader.fixed32())
            let isShort = version == 0
            earliestTime = isShort ? UInt64(try reader.fixed32()) : try reader.fixed64()
            let offset = isShort ? UInt64(try reader.fixed32()) : try reader.fixed64()
            _ = try reader.raw(2)
            let count = Int(try reader.fixed16())
            guard version <= 1, timescale > 0, count * 12 <= reader.remaining else { return nil }
            guard let offset = Int64(exactly: offset) else { return nil }
            let (first, overflow) = end.addingReportingOverflow(offset)
            guard !overflow else { return nil }
            firstByte = first
            var references: [Reference] = []
            for _ in 0..<count {
                let size = try reader.fixed32()
                let ticks = UInt64(try reader.fixed32())
                _ = try reader.fixed32()
                let isIndex = size >> 31 == 1
                references.append(Reference(isIndex: isIndex, size: Int64(size & 0x7FFF_FFFF), ticks: ticks))
            }
            self.references = references
        } catch {
            return nil
        }
    }
}

/// Collects a resource's segment indexes until all subsegments are known: each is a segment of its own.
///
/// Life: `init → (add → missing)* → subsegments`. Indexes may refer to further ones, which may lie in what was read
/// already or have to be read too.
package struct SegmentIndexReader: Sendable {
    package struct Subsegment: Hashable, Sendable {
        package let range: ByteRange
        /// In the first index's timescale.
        package let time: UInt64
        package let ticks: UInt64
    }

    /// Levels of indexes.
    private static let greatestDepth = 6
    /// Indexes that are walked through: hostile ones could refer to each other in ever new combinations.
    private static let greatestCount = 4096

    private let root: Int64
    private let limits: Limits
    private var boxes: [Int64: SegmentIndexBox] = [:]
    /// Where the first index was found; a range may begin with other boxes.
    private var rootBox: Int64?

    /// What still has to be read; empty once all is known.
    package private(set) var missing: [ByteRange]
    package private(set) var subsegments: [Subsegment] = []
    /// Ticks per second.
    package private(set) var timescale: UInt64 = 1

    /// - Parameter range: the manifest's `indexRange`.
    package init(range: ByteRange, limits: Limits) {
        self.limits = limits
        root = range.offset
        missing = [range]
    }

    /// Takes what was read of the resource at `offset`.
    package mutating func add(_ bytes: [UInt8], at offset: Int64) throws(SegmentIndexError) {
        scan(bytes, at: offset)
        guard let rootBox, let box = boxes[rootBox] else { throw .missing }
        timescale = box.timescale
        let readBefore = missing
        missing = []
        subsegments = []
        var walked = 0
        try expand(box, depth: 0, walked: &walked)
        // What was asked for and is no index will never become one.
        guard missing.isEmpty || missing != readBefore else { throw .missing }
    }

    private mutating func scan(_ bytes: [UInt8], at offset: Int64) {
        var place = 0
        while bytes.count - place >= 8 {
            let size = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
            guard size >= 8, size <= bytes.count - place else { return }
            let type = bytes[place + 4..<place + 8]
            let start = offset.addedSaturating(to: Int64(place))
            if type.elementsEqual("sidx".utf8),
                let box = SegmentIndexBox(bytes[place + 8..<place + size], end: start.addedSaturating(to: Int64(size)))
            {
                boxes[start] = box
                if rootBox == nil { rootBox = start }
            }
            place += size
        }
    }

    private mutating func expand(
        _ box: SegmentIndexBox,
        depth: Int,
        walked: inout Int
    ) throws(SegmentIndexError) {
        walked += 1
        guard depth < SegmentIndexReader.greatestDepth, walked <= SegmentIndexReader.greatestCount else {
            throw .tooLarge
        }
        var byte = box.firstByte
        var time = box.earliestTime
        for reference in box.references {
            let (next, overflow) = byte.addingReportingOverflow(reference.size)
            guard !overflow, reference.size > 0 else { throw .malformed }
            let range = ByteRange(offset: byte, length: reference.size)
            if reference.isIndex {
                if let inner = boxes[byte] {
                    try expand(inner, depth: depth + 1, walked: &walked)
                } else {
                    guard missing.count < 1024, reference.size <= Int64(limits.indexBytes) else { throw .tooLarge }
                    missing.append(range)
                }
            } else {
                guard subsegments.count < limits.playlistSegments else { throw .tooLarge }
                let start = scaled(time, from: box.timescale)
                let end = scaled(time.addedSaturating(reference.ticks), from: box.timescale)
                subsegments.append(Subsegment(range: range, time: start, ticks: max(1, end - start)))
            }
            byte = next
            time = time.addedSaturating(reference.ticks)
        }
    }

    private func scaled(_ ticks: UInt64, from other: UInt64) -> UInt64 {
        guard other != timescale else { return min(ticks, SegmentTable.greatest) }
        return UInt64(min(UInt128(SegmentTable.greatest), UInt128(ticks) * UInt128(timescale) / UInt128(other)))
    }
}

extension UInt64 {
    fileprivate func addedSaturating(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}

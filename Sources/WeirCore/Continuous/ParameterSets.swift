/// What a decoder of H.264 or HEVC has to know beforehand, as MP4 keeps it apart from the pictures: AVCC and HVCC
/// (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1).
package struct ParameterSets: Sendable, Hashable {
    /// NAL units, in the record's order.
    package private(set) var units: [[UInt8]] = []
    /// Bytes of the length in front of each NAL unit.
    package let lengthSize: Int

    /// Nil when it is no such record, or a damaged one.
    package init?(avc record: [UInt8]) {
        guard record.count >= 7, record[0] == 1 else { return nil }
        lengthSize = Int(record[4] & 3) + 1
        var place = 5
        for mask in [UInt8(0x1F), 0xFF] {
            guard place < record.count else { return nil }
            let count = Int(record[place] & mask)
            place += 1
            guard add(count, from: record, at: &place) else { return nil }
        }
    }

    package init?(hevc record: [UInt8]) {
        guard record.count >= 23, record[0] == 1 else { return nil }
        lengthSize = Int(record[21] & 3) + 1
        var place = 23
        for _ in 0..<record[22] {
            guard record.count - place >= 3 else { return nil }
            let count = Int(record[place + 1]) << 8 | Int(record[place + 2])
            place += 3
            guard add(count, from: record, at: &place) else { return nil }
        }
    }

    private mutating func add(_ count: Int, from record: [UInt8], at place: inout Int) -> Bool {
        for _ in 0..<count {
            guard record.count - place >= 2 else { return false }
            let length = Int(record[place]) << 8 | Int(record[place + 1])
            place += 2
            guard length > 0, record.count - place >= length else { return false }
            units.append(Array(record[place..<place + length]))
            place += length
        }
        return true
    }

    /// The same within the pictures: what stands in front of a keyframe's own units.
    package var inBand: [UInt8] {
        units.flatMap { unit in
            (0..<lengthSize).map { UInt8(truncatingIfNeeded: unit.count >> (8 * (lengthSize - 1 - $0))) } + unit
        }
    }
}

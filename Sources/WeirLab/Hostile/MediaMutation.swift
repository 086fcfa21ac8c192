package import WeirCore

/// What is done to a good segment, so that it is a bad one. The same seed gives the same bytes on every machine.
package enum MediaMutation: String, CaseIterable, Sendable {
    /// What any bytes may suffer.
    case truncated, bitFlips, randomBytes, randomRun, zeros, repeated, dropped, empty
    /// Sizes of boxes that lie: none, more than there is, 64 bits of them.
    case boxSizes
    /// A box where another one belongs.
    case boxNames
    /// Boxes two thousand deep in one another.
    case nestedBoxes
    /// Tables of samples that claim to have thousands of millions of entries.
    case endlessTables
    /// Heads of MPEG-TS packets and what follows them: adaptation fields, sections, times.
    case packetHeads
    /// Lengths of AAC frames.
    case frameHeads
    /// What decoders are told of the pictures.
    case parameterSets

    package func apply(to bytes: [UInt8], _ random: inout RandomSource) -> [UInt8] {
        guard !bytes.isEmpty else { return bytes }
        switch self {
        case .truncated: return Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)))
        case .randomBytes: return MediaMutation.noise(1 + Int.random(in: 0..<200_000, using: &random), &random)
        case .empty: return []
        case .bitFlips, .randomRun, .zeros, .repeated, .dropped: return damaged(bytes, &random)
        case .boxSizes, .boxNames, .endlessTables: return boxesChanged(bytes, &random)
        case .nestedBoxes:
            let nested = (0..<2000).reduce([UInt8]()) { body, _ in BoxTree.box("trak", body) }
            return BoxTree.box("ftyp", Array("isom".utf8) + [0, 0, 0, 0]) + BoxTree.box("moov", nested) + bytes
        case .packetHeads: return packetsChanged(bytes, &random)
        case .frameHeads: return changed(bytes, after: [0xFF, 0xF1], within: 7, share: 20, &random)
        case .parameterSets: return parametersChanged(bytes, &random)
        }
    }

    package static func noise(_ count: Int, _ random: inout RandomSource) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    private func damaged(_ bytes: [UInt8], _ random: inout RandomSource) -> [UInt8] {
        var bytes = bytes
        let begin = Int.random(in: 0..<bytes.count, using: &random)
        let end = min(bytes.count, begin + Int.random(in: 1...4000, using: &random))
        switch self {
        case .bitFlips:
            for _ in 0..<(1 + bytes.count / 500) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
        case .randomRun: bytes.replaceSubrange(begin..<end, with: MediaMutation.noise(end - begin, &random))
        case .zeros: bytes.replaceSubrange(begin..<end, with: [UInt8](repeating: 0, count: end - begin))
        case .repeated: bytes.insert(contentsOf: bytes[begin..<end], at: begin)
        default: bytes.removeSubrange(begin..<end)
        }
        return bytes
    }

    private func boxesChanged(_ bytes: [UInt8], _ random: inout RandomSource) -> [UInt8] {
        var bytes = bytes
        let boxes = BoxTree.boxes(of: bytes)
        guard !boxes.isEmpty else { return bytes }
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let box = boxes[Int.random(in: 0..<boxes.count, using: &random)]
            switch self {
            case .boxSizes:
                let rest = UInt32(clamping: bytes.count - box.offset)
                let sizes: [UInt32] = [0, 1, 2, 7, 8, rest &+ 1, 0x7FFF_FFFF, 0xFFFF_FFFF, UInt32(box.size / 2)]
                bytes.write(sizes[Int.random(in: 0..<sizes.count, using: &random)], at: box.offset)
            case .boxNames:
                let other = boxes[Int.random(in: 0..<boxes.count, using: &random)]
                bytes.replaceSubrange(box.offset + 4..<box.offset + 8, with: other.name)
            default:
                // The count of entries follows version and flags; in `stsz` one size for all comes before.
                for table in boxes where BoxTree.tables.contains(table.text) {
                    for place in [12, 16] where place + 4 <= table.size {
                        bytes.write(
                            [0xFFFF_FFFF, 0x7FFF_FFFF, 0x1000_0000].randomElement(using: &random) ?? 0,
                            at: table.offset + place
                        )
                    }
                }
            }
        }
        return bytes
    }

    private func packetsChanged(_ bytes: [UInt8], _ random: inout RandomSource) -> [UInt8] {
        var bytes = bytes
        for packet in stride(from: 0, to: bytes.count - 187, by: 188) where Int.random(in: 0..<30, using: &random) == 0
        {
            // Of a head four bytes, of what is behind it the fields of sections and of times.
            for place in 1..<Int.random(in: 2...24, using: &random) {
                bytes[packet + place] = UInt8.random(in: 0...255, using: &random)
            }
        }
        return bytes
    }

    /// What decoders are told begins with a start code and one of these, or stands in the description of a track.
    private func parametersChanged(_ bytes: [UInt8], _ random: inout RandomSource) -> [UInt8] {
        let streams = changed(bytes, after: [0, 0, 1, 0x67], within: 12, share: 1, &random)
        return changed(streams, after: Array("avcC".utf8), within: 24, share: 1, &random)
    }

    /// Overwrites a byte behind every so manyth place where this stands.
    private func changed(
        _ bytes: [UInt8],
        after mark: [UInt8],
        within reach: Int,
        share: Int,
        _ random: inout RandomSource
    ) -> [UInt8] {
        var bytes = bytes
        guard bytes.count > mark.count + reach else { return bytes }
        for place in 0..<(bytes.count - mark.count - reach)
        where bytes[place] == mark[0] && bytes[place..<place + mark.count].elementsEqual(mark) {
            guard Int.random(in: 0..<share, using: &random) == 0 else { continue }
            let offset = place + mark.count + Int.random(in: 0..<reach, using: &random)
            bytes[offset] = UInt8.random(in: 0...255, using: &random)
        }
        return bytes
    }
}

extension [UInt8] {
    fileprivate mutating func write(_ value: UInt32, at place: Int) {
        for byte in 0..<4 { self[place + byte] = UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32(byte))) }
    }
}

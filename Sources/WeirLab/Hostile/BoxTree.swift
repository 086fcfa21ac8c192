/// The boxes of a file of ISO 14496-12, found by their sizes.
enum BoxTree {
    struct Box {
        var offset: Int
        var size: Int
        var name: ArraySlice<UInt8>
        var text: String { String(decoding: name, as: UTF8.self) }
    }

    /// Boxes with a count of entries behind version and flags.
    static let tables: Set<String> = [
        "stts", "ctts", "stsc", "stsz", "stco", "co64", "stss", "stsd", "trun", "sidx", "elst", "dref",
    ]
    private static let containers: Set<String> = [
        "moov", "trak", "mdia", "minf", "stbl", "dinf", "edts", "mvex", "moof", "traf", "udta",
    ]
    private static let mostBoxes = 1000

    /// All of them, in the order of their places.
    static func boxes(of bytes: [UInt8]) -> [Box] {
        var found: [Box] = []
        walk(bytes, 0..<bytes.count, &found)
        return found
    }

    static func box(_ name: String, _ body: [UInt8]) -> [UInt8] {
        let size = UInt32(clamping: body.count + 8)
        return (0..<4).map { UInt8(truncatingIfNeeded: size >> (24 - 8 * UInt32($0))) } + Array(name.utf8) + body
    }

    private static func walk(_ bytes: [UInt8], _ range: Range<Int>, _ found: inout [Box]) {
        var offset = range.lowerBound
        while offset + 8 <= range.upperBound, found.count < mostBoxes {
            let size = bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
            guard size >= 8, offset + size <= range.upperBound else { return }
            let box = Box(offset: offset, size: size, name: bytes[offset + 4..<offset + 8])
            found.append(box)
            if containers.contains(box.text) { walk(bytes, offset + 8..<offset + size, &found) }
            offset += size
        }
    }
}

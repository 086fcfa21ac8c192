/// Holds a rewritten playlist against what it was made from, line by line, with a reading of its own: what weir does not
/// own is there, in its order, byte for byte.
enum KeptLines {
    /// Tags that go with what they are about, or because weir cannot serve them.
    private static let removable: Set<String> = [
        "EXT-X-BYTERANGE", "EXT-X-PART", "EXT-X-PRELOAD-HINT", "EXT-X-CONTENT-STEERING",
    ]

    /// Attributes that may change or go, by tag.
    private static let owned: [String: Set<String>] = [
        "EXT-X-KEY": ["URI"], "EXT-X-SESSION-KEY": ["URI"], "EXT-X-SESSION-DATA": ["URI"], "EXT-X-MEDIA": ["URI"],
        "EXT-X-I-FRAME-STREAM-INF": ["URI"], "EXT-X-IMAGE-STREAM-INF": ["URI"], "EXT-X-RENDITION-REPORT": ["URI"],
        "EXT-X-MAP": ["URI", "BYTERANGE"],
        "EXT-X-PART": ["URI", "BYTERANGE"], "EXT-X-PRELOAD-HINT": ["URI", "BYTERANGE-START", "BYTERANGE-LENGTH"],
        "EXT-X-SERVER-CONTROL": ["CAN-SKIP-DATERANGES"],
        "EXT-X-DEFINE": ["NAME", "VALUE", "IMPORT", "QUERYPARAM"],
    ]

    static func check(_ rewritten: [UInt8], against original: [UInt8], _ what: String) throws(Fault) {
        let found = lines(rewritten)
        var place = 0
        for line in lines(original) {
            let tag = name(of: line)
            let next = place < found.count ? found[place] : nil
            if let next, matches(next, line, tag) {
                place += 1
            } else if !removable.contains(tag) {
                let text = next.map { String(decoding: $0, as: UTF8.self) } ?? "the end"
                throw Fault("\(what) has \(text) in place of \(String(decoding: line, as: UTF8.self))")
            }
        }
        try demandEqual(place, found.count, "lines of \(what)")
    }

    private static func matches(_ found: ArraySlice<UInt8>, _ original: ArraySlice<UInt8>, _ tag: String) -> Bool {
        if found == original { return true }
        let text = trimmed(original)
        guard let first = text.first else { return false }
        if first != UInt8(ascii: "#") {
            // An address of a segment or variant.
            return trimmed(found).first.map { $0 != UInt8(ascii: "#") } ?? false
        }
        guard let owned = owned[tag], name(of: found) == tag else { return false }
        return attributes(found, without: owned) == attributes(original, without: owned)
    }

    private static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        if lines.last?.isEmpty ?? false { lines.removeLast() }
        return lines
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var line = line
        if line.last == 0x0D { line.removeLast() }
        line = line.drop(while: isBlank)
        while let last = line.last, isBlank(last) { line.removeLast() }
        return line
    }

    /// Of a tag, without its `#`; empty for other lines.
    private static func name(of line: ArraySlice<UInt8>) -> String {
        let text = trimmed(line)
        guard text.first == UInt8(ascii: "#") else { return "" }
        return String(decoding: text.dropFirst().prefix { $0 != 0x3A && !isBlank($0) }.prefix(40), as: UTF8.self)
    }

    /// `NAME=value`, in their order.
    private static func attributes(_ line: ArraySlice<UInt8>, without owned: Set<String>) -> [String] {
        var found: [String] = []
        let text = trimmed(line)
        var rest = text.drop { $0 != 0x3A }.dropFirst()
        while let equals = rest.firstIndex(of: 0x3D) {
            // What stands before a comma is no name.
            let nameStart = rest[..<equals].lastIndex(of: 0x2C).map { $0 + 1 } ?? rest.startIndex
            let name = String(decoding: trimmed(rest[nameStart..<equals]), as: UTF8.self)
            rest = rest[(equals + 1)...].drop(while: isBlank)
            var value = rest.prefix { $0 != 0x2C }
            if rest.first == UInt8(ascii: "\"") {
                guard let close = rest.dropFirst().firstIndex(of: UInt8(ascii: "\"")) else { break }
                value = rest[...close]
            }
            if !owned.contains(name) { found.append("\(name)=\(String(decoding: trimmed(value), as: UTF8.self))") }
            rest = rest[value.endIndex...].drop { $0 != 0x2C }
        }
        return found
    }
}

/// `Range: bytes=…` as far as weir and the baselines send it (RFC 9110 14.2): one range, from a first byte.
enum ByteRangeText {
    /// - Returns: the bytes it selects, nil when it is no such range.
    static func parse(_ text: String, length: Int) -> Range<Int>? {
        guard text.hasPrefix("bytes="), let dash = text.firstIndex(of: "-") else { return nil }
        guard let first = Int(text[text.index(text.startIndex, offsetBy: 6)..<dash]), first < length else { return nil }
        let last = Int(text[text.index(after: dash)...]) ?? length - 1
        guard last >= first else { return nil }
        return first..<min(length, last + 1)
    }
}

/// RFC 4648 section 4.
enum Base64Text {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var word = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            word <<= UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                let digit = alphabet[Int(word >> UInt32(18 - 6 * place) & 63)]
                text.append(place <= group.count ? digit : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

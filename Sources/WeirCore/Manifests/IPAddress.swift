/// A literal IPv4 or IPv6 address.
///
/// Strict: four decimal numbers without leading zeros, or RFC 4291 2.2 with `::` and an embedded IPv4 tail. Brackets
/// and a zone (`%eth0`) are accepted around an IPv6 address and dropped.
package struct IPAddress: Hashable, Sendable {
    /// 4 or 16, in network order.
    package let bytes: [UInt8]

    /// - Parameter bytes: 4 or 16; any other count gives nil.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    package init?(_ text: String) {
        var inner = text[...]
        if inner.hasPrefix("[") {
            guard inner.hasSuffix("]") else { return nil }
            inner = inner.dropFirst().dropLast()
        }
        guard inner.utf8.count <= 100 else { return nil }
        guard inner.utf8.contains(ASCII.colon) else {
            guard !text.hasPrefix("["), let bytes = IPAddress.version4(inner) else { return nil }
            self.bytes = bytes
            return
        }
        if let zone = inner.utf8.firstIndex(of: ASCII.percent) { inner = inner[..<zone] }
        guard let bytes = IPAddress.version6(inner) else { return nil }
        self.bytes = bytes
    }

    /// The IPv4 address inside `::ffff:a.b.c.d` (RFC 4291 2.5.5.2) or `64:ff9b::a.b.c.d` (RFC 6052); else itself.
    package var unmapped: IPAddress {
        guard bytes.count == 16 else { return self }
        let mapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        let translated = bytes.starts(with: [0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0])
        guard mapped || translated else { return self }
        return IPAddress(bytes: Array(bytes[12...])) ?? self
    }

    private static func version4(_ text: Substring) -> [UInt8]? {
        let parts = text.utf8.split(separator: ASCII.dot, omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard part.count <= 3, part.count == 1 || part.first != ASCII.zero else { return nil }
            guard let value = DecimalText.integer(Array(part)[...]), let byte = UInt8(exactly: value) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }

    private static func version6(_ text: Substring) -> [UInt8]? {
        guard let gap = doubleColon(text) else {
            let bytes = groups(text)
            return bytes?.count == 16 ? bytes : nil
        }
        guard let head = groups(text[..<gap], isTail: false) else { return nil }
        let after = text.utf8.index(gap, offsetBy: 2)
        guard let tail = groups(text[after...]), head.count + tail.count <= 14 else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func doubleColon(_ text: Substring) -> Substring.Index? {
        var index = text.utf8.startIndex
        while index < text.utf8.endIndex {
            let next = text.utf8.index(after: index)
            if text.utf8[index] == ASCII.colon, next < text.utf8.endIndex, text.utf8[next] == ASCII.colon {
                return index
            }
            index = next
        }
        return nil
    }

    /// Colon-separated groups of up to four hexadecimal digits. The last of an address may be an IPv4 address.
    private static func groups(_ text: Substring, isTail: Bool = true) -> [UInt8]? {
        if text.isEmpty { return [] }
        var bytes: [UInt8] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if isTail, index == parts.count - 1, part.utf8.contains(ASCII.dot) {
                guard let tail = version4(part) else { return nil }
                return bytes + tail
            }
            guard (1...4).contains(part.utf8.count) else { return nil }
            var value: UInt16 = 0
            for byte in part.utf8 {
                guard let digit = byte.hexadecimalDigit else { return nil }
                value = value << 4 | UInt16(digit)
            }
            bytes.append(UInt8(value >> 8))
            bytes.append(UInt8(value & 0xFF))
        }
        return bytes
    }
}

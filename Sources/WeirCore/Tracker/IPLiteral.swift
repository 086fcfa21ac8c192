/// An IPv4 or IPv6 address as text and as bytes: what a candidate may name, so that nothing foreign is ever looked up.
package struct IPLiteral: Hashable, Sendable, CustomStringConvertible {
    /// 4 or 16 bytes. IPv4 inside IPv6 (RFC 4291 2.5.5.2) is kept as IPv4, so that one host has one name.
    package let bytes: [UInt8]

    /// - Parameter text: dotted decimal without leading zeros, or RFC 4291 2.2 without a zone; anything else gives nil.
    package init?(_ text: some StringProtocol) {
        let characters = Array(text.utf8)
        guard characters.count <= IPLiteral.longestText else { return nil }
        if let four = IPLiteral.dotted(characters[...]) {
            bytes = four
        } else if let sixteen = IPLiteral.colons(characters) {
            let isMapped = sixteen[..<10].allSatisfy { $0 == 0 } && sixteen[10] == 0xff && sixteen[11] == 0xff
            bytes = isMapped ? Array(sixteen[12...]) : sixteen
        } else {
            return nil
        }
    }

    /// Six groups of four digits, and an IPv4 address.
    private static let longestText = 45

    private static func dotted(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0"),
                part.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let byte = UInt8(String(decoding: part, as: UTF8.self))
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func colons(_ text: [UInt8]) -> [UInt8]? {
        guard text.contains(UInt8(ascii: ":")) else { return nil }
        guard let gap = firstDoubleColon(text) else {
            let whole = groups(text[...])
            return whole?.count == 16 ? whole : nil
        }
        guard let head = groups(text[..<gap], mayEndDotted: false), let tail = groups(text[(gap + 2)...]),
            head.count + tail.count <= 14
        else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func firstDoubleColon(_ text: [UInt8]) -> Int? {
        text.indices.dropLast().first { text[$0] == UInt8(ascii: ":") && text[$0 + 1] == UInt8(ascii: ":") }
    }

    /// Groups of hexadecimal digits between single colons, the last of which may be dotted decimal.
    private static func groups(_ text: ArraySlice<UInt8>, mayEndDotted: Bool = true) -> [UInt8]? {
        if text.isEmpty { return [] }
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count <= 8 else { return nil }
        var bytes: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if mayEndDotted, index == parts.count - 1, let four = dotted(part) {
                bytes += four
                break
            }
            let isHexadecimal = part.allSatisfy { $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }
            guard (1...4).contains(part.count), isHexadecimal,
                let value = UInt16(String(decoding: part, as: UTF8.self), radix: 16)
            else { return nil }
            bytes += [UInt8(value >> 8), UInt8(value & 0xff)]
        }
        return bytes
    }

    /// As RFC 5952 writes it: lower case, the longest run of zero groups as `::`.
    package var description: String {
        if bytes.count == 4 { return bytes.map { String($0) }.joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        let zeros = IPLiteral.longestZeroRun(groups)
        func text(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        if zeros.count < 2 { return text(groups[...]) }
        return text(groups[..<zeros.lowerBound]) + "::" + text(groups[zeros.upperBound...])
    }

    private static func longestZeroRun(_ groups: [UInt16]) -> Range<Int> {
        var best = 0..<0
        var start = 0
        for index in 0...groups.count where index == groups.count || groups[index] != 0 {
            if index - start > best.count { best = start..<index }
            start = index + 1
        }
        return best
    }
}

/// Numbers as RFC 8216bis 4.2 writes them, read from bytes that anybody may have sent: nothing here traps or takes
/// longer than one pass.
enum DecimalText {
    /// A *decimal-integer*: digits only. Nil when it is empty, has anything else in it, or does not fit.
    static func integer(_ bytes: ArraySlice<UInt8>) -> UInt64? {
        guard !bytes.isEmpty else { return nil }
        var value: UInt64 = 0
        for byte in bytes {
            guard byte.isASCIIDigit else { return nil }
            let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(UInt64(byte - ASCII.zero))
            if tooLarge || overflow { return nil }
            value = sum
        }
        return value
    }

    /// A *decimal-integer* that is a count of bytes or an offset.
    static func byteCount(_ bytes: ArraySlice<UInt8>) -> Int64? {
        integer(bytes).flatMap { Int64(exactly: $0) }
    }

    /// Digits only; a number that does not fit becomes the largest that does. Nil when anything else is in it.
    static func saturatingByteCount(_ bytes: ArraySlice<UInt8>) -> Int64? {
        guard !bytes.isEmpty, bytes.allSatisfy({ $0.isASCIIDigit }) else { return nil }
        return byteCount(bytes) ?? .max
    }

    /// A *hexadecimal-sequence* such as `0x1F`, at most 16 bytes of value, as IVs have.
    static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        guard bytes.count > 2, bytes.count <= 34, bytes.first == ASCII.zero else { return nil }
        guard bytes[bytes.startIndex + 1].lowercasedASCII == 0x78 else { return nil }
        var digits: [UInt8] = []
        for byte in bytes.dropFirst(2) {
            guard let digit = byte.hexadecimalDigit else { return nil }
            digits.append(digit)
        }
        if digits.count % 2 == 1 { digits.insert(0, at: 0) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// No segment and no target duration counts for more than a day: sums and timers stay sane whatever is written.
    static let longestDuration = Duration.seconds(86_400)

    /// Seconds with an optional fraction. What follows the number is ignored, as players do. A negative number counts
    /// as zero, one above a day as a day. Nil when there is no number at all (`NaN`, empty).
    static func duration(_ bytes: ArraySlice<UInt8>) -> Duration? {
        let text = bytes.trimmingBlanks
        var index = text.startIndex
        let negative = text.first == ASCII.minus
        if negative || text.first == ASCII.plus { index += 1 }
        let digitsStart = index
        var whole: Int64 = 0
        while index < text.endIndex, text[index].isASCIIDigit {
            whole = min(whole * 10 + Int64(text[index] - ASCII.zero), 1_000_000_000)
            index += 1
        }
        var digits = index - digitsStart
        var fraction: Int64 = 0
        if index < text.endIndex, text[index] == ASCII.dot {
            index += 1
            var unit: Int64 = 100_000_000
            while index < text.endIndex, text[index].isASCIIDigit {
                fraction += Int64(text[index] - ASCII.zero) * unit
                unit /= 10
                index += 1
                digits += 1
            }
        }
        guard digits > 0 else { return nil }
        if negative { return .zero }
        return min(Duration(nanoseconds: whole * 1_000_000_000 + fraction), longestDuration)
    }

    /// EXT-X-START's TIME-OFFSET (RFC 8216bis 4.4.2.2), a signed number of seconds.
    static func startOffset(_ list: AttributeList) -> Duration? {
        guard let text = list.bytes("TIME-OFFSET") else { return nil }
        guard text.first == ASCII.minus else { return duration(text) }
        return duration(text.dropFirst()).map { Duration(nanoseconds: -$0.nanoseconds) }
    }
}

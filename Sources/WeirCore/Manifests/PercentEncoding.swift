/// Percent-encoding (RFC 3986 2.1).
package enum PercentEncoding {
    /// What the text stands for. Nil when a `%` is not followed by two hexadecimal digits, or the result is no UTF-8.
    package static func decode(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var iterator = text.utf8.makeIterator()
        while let byte = iterator.next() {
            guard byte == ASCII.percent else {
                bytes.append(byte)
                continue
            }
            guard let high = iterator.next()?.hexadecimalDigit, let low = iterator.next()?.hexadecimalDigit else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Text as a query's value: everything but unreserved characters is encoded.
    package static func encode(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 { append(byte, to: &bytes, keeping: isUnreserved) }
        return bytes[...].text
    }

    /// RFC 3986 2.3.
    static func isUnreserved(_ byte: UInt8) -> Bool {
        byte.isASCIIAlphanumeric || byte == 0x2D || byte == 0x2E || byte == 0x5F || byte == 0x7E
    }

    /// `pchar` and `/` (RFC 3986 3.3). `%` too: what is encoded already stays as it is, byte for byte.
    static func isPathByte(_ byte: UInt8) -> Bool {
        if isUnreserved(byte) { return true }
        switch byte {
        case ASCII.percent, ASCII.slash, ASCII.colon, ASCII.at: return true
        // Sub-delims: ! $ & ' ( ) * + , ; =
        case 0x21, 0x24, 0x26...0x2C, 0x3B, 0x3D: return true
        default: return false
        }
    }

    static func isQueryByte(_ byte: UInt8) -> Bool { byte == ASCII.question || isPathByte(byte) }

    static func append(_ byte: UInt8, to bytes: inout [UInt8], keeping isKept: (UInt8) -> Bool) {
        if isKept(byte) {
            bytes.append(byte)
        } else {
            bytes.append(ASCII.percent)
            bytes.append(upperCaseDigit(byte >> 4))
            bytes.append(upperCaseDigit(byte & 15))
        }
    }

    private static func upperCaseDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }
}

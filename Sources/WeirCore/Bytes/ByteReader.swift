/// Reads numbers and bytes from the front of a header that a peer sent. Every read is bounds-checked and throws
/// instead of trapping; nothing is allocated for a count before the bytes for it are known to be there.
package struct ByteReader: Sendable {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Bytes that are left.
    package var remaining: Int { bytes.count - position }

    package mutating func byte() throws(CodecError) -> UInt8 {
        guard position < bytes.count else { throw .truncated }
        defer { position += 1 }
        return bytes[position]
    }

    /// - Parameter count: at least 0, and a bound that the caller has checked.
    package mutating func raw(_ count: Int) throws(CodecError) -> [UInt8] {
        guard count >= 0, count <= remaining else { throw .truncated }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    /// A number as `ByteWriter.varint` writes it. A longer form of the same number is refused: one value, one encoding.
    package mutating func varint() throws(CodecError) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<Varint.maximumBytes {
            let next = try byte()
            value |= UInt64(next & 0x7f) << UInt64(7 * index)
            if next & 0x80 == 0 {
                guard Varint.isCanonical(last: next, at: index) else { throw .number }
                return value
            }
        }
        throw .number
    }

    /// A varint that fits 32 bits.
    package mutating func varint32() throws(CodecError) -> UInt32 {
        guard let value = UInt32(exactly: try varint()) else { throw .number }
        return value
    }

    /// A varint that counts things to come: refused above its limit, and when the bytes for it are not there.
    package mutating func count(upTo limit: Int, eachAtLeast byteCount: Int) throws(CodecError) -> Int {
        let value = try varint()
        guard value <= UInt64(limit) else { throw .tooLarge }
        let count = Int(value)
        guard count * byteCount <= remaining else { throw .truncated }
        return count
    }

    package mutating func fixed16() throws(CodecError) -> UInt16 {
        let high = try byte()
        return UInt16(high) << 8 | UInt16(try byte())
    }

    package mutating func fixed32() throws(CodecError) -> UInt32 {
        let high = try fixed16()
        return UInt32(high) << 16 | UInt32(try fixed16())
    }

    package mutating func fixed64() throws(CodecError) -> UInt64 {
        guard remaining >= 8 else { throw .truncated }
        var value: UInt64 = 0
        for _ in 0..<8 { value = value << 8 | UInt64(try byte()) }
        return value
    }

    package mutating func digest() throws(CodecError) -> Digest {
        guard remaining >= Digest.byteCount else { throw .truncated }
        return Digest(words: (try fixed64(), try fixed64(), try fixed64(), try fixed64()))
    }
}

/// What makes a varint well-formed.
enum Varint {
    /// Ten times seven bits hold 64.
    static let maximumBytes = 10

    /// Whether a varint may end with this byte at this place: not a needless zero, and nothing beyond 64 bits.
    static func isCanonical(last: UInt8, at index: Int) -> Bool {
        if index == 0 { return true }
        return last != 0 && (index < maximumBytes - 1 || last == 1)
    }
}

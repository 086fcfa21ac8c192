/// A running 128-bit mix of everything that happened, in order: two runs with the same digest went the same way.
///
/// Not cryptographic; it only has to notice a difference.
package struct EventDigest: Hashable, Sendable, CustomStringConvertible {
    private var low: UInt64 = 0x243f_6a88_85a3_08d3
    private var high: UInt64 = 0x1319_8a2e_0370_7344

    package init() {}

    @inline(__always)
    package mutating func mix(_ value: UInt64) {
        low = (low ^ value) &* 0x9e37_79b9_7f4a_7c15
        low ^= low >> 29
        high = (high &+ value) &* 0xd6e8_feb8_6659_fd93
        high ^= high >> 32 ^ low
    }

    /// 32 hexadecimal digits.
    package var description: String {
        let parts = [high, low].map { word in
            let text = String(word, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        return parts.joined()
    }
}

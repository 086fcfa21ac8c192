/// CIDR notation.
extension NetworkPrefix {
    /// `10.0.0.0/8`, `fe80::/10`, or a bare address, which is a network of one. Bits behind the length are cleared, so
    /// that equal networks compare equal. Nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(String(first)) else { return nil }
        var length = address.bytes.count * 8
        if parts.count == 2 {
            let digits = Array(parts[1].utf8)
            guard digits.count <= 3, let value = DecimalText.integer(digits[...]), value <= UInt64(length) else {
                return nil
            }
            length = Int(value)
        }
        self.init(address: NetworkPrefix.masked(address.bytes, length: length), length: length)
    }

    /// Whether a literal address lies in this network. An IPv4-mapped IPv6 address counts as the IPv4 one. A name
    /// never does.
    package func contains(_ host: String) -> Bool {
        guard let address = IPAddress(host) else { return false }
        return contains(address) || contains(address.unmapped)
    }

    package func contains(_ other: IPAddress) -> Bool {
        guard other.bytes.count == address.count, length >= 0, length <= address.count * 8 else { return false }
        return NetworkPrefix.masked(other.bytes, length: length) == NetworkPrefix.masked(address, length: length)
    }

    private static func masked(_ bytes: [UInt8], length: Int) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            let kept = min(8, max(0, length - index * 8))
            return kept == 0 ? 0 : byte & (0xFF << UInt8(8 - kept))
        }
    }
}

/// What a player's `Range` field asks for (RFC 9110 14).
package enum RangeHeader: Hashable, Sendable {
    /// The whole answer: no field, or a range that cannot be told from it (`bytes=0-` of unknown length). Status 200.
    case whole
    /// Status 206. Never empty, and within the length.
    case range(Range<Int64>)
    /// Status 416.
    case unsatisfiable
    /// A field that may be ignored: another unit, several ranges, nonsense, or a range of what has no known length yet.
    /// Status 200.
    case ignore

    /// - Parameters:
    ///   - field: the raw value, nil when there is none.
    ///   - length: bytes of the whole resource, nil while unknown.
    package static func parse(_ field: String?, length: Int64?) -> RangeHeader {
        guard let field else { return .whole }
        let bytes = Array(field.utf8)[...].trimmingBlanks
        guard let equals = bytes.firstIndex(of: ASCII.equals) else { return .ignore }
        guard bytes[..<equals].map(\.lowercasedASCII).elementsEqual("bytes".utf8) else { return .ignore }
        let set = bytes[(equals + 1)...].trimmingBlanks
        guard !set.contains(ASCII.comma), let dash = set.firstIndex(of: ASCII.minus) else { return .ignore }
        let first = set[..<dash]
        let last = set[(dash + 1)...]
        if first.isEmpty { return suffix(DecimalText.saturatingByteCount(last), length: length) }
        guard let start = DecimalText.saturatingByteCount(first) else { return .ignore }
        guard !last.isEmpty else {
            guard let length else { return start == 0 ? .whole : .ignore }
            return start < length ? .range(start..<length) : .unsatisfiable
        }
        guard let end = DecimalText.saturatingByteCount(last), end >= start else { return .ignore }
        guard let length else { return .ignore }
        // `end` is inclusive, and clipped before it could overflow.
        return start < length ? .range(start..<(min(end, length - 1) + 1)) : .unsatisfiable
    }

    private static func suffix(_ count: Int64?, length: Int64?) -> RangeHeader {
        guard let count else { return .ignore }
        guard count > 0 else { return .unsatisfiable }
        guard let length else { return .ignore }
        // The last bytes of nothing are satisfiable, and are everything there is.
        guard length > 0 else { return .whole }
        return .range(max(0, length - count)..<length)
    }
}

import WeirCore

/// A number with a unit, as settings write it: `500ms`, `64MiB`, `4Mbit`, or bare for the setting's own unit.
struct Quantity {
    /// Units of one dimension: the lower-case spelling and how much of the dimension's base it stands for.
    struct Dimension: Sendable {
        /// The unit of a bare number.
        var bare: Double
        var units: [String: Double]
        /// For the error message.
        var examples: String
    }

    /// Base: seconds.
    static let time = Dimension(
        bare: 1,
        units: ["ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400],
        examples: "10, 500ms or 2m (a bare number means seconds)"
    )

    /// Base: bytes.
    static let size = Dimension(
        bare: 1_048_576,
        units: [
            "b": 1, "kib": 1024, "mib": 1_048_576, "gib": 1_073_741_824, "kb": 1000, "mb": 1_000_000,
            "gb": 1_000_000_000,
        ],
        examples: "48, 64MiB or 1GiB (a bare number means MiB)"
    )

    /// Base: bytes per second.
    static let rate = Dimension(
        bare: 125,
        units: [
            "bit": 0.125, "kbit": 125, "mbit": 125_000, "gbit": 125_000_000, "bit/s": 0.125, "kbit/s": 125,
            "mbit/s": 125_000, "gbit/s": 125_000_000, "kbps": 125, "mbps": 125_000, "gbps": 125_000_000,
        ],
        examples: "4000, 4Mbit or 500kbit (a bare number means kbit/s; 0 uploads nothing)"
    )

    /// - Returns: the value in the dimension's base unit, never negative; nil when the text is no such quantity.
    static func parse(_ text: String, _ dimension: Dimension) -> Double? {
        let text = text.filter { $0 != " " }.lowercased()
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let number = Double(digits), number.isFinite else { return nil }
        let unit = String(text.dropFirst(digits.count))
        guard let factor = unit.isEmpty ? dimension.bare : dimension.units[unit] else { return nil }
        let value = number * factor
        // Beyond this no setting makes sense, and a Double no longer counts single bytes.
        return value <= 1e15 ? value : nil
    }
}

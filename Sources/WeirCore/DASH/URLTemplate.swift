/// A SegmentTemplate's `media` or `initialization` (ISO/IEC 23009-1, 5.3.9.4.4): text with `$Identifier$`s.
package struct URLTemplate: Hashable, Sendable {
    private enum Part: Hashable, Sendable {
        case literal([UInt8])
        case representation
        case bandwidth(width: Int)
        case number(width: Int)
        case time(width: Int)
    }

    private let parts: [Part]

    /// Digits of a number at most; longer formats are nobody's.
    private static let greatestWidth = 64

    /// Nil when an identifier or a format is unknown, or a `$` stands alone.
    init?(_ text: String) {
        var parts: [Part] = []
        for (index, piece) in text.utf8.split(separator: 0x24, omittingEmptySubsequences: false).enumerated() {
            // Between the first and the second `$` stands an identifier, then text again.
            if index % 2 == 0 {
                if !piece.isEmpty { parts.append(.literal(Array(piece))) }
            } else if piece.isEmpty {
                parts.append(.literal([0x24]))
            } else {
                guard let part = URLTemplate.identifier(String(piece) ?? "") else { return nil }
                parts.append(part)
            }
        }
        guard text.utf8.count(where: { $0 == 0x24 }) % 2 == 0 else { return nil }
        self.parts = parts
    }

    private static func identifier(_ text: String) -> Part? {
        let halves = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        var width = 1
        if halves.count == 2 {
            guard halves[1].hasSuffix("d") else { return nil }
            let digits = halves[1].dropLast()
            guard digits.isEmpty || (digits.utf8.allSatisfy(\.isASCIIDigit) && digits.utf8.count <= 4) else {
                return nil
            }
            width = min(greatestWidth, max(1, Int(digits) ?? 1))
        }
        return switch halves[0] {
        case "RepresentationID": halves.count == 1 ? .representation : nil
        case "Bandwidth": .bandwidth(width: width)
        case "Number": .number(width: width)
        case "Time": .time(width: width)
        default: nil
        }
    }

    /// `$SubNumber$` (ISO/IEC 23009-1:2022): its segments are parts of segment sequences.
    static func namesParts(_ text: String) -> Bool {
        text.split(separator: "$", omittingEmptySubsequences: false).enumerated()
            .contains { $0 % 2 == 1 && ($1 == "SubNumber" || $1.hasPrefix("SubNumber%")) }
    }

    var usesNumber: Bool { parts.contains { if case .number = $0 { true } else { false } } }
    var usesTime: Bool { parts.contains { if case .time = $0 { true } else { false } } }

    /// The reference that a player makes of it; still to be resolved.
    func expanded(representation: String, bandwidth: Int, number: UInt64, time: UInt64) -> [UInt8] {
        var result: [UInt8] = []
        for part in parts {
            switch part {
            case .literal(let bytes): result += bytes
            case .representation: result += representation.utf8
            case .bandwidth(let width): URLTemplate.append(UInt64(clamping: bandwidth), width, to: &result)
            case .number(let width): URLTemplate.append(number, width, to: &result)
            case .time(let width): URLTemplate.append(time, width, to: &result)
            }
        }
        return result
    }

    private static func append(_ number: UInt64, _ width: Int, to result: inout [UInt8]) {
        let digits = String(number).utf8
        result += repeatElement(ASCII.zero, count: max(0, width - digits.count))
        result += digits
    }
}

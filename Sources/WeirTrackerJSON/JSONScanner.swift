/// Reads one JSON text (RFC 8259) member by member, without building anything that is not asked for.
///
/// Trackers read tens of thousands of announces a second, most of whose bytes are session descriptions that pass through
/// unread. A string is therefore a range of the text until somebody asks for its meaning.
struct JSONScanner {
    /// The text is no JSON, nests too deeply, or has something else in this place than was asked for.
    struct Mismatch: Error {}

    /// Objects and arrays inside one another.
    static let depthLimit = 16

    let bytes: [UInt8]
    private(set) var place = 0
    private var depth = 0

    /// - Throws: when the text is not UTF-8.
    init(_ bytes: [UInt8]) throws(Mismatch) {
        guard (try? UTF8Span(validating: bytes.span)) != nil else { throw Mismatch() }
        self.bytes = bytes
    }

    // MARK: Structure

    /// Reads the whole text as one object. `body` reads, or skips, each member's value.
    mutating func wholeObject(_ body: (inout JSONScanner, JSONString) throws(Mismatch) -> Void) throws(Mismatch) {
        try object(body)
        skipBlanks()
        guard place == bytes.count else { throw Mismatch() }
    }

    mutating func object(_ body: (inout JSONScanner, JSONString) throws(Mismatch) -> Void) throws(Mismatch) {
        try enter(UInt8(ascii: "{"))
        if takes(UInt8(ascii: "}")) {
            depth -= 1
            return
        }
        repeat {
            skipBlanks()
            let name = try string()
            guard takes(UInt8(ascii: ":")) else { throw Mismatch() }
            try body(&self, name)
        } while takes(UInt8(ascii: ","))
        try leave(UInt8(ascii: "}"))
    }

    mutating func array(_ body: (inout JSONScanner) throws(Mismatch) -> Void) throws(Mismatch) {
        try enter(UInt8(ascii: "["))
        if takes(UInt8(ascii: "]")) {
            depth -= 1
            return
        }
        repeat { try body(&self) } while takes(UInt8(ascii: ","))
        try leave(UInt8(ascii: "]"))
    }

    private mutating func enter(_ open: UInt8) throws(Mismatch) {
        guard takes(open), depth < JSONScanner.depthLimit else { throw Mismatch() }
        depth += 1
    }

    private mutating func leave(_ close: UInt8) throws(Mismatch) {
        guard takes(close) else { throw Mismatch() }
        depth -= 1
    }

    private mutating func skipBlanks() {
        while place < bytes.count {
            switch bytes[place] {
            case 0x20, 0x09, 0x0A, 0x0D: place += 1
            default: return
            }
        }
    }

    /// Whether the next token is this one; then it is taken.
    mutating func takes(_ token: UInt8) -> Bool {
        skipBlanks()
        guard place < bytes.count, bytes[place] == token else { return false }
        place += 1
        return true
    }

    /// The next token's first byte.
    mutating func peek() throws(Mismatch) -> UInt8 {
        skipBlanks()
        guard place < bytes.count else { throw Mismatch() }
        return bytes[place]
    }

    /// Passes over a value of any kind.
    mutating func skip() throws(Mismatch) {
        switch try peek() {
        case UInt8(ascii: "{"): try object { (scanner, _) throws(Mismatch) in try scanner.skip() }
        case UInt8(ascii: "["): try array { (scanner) throws(Mismatch) in try scanner.skip() }
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        default: _ = try numberText()
        }
    }

    private mutating func word(_ text: StaticString) throws(Mismatch) {
        let end = place + text.utf8CodeUnitCount
        guard end <= bytes.count else { throw Mismatch() }
        for offset in 0..<text.utf8CodeUnitCount where bytes[place + offset] != text.utf8Start[offset] {
            throw Mismatch()
        }
        place = end
    }

    /// Takes `null`, if that is what is next.
    mutating func takesNull() throws(Mismatch) -> Bool {
        guard try peek() == UInt8(ascii: "n") else { return false }
        try word("null")
        return true
    }

    mutating func boolean() throws(Mismatch) -> Bool {
        switch try peek() {
        case UInt8(ascii: "t"):
            try word("true")
            return true
        case UInt8(ascii: "f"):
            try word("false")
            return false
        default: throw Mismatch()
        }
    }

    // MARK: Numbers

    private mutating func numberText() throws(Mismatch) -> Range<Int> {
        skipBlanks()
        let start = place
        func digits(_ scanner: inout JSONScanner) throws(Mismatch) -> Int {
            let first = scanner.place
            while scanner.place < scanner.bytes.count, (0x30...0x39).contains(scanner.bytes[scanner.place]) {
                scanner.place += 1
            }
            guard scanner.place > first else { throw Mismatch() }
            return first
        }
        _ = has(UInt8(ascii: "-"))
        let first = try digits(&self)
        // No leading zeros.
        guard bytes[first] != 0x30 || place == first + 1 else { throw Mismatch() }
        if has(UInt8(ascii: ".")) { _ = try digits(&self) }
        if has(UInt8(ascii: "e")) || has(UInt8(ascii: "E")) {
            if !has(UInt8(ascii: "+")) { _ = has(UInt8(ascii: "-")) }
            _ = try digits(&self)
        }
        return start..<place
    }

    private mutating func has(_ byte: UInt8) -> Bool {
        guard place < bytes.count, bytes[place] == byte else { return false }
        place += 1
        return true
    }

    /// A number, to the nearest of the bounds where it lies beyond them; fractions are cut off.
    mutating func integer(in bounds: ClosedRange<Int64>) throws(Mismatch) -> Int64 {
        let text = try numberText()
        if text.count <= 18 {
            var value: Int64 = 0
            var isWhole = true
            for place in text where bytes[place] != UInt8(ascii: "-") {
                guard (0x30...0x39).contains(bytes[place]) else {
                    isWhole = false
                    break
                }
                value = value * 10 + Int64(bytes[place] - 0x30)
            }
            if isWhole {
                let signed = bytes[text.lowerBound] == UInt8(ascii: "-") ? -value : value
                return min(max(signed, bounds.lowerBound), bounds.upperBound)
            }
        }
        guard let value = Double(String(decoding: bytes[text], as: UTF8.self)), value.isFinite else {
            throw Mismatch()
        }
        if value >= Double(bounds.upperBound) { return bounds.upperBound }
        return value <= Double(bounds.lowerBound) ? bounds.lowerBound : Int64(value)
    }

    mutating func integer(in bounds: ClosedRange<Int>) throws(Mismatch) -> Int {
        Int(try integer(in: Int64(bounds.lowerBound)...Int64(bounds.upperBound)))
    }

    /// A whole number of 64 bits, exactly.
    mutating func wholeNumber() throws(Mismatch) -> UInt64 {
        let text = try numberText()
        var value: UInt64 = 0
        for place in text {
            guard (0x30...0x39).contains(bytes[place]) else { throw Mismatch() }
            let (ten, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, more) = ten.addingReportingOverflow(UInt64(bytes[place] - 0x30))
            guard !overflow, !more else { throw Mismatch() }
            value = sum
        }
        return value
    }

    // MARK: Strings

    mutating func string() throws(Mismatch) -> JSONString {
        guard takes(UInt8(ascii: "\"")) else { throw Mismatch() }
        let start = place
        var isPlain = true
        while true {
            place = bytes.endOfPlainRun(from: place)
            guard place < bytes.count else { throw Mismatch() }
            switch bytes[place] {
            case UInt8(ascii: "\""):
                place += 1
                return JSONString(text: start..<place - 1, isPlain: isPlain)
            case UInt8(ascii: "\\"):
                isPlain = false
                try skipEscape()
            default:
                // A control character as it is.
                throw Mismatch()
            }
        }
    }

    private mutating func skipEscape() throws(Mismatch) {
        guard place + 1 < bytes.count else { throw Mismatch() }
        switch bytes[place + 1] {
        case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: place += 2
        case UInt8(ascii: "u"):
            guard place + 6 <= bytes.count else { throw Mismatch() }
            for offset in 2..<6 where bytes[place + offset].hexadecimalValue == nil { throw Mismatch() }
            place += 6
        default: throw Mismatch()
        }
    }
}

/// A string inside a scanner's text, as it stands there.
struct JSONString {
    /// Without its quotes.
    let text: Range<Int>
    /// There is no escape in it.
    let isPlain: Bool
}

extension JSONScanner {
    /// Whether a string says just this. Names with needless escapes in them are other names: nobody writes them so.
    func equals(_ string: JSONString, _ text: StaticString) -> Bool {
        guard string.text.count == text.utf8CodeUnitCount else { return false }
        for offset in 0..<text.utf8CodeUnitCount
        where bytes[string.text.lowerBound + offset] != text.utf8Start[offset] {
            return false
        }
        return true
    }

    /// The string's characters. Half a surrogate pair becomes U+FFFD.
    func text(_ string: JSONString) -> String {
        if string.isPlain { return String(decoding: bytes[string.text], as: UTF8.self) }
        var result = String.UnicodeScalarView()
        forEachScalar(of: string) { result.append($0) }
        return String(result)
    }

    /// Bytes that are written as the characters U+0000 to U+00FF, one each.
    /// - Throws: when there is another character.
    func byteString(_ string: JSONString) throws(Mismatch) -> [UInt8] {
        if string.isPlain, !bytes[string.text].contains(where: { $0 >= 0x80 }) { return Array(bytes[string.text]) }
        var result: [UInt8] = []
        var isRight = true
        forEachScalar(of: string) { scalar in
            if let byte = UInt8(exactly: scalar.value) { result.append(byte) } else { isRight = false }
        }
        guard isRight else { throw Mismatch() }
        return result
    }

    private func forEachScalar(of string: JSONString, _ body: (Unicode.Scalar) -> Void) {
        var place = string.text.lowerBound
        let end = string.text.upperBound
        while place < end {
            guard bytes[place] == UInt8(ascii: "\\") else {
                // Validated: the length follows from the first byte.
                let first = bytes[place]
                let count = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
                for scalar in String(decoding: bytes[place..<min(end, place + count)], as: UTF8.self).unicodeScalars {
                    body(scalar)
                }
                place += count
                continue
            }
            let escape = bytes[place + 1]
            if escape != UInt8(ascii: "u") {
                body(JSONScanner.simpleEscape(escape))
                place += 2
                continue
            }
            let unit = hexadecimal(at: place + 2)
            place += 6
            let isHigh = (0xD800..<0xDC00).contains(unit)
            if isHigh, place + 6 <= end, bytes[place] == UInt8(ascii: "\\"), bytes[place + 1] == UInt8(ascii: "u") {
                let low = hexadecimal(at: place + 2)
                if (0xDC00..<0xE000).contains(low) {
                    place += 6
                    body(Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)) ?? "\u{FFFD}")
                    continue
                }
            }
            body(Unicode.Scalar(unit) ?? "\u{FFFD}")
        }
    }

    private static func simpleEscape(_ byte: UInt8) -> Unicode.Scalar {
        switch byte {
        case UInt8(ascii: "b"): "\u{8}"
        case UInt8(ascii: "f"): "\u{c}"
        case UInt8(ascii: "n"): "\n"
        case UInt8(ascii: "r"): "\r"
        case UInt8(ascii: "t"): "\t"
        default: Unicode.Scalar(byte)
        }
    }

    private func hexadecimal(at place: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 << 4 | UInt32(bytes[place + $1].hexadecimalValue ?? 0) }
    }
}

extension UInt8 {
    /// Of a digit.
    var hexadecimalValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension [UInt8] {
    /// The first place from `start` on that holds a quote, a backslash or a control character; `count` when none does.
    /// Eight bytes at a time: most of an announce is looked at here and nowhere else.
    func endOfPlainRun(from start: Int) -> Int {
        withUnsafeBytes { buffer in
            let ones: UInt64 = 0x0101_0101_0101_0101
            let tops: UInt64 = 0x8080_8080_8080_8080
            var place = start
            while place + 8 <= buffer.count {
                let word = UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                let quotes = word ^ (ones &* 0x22)
                let slashes = word ^ (ones &* 0x5C)
                // The lowest byte that one of these marks is right; those above it may be marked by its borrow.
                let found =
                    ((quotes &- ones) & ~quotes | (slashes &- ones) & ~slashes | (word &- ones &* 0x20) & ~word) & tops
                if found != 0 { return place + found.trailingZeroBitCount / 8 }
                place += 8
            }
            while place < buffer.count {
                let byte = buffer[place]
                if byte == 0x22 || byte == 0x5C || byte < 0x20 { return place }
                place += 1
            }
            return place
        }
    }
}

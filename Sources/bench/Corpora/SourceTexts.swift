/// The string literals of a source file, as the program that it belongs to would see them: tests keep playlists and
/// manifests in them. Only as exact as that needs.
struct SourceTexts {
    /// What tells literals of one family of languages from another's.
    private struct Grammar {
        /// Bytes that begin and end a literal.
        var quotes: Set<UInt8> = [doubleQuote]
        /// Of these, literals go on over a line's end.
        var longQuotes: Set<UInt8> = []
        var hasTripleQuotes = false
        var hashBeginsComment = false
        /// What stands in front of a literal without escapes; behind a `#` (Rust) it ends with one.
        var rawPrefixes: Set<UInt8> = []
    }

    private static let doubleQuote = UInt8(ascii: "\"")
    private static let singleQuote = UInt8(ascii: "'")
    private static let backQuote = UInt8(ascii: "`")
    private static let backslash = UInt8(ascii: "\\")

    private let bytes: [UInt8]
    private let grammar: Grammar
    private var index = 0

    /// - Returns: the texts of literals, those that are joined by `+`, by standing side by side, or as lines of a list
    ///   as one; nil when the suffix is no known language's.
    static func all(in bytes: [UInt8], suffix: String) -> [[UInt8]]? {
        guard let grammar = grammar(of: suffix) else { return nil }
        var texts = SourceTexts(bytes: bytes, grammar: grammar)
        return texts.read()
    }

    private static func grammar(of suffix: String) -> Grammar? {
        switch suffix {
        case "js", "jsx", "mjs", "ts", "tsx":
            Grammar(quotes: [doubleQuote, singleQuote, backQuote], longQuotes: [backQuote])
        case "py":
            Grammar(
                quotes: [doubleQuote, singleQuote],
                hasTripleQuotes: true,
                hashBeginsComment: true,
                rawPrefixes: [UInt8(ascii: "r"), UInt8(ascii: "R")]
            )
        case "go": Grammar(quotes: [doubleQuote, backQuote], longQuotes: [backQuote], rawPrefixes: [])
        case "java", "kt", "swift", "c", "cc", "cpp", "h": Grammar(hasTripleQuotes: true)
        case "rs": Grammar(longQuotes: [doubleQuote], rawPrefixes: [UInt8(ascii: "r"), UInt8(ascii: "#")])
        default: nil
        }
    }

    private init(bytes: [UInt8], grammar: Grammar) {
        self.bytes = bytes
        self.grammar = grammar
    }

    private mutating func read() -> [[UInt8]] {
        var found: [[UInt8]] = []
        while index < bytes.count {
            if skipComment() { continue }
            guard grammar.quotes.contains(bytes[index]), var text = literal() else {
                index += 1
                continue
            }
            while let next = joined(to: text) { text = next }
            found.append(text)
        }
        return found
    }

    /// The text with the literal behind it, when it is a part of the same; else nil, and nothing is read.
    private mutating func joined(to text: [UInt8]) -> [UInt8]? {
        let start = index
        var joint: UInt8?
        while index < bytes.count {
            let byte = bytes[index]
            if skipComment() || byte == 0x20 || (0x09...0x0D).contains(byte) || byte == SourceTexts.backslash {
                if index < bytes.count, bytes[index] == byte { index += 1 }
            } else if joint == nil, byte == UInt8(ascii: "+") || byte == UInt8(ascii: ",") {
                joint = byte
                index += 1
            } else {
                break
            }
        }
        // A list is of lines: what has lines itself is an argument beside others.
        let isList = joint == UInt8(ascii: ",")
        let isPart = !isList || !text.prefix(64).contains(0x0A)
        if isPart, index < bytes.count, grammar.quotes.contains(bytes[index]), let next = literal() {
            return isList ? text + [0x0A] + next : text + next
        }
        index = start
        return nil
    }

    private mutating func skipComment() -> Bool {
        let rest = bytes[index...]
        if grammar.hashBeginsComment ? rest.first == UInt8(ascii: "#") : rest.starts(with: "//".utf8) {
            index = rest.firstIndex(of: 0x0A) ?? bytes.count
            return true
        }
        guard !grammar.hashBeginsComment, rest.starts(with: "/*".utf8) else { return false }
        index = rest.firstRange(of: Array("*/".utf8))?.upperBound ?? bytes.count
        return true
    }

    /// The literal that begins here; nil, and nothing is read, when the quote is none (a letter's, a lifetime's).
    private mutating func literal() -> [UInt8]? {
        let quote = bytes[index]
        let isRaw =
            quote == SourceTexts.backQuote && grammar.quotes.count == 2
            || index > 0 && grammar.rawPrefixes.contains(bytes[index - 1])
        let triple = [UInt8](repeating: quote, count: 3)
        let isLong = grammar.hasTripleQuotes && bytes[index...].starts(with: triple)
        let isHashed = isRaw && index > 0 && bytes[index - 1] == UInt8(ascii: "#")
        let delimiter = isLong ? triple : isHashed ? [quote, UInt8(ascii: "#")] : [quote]
        let mayBreak = isLong || grammar.longQuotes.contains(quote)
        var text: [UInt8] = []
        var place = index + (isLong ? 3 : 1)
        while place < bytes.count {
            if bytes[place...].starts(with: delimiter) {
                index = place + delimiter.count
                return text
            }
            if bytes[place] == 0x0A, !mayBreak { return nil }
            if bytes[place] == SourceTexts.backslash, !isRaw {
                place = unescape(place + 1, into: &text)
            } else if quote == SourceTexts.backQuote, bytes[place...].starts(with: "${".utf8) {
                // What the program would fill in.
                place = (bytes[place...].firstIndex(of: UInt8(ascii: "}")) ?? place) + 1
            } else {
                text.append(bytes[place])
                place += 1
            }
        }
        return nil
    }

    /// - Parameter place: behind a backslash.
    /// - Returns: behind the escape.
    private func unescape(_ place: Int, into text: inout [UInt8]) -> Int {
        guard place < bytes.count else { return place }
        switch bytes[place] {
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "0"): text.append(0)
        case 0x0A: break
        case UInt8(ascii: "u"), UInt8(ascii: "x"):
            let most = bytes[place] == UInt8(ascii: "u") ? 4 : 2
            let digits = bytes[(place + 1)...].prefix(most)
            guard let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
                let scalar = Unicode.Scalar(value)
            else { break }
            text += Array(String(Character(scalar)).utf8)
            return place + 1 + digits.count
        default: text.append(bytes[place])
        }
        return place + 1
    }
}

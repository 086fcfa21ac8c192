/// Where the tags of an XML document stand in its bytes.
///
/// It knows no more of XML than is needed to step over comments, CDATA sections, processing instructions and quoted
/// values. It runs before the reader, as a guard that costs one pass, and after it, to find the places of what the
/// reader accepted: both count the same elements. On anything else it ends early, and nothing is made of it.
struct XMLTags: Sequence, IteratorProtocol {
    enum Kind: Sendable {
        case start
        /// `<name/>`
        case empty
        case end
        /// `<!DOCTYPE …` and its like.
        case declaration
        /// A comment with two hyphens in it, which is not well-formed.
        case badComment
    }

    struct Tag: Sendable {
        let kind: Kind
        /// From `<` to `>`.
        let whole: ByteSpan
        let name: ByteSpan
    }

    /// One attribute of a tag.
    struct Attribute {
        let name: ByteSpan
        /// Without the quotes.
        let value: ByteSpan
        /// With the blanks before it.
        let whole: ByteSpan
    }

    let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// - Parameter start: a place between tags.
    init(_ bytes: [UInt8], from start: Int) {
        self.bytes = bytes
        index = start
    }

    mutating func next() -> Tag? {
        while let open = bytes[index...].firstIndex(of: 0x3C) {
            guard open + 1 < bytes.count else { return nil }
            switch bytes[open + 1] {
            case 0x21:
                if matches("<!--", at: open) {
                    guard skip(to: "--", from: open + 4) else { return nil }
                    guard index < bytes.count, bytes[index] == 0x3E else {
                        defer { index = bytes.count }
                        return Tag(kind: .badComment, whole: ByteSpan(open, index), name: ByteSpan(open, open))
                    }
                    index += 1
                } else if matches("<![CDATA[", at: open) {
                    guard skip(to: "]]>", from: open + 9) else { return nil }
                } else {
                    index = bytes.count
                    return Tag(kind: .declaration, whole: ByteSpan(open, bytes.count), name: ByteSpan(open, open))
                }
            case 0x3F:
                guard skip(to: "?>", from: open + 2) else { return nil }
            default:
                return tag(at: open)
            }
        }
        return nil
    }

    private mutating func tag(at open: Int) -> Tag? {
        guard let close = closing(of: open) else {
            index = bytes.count
            return nil
        }
        index = close + 1
        let isEnd = bytes[open + 1] == ASCII.slash
        let nameStart = isEnd ? open + 2 : open + 1
        var nameEnd = nameStart
        while nameEnd < close, !bytes[nameEnd].isXMLBlank, bytes[nameEnd] != ASCII.slash { nameEnd += 1 }
        let kind: Kind = isEnd ? .end : bytes[close - 1] == ASCII.slash ? .empty : .start
        return Tag(kind: kind, whole: ByteSpan(open, close + 1), name: ByteSpan(nameStart, nameEnd))
    }

    /// The `>` that ends a tag, which may also stand in a quoted value.
    private func closing(of open: Int) -> Int? {
        var quote: UInt8?
        var place = open + 1
        while place < bytes.count {
            let byte = bytes[place]
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == 0x3E {
                return place
            } else if byte == ASCII.quote || byte == 0x27 {
                quote = byte
            }
            place += 1
        }
        return nil
    }

    private func matches(_ text: StaticString, at place: Int) -> Bool {
        guard place >= 0, place + text.utf8CodeUnitCount <= bytes.count else { return false }
        for offset in 0..<text.utf8CodeUnitCount where bytes[place + offset] != text.utf8Start[offset] { return false }
        return true
    }

    private mutating func skip(to end: StaticString, from start: Int) -> Bool {
        var place = start
        while place < bytes.count {
            if bytes[place] == end.utf8Start[0], matches(end, at: place) {
                index = place + end.utf8CodeUnitCount
                return true
            }
            place += 1
        }
        index = bytes.count
        return false
    }

    /// The attributes of a start tag, in their order.
    func attributes(of tag: Tag) -> [Attribute] {
        var found: [Attribute] = []
        var place = Int(tag.name.end)
        let end = Int(tag.whole.end) - 1
        while place < end {
            let start = place
            while place < end, bytes[place].isXMLBlank { place += 1 }
            let nameStart = place
            while place < end, bytes[place] != ASCII.equals, !bytes[place].isXMLBlank { place += 1 }
            let nameEnd = place
            while place < end, bytes[place] != ASCII.quote, bytes[place] != 0x27 { place += 1 }
            guard place < end else { break }
            let valueStart = place + 1
            let quote = bytes[place]
            place += 1
            while place < end, bytes[place] != quote { place += 1 }
            let value = ByteSpan(valueStart, place)
            place += 1
            let name = ByteSpan(nameStart, nameEnd)
            found.append(Attribute(name: name, value: value, whole: ByteSpan(start, place)))
        }
        return found
    }

    func slice(_ span: ByteSpan) -> ArraySlice<UInt8> { bytes[Int(span.start)..<Int(span.end)] }
}

extension UInt8 {
    /// White space of XML (section 2.3).
    var isXMLBlank: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }
}

extension XMLTags {
    /// Refuses, in one pass, what would cost a reader more than its bytes are worth: document types, too many elements
    /// or attributes, too deep nesting.
    static func check(_ bytes: [UInt8], limits: Limits) throws(MPDError) {
        var elements = 0
        var depth = 0
        for tag in XMLTags(bytes) {
            switch tag.kind {
            case .declaration: throw .documentType
            // The reader would go on through each of them, slower every time.
            case .badComment: throw .malformed(line: line(of: tag, in: bytes), reason: "two hyphens within a comment")
            case .end: depth -= 1
            case .start, .empty:
                elements += 1
                if tag.kind == .start { depth += 1 }
                guard elements <= limits.manifestElements else {
                    throw .tooManyElements(limit: limits.manifestElements)
                }
                guard depth <= limits.manifestDepth else { throw .tooDeep(limit: limits.manifestDepth) }
                // Every attribute has its sign; one inside a value is counted too, and still there are few.
                let length = Int(tag.whole.end - tag.whole.start)
                if length > 2 * limits.manifestAttributes {
                    let count = attributeCount(bytes[Int(tag.whole.start)..<Int(tag.whole.end)])
                    guard count <= limits.manifestAttributes else {
                        throw .tooManyAttributes(limit: limits.manifestAttributes)
                    }
                }
            }
        }
    }

    private static func line(of tag: Tag, in bytes: [UInt8]) -> Int {
        bytes[..<Int(tag.whole.end)].count { $0 == ASCII.lineFeed } + 1
    }

    private static func attributeCount(_ tag: ArraySlice<UInt8>) -> Int {
        var quote: UInt8?
        var count = 0
        for byte in tag {
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == ASCII.quote || byte == 0x27 {
                quote = byte
                count += 1
            }
        }
        return count
    }
}

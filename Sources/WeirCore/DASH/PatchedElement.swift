/// An element of a document that is being patched. It is opened only when a selector leads into it; what no selector
/// reaches is written again byte for byte.
final class PatchedElement {
    enum Piece {
        /// Text, comments and whatever else stands between elements.
        case bytes(ArraySlice<UInt8>)
        case element(PatchedElement)
    }

    private let source: [UInt8]
    /// Its tag: in the source, or what it was changed to.
    private var head: (bytes: [UInt8], tag: XMLTags.Tag)
    private let inner: Range<Int>
    /// One past its end tag.
    private let end: Int
    private var opened: [Piece]?
    private var isChanged = false

    private init(_ source: [UInt8], _ tag: XMLTags.Tag, inner: Range<Int>, end: Int) {
        self.source = source
        head = (source, tag)
        self.inner = inner
        self.end = end
    }

    /// What stands in the source between two places; nil when its tags do not match.
    static func pieces(of source: [UInt8], in range: Range<Int>) -> [Piece]? {
        var pieces: [Piece] = []
        var copied = range.lowerBound
        var depth = 0
        var open: XMLTags.Tag?
        func text(before tag: XMLTags.Tag) {
            if copied < Int(tag.whole.start) { pieces.append(.bytes(source[copied..<Int(tag.whole.start)])) }
        }
        for tag in XMLTags(source, from: range.lowerBound) {
            let after = Int(tag.whole.end)
            guard after <= range.upperBound else { break }
            switch tag.kind {
            case .start:
                if depth == 0 {
                    text(before: tag)
                    open = tag
                }
                depth += 1
            case .empty:
                guard depth == 0 else { continue }
                text(before: tag)
                pieces.append(.element(PatchedElement(source, tag, inner: after..<after, end: after)))
                copied = after
            case .end:
                depth -= 1
                guard depth >= 0 else { return nil }
                guard depth == 0, let begun = open else { continue }
                let inner = Int(begun.whole.end)..<Int(tag.whole.start)
                pieces.append(.element(PatchedElement(source, begun, inner: inner, end: after)))
                copied = after
            case .declaration, .badComment: return nil
            }
        }
        guard depth == 0 else { return nil }
        if copied < range.upperBound { pieces.append(.bytes(source[copied..<range.upperBound])) }
        return pieces
    }

    // MARK: What it says

    /// With its prefix.
    var name: ArraySlice<UInt8> { head.bytes[Int(head.tag.name.start)..<Int(head.tag.name.end)] }

    /// As written, without the quotes; nil when it has no such attribute.
    func rawAttribute(_ name: String) -> ArraySlice<UInt8>? {
        let tags = XMLTags(head.bytes)
        return tags.attributes(of: head.tag).first { tags.slice($0.name).elementsEqual(name.utf8) }
            .map { tags.slice($0.value) }
    }

    /// Whether all attributes with a prefix, and prefixed names inside, are declared alike at two roots.
    var prefixes: Set<String> {
        var found: Set<String> = []
        for tag in XMLTags(source, from: Int(head.tag.whole.start)) {
            guard Int(tag.whole.start) < end else { break }
            guard tag.kind == .start || tag.kind == .empty else { continue }
            let tags = XMLTags(source)
            for name in [tag.name] + tags.attributes(of: tag).map(\.name) {
                let parts = tags.slice(name).split(separator: 0x3A, maxSplits: 1)
                if parts.count == 2 { found.insert(parts[0].text) }
            }
        }
        return found
    }

    /// Empty when its tags do not match, which a document that was read before has not.
    var pieces: [Piece] {
        get {
            if let opened { return opened }
            let pieces = PatchedElement.pieces(of: source, in: inner) ?? []
            opened = pieces
            return pieces
        }
        set {
            opened = newValue
            isChanged = true
        }
    }

    /// Its child elements, and their places among its pieces.
    var children: [(place: Int, element: PatchedElement)] {
        pieces.enumerated().compactMap { place, piece in
            if case .element(let element) = piece { return (place, element) }
            return nil
        }
    }

    // MARK: Changes

    /// - Parameter value: nil removes it.
    func setAttribute(_ name: String, to value: String?) {
        var edits = XMLEdits()
        edits.add(value.map { .set(attribute: name, to: $0) } ?? .unset(attribute: name), to: 0)
        let bytes = edits.apply(to: Array(head.bytes[Int(head.tag.whole.start)..<Int(head.tag.whole.end)]))
        var tags = XMLTags(bytes)
        if let tag = tags.next() { head = (bytes, tag) }
        isChanged = true
    }

    func write(to result: inout [UInt8]) {
        guard isChanged || opened != nil else {
            result += source[Int(head.tag.whole.start)..<end]
            return
        }
        let tag = head.bytes[Int(head.tag.whole.start)..<Int(head.tag.whole.end)]
        guard head.tag.kind == .empty else {
            result += tag
            for piece in pieces { piece.write(to: &result) }
            result += source[inner.upperBound..<end]
            return
        }
        guard !pieces.isEmpty else {
            result += tag
            return
        }
        result += tag.dropLast(2)
        result.append(0x3E)
        for piece in pieces { piece.write(to: &result) }
        result += "</".utf8
        result += name
        result.append(0x3E)
    }
}

extension PatchedElement.Piece {
    func write(to result: inout [UInt8]) {
        switch self {
        case .bytes(let bytes): result += bytes
        case .element(let element): element.write(to: &result)
        }
    }
}

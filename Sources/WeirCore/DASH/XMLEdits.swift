/// What rewriting changes in an XML document, element by element; every byte outside of it is kept.
struct XMLEdits: Sendable {
    enum Change: Sendable {
        /// Text put before the element.
        case before(String)
        /// The element goes, with everything in it.
        case remove
        case set(attribute: String, to: String)
        case unset(attribute: String)
        /// Replaces what is in the element.
        case text(String)
        /// Markup put at the end of what is in the element.
        case append(String)
    }

    /// By the element's place among all of the document.
    private var changes: [Int: [Change]] = [:]

    mutating func add(_ change: Change, to ordinal: Int) { changes[ordinal, default: []].append(change) }

    /// - Parameter bytes: a well-formed document without a document type, in which markup is ASCII.
    func apply(to bytes: [UInt8]) -> [UInt8] {
        var writer = Writer(bytes: bytes)
        var ordinal = 0
        for tag in XMLTags(bytes) {
            switch tag.kind {
            case .start, .empty:
                writer.begin(tag, changes[ordinal] ?? [])
                ordinal += 1
            case .end: writer.end(tag)
            case .declaration, .badComment: break
            }
        }
        return writer.finished()
    }

    /// Text as it may stand in an attribute or between tags.
    static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { "&<\"'".utf8.contains($0) }) else { return text }
        return text.reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case "\"": result += "&quot;"
            case "'": result += "&apos;"
            default: result.append(character)
            }
        }
    }

    private struct Writer {
        let bytes: [UInt8]
        let tags: XMLTags
        private var result: [UInt8] = []
        /// Bytes before are dealt with.
        private var copied = 0
        /// What each open element still gets at its end.
        private var endings: [String] = []
        /// Levels inside of what is being left out; 0: nothing is.
        private var leftOut = 0
        private var keepsEndTag = false

        init(bytes: [UInt8]) {
            self.bytes = bytes
            tags = XMLTags(bytes)
            result.reserveCapacity(bytes.count + 1024)
        }

        mutating func begin(_ tag: XMLTags.Tag, _ changes: [Change]) {
            if leftOut > 0 {
                if tag.kind == .start { leftOut += 1 }
                return
            }
            guard !changes.isEmpty else {
                if tag.kind == .start { endings.append("") }
                return
            }
            copy(to: tag.whole.start)
            for case .before(let text) in changes { result += text.utf8 }
            let isRemoved = changes.contains { if case .remove = $0 { true } else { false } }
            var text: String?
            for case .text(let own) in changes { text = own }
            var ending = ""
            for case .append(let markup) in changes { ending += markup }
            copied = Int(tag.whole.end)
            if isRemoved {
                if tag.kind == .start { leaveOut(keepingEndTag: false) }
                return
            }
            writeTag(tag, changes, closed: tag.kind == .empty && text == nil && ending.isEmpty)
            if let text { result += XMLEdits.escaped(text).utf8 }
            guard tag.kind == .start else {
                guard text != nil || !ending.isEmpty else { return }
                result += ending.utf8
                result += "</".utf8
                result += tags.slice(tag.name)
                result += ">".utf8
                return
            }
            endings.append(ending)
            if text != nil { leaveOut(keepingEndTag: true) }
        }

        mutating func end(_ tag: XMLTags.Tag) {
            if leftOut > 0 {
                leftOut -= 1
                guard leftOut == 0 else { return }
                copied = Int(keepsEndTag ? tag.whole.start : tag.whole.end)
                guard keepsEndTag else { return }
            }
            guard let ending = endings.popLast(), !ending.isEmpty else { return }
            copy(to: tag.whole.start)
            result += ending.utf8
        }

        mutating func finished() -> [UInt8] {
            if leftOut == 0 { copy(to: Int32(clamping: bytes.count)) }
            return result
        }

        private mutating func leaveOut(keepingEndTag: Bool) {
            leftOut = 1
            keepsEndTag = keepingEndTag
        }

        private mutating func copy(to end: Int32) {
            result += bytes[copied..<max(copied, Int(end))]
            copied = max(copied, Int(end))
        }

        private mutating func writeTag(_ tag: XMLTags.Tag, _ changes: [Change], closed: Bool) {
            var values: [String: String] = [:]
            var gone: Set<String> = []
            var order: [String] = []
            for change in changes {
                if case .set(let name, let value) = change {
                    values[name] = value
                    order.append(name)
                }
                if case .unset(let name) = change { gone.insert(name) }
            }
            result += bytes[Int(tag.whole.start)..<Int(tag.name.end)]
            for attribute in tags.attributes(of: tag) {
                let name = tags.slice(attribute.name).text
                if gone.contains(name) { continue }
                if let value = values.removeValue(forKey: name) {
                    result += bytes[Int(attribute.whole.start)..<Int(attribute.value.start)]
                    result += XMLEdits.escaped(value).utf8
                    result += bytes[Int(attribute.value.end)..<Int(attribute.whole.end)]
                } else {
                    result += tags.slice(attribute.whole)
                }
            }
            for name in order {
                guard let value = values.removeValue(forKey: name) else { continue }
                result += " \(name)=\"\(XMLEdits.escaped(value))\"".utf8
            }
            result += (closed ? "/>" : ">").utf8
        }
    }
}

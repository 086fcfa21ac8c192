/// An attribute list (RFC 8216bis 4.2): `NAME=value,NAME="quoted, value"`, with the place of everything in it.
///
/// Blanks around commas are tolerated as players do, and behind an equals sign. What is no attribute, or a quotation that never ends, is skipped.
struct AttributeList {
    struct Attribute {
        let name: ByteSpan
        /// Without the quotes.
        let value: ByteSpan
        let isQuoted: Bool
        /// From the name's first byte to the value's last; of a quoted one with what stands between it and the comma.
        let whole: ByteSpan
    }

    /// More attributes than this in one tag are nobody's: the rest of the line stays unread.
    static let maximumCount = 256

    private let source: PlaylistSource
    private(set) var attributes: [Attribute] = []

    /// - Parameter list: a slice of the playlist's bytes; its indices become the spans.
    init(_ list: ArraySlice<UInt8>, in source: PlaylistSource) {
        self.source = source
        let bytes = source.bytes
        var index = list.startIndex
        let end = list.endIndex
        while index < end, attributes.count < AttributeList.maximumCount {
            while index < end, bytes[index].isBlank || bytes[index] == ASCII.comma { index += 1 }
            let nameStart = index
            while index < end, bytes[index] != ASCII.equals, bytes[index] != ASCII.comma { index += 1 }
            guard index < end, bytes[index] == ASCII.equals else { continue }
            let name = ByteSpan(bytes[nameStart..<index].trimmingBlanks)
            index += 1
            guard let next = addValue(name: name, from: index, to: end) else { return }
            index = next
        }
    }

    /// - Returns: the index behind the value, or nil when its quotation never ends.
    private mutating func addValue(name: ByteSpan, from start: Int, to end: Int) -> Int? {
        var index = start
        let bytes = source.bytes
        while index < end, bytes[index].isBlank { index += 1 }
        guard index < end, bytes[index] == ASCII.quote else {
            while index < end, bytes[index] != ASCII.comma { index += 1 }
            let value = ByteSpan(bytes[start..<index].trimmingBlanks)
            let whole = ByteSpan(Int(name.start), Int(value.end))
            attributes.append(Attribute(name: name, value: value, isQuoted: false, whole: whole))
            return index
        }
        let opening = index
        index += 1
        while index < end, bytes[index] != ASCII.quote { index += 1 }
        guard index < end else { return nil }
        let value = ByteSpan(opening + 1, index)
        while index < end, bytes[index] != ASCII.comma { index += 1 }
        let whole = ByteSpan(Int(name.start), bytes[Int(value.end)..<index].trimmingBlanks.endIndex)
        attributes.append(Attribute(name: name, value: value, isQuoted: true, whole: whole))
        return index
    }

    /// The first attribute of that name; a list may not have two.
    func attribute(_ name: String) -> Attribute? {
        attributes.first { slice($0.name).elementsEqual(name.utf8) }
    }

    /// As it was written, references to variables included.
    func slice(_ span: ByteSpan) -> ArraySlice<UInt8> { source.slice(span) }
    /// With variables' values (RFC 8216bis 4.3: in quoted strings, and in hexadecimal sequences).
    func bytes(_ name: String) -> ArraySlice<UInt8>? {
        attribute(name).map { source.variables.substituted(slice($0.value)) }
    }
    func text(_ name: String) -> String? { bytes(name)?.text }
    func integer(_ name: String) -> UInt64? { bytes(name).flatMap { DecimalText.integer($0) } }

    /// The URI attribute, unless it is empty, which names nothing.
    var uri: Attribute? { attribute("URI").flatMap { $0.value.start < $0.value.end ? $0 : nil } }

    /// What to cut out so that the list stays one without these attributes, wherever and however often they stand in it:
    /// each with one comma.
    func removals(of names: Set<String>) -> [ByteSpan] {
        var removals: [ByteSpan] = []
        var keepsOneBefore = false
        for (index, attribute) in attributes.enumerated() {
            guard names.contains(slice(attribute.name).text) else {
                keepsOneBefore = true
                continue
            }
            let whole = attribute.whole
            if keepsOneBefore {
                removals.append(ByteSpan(Int(attributes[index - 1].whole.end), Int(whole.end)))
            } else {
                let end = index + 1 < attributes.count ? attributes[index + 1].whole.start : whole.end
                removals.append(ByteSpan(Int(whole.start), Int(end)))
            }
        }
        return removals
    }
}

/// The variables of a playlist (EXT-X-DEFINE, RFC 8216bis 4.3 and 4.4.2.3).
///
/// Lenient where players differ: a definition counts wherever it stands, and what is no well-formed reference is text.
package struct PlaylistVariables: Sendable, Equatable {
    private var values: [String: [UInt8]] = [:]
    /// There was an EXT-X-DEFINE, whether or not it came to anything. Without one, `{$x}` is plain text.
    private(set) var isUsed = false

    /// More than these are nobody's.
    static let maximumCount = 1024

    package init() {}

    /// Reads every definition of a playlist.
    /// - Parameters:
    ///   - url: where the playlist was answered from: what QUERYPARAM looks into.
    ///   - imported: the variables of the multivariant playlist that names this one.
    init(
        of bytes: [UInt8],
        url: WebURL,
        importing imported: PlaylistVariables,
        limits: Limits
    ) throws(PlaylistError) {
        guard PlaylistVariables.mayDefine(bytes) else { return }
        let plain = PlaylistSource(bytes: bytes, url: url)
        var references = 0
        for line in PlaylistLines(bytes) {
            let content = plain.slice(line.content)
            if case .tag(.define, let value) = PlaylistLineKind(content) {
                isUsed = true
                try define(AttributeList(value, in: plain), line, url: url, importing: imported)
            } else {
                references += PlaylistVariables.referenceCount(content)
            }
        }
        // What substitution could make of it stays in proportion to what a playlist may be.
        let longest = values.values.reduce(0) { max($0, $1.count) }
        let (growth, overflow) = references.multipliedReportingOverflow(by: longest)
        guard !overflow, growth / 4 <= limits.manifestBytes else { throw .tooLarge(limit: limits.manifestBytes) }
    }

    var isEmpty: Bool { values.isEmpty }

    subscript(name: String) -> [UInt8]? { values[name] }

    /// How a definition reads that takes its value from here rather than from a list or a query that the player does not
    /// see; nil when it can stay.
    func replacement(for list: AttributeList) -> (span: ByteSpan, text: [UInt8])? {
        for source in ["IMPORT", "QUERYPARAM"] {
            guard let attribute = list.attribute(source) else { continue }
            let name = list.slice(attribute.value).text
            guard let value = values[name] else { return nil }
            return (attribute.whole, Array("NAME=\"\(name)\",VALUE=\"".utf8) + value + [ASCII.quote])
        }
        return nil
    }

    private mutating func define(
        _ list: AttributeList,
        _ line: PlaylistLine,
        url: WebURL,
        importing imported: PlaylistVariables
    ) throws(PlaylistError) {
        func text(_ attribute: String) -> String? { list.attribute(attribute).map { list.slice($0.value).text } }
        var definition: (name: String, value: [UInt8])?
        if let name = text("NAME"), let value = list.attribute("VALUE") {
            definition = (name, Array(list.slice(value.value)))
        } else if let name = text("IMPORT"), let value = imported[name] {
            definition = (name, value)
        } else if let name = text("QUERYPARAM"), let value = url.queryParameter(name) {
            definition = (name, value)
        }
        guard let (name, value) = definition else { return }
        // What no quoted string can hold is no value.
        guard !value.contains(where: { $0.isASCIIControl || $0 == ASCII.quote }) else { return }
        guard PlaylistVariables.isName(Array(name.utf8)[...]) else { return }
        if let known = values[name], known != value {
            throw .malformed(line: line.number, reason: "EXT-X-DEFINE gives one variable two values")
        }
        guard values.count < PlaylistVariables.maximumCount else {
            throw .malformed(line: line.number, reason: "more than \(PlaylistVariables.maximumCount) variables")
        }
        values[name] = value
    }

    // MARK: Substitution

    /// The text with every reference replaced whose variable is known. Values are not searched for references again.
    /// What grows beyond the longest URL is cut there, and no URL any more.
    func substituted(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard isUsed, PlaylistVariables.referenceCount(text) > 0 else { return text }
        var result: [UInt8] = []
        var rest = text
        while let reference = PlaylistVariables.firstReference(in: rest), result.count <= WebURL.maximumByteCount {
            result += rest[..<reference.whole.lowerBound]
            result += values[reference.name.text] ?? Array(rest[reference.whole])
            rest = rest[reference.whole.upperBound...]
        }
        result += rest
        return result[...]
    }

    /// The first name that a text refers to and nothing defines.
    func undefinedName(in text: ArraySlice<UInt8>) -> String? {
        guard isUsed else { return nil }
        var rest = text
        while let reference = PlaylistVariables.firstReference(in: rest) {
            if values[reference.name.text] == nil { return reference.name.text }
            rest = rest[reference.whole.upperBound...]
        }
        return nil
    }

    /// `{$name}`
    private static func firstReference(
        in text: ArraySlice<UInt8>
    ) -> (whole: Range<Int>, name: ArraySlice<UInt8>)? {
        var index = text.startIndex
        while index + 2 < text.endIndex {
            guard text[index] == 0x7B, text[index + 1] == 0x24 else {
                index += 1
                continue
            }
            var end = index + 2
            while end < text.endIndex, isNameByte(text[end]) { end += 1 }
            let name = text[(index + 2)..<end]
            if end < text.endIndex, text[end] == 0x7D, !name.isEmpty { return (index..<(end + 1), name) }
            index = end
        }
        return nil
    }

    private static func referenceCount(_ text: ArraySlice<UInt8>) -> Int {
        var count = 0
        var index = text.startIndex
        while index + 1 < text.endIndex {
            if text[index] == 0x7B, text[index + 1] == 0x24 { count += 1 }
            index += 1
        }
        return count
    }

    private static func isName(_ name: ArraySlice<UInt8>) -> Bool { !name.isEmpty && name.allSatisfy(isNameByte) }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte.isASCIIAlphanumeric || byte == ASCII.minus || byte == 0x5F
    }

    /// One quick look, so that other playlists are not read twice.
    private static func mayDefine(_ bytes: [UInt8]) -> Bool {
        let tag = Array("#EXT-X-DEFINE".utf8)
        return bytes.withUnsafeBufferPointer { buffer in
            var index = 0
            while index + tag.count <= buffer.count {
                // The eighth byte tells it from most other tags.
                if buffer[index] == ASCII.number, buffer[index + 7] == 0x44,
                    tag.indices.allSatisfy({ buffer[index + $0] == tag[$0] })
                {
                    return true
                }
                index += 1
            }
            return false
        }
    }
}

extension WebURL {
    /// The value of the first query parameter of that name, percent-decoded; nil when there is none, or it is empty.
    func queryParameter(_ name: String) -> [UInt8]? {
        for parameter in (query ?? "").split(separator: "&") {
            let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, PercentEncoding.decode(parts[0]) == name else { continue }
            guard let value = PercentEncoding.decode(parts[1]), !value.isEmpty else { return nil }
            return Array(value.utf8)
        }
        return nil
    }
}

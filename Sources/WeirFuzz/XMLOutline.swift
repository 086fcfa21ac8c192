/// What an XML document says, as far as it is none of weir's: a reading of its own, for documents that the real reader
/// found well-formed.
struct XMLOutline {
    /// Tags with their attributes, text with its white space squeezed, and everything else as it stands.
    private(set) var items: [String] = []
    private let bytes: [UInt8]
    private var index = 0
    private var text: [UInt8] = []
    /// Open elements since one that is weir's, which goes with all that is in it.
    private var skipped = 0

    private static let ownedElements: Set<String> = [
        "baseurl", "location", "patchlocation", "contentsteering", "representationindex", "laurl", "certurl",
        "authzurl",
    ]
    private static let ownedAttributes: Set<String> = [
        "media", "initialization", "mediaRange", "range", "sourceURL", "index", "indexRange", "bitstreamSwitching",
        "href",
    ]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        while index < bytes.count { step() }
        flush()
    }

    private mutating func step() {
        guard bytes[index] == 0x3C else {
            if skipped == 0 { text.append(bytes[index]) }
            index += 1
            return
        }
        for (begin, end) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")] {
            guard bytes[index...].starts(with: begin.utf8) else { continue }
            let close = bytes[(index + begin.utf8.count)...].firstRange(of: Array(end.utf8))?.upperBound ?? bytes.count
            add(String(decoding: bytes[index..<close], as: UTF8.self))
            index = close
            return
        }
        readTag()
    }

    private mutating func readTag() {
        var quote: UInt8?
        var end = index + 1
        while end < bytes.count, quote != nil || bytes[end] != 0x3E {
            if let open = quote {
                if bytes[end] == open { quote = nil }
            } else if bytes[end] == 0x22 || bytes[end] == 0x27 {
                quote = bytes[end]
            }
            end += 1
        }
        var body = bytes[(index + 1)..<min(end, bytes.count)]
        index = min(end + 1, bytes.count)
        if body.first == 0x2F {
            if skipped > 0 {
                skipped -= 1
            } else {
                add("/" + String(decoding: body.dropFirst().prefix { !XMLOutline.isBlank($0) }, as: UTF8.self))
            }
            return
        }
        let isEmpty = body.last == 0x2F
        if isEmpty { body.removeLast() }
        start(body, isEmpty: isEmpty)
    }

    private mutating func start(_ body: ArraySlice<UInt8>, isEmpty: Bool) {
        let name = String(decoding: body.prefix { !XMLOutline.isBlank($0) }, as: UTF8.self)
        let localName = name.split(separator: ":").last ?? ""
        if skipped > 0 || XMLOutline.ownedElements.contains(localName.lowercased()) {
            if !isEmpty { skipped += 1 }
            return
        }
        let attributes = XMLOutline.attributes(body.dropFirst(name.utf8.count)).filter { attribute in
            let attributeName = String(attribute.name.split(separator: ":").last ?? "")
            if localName == "UTCTiming", attributeName == "value" { return false }
            return !XMLOutline.ownedAttributes.contains(attributeName)
        }
        add(([name] + attributes.map { "\($0.name)=\($0.value)" }).joined(separator: " "))
        if isEmpty { add("/" + name) }
    }

    private static func attributes(_ text: ArraySlice<UInt8>) -> [(name: String, value: String)] {
        var found: [(String, String)] = []
        var rest = text
        while let quote = rest.firstIndex(where: { $0 == 0x22 || $0 == 0x27 }) {
            let name = rest[..<quote].filter { !isBlank($0) && $0 != 0x3D }
            let close = rest[(quote + 1)...].firstIndex(of: rest[quote]) ?? rest.endIndex
            found.append(
                (String(decoding: name, as: UTF8.self), String(decoding: rest[(quote + 1)..<close], as: UTF8.self))
            )
            rest = rest[min(close + 1, rest.endIndex)...]
        }
        return found
    }

    private mutating func add(_ item: String) {
        guard skipped == 0 else { return }
        flush()
        items.append(item)
    }

    private mutating func flush() {
        let words = text.split(whereSeparator: XMLOutline.isBlank).map { String(decoding: $0, as: UTF8.self) }
        if !words.isEmpty { items.append(words.joined(separator: " ")) }
        text = []
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
}

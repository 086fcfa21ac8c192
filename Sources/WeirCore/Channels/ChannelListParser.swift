/// Finds the channels in a list, in one pass over its lines.
struct ChannelListParser {
    /// A channel as found: nothing is copied.
    struct Found {
        var address: ByteSpan
        /// Behind the comma of `#EXTINF`; empty when there was none.
        var name: ByteSpan
        /// The value of `tvg-id`; empty when there was none.
        var identifier: ByteSpan
    }

    private static let nothing = ByteSpan(0, 0)
    private static let information = Array("#EXTINF:".utf8)
    private static let streamTags = ["#EXT-X-TARGETDURATION", "#EXT-X-STREAM-INF", "#EXT-X-MEDIA-SEQUENCE"]
        .map { Array($0.utf8) }
    private static let identifierName = Array("tvg-id".utf8)

    let bytes: [UInt8]
    let base: WebURL?
    let limit: Int
    private(set) var found: [Found] = []
    private(set) var foreignCount = 0
    private var name = nothing
    private var identifier = nothing

    init(bytes: [UInt8], base: WebURL?, limit: Int) {
        self.bytes = bytes
        self.base = base
        self.limit = limit
    }

    mutating func run() throws(ChannelListError) {
        var isFirst = true
        for line in PlaylistLines(bytes) {
            let text = bytes[line.content].trimmingBlanks
            if isFirst, !text.isEmpty {
                guard text.starts(with: "#EXTM3U".utf8) else { throw .notAList }
                isFirst = false
            } else if text.first == ASCII.number {
                try read(tag: text)
            } else if !text.isEmpty {
                try add(address: text)
            }
        }
        if isFirst { throw .notAList }
        if found.isEmpty, foreignCount == 0 { throw .empty }
    }

    private mutating func read(tag: ArraySlice<UInt8>) throws(ChannelListError) {
        if tag.starts(with: ChannelListParser.information) { return read(information: tag.dropFirst(8)) }
        for name in ChannelListParser.streamTags where tag.starts(with: name) { throw .stream }
    }

    /// `-1 key="value" key="value",Name`: the name begins behind the first comma that no quotation encloses. A
    /// quotation that never ends encloses nothing.
    private mutating func read(information: ArraySlice<UInt8>) {
        var quote: Int?
        var comma: Int?
        var identifier = ChannelListParser.nothing
        for index in information.indices {
            switch bytes[index] {
            case ASCII.quote:
                if let start = quote {
                    if isIdentifier(before: start, from: information.startIndex) {
                        identifier = ByteSpan(bytes[(start + 1)..<index].trimmingBlanks)
                    }
                    quote = nil
                } else {
                    quote = index
                }
            case ASCII.comma where quote == nil: comma = comma ?? index
            default: break
            }
            if comma != nil { break }
        }
        let end = comma ?? information.lastIndex(of: ASCII.comma)
        name = end.map { ByteSpan(bytes[($0 + 1)..<information.endIndex].trimmingBlanks) } ?? ChannelListParser.nothing
        self.identifier = identifier
    }

    /// Whether `tvg-id=` stands before this quotation mark.
    private func isIdentifier(before quote: Int, from start: Int) -> Bool {
        let wanted = ChannelListParser.identifierName
        var end = quote
        while end > start, bytes[end - 1].isBlank { end -= 1 }
        guard end > start, bytes[end - 1] == ASCII.equals else { return false }
        end -= 1
        while end > start, bytes[end - 1].isBlank { end -= 1 }
        let first = end - wanted.count
        guard first >= start, first == start || !bytes[first - 1].isASCIIAlphanumeric && bytes[first - 1] != ASCII.minus
        else { return false }
        return bytes[first..<end].lazy.map(\.lowercasedASCII).elementsEqual(wanted)
    }

    private mutating func add(address text: ArraySlice<UInt8>) throws(ChannelListError) {
        defer {
            name = ChannelListParser.nothing
            identifier = ChannelListParser.nothing
        }
        // What some players take as headers: URL|User-Agent=…
        let address = text.prefix { $0 != ASCII.bar }.trimmingBlanks
        guard !address.isEmpty, ChannelList.resolve(address, base: base) != nil else {
            foreignCount += 1
            return
        }
        guard found.count < limit else { throw .tooManyChannels(limit: limit) }
        found.append(Found(address: ByteSpan(address), name: name, identifier: identifier))
    }
}

/// A list of channels in the extended M3U format, as IPTV programs write it: `#EXTM3U`, and for each channel an
/// `#EXTINF:-1 tvg-id="…" group-title="…",Name` and an address.
///
/// There is no standard for it. Every line and attribute that weir does not need stays byte for byte as it came; what
/// weir reads is the address, the name and `tvg-id`. The list is kept as its bytes and spans into them, because there
/// are lists of a hundred thousand channels.
package struct ChannelList: Sendable {
    /// A channel whose stream weir can carry: its address is http or https.
    struct Entry: Sendable {
        /// The address without blanks around it and without what follows a `|`.
        let address: ByteSpan
        /// In `slugs`.
        let slug: ByteSpan
        /// The end of the slug that tells equal names apart; 0: there was no need.
        let suffixLength: UInt8
    }

    let bytes: [UInt8]
    /// Where relative addresses resolve; nil for a file, which has no address of its own.
    let base: WebURL?
    let entries: [Entry]
    /// All slugs, one behind the other.
    let slugs: [UInt8]
    /// Channels with an address that weir cannot carry (`rtp://`, `plugin://`): the list keeps them as they are.
    package let foreignCount: Int
    /// Places of channels by their slug.
    private let places: HashedPlaces

    /// Takes time and memory in proportion to the bytes, whatever they are.
    /// - Parameter base: where the list was answered from; nil for a file.
    package init(parsing bytes: [UInt8], base: WebURL? = nil, limits: Limits = Limits()) throws(ChannelListError) {
        guard bytes.count <= min(limits.channelListBytes, Int(Int32.max)) else {
            throw .tooLarge(limit: limits.channelListBytes)
        }
        var parser = ChannelListParser(bytes: bytes, base: base, limit: limits.channels)
        try parser.run()
        let names = ChannelSlugs(parser.found, in: bytes)
        self.bytes = bytes
        self.base = base
        foreignCount = parser.foreignCount
        entries = names.entries
        slugs = names.bytes
        places = names.places
    }

    /// Channels that have a local address.
    package var count: Int { entries.count }

    /// The place of the channel of that name; where several share one, of the first.
    package func place(ofSlug slug: String) -> Int? {
        let wanted = Array(slug.utf8)
        return places.first(of: wanted[...]) { place in
            let entry = entries[place]
            let whole = slugs[entry.slug]
            return whole.elementsEqual(wanted) || whole.dropLast(Int(entry.suffixLength)).elementsEqual(wanted)
        }
    }

    /// What names the channel in its local address: stable while its `tvg-id`, or else its name, stays.
    package func slug(at place: Int) -> String { slugs[entries[place].slug].text }

    /// The stream's own address; nil should a hostile list have one that only looked like a URL.
    package func url(at place: Int) -> WebURL? {
        ChannelList.resolve(bytes[entries[place].address], base: base)
    }

    /// Whether an address is that of a channel. A look at every channel: for the rare question alone.
    func contains(_ url: WebURL) -> Bool {
        let tail = Array(url.lastPathPart.utf8)
        return entries.indices.contains { place in
            // Most differ in their ends already.
            let address = bytes[entries[place].address]
            return address.containsPart(tail) && self.url(at: place) == url
        }
    }

    static func resolve(_ address: ArraySlice<UInt8>, base: WebURL?) -> WebURL? {
        if let base { return base.resolve(address) }
        return try? WebURL(parsing: address)
    }

    /// `/c/{slug}.m3u8`, or `.mpd` for a DASH manifest: some players look at nothing but the end of an address.
    package func localPath(at place: Int) -> String {
        let isDASH = bytes[entries[place].address].prefix { $0 != ASCII.question }.hasSuffix(".mpd")
        return LocalPath.channel(slug: slug(at: place), suffix: isDASH ? "mpd" : "m3u8", query: nil).text
    }
}

extension ChannelList {
    /// The list for players, part by part: every byte as it came, but for the addresses of the channels.
    struct Writer: Sendable {
        private let list: ChannelList
        private let prefix: [UInt8]
        private var place = 0
        private var index = 0

        /// - Parameter base: what comes before a local path: `http://127.0.0.1:8090`.
        init(_ list: ChannelList, base: String) {
            self.list = list
            prefix = Array(base.utf8)
        }

        /// Bytes in all.
        var totalCount: Int {
            list.entries.indices.reduce(list.bytes.count) { sum, place in
                let span = list.entries[place].address
                return sum - Int(span.end - span.start) + prefix.count + list.localPath(at: place).utf8.count
            }
        }

        /// The next bytes, a little more than `most` at the most; empty at the end.
        mutating func next(most: Int) -> [UInt8] {
            var part: [UInt8] = []
            while part.count < most, index < list.bytes.count {
                let limit = place < list.entries.count ? Int(list.entries[place].address.start) : list.bytes.count
                let end = min(limit, index + min(most - part.count, list.bytes.count))
                part += list.bytes[index..<end]
                index = end
                guard end == limit, place < list.entries.count else { continue }
                part += prefix
                part += list.localPath(at: place).utf8
                index = Int(list.entries[place].address.end)
                place += 1
            }
            return part
        }
    }

    /// The whole list for players at once.
    package func rewritten(base: String) -> [UInt8] {
        var writer = Writer(self, base: base)
        return writer.next(most: .max)
    }
}

extension [UInt8] {
    subscript(_ span: ByteSpan) -> ArraySlice<UInt8> { self[Int(span.start)..<Int(span.end)] }
}

extension ArraySlice<UInt8> {
    func hasSuffix(_ text: StaticString) -> Bool {
        let end = text.withUTF8Buffer { Array($0) }
        return count >= end.count && suffix(end.count).map(\.lowercasedASCII).elementsEqual(end)
    }

    /// Whether these bytes are somewhere in it.
    func containsPart(_ part: [UInt8]) -> Bool {
        guard let first = part.first else { return true }
        var rest = self
        while let start = rest.firstIndex(of: first) {
            rest = rest[start...]
            if rest.starts(with: part) { return true }
            rest = rest.dropFirst()
        }
        return false
    }
}

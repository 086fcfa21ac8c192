/// Names for channels that fit into a path: lower-case letters, digits and dashes.
///
/// A name is made of `tvg-id`, else of the channel's name, so that it outlives a new order of the list and new
/// addresses. Where several channels would have the same, each gets a suffix of its own, made of its name and address
/// without query: which of them stands first must not matter. Without its suffix the name still stands for the first,
/// so that an address that somebody noted down outlives the day on which a namesake is added.
struct ChannelSlugs {
    private static let longest = 48
    /// Bytes of the longest, with its suffix.
    static let mostBytes = longest + 1 + suffixDigits
    /// Hexadecimal digits: among a hundred thousand namesakes two are alike once in a hundred lists.
    private static let suffixDigits = 10

    private(set) var entries: [ChannelList.Entry] = []
    private(set) var bytes: [UInt8] = []
    private(set) var places = HashedPlaces()

    init(_ found: [ChannelListParser.Found], in list: [UInt8]) {
        var plain: [UInt8] = []
        var spans: [ByteSpan] = []
        spans.reserveCapacity(found.count)
        for channel in found {
            let start = plain.count
            ChannelSlugs.append(channel, in: list, to: &plain)
            spans.append(ByteSpan(start, plain.count))
        }
        var suffixes: [Int: [UInt8]] = [:]
        for group in HashedPlaces(spans.map { plain[$0] }).groups {
            for (place, suffix) in zip(group, ChannelSlugs.suffixes(of: group.map { found[$0] }, in: list)) {
                suffixes[place] = suffix
            }
        }
        entries.reserveCapacity(found.count)
        bytes.reserveCapacity(plain.count + suffixes.count * (ChannelSlugs.suffixDigits + 1))
        for (place, channel) in found.enumerated() {
            let start = bytes.count
            bytes += plain[spans[place]]
            let suffix = suffixes[place] ?? []
            bytes += suffix
            let slug = ByteSpan(start, bytes.count)
            let length = UInt8(truncatingIfNeeded: suffix.count)
            entries.append(ChannelList.Entry(address: channel.address, slug: slug, suffixLength: length))
        }
        var names = entries.map { bytes[$0.slug] }
        var owners = Array(entries.indices)
        for place in suffixes.keys.sorted() {
            names.append(plain[spans[place]])
            owners.append(place)
        }
        places = HashedPlaces(names, owners: owners)
    }

    private static func append(_ channel: ChannelListParser.Found, in list: [UInt8], to slugs: inout [UInt8]) {
        let start = slugs.count
        for span in [channel.identifier, channel.name] {
            append(list[span], to: &slugs, from: start)
            if slugs.count > start { return }
        }
        // A name without a letter that a path can carry, or none at all.
        let seed = channel.name.start < channel.name.end ? channel.name : channel.address
        slugs += "channel-".utf8
        slugs += digits(Array(list[seed]), suffixDigits)
    }

    private static func append(_ text: ArraySlice<UInt8>, to slugs: inout [UInt8], from start: Int) {
        for byte in text where slugs.count - start < longest {
            if byte.isASCIIAlphanumeric {
                slugs.append(byte.lowercasedASCII)
            } else if slugs.count > start, slugs.last != ASCII.minus {
                slugs.append(ASCII.minus)
            }
        }
        while slugs.count > start, slugs.last == ASCII.minus { slugs.removeLast() }
    }

    /// Namesakes whose addresses differ in nothing but the query are told apart by that; whatever is alike in all of
    /// it is the same channel twice.
    private static func suffixes(of group: [ChannelListParser.Found], in list: [UInt8]) -> [[UInt8]] {
        func identity(_ channel: ChannelListParser.Found, wholeAddress: Bool) -> [UInt8] {
            let address = list[channel.address]
            let counted = wholeAddress ? address : address.prefix { $0 != ASCII.question }
            return Array(list[channel.name]) + [ASCII.lineFeed] + counted
        }
        var counts: [[UInt8]: Int] = [:]
        let short = group.map { identity($0, wholeAddress: false) }
        for text in short { counts[text, default: 0] += 1 }
        return zip(group, short).map { channel, text in
            let isAlone = counts[text] == 1
            return [ASCII.minus] + digits(isAlone ? text : identity(channel, wholeAddress: true), suffixDigits)
        }
    }

    private static func digits(_ text: [UInt8], _ count: Int) -> [UInt8] {
        Array(Digest.sha256(text).description.utf8.prefix(count))
    }
}

/// Where names stand, found by their hash: two arrays instead of a dictionary of a hundred thousand strings.
struct HashedPlaces: Sendable {
    private struct Place: Sendable {
        let hash: UInt64
        let place: Int32
    }

    private var sorted: [Place] = []

    init() {}

    /// - Parameter owners: what each name stands for; its own index when not given.
    init(_ names: [ArraySlice<UInt8>], owners: [Int]? = nil) {
        sorted = names.indices.map { index in
            Place(hash: FowlerNollVoHash.value(of: names[index]), place: Int32(clamping: owners?[index] ?? index))
        }
        sorted.sort { ($0.hash, $0.place) < ($1.hash, $1.place) }
    }

    /// The first place, in their order, of a name for which `matches` is true.
    func first(of name: ArraySlice<UInt8>, where matches: (Int) -> Bool) -> Int? {
        let hash = FowlerNollVoHash.value(of: name)
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle].hash < hash { low = middle + 1 } else { high = middle }
        }
        while low < sorted.count, sorted[low].hash == hash {
            if matches(Int(sorted[low].place)) { return Int(sorted[low].place) }
            low += 1
        }
        return nil
    }

    /// Places that share a name, in their order; only where there are two or more.
    var groups: [[Int]] {
        var result: [[Int]] = []
        var start = 0
        while start < sorted.count {
            var end = start + 1
            while end < sorted.count, sorted[end].hash == sorted[start].hash { end += 1 }
            if end - start > 1 { result.append(sorted[start..<end].map { Int($0.place) }) }
            start = end
        }
        return result
    }
}

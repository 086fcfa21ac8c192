// What a list says of how a channel's server wants to be asked: many answer no other program than the one they know.
extension ChannelList {
    /// Names that are sent, and how lists write them. Nothing that is a secret: it would go to every host that the
    /// channel's playlists name.
    private static let names = [
        "user-agent": "user-agent", "referer": "referer", "referrer": "referer", "origin": "origin",
    ]
    private static let vlcOption = Array("#EXTVLCOPT:http-".utf8)
    private static let kodiProperties = ["manifest_headers", "stream_headers", "common_headers"]
        .map { Array("#KODIPROP:inputstream.adaptive.\($0)=".utf8) }

    /// Field lines for the requests to a channel's servers: from its `#EXTVLCOPT:http-user-agent=…` and
    /// `http-referrer=…`, its `#KODIPROP:inputstream.adaptive.stream_headers=…`, and what follows a `|` behind its
    /// address. The last of each name counts.
    package func fields(at place: Int) -> [HeaderField] {
        let address = entries[place].address
        let before = place > 0 ? Int(entries[place - 1].address.end) : 0
        var fields: [HeaderField] = []
        // The end of the line before belongs to the channel before.
        var line = bytes[before..<Int(address.start)].drop { $0 != ASCII.lineFeed }.dropFirst()
        while !line.isEmpty {
            let text = line.prefix { $0 != ASCII.lineFeed }
            let content = text.trimmingBlanks
            if let first = content.first, first != ASCII.number, first != ASCII.carriageReturn {
                // The address of a channel that weir does not carry.
                fields = []
            }
            ChannelList.read(content.prefix { $0 != ASCII.carriageReturn }, into: &fields)
            line = line[text.endIndex...].dropFirst()
        }
        let rest = bytes[Int(address.end)...].prefix { $0 != ASCII.lineFeed && $0 != ASCII.carriageReturn }
        if rest.trimmingBlanks.first == ASCII.bar {
            ChannelList.read(pairs: rest.trimmingBlanks.dropFirst(), into: &fields)
        }
        return fields
    }

    private static func read(_ line: ArraySlice<UInt8>, into fields: inout [HeaderField]) {
        if line.starts(with: vlcOption) {
            let option = line.dropFirst(vlcOption.count)
            let name = option.prefix { $0 != ASCII.equals }
            add(name.text, option.dropFirst(name.count + 1).trimmingBlanks.text, to: &fields)
        }
        for property in kodiProperties where line.starts(with: property) {
            read(pairs: line.dropFirst(property.count), into: &fields)
        }
    }

    /// `User-Agent=…&Referer=…`, percent-encoded.
    private static func read(pairs: ArraySlice<UInt8>, into fields: inout [HeaderField]) {
        for pair in pairs.split(separator: UInt8(ascii: "&")).prefix(32) {
            let name = pair.prefix { $0 != ASCII.equals }
            let value = pair.dropFirst(name.count + 1).text
            add(name.trimmingBlanks.text, PercentEncoding.decode(value) ?? value, to: &fields)
        }
    }

    private static func add(_ name: String, _ value: String, to fields: inout [HeaderField]) {
        guard let known = names[name.lowercased()], (1...1024).contains(value.utf8.count),
            value.utf8.allSatisfy({ $0 >= ASCII.space && $0 < ASCII.delete })
        else { return }
        fields.removeAll { $0.name == known }
        fields.append(HeaderField(known, value))
    }
}

import FoundationEssentials

/// What a viewer needs of a playlist. Written apart from the agent's parser, so that neither hides the other's mistakes.
struct ViewedPlaylist {
    struct Part: Equatable {
        var number: Int
        var seconds: Double
        var url: String
        /// The value of a Range header, for byte ranges.
        var range: String?
    }

    /// URLs of the variants, best first; empty for a media playlist.
    var variants: [String] = []
    var parts: [Part] = []
    /// Initialisation sections in order of appearance, each once.
    var maps: [Part] = []
    var targetDuration: Double = 2
    var ended = false

    init?(_ text: String, url base: String) {
        guard text.hasPrefix("#EXTM3U"), let baseURL = URL(string: base) else { return nil }
        func resolve(_ uri: Substring) -> String {
            URL(string: String(uri), relativeTo: baseURL)?.absoluteString ?? String(uri)
        }
        var bandwidths: [(Int, String)] = []
        var next = Part(number: 0, seconds: 0, url: "")
        var bandwidth: Int?
        var lastEnd = 0
        for line in text.split(whereSeparator: \.isNewline) {
            if let value = line.value(of: "#EXT-X-MEDIA-SEQUENCE:") { next.number = Int(value) ?? 0 }
            if let value = line.value(of: "#EXT-X-TARGETDURATION:") { targetDuration = Double(value) ?? 2 }
            if let value = line.value(of: "#EXTINF:") { next.seconds = Double(value.prefix { $0 != "," }) ?? 0 }
            if let value = line.value(of: "#EXT-X-BYTERANGE:") { next.range = ViewedPlaylist.range(value, &lastEnd) }
            if line.hasPrefix("#EXT-X-ENDLIST") { ended = true }
            if let value = line.value(of: "#EXT-X-STREAM-INF:") {
                bandwidth = value.attribute("BANDWIDTH").flatMap { Int($0) } ?? 0
            }
            if let value = line.value(of: "#EXT-X-MAP:"), let uri = value.attribute("URI") {
                var end = 0
                let range = value.attribute("BYTERANGE").flatMap { ViewedPlaylist.range($0, &end) }
                let map = Part(number: next.number, seconds: 0, url: resolve(uri), range: range)
                if !maps.contains(where: { $0.url == map.url && $0.range == map.range }) { maps.append(map) }
            }
            guard !line.hasPrefix("#") else { continue }
            if let value = bandwidth {
                bandwidths.append((value, resolve(line)))
                bandwidth = nil
            } else {
                next.url = resolve(line)
                parts.append(next)
                next = Part(number: next.number + 1, seconds: 0, url: "")
            }
        }
        variants = bandwidths.sorted { $0.0 > $1.0 }.map(\.1)
    }

    /// `LENGTH[@OFFSET]`: without an offset it follows the part before (RFC 8216 4.3.2.2).
    static func range(_ text: Substring, _ lastEnd: inout Int) -> String? {
        let numbers = text.split(separator: "@")
        guard let length = numbers.first.flatMap({ Int($0) }), length > 0 else { return nil }
        let offset = numbers.count > 1 ? Int(numbers[1]) ?? 0 : lastEnd
        lastEnd = offset + length
        return "bytes=\(offset)-\(lastEnd - 1)"
    }
}

extension Substring {
    /// What follows a tag, if the line begins with it.
    func value(of tag: String) -> Substring? { hasPrefix(tag) ? dropFirst(tag.count) : nil }

    /// A value of an attribute list (RFC 8216 4.2), without its quotes.
    func attribute(_ name: String) -> Substring? {
        var rest = self
        while let equals = rest.firstIndex(of: "=") {
            let key = rest[..<equals]
            rest = rest[rest.index(after: equals)...]
            let value: Substring
            if rest.first == "\"" {
                rest = rest.dropFirst()
                value = rest.prefix { $0 != "\"" }
                rest = rest.dropFirst(value.count + 1)
            } else {
                value = rest.prefix { $0 != "," }
                rest = rest.dropFirst(value.count)
            }
            if key == name { return value }
            rest = rest.dropFirst()
        }
        return nil
    }
}

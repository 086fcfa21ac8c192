/// The few lines of an HLS playlist that a simulated player needs.
struct LocalPlaylist: Equatable {
    /// Of a multivariant list, in its order; bits per second.
    var variants: [(bandwidth: Double, uri: String)] = []
    var mediaSequence: UInt64 = 0
    /// Seconds.
    var targetDuration = 1.0
    var segments: [(duration: Double, uri: String)] = []
    var isEnded = false

    init?(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.hasPrefix("#EXTM3U") else { return nil }
        var duration = 0.0
        var bandwidth: Double?
        for line in text.split(whereSeparator: \.isNewline) {
            if let value = LocalPlaylist.value(line, of: "#EXT-X-MEDIA-SEQUENCE:") {
                mediaSequence = UInt64(value) ?? 0
            } else if let value = LocalPlaylist.value(line, of: "#EXT-X-TARGETDURATION:") {
                targetDuration = Double(value) ?? 1
            } else if let value = LocalPlaylist.value(line, of: "#EXTINF:") {
                duration = Double(value.split(separator: ",").first ?? "0") ?? 0
            } else if let value = LocalPlaylist.value(line, of: "#EXT-X-STREAM-INF:") {
                bandwidth = LocalPlaylist.bandwidth(value)
            } else if line.hasPrefix("#EXT-X-ENDLIST") {
                isEnded = true
            } else if !line.hasPrefix("#") {
                if let peak = bandwidth {
                    variants.append((peak, String(line)))
                    bandwidth = nil
                } else {
                    segments.append((duration, String(line)))
                }
            }
        }
    }

    static func == (left: LocalPlaylist, right: LocalPlaylist) -> Bool {
        left.mediaSequence == right.mediaSequence && left.segments.count == right.segments.count
            && left.isEnded == right.isEnded
    }

    private static func bandwidth(_ attributes: Substring) -> Double {
        let peak = attributes.split(separator: ",").first { $0.hasPrefix("BANDWIDTH=") }
        return peak.flatMap { Double($0.dropFirst("BANDWIDTH=".count)) } ?? 0
    }

    private static func value(_ line: Substring, of tag: String) -> Substring? {
        line.hasPrefix(tag) ? line.dropFirst(tag.utf8.count) : nil
    }

    /// A URI of a playlist as a path of the local endpoint.
    static func path(of uri: String, relativeTo base: String) -> String {
        if uri.hasPrefix("/") { return uri }
        if let scheme = uri.range(of: "://") {
            let rest = uri[scheme.upperBound...]
            return rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? "/"
        }
        guard let slash = base.lastIndex(of: "/") else { return uri }
        return String(base[...slash]) + uri
    }
}

extension String {
    /// Foundation's search, for one short needle.
    fileprivate func range(of needle: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}

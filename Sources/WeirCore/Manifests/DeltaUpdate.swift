/// Playlist delta updates (RFC 8216bis 6.2.5.1): what a player has already is replaced by EXT-X-SKIP.
package enum DeltaUpdate {
    /// Media segments older than the skip boundary: CAN-SKIP-UNTIL before the end of the list.
    package static func skippable(_ list: MediaPlaylist, until boundary: Duration) -> Int {
        var rest = list.lowLatency.parts.reduce(Duration.zero) { sum, part in
            part.sequence >= list.nextPlace.sequence ? sum + part.duration : sum
        }
        for (index, segment) in list.segments.enumerated().reversed() {
            rest = rest + segment.duration
            if rest > boundary { return index }
        }
        return 0
    }

    /// Tags that belong to a media segment, and go with it.
    private static let segmentTags: Set<String> = [
        "EXTINF", "EXT-X-BYTERANGE", "EXT-X-DISCONTINUITY", "EXT-X-KEY", "EXT-X-MAP", "EXT-X-PROGRAM-DATE-TIME",
        "EXT-X-GAP", "EXT-X-BITRATE", "EXT-X-PART",
    ]

    /// Leaves out the first `count` media segments of a rewritten list.
    package static func skip(_ count: Int, of bytes: [UInt8]) -> [UInt8] {
        guard count > 0 else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var skipped = 0
        var isAnnounced = false
        // Only a line behind an EXTINF is a segment, and counts.
        var hasDuration = false
        for line in PlaylistLines(bytes) {
            let start = Int(line.content.start)
            let text = bytes[start..<Int(line.content.end)].trimmingBlanks
            guard skipped < count else {
                result += bytes[start..<line.end]
                continue
            }
            let isURI = text.first.map { $0 != ASCII.number } ?? false
            let tag = name(of: text)
            if tag == "EXTINF" { hasDuration = true }
            if isURI || segmentTags.contains(tag) {
                if !isAnnounced {
                    result += Array("#EXT-X-SKIP:SKIPPED-SEGMENTS=\(count)\n".utf8)
                    isAnnounced = true
                }
                if isURI, hasDuration {
                    skipped += 1
                    hasDuration = false
                }
            } else {
                result += bytes[start..<line.end]
            }
        }
        return result
    }

    private static func name(of line: ArraySlice<UInt8>) -> String {
        guard line.first == ASCII.number else { return "" }
        return line.dropFirst().prefix { $0 != ASCII.colon && !$0.isBlank }.prefix(40).text
    }
}

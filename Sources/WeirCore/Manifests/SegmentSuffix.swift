/// Suffixes of local segment addresses. Recent FFmpeg (5.1.9) and Kodi refuse what is not on a list of theirs, or does
/// not fit the format they detect; extensionless and oddly named segments are given one that does.
package enum SegmentSuffix {
    /// Kept as they are: on every player's list, and some formats (packed audio) are accepted under no other.
    package static let kept: Set<String> = ["ts", "m4s", "mp4", "m4a", "aac", "mp3", "ac3", "ec3", "eac3", "vtt"]

    /// What local addresses may end in: DASH has some more formats.
    package static let accepted = kept.union(["webm", "jpg", "png"])

    /// The suffix of a local address for one that a manifest gives; nil when it says nothing of the format.
    static func local(_ suffix: String) -> String? {
        accepted.contains(suffix) ? suffix : renamed[suffix]
    }

    /// The same formats under names that not every player knows.
    private static let renamed: [String: String] = [
        "webvtt": "vtt", "cmfv": "m4s", "cmfa": "m4s", "cmft": "m4s", "fmp4": "m4s", "m4v": "m4s", "m4f": "m4s",
        "mov": "mp4", "m2ts": "ts", "mts": "ts", "mpegts": "ts", "adts": "aac",
    ]

    /// - Parameter url: where the segment comes from; only its last path part counts.
    static func of(_ url: WebURL, hasMap: Bool, inSubtitles: Bool) -> String {
        let name = url.lastPathPart
        if let dot = name.utf8.lastIndex(of: ASCII.dot), name.utf8.distance(from: dot, to: name.utf8.endIndex) <= 8 {
            let suffix = name[name.utf8.index(after: dot)...].lowercased()
            if kept.contains(suffix) { return suffix }
            if let other = renamed[suffix] { return other }
        }
        if hasMap { return "m4s" }
        return inSubtitles ? "vtt" : "ts"
    }
}

extension MediaSegment {
    /// Without a dot. What the URL says where players accept it, else by the segment's place.
    package func suffix(inSubtitles: Bool = false) -> String {
        SegmentSuffix.of(url, hasMap: map != nil, inSubtitles: inSubtitles)
    }
}

extension MediaPart {
    /// Without a dot.
    package var suffix: String { SegmentSuffix.of(url, hasMap: hasMap, inSubtitles: false) }
}

extension MediaMap {
    /// Without a dot: an initialisation section is ISO media.
    package var suffix: String { "mp4" }
}

package import WeirCore

/// A stream as its packager makes it: when segments are listed, how large they are, which bytes they have.
package struct StreamShape: Sendable {
    package var isLive: Bool
    /// Bits per second.
    package var bitrate: Double
    /// Bits per second of each rendition, least first; empty: there is one, of `bitrate`, and no multivariant list.
    package var renditions: [Double] = []
    package var segmentDuration: Duration
    /// Segments in a live list.
    package var window: Int
    /// Segments of a recording.
    package var recordedSegments: Int
    /// Recordings at the same origin; their segments are numbered on, so that a number alone says which.
    package var titles = 1
    package var seed: UInt64

    package static let firstSequence: UInt64 = 1000

    package init(
        isLive: Bool,
        bitrate: Double,
        segmentDuration: Duration,
        window: Int,
        recordedSegments: Int,
        seed: UInt64
    ) {
        self.isLive = isLive
        self.bitrate = bitrate
        self.segmentDuration = segmentDuration
        self.window = window
        self.recordedSegments = recordedSegments
        self.seed = seed
    }

    package func object(_ sequence: UInt64, rendition: Int = 0) -> UInt64 {
        mixed(rendition == 0 ? seed : mixed(seed, UInt64(rendition)), 0x6f62_6a65_6374, sequence)
    }
    /// What half of the viewers get under the same number and length, where a server tells them apart.
    package func otherObject(_ sequence: UInt64) -> UInt64 { mixed(seed, 0x6f74_6865_72, sequence) }

    /// Rate × duration, ±15 % by the segment's own number.
    package func bytes(of sequence: UInt64, rendition: Int = 0) -> Int {
        let bitrate = rate(ofRendition: rendition)
        let fraction = Double(mixed(seed, 0x7369_7a65, sequence) >> 11) * 0x1p-53
        return Int(bitrate / 8 * segmentDuration.seconds * (0.85 + 0.3 * fraction))
    }

    /// Bits per second.
    package func rate(ofRendition rendition: Int) -> Double {
        renditions.indices.contains(rendition) ? renditions[rendition] : bitrate
    }

    /// The newest listed segment; for a recording its last.
    package func newest(at time: Instant) -> UInt64 {
        guard isLive else { return first(ofTitle: titles) - 1 }
        let made = time.nanoseconds / segmentDuration.nanoseconds
        return StreamShape.firstSequence + UInt64(window) - 1 + UInt64(made)
    }

    package func oldest(at time: Instant) -> UInt64 {
        isLive ? newest(at: time) - UInt64(window) + 1 : StreamShape.firstSequence
    }

    /// The first segment of a recording; of a live stream there is but one title.
    package func first(ofTitle title: Int) -> UInt64 {
        StreamShape.firstSequence + UInt64(title) * UInt64(recordedSegments)
    }

    /// When it appeared in the list; the start for what was there before.
    package func listed(_ sequence: UInt64) -> Instant {
        let place = Int64(sequence) - Int64(StreamShape.firstSequence) - Int64(window) + 1
        return isLive && place > 0 ? Instant(nanoseconds: place * segmentDuration.nanoseconds) : .start
    }

    /// Whether the server still has it: live segments go a window after they left the list.
    package func exists(_ sequence: UInt64, at time: Instant) -> Bool {
        let oldest = self.oldest(at: time)
        let kept = isLive ? max(StreamShape.firstSequence, oldest - min(oldest, UInt64(window))) : oldest
        return sequence >= kept && sequence <= newest(at: time)
    }

    package func playlist(at time: Instant, title: Int = 0) -> [UInt8] {
        let listed =
            isLive ? oldest(at: time)...newest(at: time) : first(ofTitle: title)...first(ofTitle: title + 1) - 1
        let seconds = segmentDuration.nanoseconds / 1_000_000
        let digits = String(seconds % 1000)
        let fraction = String(repeating: "0", count: 3 - digits.count) + digits
        let duration = "\(seconds / 1000).\(fraction)"
        var text = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:\((seconds + 999) / 1000)\n"
        text += "#EXT-X-MEDIA-SEQUENCE:\(listed.lowerBound)\n"
        if !isLive { text += "#EXT-X-PLAYLIST-TYPE:VOD\n" }
        for sequence in listed {
            text += "#EXTINF:\(duration),\nsegment-\(sequence).ts\n"
        }
        if !isLive { text += "#EXT-X-ENDLIST\n" }
        return Array(text.utf8)
    }

    /// The list of all renditions, least first.
    package var multivariantPlaylist: [UInt8] {
        var text = "#EXTM3U\n"
        for (place, rate) in renditions.enumerated() {
            // Segments are up to 15 % larger than their rendition's mean (RFC 8216 4.3.4.2: the peak).
            text += "#EXT-X-STREAM-INF:BANDWIDTH=\(Int(rate * 1.15)),AVERAGE-BANDWIDTH=\(Int(rate))\n"
            text += "q\(place)/index.m3u8\n"
        }
        return Array(text.utf8)
    }

    /// The rendition that a path of the server names; nil: none.
    package static func rendition(ofPath path: String) -> Int? {
        let parts = path.split(separator: "/")
        guard let folder = parts.dropLast().last, folder.hasPrefix("q") else { return nil }
        return Int(folder.dropFirst())
    }

    /// Where a title's playlist is.
    package static func manifestPath(ofTitle title: Int) -> String {
        title == 0 ? "/live/index.m3u8" : "/title-\(title)/index.m3u8"
    }

    /// The title whose playlist a path of the server names; nil: of none.
    package static func title(ofManifestPath path: String) -> Int? {
        if path == manifestPath(ofTitle: 0) { return 0 }
        guard path.hasPrefix("/title-"), path.hasSuffix("/index.m3u8") else { return nil }
        return Int(path.dropFirst(7).dropLast(11))
    }

    /// The segment that a path of the server names.
    package static func sequence(ofPath path: String) -> UInt64? {
        guard let name = path.split(separator: "/").last, name.hasPrefix("segment-"), name.hasSuffix(".ts") else {
            return nil
        }
        return UInt64(name.dropFirst(8).dropLast(3))
    }
}

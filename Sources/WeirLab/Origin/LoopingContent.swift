package import NIOCore

/// A short recording as an endless live HLS stream: `/live.m3u8` and `/live-N.ts`.
///
/// The media sequence number moves with the clock; the recording starts over with an EXT-X-DISCONTINUITY, so every
/// segment keeps its bytes and players still see one continuous programme. Equal bytes come back under new names.
package struct LoopingContent: OriginContent {
    /// Segments that a playlist lists. Ten times two seconds is what live packagers commonly keep.
    package static let window = 10
    package static let playlistPath = "/live.m3u8"

    private let segments: [OriginResource]
    /// Seconds of every segment.
    package let segmentDuration: Double
    private let started = ContinuousClock.now

    /// - Parameter segments: MPEG-TS, at least one, all equally long, each beginning with a keyframe.
    package init(segments: [ByteBuffer], segmentDuration: Double = 2) {
        precondition(!segments.isEmpty && segmentDuration > 0, "a loop needs something to play")
        self.segments = segments.map { OriginResource(bytes: $0, contentType: "video/mp2t") }
        self.segmentDuration = segmentDuration
    }

    /// The committed fixture: `segment0.ts`, `segment1.ts`, … in a directory.
    package init(directory: String) async throws {
        let content = DirectoryContent(directory)
        var segments: [ByteBuffer] = []
        while let resource = await content.resource(path: "/segment\(segments.count).ts") {
            segments.append(resource.bytes)
        }
        guard !segments.isEmpty else { throw LabError("there is no segment0.ts in \(directory)") }
        self.init(segments: segments)
    }

    /// Bytes without meaning, for what never looks inside media.
    package init(randomSegments count: Int, of bytes: Int, segmentDuration: Double = 2) {
        var generator = SystemRandomNumberGenerator()
        let segments = (0..<count).map { _ in
            var segment = ByteBuffer()
            for _ in 0..<max(1, bytes / 8) { segment.writeInteger(generator.next() as UInt64) }
            return segment
        }
        self.init(segments: segments, segmentDuration: segmentDuration)
    }

    package func resource(path: String) async -> OriginResource? {
        let elapsed = (ContinuousClock.now - started).seconds
        if path == LoopingContent.playlistPath {
            let text = playlist(elapsed: elapsed)
            return OriginResource(
                bytes: ByteBuffer(string: text),
                contentType: OriginResource.contentType(ofPath: path),
                changes: true
            )
        }
        guard path.hasPrefix("/live-"), path.hasSuffix(".ts"), let number = Int(path.dropFirst(6).dropLast(3)) else {
            return nil
        }
        // A server keeps what it just dropped from the list for those who read the list before (RFC 8216 6.2.2).
        let listed = listed(elapsed: elapsed)
        guard number >= listed.lowerBound - LoopingContent.window, number < listed.upperBound, number >= 0 else {
            return nil
        }
        return segments[number % segments.count]
    }

    /// The bytes under a media sequence number.
    package func segment(_ number: Int) -> ByteBuffer { segments[number % segments.count].bytes }

    /// Media sequence numbers in the list after this many seconds. It begins with a full window.
    func listed(elapsed: Double) -> Range<Int> {
        let newest = Int(max(0, elapsed) / segmentDuration) + LoopingContent.window
        return newest - LoopingContent.window..<newest
    }

    func playlist(elapsed: Double) -> String {
        let listed = listed(elapsed: elapsed)
        var lines = [
            "#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:\(Int(segmentDuration.rounded(.up)))",
            "#EXT-X-MEDIA-SEQUENCE:\(listed.lowerBound)",
            // How many discontinuities have left the list (RFC 8216 4.3.3.3).
            "#EXT-X-DISCONTINUITY-SEQUENCE:\(max(0, listed.lowerBound - 1) / segments.count)",
        ]
        for number in listed {
            if number > 0, number % segments.count == 0 { lines.append("#EXT-X-DISCONTINUITY") }
            lines.append("#EXTINF:\(segmentDuration),")
            lines.append("live-\(number).ts")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// Why a part of the lab could not do its work.
package struct LabError: Error, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}

extension Swift.Duration {
    /// As a fraction.
    package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

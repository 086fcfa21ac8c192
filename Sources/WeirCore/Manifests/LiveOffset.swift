// Where players of live streams start, where the user says so and the origin does not (`live_offset`).

extension MediaPlaylist {
    /// Puts EXT-X-START (RFC 8216bis 4.4.2.2) behind the first line of this playlist as rewritten.
    /// - Parameter offset: from the end of the list.
    func starting(_ offset: Duration, fromEndOf bytes: [UInt8]) -> [UInt8] {
        guard !endList, type == nil, !hasStart, let first = PlaylistLines(bytes).first(where: { _ in true }) else {
            return bytes
        }
        return bytes[..<first.end] + Array("#EXT-X-START:TIME-OFFSET=-\(offset.seconds)\n".utf8) + bytes[first.end...]
    }
}

extension Agent {
    /// The playlist as players get it. A start that the multivariant playlist has is meant for all renditions.
    func withLiveOffset(_ bytes: [UInt8], _ list: MediaPlaylist, _ stream: Stream) -> [UInt8] {
        guard let offset = settings.liveOffset else { return bytes }
        if case .multivariant(let top) = stream.top.playlist, top.hasStart { return bytes }
        return list.starting(offset, fromEndOf: bytes)
    }
}

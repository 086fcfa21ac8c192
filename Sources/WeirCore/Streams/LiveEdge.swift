// How far from the end of what a manifest lists a place in it is: what tells live players of one stream apart.
extension SegmentListing {
    /// More segments than these from the end are counted as if each lasted the target duration.
    private static var mostAdded: Int { 1000 }

    func timeToEnd(from index: Int) -> Duration { mediaToEnd(from: index) }

    /// By the durations of the segments.
    fileprivate func mediaToEnd(from index: Int) -> Duration {
        guard index < count else { return .zero }
        let near = max(index, count - Self.mostAdded)
        let known = (near..<count).reduce(Duration.zero) { $0 + self[$1].duration }
        return known + targetDuration * (near - index)
    }
}

extension MediaPlaylist {
    /// By the stream's own clock where EXT-X-PROGRAM-DATE-TIME gives one: it goes on where media are missing.
    func timeToEnd(from index: Int) -> Duration {
        guard index < count, let start = clock(at: index), let last = clock(at: count - 1) else {
            return mediaToEnd(from: index)
        }
        let time = last + segments[count - 1].duration - start
        // A clock that runs backwards says nothing.
        return time > .zero ? time : mediaToEnd(from: index)
    }

    /// The date and time at which a segment begins: its own, or that of the nearest one before it and what lies between
    /// (RFC 8216bis 4.4.4.6). Nil where a discontinuity lies between.
    private func clock(at index: Int) -> WallTime? {
        var passed = Duration.zero
        for place in stride(from: index, through: max(0, index - 100), by: -1) {
            let segment = segments[place]
            if let text = segment.programDateTime { return WallTime(dateTime: text).map { $0 + passed } }
            if segment.discontinuity || place == 0 { return nil }
            passed = passed + segments[place - 1].duration
        }
        return nil
    }
}

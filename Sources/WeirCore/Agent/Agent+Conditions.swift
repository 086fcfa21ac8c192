// Live playlists that are not as they should be: told from each other, logged once, and reported.
extension Agent {
    /// Older copies than the last one are passed over for this many target durations; then the origin means it.
    static let rollbackPatience = 3

    mutating func setCondition(_ condition: PlaylistCondition, of manifest: Manifest, _ stream: Stream) {
        let before = manifest.condition
        manifest.condition = condition
        guard before.name != condition.name, condition != .current, condition != .ended else { return }
        // That one can't be had is logged where it failed.
        if case .failing = condition { return }
        var level = LogEvent.Level.notice
        if case .early = condition { level = .info }
        log(
            level,
            "a playlist is \(condition.name)",
            [("stream", stream.id.text), ("why", condition.reason)]
        )
    }

    /// What a list that arrived says about the playlist's condition.
    mutating func judge(_ manifest: Manifest, _ playlist: HLSPlaylist, isNew: Bool, _ stream: Stream) {
        guard case .media(let media) = playlist else { return }
        if media.endList { return setCondition(.ended, of: manifest, stream) }
        if !isNew, let changed = manifest.changedAt, now - changed > media.targetDuration * 3 {
            return setCondition(.stale, of: manifest, stream)
        }
        if !isNew, manifest.condition == .stale { return }
        if case .early = manifest.condition, !isNew { return }
        setCondition(.current, of: manifest, stream)
    }

    /// Whether a list is an older copy of the one that is here, as a cache node gives that lags behind: then the one that
    /// is here stays. After a while the origin is believed.
    mutating func isOlderCopy(_ playlist: HLSPlaylist, of manifest: Manifest, _ stream: Stream) -> Bool {
        guard case .media(let old) = manifest.playlist, case .media(let new) = playlist, !old.endList, !new.endList,
            let oldFirst = old.segments.first?.sequence, let oldLast = old.segments.last?.sequence,
            let newLast = new.segments.last?.sequence, newLast < oldLast, newLast >= oldFirst,
            haveEqualNames(old, new)
        else {
            manifest.rolledBackSince = nil
            return false
        }
        let since = manifest.rolledBackSince ?? now
        manifest.rolledBackSince = since
        guard now - since < old.targetDuration * Double(Agent.rollbackPatience) else {
            manifest.rolledBackSince = nil
            return false
        }
        setCondition(.rolledBack(to: newLast), of: manifest, stream)
        return true
    }

    /// Whether numbers that both list stand for the same files.
    private func haveEqualNames(_ old: MediaPlaylist, _ new: MediaPlaylist) -> Bool {
        new.segments.suffix(8).allSatisfy { segment in
            guard let index = old.index(ofSequence: segment.sequence) else { return true }
            return old.segments[index].url.lastPathPart == segment.url.lastPathPart
        }
    }

    /// Numbers that no copy listed are lost to those who play: told once, and the player goes on behind them.
    mutating func noteJump(from old: MediaPlaylist, to new: MediaPlaylist, _ stream: Stream) {
        guard !old.endList, let oldLast = old.segments.last?.sequence, let newFirst = new.segments.first?.sequence,
            newFirst > oldLast + 1
        else { return }
        log(
            .notice,
            "a playlist skipped segments",
            [("stream", stream.id.text), ("after", String(oldLast)), ("next", String(newFirst))]
        )
    }

    /// A listed segment is not there yet.
    mutating func noteEarly(_ segment: Segment) {
        let rendition = segment.rendition
        guard !rendition.isParts else { return }
        setCondition(.early(segment.id.number), of: rendition.manifest, rendition.stream)
    }

    /// A list that was read; of a DASH manifest, which lists everything, what was played.
    private func isTold(_ rendition: Rendition) -> Bool {
        rendition.isPresented
            ? rendition.lastAsked != nil : rendition.manifest.condition != .unread && !rendition.isParts
    }

    func playlistReports(of stream: Stream) -> [PlaylistReport] {
        stream.renditions.filter { isTold($0) }.map { rendition in
            let manifest = rendition.manifest
            return PlaylistReport(
                rendition: rendition.key.padded,
                state: rendition.isPresented ? (rendition.isLive ? "current" : "ended") : manifest.condition.name,
                reason: manifest.condition.reason,
                first_segment: rendition.first ?? 0,
                segments: rendition.listing?.count ?? 0,
                unchanged_seconds: manifest.changedAt.map { (now - $0).seconds } ?? 0,
                players: stream.players.count { activeHead(of: $0, in: rendition) != nil },
                language: rendition.language
            )
        }
    }
}

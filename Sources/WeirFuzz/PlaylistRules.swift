import WeirCore

/// Rewriting changes addresses in a playlist, and never what it means; nor does it lose or reorder a line, tag or
/// attribute that is not weir's.
enum PlaylistRules {
    /// As long as each other, and as deep, so that references that get too long do so below both.
    private static let origin = WebURL("https://origin.example/live/one/index.m3u8?x=1&tok=a%20b")
    private static let player = WebURL("https://player.example/s/abcdef/indexindexindex.m3u8")
    private static let local = "https://127.0.0.1:8080/l/"

    /// What a multivariant playlist above would hand down.
    private static let definitions = "#EXTM3U\n#EXT-X-DEFINE:NAME=\"m\",VALUE=\"v/w\"\n#EXT-X-STREAM-INF:\na\n"

    static func check(_ bytes: [UInt8]) throws(Fault) {
        guard let origin, let player else { throw Fault("the addresses are wrong") }
        let above = try? HLSPlaylist.parse(Array(definitions.utf8), url: origin, limits: Limits())
        guard let above else { throw Fault("the definitions are wrong") }
        // Orderly refusals are no fault.
        guard
            let playlist = try? HLSPlaylist.parse(bytes, url: origin, limits: Limits(), importing: above.variables)
        else { return }
        switch playlist {
        case .media(let media): try check(media, bytes, player: player)
        case .multivariant(let multivariant): try check(multivariant, bytes, origin: origin, player: player)
        }
    }

    private static func reparse(_ bytes: [UInt8], at url: WebURL, _ what: String) throws(Fault) -> HLSPlaylist {
        var limits = Limits()
        // Absolute addresses are longer than relative ones.
        limits.manifestBytes = .max
        do throws(PlaylistError) {
            return try HLSPlaylist.parse(bytes, url: url, limits: limits)
        } catch {
            throw Fault("\(what) is refused: \(error)")
        }
    }

    // MARK: Media playlists

    private static func media(_ bytes: [UInt8], at url: WebURL, _ what: String) throws(Fault) -> MediaPlaylist {
        guard case .media(let playlist) = try reparse(bytes, at: url, what) else {
            throw Fault("\(what) is of another kind")
        }
        return playlist
    }

    private static func check(_ playlist: MediaPlaylist, _ bytes: [UInt8], player: WebURL) throws(Fault) {
        try checkPlaces(playlist)
        let absolute = playlist.rewritten { _ in nil }
        let meaning = PlaylistMeaning.lines(of: playlist)
        let absoluteMeaning = PlaylistMeaning.lines(of: try media(absolute, at: player, "the absolute playlist"))
        try demandEqual(absoluteMeaning, meaning, "absolute playlist")
        try KeptLines.check(absolute, against: bytes, "absolute playlist")

        let localText = playlist.rewritten { local + PlaylistMeaning.name(of: $0) }
        let localPlaylist = try media(localText, at: player, "the local playlist")
        try demandEqual(
            PlaylistMeaning.lines(of: localPlaylist),
            PlaylistMeaning.lines(of: playlist, local: local),
            "local playlist"
        )
        try KeptLines.check(localText, against: bytes, "local playlist")
        try checkUpdates(localText, of: localPlaylist, player: player)
    }

    /// What the agent looks up.
    private static func checkPlaces(_ playlist: MediaPlaylist) throws(Fault) {
        try demand(playlist.targetDuration >= .seconds(1), "a target duration below a second")
        for index in playlist.segments.indices {
            let segment = playlist.segments[index]
            try demandEqual(playlist.index(ofSequence: segment.sequence), index, "place of \(segment.sequence)")
            let id = playlist.segmentID(at: index, of: .main)
            try demandEqual(id.number, segment.sequence, "number")
            try demand(SegmentSuffix.kept.contains(segment.suffix()), "suffix \(segment.suffix())")
        }
        for index in playlist.maps.indices { _ = playlist.mapID(at: index, of: .main) }
        let next = playlist.nextPlace
        try demand(
            playlist.satisfies(DeliveryDirectives(sequence: next.sequence, part: next.part)) == playlist.endList,
            "what comes next is there"
        )
    }

    /// An update leaves segments out: those that stay keep their numbers.
    private static func checkUpdates(
        _ bytes: [UInt8],
        of playlist: MediaPlaylist,
        player: WebURL
    ) throws(Fault) {
        let most = DeltaUpdate.skippable(playlist, until: playlist.lowLatency.skipUntil ?? .seconds(6))
        guard most > 0 else { return }
        let update = DeltaUpdate.skip(most, of: bytes)
        let announcement = Array("#EXT-X-SKIP:SKIPPED-SEGMENTS=\(most)\n".utf8)
        guard let place = update.firstRange(of: announcement) else { throw Fault("an update that does not say so") }
        // What stands in for it is of a media playlist too, whatever else the update says.
        let rest = update[..<place.lowerBound] + Array("#EXT-X-TARGETDURATION:1\n".utf8) + update[place.upperBound...]
        let left = try media(Array(rest), at: player, "what an update leaves")
        let moved = left.segments.map { segment in
            "\(segment.sequence - left.mediaSequence + playlist.mediaSequence + UInt64(most)) \(segment.url)"
        }
        let expected = playlist.segments.map { "\($0.sequence) \($0.url)" }
        try demandEqual(moved, expected.suffix(moved.count).map { $0 }, "segments of an update")
    }

    // MARK: Multivariant playlists

    private static func check(
        _ playlist: MultivariantPlaylist,
        _ bytes: [UInt8],
        origin: WebURL,
        player: WebURL
    ) throws(Fault) {
        let meaning = PlaylistMeaning.lines(of: playlist)
        let absolute = playlist.rewritten { _ in nil }
        guard case .multivariant(let moved) = try reparse(absolute, at: player, "the absolute playlist") else {
            throw Fault("the absolute playlist is of another kind")
        }
        try demandEqual(PlaylistMeaning.lines(of: moved), meaning, "absolute playlist")
        try KeptLines.check(absolute, against: bytes, "absolute playlist")
        guard case .multivariant(let same) = try reparse(absolute, at: origin, "the absolute playlist") else {
            throw Fault("the absolute playlist is of another kind")
        }
        let keys = (playlist.renditionKeys(), same.renditionKeys())
        try demand(keys.0.variants == keys.1.variants, "keys of variants differ")
        try demand(keys.0.renditions == keys.1.renditions, "keys of renditions differ")
        try demand(keys.0.iFrameStreams == keys.1.iFrameStreams, "keys of I-frame streams differ")

        let localText = playlist.rewritten { local + PlaylistMeaning.name(of: $0) }
        guard case .multivariant(let localPlaylist) = try reparse(localText, at: player, "the local playlist") else {
            throw Fault("the local playlist is of another kind")
        }
        try demandEqual(
            PlaylistMeaning.lines(of: localPlaylist),
            PlaylistMeaning.lines(of: playlist, local: local),
            "local playlist"
        )
        try KeptLines.check(localText, against: bytes, "local playlist")
    }
}

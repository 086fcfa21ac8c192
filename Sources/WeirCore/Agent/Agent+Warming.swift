// The channels next to the one that was opened last: what a player will need first of them is fetched ahead.

/// The channel that was opened last, and what was done for its neighbours.
///
/// Life: made when a channel of the list is opened, replaced when the next one is; idle after `Zap.attention`.
struct Zap {
    /// Who has not zapped on within a minute watches: its neighbours' playlists are not reloaded for nobody any more.
    static let attention = Duration.seconds(60)
    static let step = Duration.milliseconds(250)
    /// Keys that were fetched ahead are given this long.
    static let keyLife = Duration.seconds(60)
    /// No key of any method is as large (RFC 8216bis 4.4.4.4: 16 bytes).
    static let keyBytes = 1024
    /// Playlists of one neighbour: libav reads those of all qualities before it plays one.
    static let playlists = 8

    let place: Int
    /// In the direction of travel first.
    let neighbours: [Int]
    let since: Instant
    /// Bytes spent on neighbours so far.
    var spent: Int64 = 0
    /// Neighbours that were opened, whatever came of it.
    var opened: Set<Int> = []
}

extension Agent {
    /// A channel of the list was asked for.
    mutating func zapped(to place: Int) {
        guard settings.zapBudget > 0, let channels else { return }
        // Players that ask a channel's address again do not begin anew.
        guard zap?.place != place else { return }
        let step = zap.map { place < $0.place ? -1 : 1 } ?? 1
        let neighbours = [place + step, place - step].filter { (0..<channels.count).contains($0) }
        zap = Zap(place: place, neighbours: neighbours, since: now)
        let kept = Set(neighbours.compactMap { channels.url(at: $0) }.map { StreamID.derive(url: $0) })
        for stream in streams where stream.isAhead && !kept.contains(stream.id) { close(stream.id) }
        agenda.note(.warm, at: now + Zap.step)
    }

    /// One step for each neighbour, while the channel that is watched lacks nothing.
    mutating func warmNeighbours() {
        guard let zap, let channels, !isStopping, now - zap.since < Zap.attention else { return }
        agenda.note(.warm, at: now + Zap.step)
        guard let url = channels.url(at: zap.place), let watched = stream(StreamID.derive(url: url)),
            let player = contentPlayer(of: watched)
        else { return }
        for place in zap.neighbours {
            guard let url = channels.url(at: place) else { continue }
            if let stream = stream(StreamID.derive(url: url)) {
                if stream.isAhead, stream.isOpen { warm(stream, like: player, in: watched) }
            } else if self.zap?.opened.insert(place).inserted == true, streams.count < limits.streams {
                openAhead(url, fields: channels.fields(at: place))
            }
        }
    }

    private mutating func openAhead(_ url: WebURL, fields: [HeaderField]) {
        let swarm = SwarmID.derive(url: url, name: settings.swarmName)
        let stream = Stream(id: StreamID.derive(url: url), url: url, swarm: swarm, time: time, now: now)
        stream.fields = fields
        stream.isAhead = true
        stream.isOnDemand = true
        streams.append(stream)
        fetchManifest(stream.top, of: stream, rendition: nil)
    }

    /// A player that has enough, when nobody in its stream waits for a first byte.
    private func contentPlayer(of stream: Stream) -> Player? {
        let isWaiting = stream.racing.contains { segment in
            segment.answers.contains { answers[$0].map { !$0.hasHead } ?? false }
        }
        guard !isWaiting else { return nil }
        let target = stream.renditions.compactMap { $0.playlist?.targetDuration }.max() ?? .seconds(6)
        let enough = min(settings.minimumBuffer, target * 2)
        return stream.players.first { player in
            !player.isAside && player.buffer(at: now, idleAfter: .seconds(30)).map { $0 >= enough } ?? false
        }
    }

    /// Bytes that may still be spent on neighbours.
    var zapAllowance: Int64 { max(0, Int64(settings.zapBudget) - (zap?.spent ?? 0)) }

    mutating func noteSpentAhead(_ bytes: Int, on stream: Stream) {
        if stream.isAhead { zap?.spent += Int64(bytes) }
    }

    private mutating func warm(_ stream: Stream, like player: Player, in watched: Stream) {
        for rendition in likelyRenditions(of: stream, player, in: watched) {
            guard zapAllowance > 0 else { return }
            let manifest = rendition.manifest
            if isWorthFetching(manifest) { fetchManifest(manifest, of: stream, rendition: rendition) }
            guard let playlist = rendition.playlist, stream.likely.contains(rendition.key) else { continue }
            warmFirstNeeds(of: playlist, rendition)
        }
    }

    /// A playlist that is not there, or that a player would not be given any more.
    private func isWorthFetching(_ manifest: Manifest) -> Bool {
        guard manifest.fetch == nil, !manifest.wasServed, manifest.failures == 0 else { return false }
        // Of a DASH manifest one copy is enough to be open.
        guard manifest.mpd == nil else { return false }
        guard let fetchedAt = manifest.fetchedAt, case .media(let playlist) = manifest.playlist else { return true }
        return !playlist.endList && now - fetchedAt >= playlist.targetDuration - Zap.step
    }

    /// What the player will read there, as far as what it reads here tells: the quality that is nearest, its sound; for
    /// libav all others too, because it reads every playlist before it begins.
    private func likelyRenditions(of stream: Stream, _ player: Player, in watched: Stream) -> [Rendition] {
        guard case .multivariant(let list) = stream.top.playlist else {
            stream.likely = stream.renditions.map { $0.key }
            return stream.renditions
        }
        let keys = list.renditionKeys()
        let now = player.playheads.compactMap { watched.rendition($0.rendition)?.bandwidth }.max() ?? 0
        let order = list.variants.indices.sorted {
            (distance(list.variants[$0].bandwidth, now), $0) < (distance(list.variants[$1].bandwidth, now), $1)
        }
        guard let best = order.first else { return [] }
        var wanted = [keys.variants[best]]
        if let group = list.variants[best].audio {
            let sounds = list.renditions.indices.filter { list.renditions[$0].groupID == group }
            wanted += sounds.prefix(1).compactMap { keys.renditions[$0] }
        }
        stream.likely = wanted
        if player.userAgent.hasPrefix("Lavf/") {
            wanted += order.dropFirst().map { keys.variants[$0] } + keys.renditions.compactMap { $0 }
        }
        var seen: Set<RenditionKey> = []
        return wanted.filter { seen.insert($0).inserted }.prefix(Zap.playlists).compactMap { stream.rendition($0) }
    }

    private func distance(_ bandwidth: Int, _ wanted: Int) -> Int {
        let (difference, overflow) = bandwidth.subtractingReportingOverflow(wanted)
        return overflow ? .max : Int(clamping: difference.magnitude)
    }

    /// The initialisation section and the key of the segment that a player would begin with: the third from the end of
    /// a live list (RFC 8216bis 6.3.3), the first of a recording.
    private mutating func warmFirstNeeds(of playlist: MediaPlaylist, _ rendition: Rendition) {
        let start = playlist.endList ? playlist.segments.first : playlist.segments.suffix(3).first
        guard let start else { return }
        if let map = start.map {
            let section = ensureInitialisation(playlist.maps[map], in: rendition)
            // Once: what turned out too large is not begun again.
            if !section.isHeld, rendition.stream.sectionsAhead.insert(section.id).inserted {
                rendition.stream.wanted.append(section)
                replan(rendition.stream)
            }
        }
        if let key = start.key, let url = playlist.keys[key].url { fetchKeyAhead(url, rendition.stream) }
    }

    // MARK: Keys

    private mutating func fetchKeyAhead(_ url: WebURL, _ stream: Stream) {
        let known = stream.keysAhead[url]
        guard known.map({ now - $0.asked > Zap.keyLife }) ?? true, stream.keysAhead.count < 8 else { return }
        stream.keysAhead[url] = KeyAhead(asked: now)
        let request = FetchRequest(url: url.description, purpose: .key)
        _ = begin(request, purpose: .keyAhead(stream, url), host: url.originKey)
    }

    mutating func keyAheadBody(_ stream: Stream, _ payload: any Payload, _ fetch: Fetch) {
        guard fetch.body.count + payload.count <= Zap.keyBytes else { return cancel(fetch) }
        fetch.body += payload.bytes()
        noteSpentAhead(payload.count, on: stream)
    }

    mutating func keyAheadEnded(_ stream: Stream, _ url: WebURL, _ fetch: Fetch, _ end: FetchEnd) {
        guard end == .complete, fetch.head?.status == 200, !fetch.body.isEmpty else { return }
        stream.keysAhead[url]?.bytes = fetch.body
    }

    /// A key: as fetched ahead a moment ago, else from its server. It is kept in memory alone, and never shared.
    mutating func giveKey(_ answer: Answer, _ url: WebURL, _ stream: Stream) {
        guard answer.request.range == nil, let known = stream.keysAhead[url], now - known.asked <= Zap.keyLife,
            let bytes = known.bytes
        else { return relay(answer, url, purpose: .key) }
        let fields = [
            HeaderField("content-type", "application/octet-stream"), HeaderField("cache-control", "no-store"),
        ]
        end(answer, status: 200, fields: fields, body: bytes)
    }
}

/// A key that was asked for before any player did.
struct KeyAhead {
    var asked: Instant
    var bytes: [UInt8]?
}

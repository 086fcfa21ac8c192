// Streams and their manifests: opening, reloading, what a new playlist means.
extension Agent {
    mutating func open(_ id: OpenID, _ request: StreamRequest) {
        let url: WebURL
        do {
            url = try WebURL(parsing: request.url)
        } catch {
            emit(.opened(id, .failed(.badURL, "\(error)")))
            return
        }
        let key = StreamID.derive(url: url)
        if let known = stream(key) {
            if known.isOpen, let path = known.path {
                emit(.opened(id, .ready(known.id, path: path)))
            } else {
                known.openers.append(id)
            }
            return
        }
        guard streams.count < limits.streams else {
            emit(.opened(id, .failed(.refused, "\(limits.streams) streams are open already; close one first")))
            return
        }
        let swarm = SwarmID.derive(url: url, name: request.swarmName ?? settings.swarmName)
        let stream = Stream(id: key, url: url, swarm: swarm, now: now)
        stream.openers.append(id)
        streams.append(stream)
        fetchManifest(stream.top, of: stream, rendition: nil)
    }

    mutating func close(_ id: StreamID) {
        guard let stream = stream(id) else { return }
        leaveSwarm(stream)
        for segment in stream.racing { abandon(segment) }
        for fetch in fetches.values.sorted(by: { $0.id < $1.id }) {
            if belongs(fetch, to: stream) { cancel(fetch) }
        }
        for answer in answers.values.sorted(by: { $0.request.id < $1.request.id }) where belongs(answer, to: stream) {
            end(answer, status: 410, text: "this session was closed\n")
        }
        for rendition in stream.renditions {
            for segment in rendition.allSegments { ledger.release(segment) }
        }
        streams.removeAll { $0 === stream }
    }

    /// Segments do not keep their stream alive, so nothing of it may arrive later.
    private func belongs(_ fetch: Fetch, to stream: Stream) -> Bool {
        switch fetch.purpose {
        case .manifest(_, let owner, _): owner === stream
        case .segment(let segment, _), .audit(let segment, _), .anchor(let segment): segment.rendition.stream === stream
        case .relay: false
        }
    }

    private func belongs(_ answer: Answer, to stream: Stream) -> Bool {
        switch answer.content {
        case .manifest(_, let owner): owner === stream
        case .segment(let segment): segment.rendition.stream === stream
        case .relay, .nothing: false
        }
    }

    // MARK: Fetching manifests

    mutating func fetchManifest(_ manifest: Manifest, of stream: Stream, rendition: Rendition?) {
        guard manifest.fetch == nil else { return }
        let request = FetchRequest(url: manifest.url.description, purpose: .manifest)
        let fetch = begin(request, purpose: .manifest(manifest, stream, rendition), host: manifest.url.originKey)
        manifest.fetch = fetch.id
        manifest.received = []
        manifest.head = nil
        manifest.fetchStartedAt = now
        totals.manifest_requests += 1
    }

    mutating func manifestBody(_ manifest: Manifest, _ payload: any Payload, _ fetch: Fetch) {
        guard manifest.received.count + payload.count <= limits.manifestBytes else {
            cancel(fetch)
            manifestFailed(manifest, fetch, .notAManifest("larger than \(limits.manifestBytes) bytes"))
            return
        }
        manifest.received += payload.bytes()
    }

    mutating func manifestEnded(_ manifest: Manifest, _ fetch: Fetch, _ end: FetchEnd) {
        guard let head = manifest.head else {
            manifestFailed(manifest, fetch, .transport(reason(of: end)))
            return
        }
        guard head.status == 200 else {
            manifestFailed(manifest, fetch, .status(head.status))
            return
        }
        // A playlist cut short may still parse, and would lose segments.
        guard end == .complete else {
            manifestFailed(manifest, fetch, .transport(reason(of: end)))
            return
        }
        let base = (try? WebURL(parsing: head.url)) ?? manifest.url
        do {
            let playlist = try HLSPlaylist.parse(manifest.received, url: base, limits: limits)
            manifestArrived(manifest, playlist, base: base, fetch)
        } catch {
            manifestFailed(manifest, fetch, .notAManifest("\(error)"))
        }
    }

    private func reason(of end: FetchEnd) -> String {
        switch end {
        case .complete: "the connection closed"
        case .failed(let failure): failure.description
        }
    }

    private mutating func manifestArrived(
        _ manifest: Manifest,
        _ playlist: HLSPlaylist,
        base: WebURL,
        _ fetch: Fetch
    ) {
        guard case .manifest(_, let stream, let rendition) = fetch.purpose else { return }
        let digest = Digest.sha256(manifest.received)
        let isNew = digest != manifest.digest
        manifest.fetch = nil
        manifest.received = []
        manifest.answeredBy = base
        manifest.playlist = playlist
        manifest.digest = digest
        manifest.fetchedAt = now
        manifest.failures = 0
        manifest.lastFailure = nil
        if isNew { manifest.changedAt = now }
        if manifest === stream.top { adopt(playlist, in: stream) }
        if let rendition = rendition ?? stream.renditions.first(where: { $0.manifest === manifest }) {
            playlistChanged(rendition, isNew: isNew)
        }
        answerManifest(manifest, stream)
        if manifest === stream.top, !stream.isOpen { openedStream(stream) }
        replan(stream)
    }

    private mutating func manifestFailed(_ manifest: Manifest, _ fetch: Fetch, _ failure: ManifestFailure) {
        guard case .manifest(_, let stream, let rendition) = fetch.purpose else { return }
        manifest.fetch = nil
        manifest.received = []
        manifest.failures += 1
        manifest.lastFailure = failure
        // Whoever opens the stream is told; a line of its own would say it twice.
        log(
            stream.isOpen ? .warning : .debug,
            "manifest not available",
            [("stream", stream.id.text), ("why", failure.description)]
        )
        if case .status(let status) = failure, status == 403 || status == 410, let rendition {
            // The origin is the gate: what it no longer serves, peers no longer get.
            withdraw(rendition)
        }
        if manifest === stream.top, !stream.isOpen {
            for opener in stream.openers { emit(.opened(opener, .failed(failure.openFailure, failure.description))) }
            close(stream.id)
            return
        }
        answerManifest(manifest, stream)
        scheduleReload(manifest, stream, rendition)
    }

    private mutating func withdraw(_ rendition: Rendition) {
        guard !rendition.isWithdrawn else { return }
        rendition.isWithdrawn = true
        for segment in rendition.allSegments where segment.announced != nil { announce(segment, .gone) }
    }

    private mutating func openedStream(_ stream: Stream) {
        stream.isOpen = true
        guard let path = stream.path else { return }
        log(.info, "stream open", [("stream", stream.id.text), ("swarm", stream.swarm.description)])
        for opener in stream.openers { emit(.opened(opener, .ready(stream.id, path: path))) }
        stream.openers = []
        joinSwarm(stream)
        agenda.note(.house, at: now + .seconds(5))
    }

    /// Renditions as the manifest at the stream's URL lists them; those that are known stay as they are.
    private mutating func adopt(_ playlist: HLSPlaylist, in stream: Stream) {
        switch playlist {
        case .media:
            guard stream.renditions.isEmpty else { return }
            stream.add(
                Rendition(key: .main, stream: stream, manifest: stream.top, isShared: true, isSubtitles: false)
            )
        case .multivariant(let list):
            let keys = list.renditionKeys()
            for (variant, key) in zip(list.variants, keys.variants) {
                addRendition(key, variant.url, to: stream, isShared: true)
            }
            for (rendition, key) in zip(list.renditions, keys.renditions) {
                guard let url = rendition.url, let key else { continue }
                let isSubtitles = rendition.type == .subtitles
                addRendition(key, url, to: stream, isShared: !isSubtitles, isSubtitles: isSubtitles)
            }
            for (frames, key) in zip(list.iFrameStreams, keys.iFrameStreams) {
                addRendition(key, frames.url, to: stream, isShared: false)
            }
        }
    }

    private func addRendition(
        _ key: RenditionKey,
        _ url: WebURL,
        to stream: Stream,
        isShared: Bool,
        isSubtitles: Bool = false
    ) {
        guard stream.renditions.count < limits.renditions else { return }
        if let known = stream.rendition(key) {
            // A reloaded master mints new tokens: the newest address wins.
            known.manifest.url = url
            return
        }
        stream.add(
            Rendition(
                key: key,
                stream: stream,
                manifest: Manifest(url: url),
                isShared: isShared,
                isSubtitles: isSubtitles
            )
        )
    }

    // MARK: What a playlist says

    private mutating func playlistChanged(_ rendition: Rendition, isNew: Bool) {
        guard let playlist = rendition.playlist else { return }
        let stream = rendition.stream
        rendition.isWithdrawn = false
        if isNew {
            for entry in playlist.segments.suffix(rendition.isLive ? 64 : 0) where !entry.gap {
                _ = ensureSegment(entry, in: rendition)
            }
            forgetOldSegments(rendition)
            tellInterest(rendition, force: false)
        }
        scheduleReload(rendition.manifest, stream, rendition)
    }

    /// The state of a listed segment, made when it is first needed.
    mutating func ensureSegment(_ entry: MediaSegment, in rendition: Rendition) -> Segment {
        if let known = rendition.media[entry.sequence] {
            let name = Edition.nameHash(of: entry.url)
            // The same number may come to stand for something else (a restarted packager): begin anew, unless it is
            // being delivered just now.
            guard known.edition.name != name || known.id.range != entry.byteRange, known.answers.isEmpty else {
                return known
            }
            drop(known)
        }
        let id = SegmentID(
            rendition: rendition.key,
            kind: .media,
            number: entry.sequence,
            range: entry.byteRange
        )
        let segment = Segment(
            id: id,
            url: entry.url,
            duration: entry.duration,
            name: Edition.nameHash(of: entry.url),
            rendition: rendition,
            listedAt: now
        )
        rendition.media[entry.sequence] = segment
        return segment
    }

    mutating func ensureInitialisation(_ map: MediaMap, in rendition: Rendition) -> Segment {
        let id = map.id(of: rendition.key)
        if let known = rendition.initialisation[id.number] { return known }
        let segment = Segment(
            id: id,
            url: map.url,
            duration: .zero,
            name: Edition.nameHash(of: map.url),
            rendition: rendition,
            listedAt: now
        )
        rendition.initialisation[id.number] = segment
        return segment
    }

    /// Segments that left the window and hold nothing need no record any more.
    private mutating func forgetOldSegments(_ rendition: Rendition) {
        guard rendition.isLive, let first = rendition.first, rendition.media.count > 128 else { return }
        for number in rendition.media.keys.sorted() where number < first {
            guard let segment = rendition.media[number], segment.phase == .absent, segment.answers.isEmpty,
                segment.runs.isEmpty
            else { continue }
            rendition.media[number] = nil
        }
    }

    // MARK: Reloads

    /// Weir's own reloads: only while somebody plays and there is somebody to share with; alone it asks for nothing
    /// that its player does not ask for.
    mutating func scheduleReload(_ manifest: Manifest, _ stream: Stream, _ rendition: Rendition?) {
        guard let rendition, rendition.isLive, isPlaying(rendition), hasSwarm(stream) else { return }
        let sinceChange = manifest.changedAt == manifest.fetchedAt
        let wait =
            manifest.failures > 0 || !sinceChange
            ? rendition.targetDuration / 2 : rendition.targetDuration
        let due = (manifest.fetchedAt ?? now) + wait
        manifest.nextReload = max(due, now + .milliseconds(200))
        agenda.note(.reload(stream.id, rendition.key), at: manifest.nextReload ?? now)
    }

    mutating func reloadIfDue(_ id: StreamID, _ key: RenditionKey?) {
        guard let stream = stream(id), let key, let rendition = stream.rendition(key) else { return }
        let manifest = rendition.manifest
        guard let due = manifest.nextReload else { return }
        guard due <= now else {
            agenda.note(.reload(id, key), at: due)
            return
        }
        manifest.nextReload = nil
        guard rendition.isLive, isPlaying(rendition), hasSwarm(stream) else { return }
        fetchManifest(manifest, of: stream, rendition: rendition)
    }

    /// A peer speaks of a segment that our playlist does not list yet: look again, but not more often than a player
    /// that polls eagerly would.
    mutating func reloadOnHint(_ rendition: Rendition) {
        let manifest = rendition.manifest
        guard rendition.isLive, isPlaying(rendition), manifest.fetch == nil else { return }
        if let started = manifest.fetchStartedAt, now - started < min(.milliseconds(500), rendition.targetDuration / 4)
        {
            manifest.nextReload = started + min(.milliseconds(500), rendition.targetDuration / 4)
            agenda.note(.reload(rendition.stream.id, rendition.key), at: manifest.nextReload ?? now)
            return
        }
        fetchManifest(manifest, of: rendition.stream, rendition: rendition)
    }

    /// Somebody asked for media of it lately.
    func isPlaying(_ rendition: Rendition) -> Bool {
        rendition.stream.players.contains { player in
            player.playheads.contains {
                $0.rendition == rendition.key && now - $0.head.lastRequest < idleAfter(rendition)
            }
        }
    }

    /// Without a media request for this long a player counts as gone.
    func idleAfter(_ rendition: Rendition) -> Duration {
        rendition.isLive ? max(.seconds(6), rendition.targetDuration * 3) : .seconds(30)
    }
}

extension Rendition {
    /// In a fixed order.
    var allSegments: [Segment] {
        initialisation.keys.sorted().compactMap { initialisation[$0] } + media.keys.sorted().compactMap { media[$0] }
    }
}

extension ManifestFailure: CustomStringConvertible {
    var description: String {
        switch self {
        case .status(let status): "the server answered \(status)"
        case .transport(let reason): reason
        case .notAManifest(let reason): reason
        }
    }

    var openFailure: OpenFailure {
        switch self {
        case .status, .transport: .unreachable
        case .notAManifest: .notAManifest
        }
    }
}

extension FetchFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .refused: "the connection was refused"
        case .nameUnknown: "the host name is unknown"
        case .connectTimeout: "no connection within the time allowed"
        case .idleTimeout: "the server fell silent"
        case .tls(let reason): "TLS: \(reason)"
        case .truncated: "the connection closed too early"
        case .redirect(let reason): "redirect: \(reason)"
        case .malformed(let reason): "malformed HTTP: \(reason)"
        case .other(let reason): reason
        }
    }
}

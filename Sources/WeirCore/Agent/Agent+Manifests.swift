// Playlists: fetched once for all who ask, read, and turned into segments.
extension Agent {
    /// - Parameter directives: what the origin should wait for before it answers.
    mutating func fetchManifest(
        _ manifest: Manifest,
        of stream: Stream,
        rendition: Rendition?,
        directives: DeliveryDirectives? = nil
    ) {
        guard manifest.fetch == nil else { return }
        let url = directives?.added(to: manifest.url) ?? manifest.url
        let request = FetchRequest(url: url.description, purpose: .manifest)
        manifest.isHeldUpstream = directives != nil
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
        guard !MPD.isXML(manifest.received) else {
            do {
                mpdArrived(manifest, try MPD.parse(manifest.received, url: base, limits: limits), base: base, fetch)
            } catch {
                manifestFailed(manifest, fetch, .notAManifest("\(error)"))
            }
            return
        }
        guard manifest.mpd == nil else {
            return manifestFailed(manifest, fetch, .notAManifest("the DASH manifest became something else"))
        }
        do {
            var imported = PlaylistVariables()
            if case .manifest(_, let stream, .some) = fetch.purpose, let top = stream.top.playlist {
                imported = top.variables
            }
            let playlist = try HLSPlaylist.parse(manifest.received, url: base, limits: limits, importing: imported)
            manifestArrived(manifest, playlist, base: base, fetch)
        } catch {
            manifestFailed(manifest, fetch, .notAManifest("\(error)"))
        }
    }

    func reason(of end: FetchEnd) -> String {
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
        let before = manifest.playlist
        manifest.playlist = playlist
        manifest.digest = digest
        manifest.fetchedAt = now
        manifest.failures = 0
        manifest.lastFailure = nil
        if isNew {
            manifest.changedAt = now
            manifest.vainHints = 0
        }
        if manifest === stream.top { adopt(playlist, in: stream) }
        if let rendition = rendition ?? stream.renditions.first(where: { $0.manifest === manifest }) {
            if isNew, case .media(let old) = before, case .media(let new) = playlist {
                forgetIfRestarted(rendition, from: old, to: new)
            }
            playlistChanged(rendition, isNew: isNew)
            noteParts(rendition, isNew: isNew)
        }
        answerManifest(manifest, stream)
        if manifest === stream.top, !stream.isOpen { openedStream(stream) }
        replan(stream)
    }

    mutating func manifestFailed(_ manifest: Manifest, _ fetch: Fetch, _ failure: ManifestFailure) {
        guard case .manifest(_, let stream, let asked) = fetch.purpose else { return }
        let rendition = asked ?? stream.renditions.first { $0.manifest === manifest && isPlaying($0) }
        // Where a DASH manifest said that it is may be gone; where it was opened may say more.
        if manifest === stream.top { manifest.url = stream.url }
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
            for own in stream.renditions where own === rendition || own.manifest === rendition.manifest {
                withdraw(own)
            }
        }
        if manifest === stream.top, !stream.isOpen {
            for opener in stream.openers { emit(.opened(opener, .failed(failure.openFailure, failure.description))) }
            answerManifest(manifest, stream)
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

    /// The origin serves it again: peers learn anew what is held.
    mutating func restore(_ rendition: Rendition) {
        rendition.isWithdrawn = false
        for segment in rendition.allSegments where segment.isHeld && segment.originOnly == nil {
            announce(segment, .held)
        }
    }

    // MARK: What a playlist says

    mutating func playlistChanged(_ rendition: Rendition, isNew: Bool) {
        guard let listing = rendition.listing else { return }
        let stream = rendition.stream
        if rendition.isWithdrawn { restore(rendition) }
        if isNew {
            for index in (listing.isComplete ? listing.count : max(0, listing.count - 64))..<listing.count {
                let entry = listing[index]
                if !entry.isGap { _ = ensureSegment(entry, in: rendition) }
            }
            forgetOldSegments(rendition)
            tellInterest(rendition, force: false)
        }
        scheduleReload(rendition.manifest, stream, rendition)
    }

    /// The state of a listed segment, made when it is first needed.
    mutating func ensureSegment(_ entry: ListedSegment, in rendition: Rendition) -> Segment {
        let url = entry.url
        if let known = rendition.media[entry.number] {
            known.numbers = entry.numbers
            noteAvailability(known)
            // The same number may come to stand for something else (a restarted packager): begin anew.
            guard known.url != url || known.id.range != entry.byteRange else { return known }
            let name = Edition.nameHash(of: url)
            if known.edition.name == name, known.id.range == entry.byteRange {
                // A reloaded list mints new tokens: the newest address wins.
                known.url = url
                return known
            }
            replace(known)
        }
        let id = SegmentID(
            rendition: rendition.key,
            kind: .media,
            number: entry.number,
            range: entry.byteRange
        )
        let segment = Segment(
            id: id,
            url: url,
            duration: entry.duration,
            name: Edition.nameHash(of: url),
            rendition: rendition,
            listedAt: now
        )
        segment.numbers = entry.numbers
        noteAvailability(segment)
        rendition.media[entry.number] = segment
        return segment
    }

    mutating func ensureInitialisation(_ map: MediaMap, in rendition: Rendition) -> Segment {
        ensureInitialisation(map.id(of: rendition.key), map.url, in: rendition)
    }

    mutating func ensureInitialisation(_ id: SegmentID, _ url: WebURL, in rendition: Rendition) -> Segment {
        if let known = rendition.initialisation[id.number] {
            known.url = url
            return known
        }
        let segment = Segment(
            id: id,
            url: url,
            duration: .zero,
            name: Edition.nameHash(of: url),
            rendition: rendition,
            listedAt: now
        )
        rendition.initialisation[id.number] = segment
        return segment
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

// Playlists: fetched once for all who ask, read, and turned into segments.
extension Agent {
    /// - Parameters:
    ///   - directives: what the origin should wait for before it answers.
    ///   - other: asked instead of the manifest's own address.
    mutating func fetchManifest(
        _ manifest: Manifest,
        of stream: Stream,
        rendition: Rendition?,
        directives: DeliveryDirectives? = nil,
        at other: WebURL? = nil
    ) {
        guard manifest.fetch == nil else { return }
        let patch = other == nil && directives == nil ? patchOffer(manifest) : nil
        let url = other ?? patch ?? directives?.added(to: manifest.url) ?? manifest.url
        manifest.isPatching = patch != nil
        let request = FetchRequest(url: url.description, purpose: .manifest)
        manifest.isFallback = other != nil
        manifest.isHeldUpstream = directives != nil
        let fetch = begin(request, purpose: .manifest(manifest, stream, rendition), host: url.originKey)
        manifest.fetch = fetch.id
        manifest.wasFetchedAhead = stream.isAhead
        manifest.received = []
        manifest.head = nil
        manifest.fetchStartedAt = now
        totals.manifest_requests += 1
    }

    mutating func manifestBody(_ manifest: Manifest, _ payload: any Payload, _ fetch: Fetch) {
        guard case .manifest(_, let stream, _) = fetch.purpose else { return }
        let most = stream.isAhead ? min(limits.manifestBytes, Int(clamping: zapAllowance)) : limits.manifestBytes
        guard manifest.received.count + payload.count <= most else {
            cancel(fetch)
            manifestFailed(manifest, fetch, .notAManifest("larger than \(most) bytes"))
            return
        }
        noteSpentAhead(payload.count, on: stream)
        let hadStart = manifest.received.count >= HLSPlaylist.startCount
        manifest.received += payload.bytes()
        // Live media behind an address that looked like a manifest's never ends.
        if !hadStart, manifest.received.count >= HLSPlaylist.startCount,
            let refusal = HLSPlaylist.refusal(ofStart: manifest.received)
        {
            cancel(fetch)
            manifestFailed(manifest, fetch, .notAManifest("\(refusal)"))
        }
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
        if manifest.isPatching { return patchArrived(manifest, fetch) }
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
            let bytes = try PlaylistCoding.decoded(manifest.received, head, limits: limits)
            let playlist = try HLSPlaylist.parse(bytes, url: base, limits: limits, importing: imported)
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
        let reader = rendition ?? stream.renditions.first { $0.manifest === manifest }
        if !(reader?.isReadElsewhere ?? false), isOlderCopy(playlist, of: manifest, stream) {
            manifest.fetch = nil
            manifest.received = []
            manifest.fetchedAt = now
            manifest.failures = 0
            manifest.lastFailure = nil
            answerManifest(manifest, stream)
            if let rendition { scheduleReload(manifest, stream, rendition) }
            return replan(stream)
        }
        let digest = Digest.sha256(manifest.received)
        let isNew = digest != manifest.digest
        manifest.fetch = nil
        manifest.received = []
        let isFromElsewhere = manifest.answeredBy.map { $0.withoutQuery != base.withoutQuery } ?? false
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
        if manifest === stream.top {
            adopt(playlist, in: stream)
            continueRenewals(stream)
        }
        if let rendition = rendition ?? stream.renditions.first(where: { $0.manifest === manifest }) {
            let hadRestarted = manifest.condition == .restarted
            if isNew, case .media(let old) = before, case .media(let new) = playlist {
                forgetIfRestarted(rendition, from: old, to: new)
                noteJump(from: old, to: new, stream)
            }
            let isOtherServer = rendition.listedBy?.server != rendition.place?.server
            rendition.listedBy = rendition.place
            if isFromElsewhere || rendition.isRenewing {
                var old: MediaPlaylist?
                if case .media(let list) = before { old = list }
                readdress(rendition, from: old, isOtherServer: isOtherServer)
            }
            endRenewal(rendition)
            let isRestart = manifest.condition == .restarted && !hadRestarted
            if !isRestart { judge(manifest, playlist, isNew: isNew, stream) }
            playlistChanged(rendition, isNew: isNew)
            noteParts(rendition, isNew: isNew)
        }
        answerManifest(manifest, stream)
        if manifest === stream.top, !stream.isOpen { openedStream(stream) }
        if stream.isAhead { agenda.note(.warm, at: now) }
        replan(stream)
    }

    mutating func manifestFailed(_ manifest: Manifest, _ fetch: Fetch, _ failure: ManifestFailure) {
        guard case .manifest(_, let stream, let asked) = fetch.purpose else { return }
        if manifest.isPatching { return abandonPatch(manifest, fetch, failure) }
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
        if stream.isOpen { setCondition(.failing(failure.description), of: manifest, stream) }
        if askFallback(manifest, stream, rendition, failure) { return }
        if case .status(let status) = failure, Agent.mayHaveExpired(status), let rendition,
            manifest !== stream.top, !rendition.isRenewing, renew(rendition)
        {
            return
        }
        renewalFailed(manifest, stream)
        if case .status(let status) = failure, Agent.mayHaveExpired(status), let rendition {
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
        if let rendition, !rendition.isPresented, failOver(rendition, why: failure.description) { return }
        answerManifest(manifest, stream)
        scheduleReload(manifest, stream, rendition)
    }

    /// The server that redirects is down: the one that it led to last time may be up. What redirects is asked first each
    /// time, because it chooses (RFC 9110 15.4).
    private mutating func askFallback(
        _ manifest: Manifest,
        _ stream: Stream,
        _ rendition: Rendition?,
        _ failure: ManifestFailure
    ) -> Bool {
        guard let last = manifest.answeredBy, last.originKey != manifest.url.originKey, !manifest.isFallback else {
            return false
        }
        switch failure {
        case .transport: break
        case .status(let status) where status >= 500: break
        case .status, .notAManifest: return false
        }
        fetchManifest(manifest, of: stream, rendition: rendition, at: last)
        return true
    }

    private mutating func withdraw(_ rendition: Rendition) {
        guard !rendition.isWithdrawn else { return }
        rendition.isWithdrawn = true
        for segment in rendition.allSegments where segment.announced != nil { announce(segment, .gone) }
    }

    /// The origin serves it again: peers learn anew what is held.
    mutating func restore(_ rendition: Rendition) {
        rendition.isWithdrawn = false
        for segment in rendition.allSegments
        where segment.isKept && segment.originOnly == nil && !segment.isPutTogether {
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
            extendWindow(rendition)
            forgetOldSegments(rendition)
            tellInterest(rendition, force: false)
        }
        scheduleReload(rendition.manifest, stream, rendition)
    }

    /// The state of a listed segment, made when it is first needed.
    mutating func ensureSegment(_ entry: ListedSegment, in rendition: Rendition) -> Segment {
        let known = rendition.media[entry.number]
        // Resolving and comparing addresses takes its time, and every look at the races comes by here.
        let isStatic = rendition.representation == nil && !rendition.isParts
        if isStatic, let known, known.listedIn == rendition.manifest.copies { return known }
        let segment = adopt(entry, known, in: rendition)
        segment.listedIn = rendition.manifest.copies
        return segment
    }

    private mutating func adopt(_ entry: ListedSegment, _ known: Segment?, in rendition: Rendition) -> Segment {
        let url = entry.url
        if let known {
            known.numbers = entry.numbers
            noteAvailability(known)
            // The same number may come to stand for something else (a restarted packager): begin anew.
            guard known.url != url || known.id.range != entry.byteRange else { return known }
            let name = entry.name
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
            name: entry.name,
            rendition: rendition,
            listedAt: now
        )
        segment.numbers = entry.numbers
        noteAvailability(segment)
        rendition.media[entry.number] = segment
        return segment
    }

    mutating func ensureInitialisation(_ map: MediaMap, in rendition: Rendition) -> Segment {
        ensureInitialisation(map.id(of: rendition.key), map.url, name: Edition.nameHash(of: map.url), in: rendition)
    }

    /// - Parameter name: of its edition.
    mutating func ensureInitialisation(
        _ id: SegmentID,
        _ url: WebURL,
        name: UInt64,
        in rendition: Rendition
    ) -> Segment {
        if let known = rendition.initialisation[id.number] {
            known.url = url
            return known
        }
        let segment = Segment(
            id: id,
            url: url,
            duration: .zero,
            name: name,
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

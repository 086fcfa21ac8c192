// DASH manifests: what they say becomes renditions that share one manifest.
extension Agent {
    /// How often the origin is asked again what time it is.
    static let clockPeriod = Duration.seconds(600)

    mutating func mpdArrived(_ manifest: Manifest, _ mpd: MPD, base: WebURL, _ fetch: Fetch) {
        guard case .manifest(_, let stream, _) = fetch.purpose else { return }
        guard manifest === stream.top, manifest.playlist == nil else {
            return manifestFailed(manifest, fetch, .notAManifest("the playlist became a DASH manifest"))
        }
        if let date = manifest.head?.first("date").flatMap({ WallTime(httpDate: $0) }) {
            let age = manifest.head?.first("age").flatMap { Int($0) }.map { Duration.seconds(min(86_400, max(0, $0))) }
            stream.clock.note(date + (age ?? .zero), at: now, from: .answer, isCoarse: true)
        }
        manifest.answeredBy = base
        manifest.coming = mpd
        adoptSteering(mpd.steering, in: stream)
        // Until its indexes are read the manifest counts as being fetched.
        readIndexes(manifest, stream)
    }

    /// All that a new copy needs is there.
    mutating func adoptPresentation(_ manifest: Manifest, _ stream: Stream) {
        guard var mpd = manifest.coming else { return }
        manifest.coming = nil
        for representation in mpd.representations where representation.index != nil {
            if let index = manifest.indexes[representation.key]?.finished(for: representation) {
                mpd.adopt(index, for: representation.key)
            } else {
                mpd.abandonIndex(of: representation.key)
            }
        }
        let digest = Digest.sha256(manifest.received)
        let isNew = digest != manifest.digest
        manifest.fetch = nil
        manifest.received = []
        manifest.mpd = mpd
        manifest.digest = digest
        manifest.fetchedAt = now
        manifest.failures = 0
        manifest.lastFailure = nil
        // Where it says that it is, unless it is there already.
        manifest.url = mpd.locations.first ?? manifest.url
        if isNew {
            manifest.changedAt = now
            manifest.vainHints = 0
            adopt(mpd, in: stream)
        }
        for rendition in stream.renditions {
            if rendition.isWithdrawn { restore(rendition) }
            endRenewal(rendition)
        }
        answerManifest(manifest, stream)
        if !stream.isOpen { openedStream(stream) }
        askTime(of: stream, mpd)
        if let playing = stream.renditions.first(where: { isPlaying($0) }) {
            scheduleReload(manifest, stream, playing)
        }
        replan(stream)
    }

    private mutating func adopt(_ mpd: MPD, in stream: Stream) {
        var listed: Set<RenditionKey> = []
        for representation in mpd.representations {
            listed.insert(representation.key)
            if representation.hasSequences { tellSequences(stream) }
            guard representation.isCarried else { continue }
            adopt(representation, in: stream)
        }
        let gone = stream.renditions.filter { !listed.contains($0.key) && !isPlaying($0) }
        for rendition in gone { forget(rendition) }
    }

    private mutating func tellSequences(_ stream: Stream) {
        guard !stream.hasToldSequences else { return }
        stream.hasToldSequences = true
        log(
            .notice,
            "segment sequences ($SubNumber$) are not carried; players fetch them from the origin",
            [("stream", stream.id.text)]
        )
    }

    private mutating func adopt(_ representation: Representation, in stream: Stream) {
        if stream.rendition(representation.key) == nil {
            guard stream.renditions.count < limits.representations else { return }
            let isText = representation.content == .text
            let isShared = !isText && representation.content != .image
            let rendition = Rendition(
                key: representation.key,
                stream: stream,
                manifest: stream.top,
                isShared: isShared,
                isSubtitles: isText
            )
            rendition.bandwidth = representation.bandwidth
            stream.add(rendition)
        }
        guard let rendition = stream.rendition(representation.key) else { return }
        let before = rendition.representation?.representation
        rendition.listed = places(of: representation, in: stream)
        rendition.places = stream.steering.withClones(rendition.listed)
        let place = stream.steering.choice(among: rendition.places, at: now) ?? rendition.listed[0]
        let old = rendition.place
        list(representation, of: rendition, at: place)
        if rendition.isRenewing || old.map({ $0.url != place.url }) ?? false {
            readdress(rendition, isOtherServer: old?.server != place.server)
        }
        if let before, beganAnew(before, representation) {
            log(.notice, "a presentation began anew", [("stream", stream.id.text)])
            for segment in rendition.allSegments { replace(segment) }
        }
        guard isPlaying(rendition) || rendition.toldPosition != nil else { return }
        if let listing = rendition.listing {
            for index in max(0, listing.count - 8)..<listing.count { _ = ensureSegment(listing[index], in: rendition) }
        }
        forgetOldSegments(rendition)
        tellInterest(rendition, force: false)
    }

    /// A packager that begins anew names other media by the names it used before.
    private func beganAnew(_ old: Representation, _ new: Representation) -> Bool {
        guard old.isDynamic else { return false }
        if let before = old.availabilityStart, let after = new.availabilityStart,
            (before - after).nanoseconds.magnitude > Duration.seconds(60).nanoseconds.magnitude, !old.table.isTimed
        {
            return true
        }
        guard !old.isOpenEnded, !new.isOpenEnded, let oldFirst = old.segment(at: 0)?.name,
            let newLast = new.table.lastPlace.flatMap({ new.segment(at: $0)?.name })
        else { return false }
        return newLast < oldFirst
    }

    /// A rendition of a period that is over. Whatever still refers to its segments goes with it.
    private mutating func forget(_ rendition: Rendition) {
        let isRead = answers.values.contains { answer in
            if case .segment(let segment) = answer.content { return segment.rendition === rendition }
            return false
        }
        guard !isRead else { return }
        for segment in rendition.allSegments {
            drop(segment)
            refuseUploads(of: segment)
        }
        for fetch in fetches.values.sorted(by: { $0.id < $1.id }) {
            switch fetch.purpose {
            case .segment(let segment, _), .audit(let segment, _), .check(let segment, _, _), .anchor(let segment):
                if segment.rendition === rendition { cancel(fetch) }
            case .beside(let owner, _): if owner === rendition { cancel(fetch) }
            case .manifest, .relay, .index, .clock, .steering, .keyAhead: break
            }
        }
        for link in links {
            link.queries = link.queries.filter { $0.value.rendition !== rendition }
            link.uploads.removeAll { $0.segment.rendition === rendition }
        }
        let stream = rendition.stream
        for player in stream.players { player.playheads.removeAll { $0.rendition == rendition.key } }
        stream.remove { $0 === rendition }
    }

    // MARK: Answers

    /// The manifest as its players get it.
    func localPresentation(_ mpd: MPD, _ stream: Stream, for answer: Answer) -> [UInt8] {
        // From the root, as in playlists: FFmpeg takes relative addresses by where it asked, and not by where it was
        // led to. Parts that players fetch from the origin keep the origin's base, under which ours must be whole.
        let path = LocalPath.presentation(stream.id).text.dropLast("manifest.mpd".utf8.count)
        let base = (mpd.hasRemoteParts ? answer.request.authority.map { "http://\($0)" } ?? "" : "") + path
        return mpd.rewritten(liveOffset: settings.liveOffset) { "\(base)\($0.key.padded)/" }
    }

    func isFresh(_ manifest: Manifest, _ mpd: MPD, age: Duration) -> Bool {
        guard mpd.isDynamic else { return age < (manifest.wasServed ? .seconds(10) : .seconds(300)) }
        let target = max(.seconds(1), mpd.maxSegmentDuration ?? .seconds(2))
        if !manifest.wasServed, age < target / 2 { return true }
        return age < min(target / 4, .milliseconds(500))
    }

    /// A representation's initialisation section, which has one address for as long as the representation lives.
    mutating func ensureInitialisation(of rendition: Rendition) -> Segment? {
        guard let listed = rendition.representation, let resource = listed.representation.initialisation else {
            return nil
        }
        let url = listed.sectionURL(at: listed.place) ?? resource.url
        let name = Edition.nameHash(of: resource.url)
        return ensureInitialisation(resource.id(of: rendition.key), url, name: name, in: rendition)
    }

    /// At a period's end players go on with the next period's rendition and with what they have buffered; so do those
    /// that turn to another quality.
    func newPlayhead(of player: Player, in rendition: Rendition, at numbers: Range<UInt64>) -> Playhead {
        if let buffer = bufferElsewhere(of: player, before: rendition, at: numbers.lowerBound) {
            return Playhead(start: numbers, continuing: buffer, at: now)
        }
        guard let key = rendition.representation?.representation.before, let place = player.place(of: key),
            let before = rendition.stream.rendition(key), let end = before.newest,
            player.playheads[place].head.next > end,
            now - player.playheads[place].head.lastRequest < idleAfter(before)
        else { return Playhead(start: numbers, at: now) }
        return Playhead(start: numbers, continuing: player.playheads[place].head.buffer(at: now), at: now)
    }

    // MARK: What time it is

    /// Only for the sake of fetching ahead: alone, weir asks for nothing that its player does not ask for.
    private mutating func askTime(of stream: Stream, _ mpd: MPD) {
        guard mpd.isDynamic, hasSwarm(stream), stream.clock.askedAt.map({ now - $0 > Agent.clockPeriod }) ?? true else {
            return
        }
        for timing in mpd.timings {
            if timing.scheme == .direct, let time = WallTime(dateTime: timing.value) {
                return stream.clock.note(time, at: now, from: .timing, isCoarse: true)
            }
            guard let url = timing.urls(from: mpd.url).first else { continue }
            stream.clock.askedAt = now
            let method: FetchRequest.Method = timing.scheme == .head ? .head : .get
            let request = FetchRequest(method: method, url: url.description, purpose: .other)
            _ = begin(request, purpose: .clock(stream, timing.scheme), host: url.originKey)
            return
        }
    }

    mutating func clockBody(_ payload: any Payload, _ fetch: Fetch) {
        guard fetch.body.count + payload.count <= 256 else { return cancel(fetch) }
        fetch.body += payload.bytes()
    }

    mutating func clockEnded(_ stream: Stream, _ scheme: UTCTiming.Scheme, _ fetch: Fetch, _ end: FetchEnd) {
        guard end == .complete, let head = fetch.head, (200..<300).contains(head.status), let headAt = fetch.headAt
        else {
            return log(.info, "the origin does not say what time it is", [("host", fetch.host)])
        }
        let text = scheme == .head ? head.first("date") ?? "" : fetch.body[...].text
        let time = scheme == .head ? WallTime(httpDate: text) : WallTime(dateTime: text)
        guard let time else { return }
        // The answer was made about half-way between question and answer.
        let moment = headAt - (headAt - fetch.startedAt) / 2
        stream.clock.note(time, at: moment, from: .timing, isCoarse: scheme == .head)
        replan(stream)
    }
}

extension Rendition {
    /// How long after news the next may be expected; nil: a reload tells nothing.
    var reloadPeriod: Duration? {
        guard let mpd = manifest.mpd else { return targetDuration }
        return mpd.minimumUpdatePeriod.map { max($0, targetDuration) }
    }
}

extension Representation.Resource {
    /// Tokens in directories and queries do not count.
    func id(of rendition: RenditionKey) -> SegmentID {
        var text = "init|\(url.lastPathPart)"
        if let range { text += "|\(range.offset)+\(range.length)" }
        return SegmentID(
            rendition: rendition,
            kind: .initialisation,
            number: Digest.sha256(text).prefix,
            range: range
        )
    }
}

// What players ask for: routing, manifests, keys, and the end of answers. Segments' bodies: Agent+Answers.
extension Agent {
    /// No answer begins later than this: players give up at about ten seconds.
    static let firstByteTime = Duration.seconds(7)
    /// With a copy in hand, a silent upstream keeps no player waiting longer than this.
    static let manifestPatience = Duration.milliseconds(1500)
    /// How old a copy may be that stands in for a silent upstream: libav ends playback at an error, while a list
    /// without news only makes it ask again.
    static let staleManifest = Duration.seconds(60)

    mutating func playerAsks(_ request: PlayerRequest) {
        let answer = Answer(request: request, arrived: now, content: .nothing)
        guard answers[request.id] == nil else { return }
        answers[request.id] = answer
        guard !isStopping else { return end(answer, status: 503, text: "weir is stopping\n") }
        guard let path = LocalPath(target: request.target) else {
            return end(answer, status: 404, text: "no such resource\n")
        }
        if let id = path.stream, stream(id)?.isOver ?? false { return noStream(answer) }
        switch path {
        case .play(let url): play(answer, url: url)
        case .channels: listChannels(answer)
        case .channel(let slug, _, let query): openChannel(answer, slug: slug, query: query)
        case .master(let id):
            guard let stream = stream(id), case .multivariant = stream.top.playlist else { return noStream(answer) }
            askManifest(answer, stream.top, stream, nil)
        case .presentation(let id):
            guard let stream = stream(id), stream.top.mpd != nil else { return noStream(answer) }
            askManifest(answer, stream.top, stream, nil)
        case .continuous, .preview, .contactSheet:
            // The shell answers these itself where it can.
            end(answer, status: 501, text: "outputs made of media are not available here; open the playlist\n")
        case .onlyInitialisation(let id, let key, _):
            guard let rendition = stream(id)?.rendition(key), let segment = ensureInitialisation(of: rendition) else {
                return noStream(answer)
            }
            begin(answer, segment)
        case .index(let id, let key):
            guard let stream = stream(id), let rendition = stream.rendition(key) else { return noStream(answer) }
            askManifest(answer, rendition.manifest, stream, rendition)
        case .window(let id):
            guard let stream = stream(id), stream.isOpen else { return noStream(answer) }
            askWindow(answer, of: stream)
        case .renditionWindow(let id, let key):
            guard let rendition = stream(id)?.rendition(key) else { return noStream(answer) }
            askWindow(answer, of: rendition)
        case .segment(let id, let key, let number, _):
            guard let rendition = stream(id)?.rendition(key) else { return noStream(answer) }
            askSegment(answer, number, rendition)
        case .part(let id, let key, let sequence, let part, _):
            guard let rendition = stream(id)?.rendition(key.ofParts),
                let number = MediaPart.number(sequence: sequence, index: part)
            else { return noStream(answer) }
            askSegment(answer, number, rendition)
        case .initialisation(let id, let key, let number, _):
            guard let rendition = stream(id)?.rendition(key), let segment = rendition.initialisation[number] else {
                return noStream(answer)
            }
            begin(answer, segment)
        case .key(let id, _, let index):
            guard let stream = stream(id), let url = stream.keys[index] else { return noStream(answer) }
            giveKey(answer, url, stream)
        case .resource(let id, let index):
            guard let url = stream(id)?.resources[index] else { return noStream(answer) }
            relay(answer, url, purpose: .other)
        }
    }

    mutating func noStream(_ answer: Answer) {
        end(answer, status: 404, text: "no such stream here; open it first (weir play URL, or POST /v1/sessions)\n")
    }

    private mutating func play(_ answer: Answer, url: String) {
        guard let parsed = try? WebURL(parsing: url) else {
            return end(answer, status: 400, text: "url= must be an absolute http or https URL, percent-encoded\n")
        }
        let isAllowed =
            stream(StreamID.derive(url: parsed)) != nil || settings.allowedURLPrefixes.contains { url.hasPrefix($0) }
            || channels?.contains(parsed) ?? false
        guard isAllowed else {
            return end(
                answer,
                status: 403,
                text: "this stream is not on the allow-list; start weir with --allow-url, or open it by the API\n"
            )
        }
        lead(answer, to: StreamRequest(url: url), parsed)
    }

    // MARK: Manifests

    mutating func askManifest(
        _ answer: Answer,
        _ manifest: Manifest,
        _ stream: Stream,
        _ rendition: Rendition?
    ) {
        answer.content = .manifest(manifest, stream)
        answer.directives = DeliveryDirectives(target: answer.request.target)
        if holds(answer, manifest, stream, rendition) { return }
        if isFresh(manifest, rendition) { return deliver(manifest, stream, to: answer) }
        manifest.waiting.append(answer.request.id)
        let patience = !manifest.hasCopy ? Agent.firstByteTime : Agent.manifestPatience
        agenda.note(.answer(answer.request.id), at: now + patience)
        fetchManifest(manifest, of: stream, rendition: rendition)
    }

    /// Whether a copy may be given without asking upstream.
    private func isFresh(_ manifest: Manifest, _ rendition: Rendition?) -> Bool {
        guard let fetchedAt = manifest.fetchedAt else { return false }
        let age = now - fetchedAt
        if let mpd = manifest.mpd { return isFresh(manifest, mpd, age: age) }
        guard let playlist = manifest.playlist else { return false }
        if case .media(let media) = playlist, manifest.isHeldUpstream, manifest.fetch != nil,
            age < media.targetDuration
        {
            return true
        }
        guard case .media(let media) = playlist, !media.endList else {
            // What was fetched to open the stream serves its first reader; a later reader may need new tokens.
            // What was fetched for nobody is given no longer than somebody may zap on.
            let firstAge = manifest.wasFetchedAhead ? Zap.attention : .seconds(300)
            return !manifest.wasServed ? age < firstAge : age < .seconds(10)
        }
        let firstAge = manifest.wasFetchedAhead ? media.targetDuration : media.targetDuration / 2
        if !manifest.wasServed, age < firstAge { return true }
        let news = media.lowLatency.partTarget.map { $0 / 2 } ?? media.targetDuration / 4
        return age < min(news, .milliseconds(500))
    }

    /// Answers all who wait for this manifest, with the copy or with what went wrong.
    mutating func answerManifest(_ manifest: Manifest, _ stream: Stream) {
        let waiting = manifest.waiting
        manifest.waiting = []
        for id in waiting {
            guard let answer = answers[id] else { continue }
            if answer.window != nil, outlives(manifest.lastFailure) {
                deliver(manifest, stream, to: answer)
            } else if manifest.lastFailure == nil, waitsOn(answer, manifest) {
                manifest.waiting.append(id)
            } else if let failure = manifest.lastFailure, !mayStandIn(manifest, for: failure) {
                if case .notAManifest(let reason) = failure, let fallback = answer.fallback {
                    log(.notice, "a channel is played past weir", [("stream", stream.id.text), ("why", reason)])
                    redirect(answer, to: fallback.description)
                    continue
                }
                let status = if case .status(let status) = failure, (400..<500).contains(status) { status } else { 502 }
                end(answer, status: status, text: "the origin's playlist: \(failure)\n")
            } else {
                deliver(manifest, stream, to: answer)
            }
        }
        guard isHeldFor(manifest) else { return }
        holdUpstream(manifest, stream, stream.renditions.first { $0.manifest === manifest })
    }

    private func mayStandIn(_ manifest: Manifest, for failure: ManifestFailure) -> Bool {
        guard manifest.hasCopy, let fetchedAt = manifest.fetchedAt else { return false }
        if case .status(let status) = failure, status == 403 || status == 404 || status == 410 { return false }
        return now - fetchedAt < Agent.staleManifest
    }

    private mutating func deliver(_ manifest: Manifest, _ stream: Stream, to answer: Answer) {
        if let wish = answer.window { return deliverWindow(wish, stream, to: answer) }
        if answer.leads {
            guard let path = stream.path else { return end(answer, status: 502, text: "not playable\n") }
            return redirect(answer, to: path)
        }
        manifest.wasServed = true
        let bytes: [UInt8]
        var type = "application/vnd.apple.mpegurl"
        switch manifest.playlist {
        case nil where manifest.mpd != nil:
            guard let mpd = manifest.mpd else { return }
            noteAdaptive(answer, mpd.bandwidths, stream)
            type = "application/dash+xml"
            bytes = localPresentation(mpd, stream, for: answer)
        case .multivariant(let list):
            noteAdaptive(answer, list.variants.map { $0.bandwidth }, stream)
            bytes = rewrite(list, stream) { LocalPath.index(stream.id, $0).text }
        case .media(let list):
            guard let rendition = stream.renditions.first(where: { $0.manifest === manifest }) else {
                return end(answer, status: 502, text: "the origin's playlist became one of another kind\n")
            }
            let whole = withLiveOffset(rewrite(list, rendition), list, stream)
            let boundary = answer.directives?.skips ?? false ? list.lowLatency.skipUntil : nil
            bytes = boundary.map { DeltaUpdate.skip(DeltaUpdate.skippable(list, until: $0), of: whole) } ?? whole
        case nil: return end(answer, status: 502, text: "no playlist yet\n")
        }
        let fields = [
            HeaderField("content-type", type), HeaderField("cache-control", "no-cache"),
            HeaderField("access-control-allow-origin", "*"),
        ]
        end(answer, status: 200, fields: fields, body: bytes)
    }

    // MARK: Segments asked

    private mutating func askSegment(_ answer: Answer, _ number: UInt64, _ rendition: Rendition) {
        let segment: Segment
        if let entry = rendition.entry(number) {
            guard !entry.isGap else {
                return end(answer, status: 404, text: "the playlist marks this segment as a gap\n")
            }
            segment = ensureSegment(entry, in: rendition)
        } else if let known = rendition.media[number] {
            segment = known
        } else {
            return end(answer, status: 404, text: "this segment is not in the playlist\n")
        }
        // A look at one picture is no viewing: nothing is fetched ahead or kept for it.
        guard answer.request.userAgent != PlayerRequest.glance else { return begin(answer, segment) }
        let player = player(asking: number, of: rendition, answer.request)
        answer.player = player
        player.lastRequest = now
        player.segmentsAsked += 1
        if player.segmentsAsked == 1 { rendition.stream.popularity.note(1, at: now) }
        rendition.stream.lastMediaRequest = now
        noteWatched(rendition, number)
        rendition.stream.isAhead = false
        joinSwarm(rendition.stream)
        resumeSteering(rendition.stream)
        let place = player.place(of: rendition.key)
        if let place, !player.playheads[place].head.isLeft {
            let reach = reach(of: player.playheads[place].head, rendition)
            _ = player.playheads[place].head.request(segment.numbers, reach: reach, at: now)
        } else {
            let head = newPlayhead(of: player, in: rendition, at: segment.numbers)
            if let place { player.playheads[place].head = head } else { player.playheads.append((rendition.key, head)) }
        }
        passOverOthers(of: player, for: rendition)
        tellInterest(rendition, force: false)
        begin(answer, segment)
        if rendition.manifest.nextReload == nil, rendition.manifest.fetch == nil {
            scheduleReload(rendition.manifest, rendition.stream, rendition)
        }
    }

    /// The highest number that a player at this place may ask for without having sought there.
    func reach(of head: Playhead, _ rendition: Rendition) -> UInt64 {
        guard let listing = rendition.listing else { return .max }
        if rendition.window.holds(head.next) { return head.next + UInt64(Playhead.skip) }
        let index = listing.index(atOrAfter: head.next) + Playhead.skip
        return index < listing.count ? listing.number(at: index) : .max
    }

    // MARK: Ends

    /// Ends an answer that has no head yet with a whole small body.
    mutating func end(
        _ answer: Answer,
        status: Int,
        fields: [HeaderField]? = nil,
        text: String = "",
        body: [UInt8]? = nil
    ) {
        guard !answer.hasHead else { return abort(answer) }
        let bytes = body ?? Array(text.utf8)
        var lines = fields ?? [HeaderField("content-type", "text/plain; charset=utf-8")]
        if status >= 400 { lines.append(HeaderField("cache-control", "no-store")) }
        let isHead = answer.request.method == .head
        if isHead { lines.append(HeaderField("content-length", String(bytes.count))) }
        let id = answer.request.id
        emit(.answerHead(id, AnswerHead(status: status, fields: lines, bodyLength: isHead ? 0 : bytes.count)))
        if !isHead, !bytes.isEmpty { emit(.answerBytes(id, bytes)) }
        emit(.answerEnd(id))
        forget(answer)
    }

    mutating func abort(_ answer: Answer) {
        emit(.answerAbort(answer.request.id))
        forget(answer)
    }

    mutating func playerLeft(_ id: RequestID) {
        guard let answer = answers[id] else { return }
        forget(answer)
    }

    /// Takes an answer out of every list that knows it.
    mutating func forget(_ answer: Answer) {
        let id = answer.request.id
        answers[id] = nil
        switch answer.content {
        case .manifest(let manifest, _): manifest.waiting.removeAll { $0 == id }
        case .segment(let segment):
            segment.answers.removeAll { $0 == id }
            leavePlayhead(answer, segment, isDone: false)
            dropIfReplaced(segment)
            refetchIfDamaged(segment)
            replan(segment.rendition.stream)
        case .relay(let fetch):
            if let fetch = fetch.flatMap({ fetches[$0] }) { cancel(fetch) }
        case .nothing: break
        }
    }

    /// The playhead need not wait for this answer any more.
    func leavePlayhead(_ answer: Answer, _ segment: Segment, isDone: Bool) {
        guard segment.id.kind == .media, let player = answer.player,
            let place = player.place(of: segment.id.rendition)
        else { return }
        if isDone {
            player.playheads[place].head.finish(segment.numbers)
        } else {
            player.playheads[place].head.giveUp(segment.id.number)
        }
    }

    /// A note for this answer came due: is it late?
    mutating func answerIsLate(_ id: RequestID) {
        guard let answer = answers[id] else { return }
        guard !answer.hasHead else {
            if answer.pace != nil { pump(answer) }
            return
        }
        let age = now - answer.arrived
        if case .manifest(let manifest, let stream) = answer.content {
            if waitsOn(answer, manifest) { return holdIsOver(answer, manifest) }
            if age >= Agent.manifestPatience, let fetched = manifest.fetchedAt,
                now - fetched < Agent.staleManifest || answer.window != nil
            {
                manifest.waiting.removeAll { $0 == id }
                return deliver(manifest, stream, to: answer)
            }
        }
        guard age >= Agent.firstByteTime else {
            agenda.note(.answer(id), at: answer.arrived + Agent.firstByteTime)
            return
        }
        end(answer, status: 504, text: "no source answered in time\n")
    }
}

extension LocalPath {
    /// By the suffix that the playlist gave the segment.
    static func contentType(ofTarget target: String) -> String {
        let path = target.prefix { $0 != "?" }
        let suffix = path.split(separator: ".").last.map { String($0) } ?? ""
        return switch suffix {
        case "ts": "video/mp2t"
        case "m4s", "mp4", "m4a": "video/mp4"
        case "aac": "audio/aac"
        case "mp3": "audio/mpeg"
        case "ac3": "audio/ac3"
        case "ec3", "eac3": "audio/eac3"
        case "vtt": "text/vtt"
        case "webm": "video/webm"
        case "jpg": "image/jpeg"
        case "png": "image/png"
        default: "application/octet-stream"
        }
    }
}

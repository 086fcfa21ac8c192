// Several servers of one rendition in one race: the one in use loses what it will not bring in time to the next one, and
// where slack is short both bring a part. As long as it keeps up, the others are not asked at all.
extension Agent {
    /// Before a server's rate is judged it has had this long: connections begin slowly.
    private static let judgingTime = Duration.seconds(1)
    /// While a segment is asked of one of several servers, how it fares is looked at this often.
    private static let serverLook = Duration.milliseconds(250)
    /// Servers whose editions differ are not mixed for this long.
    private static let apartTime = Duration.seconds(600)

    /// The servers among which a segment is split, because the one in use alone will not bring it in time; fewer than
    /// two: it is left alone.
    func pathwaySources(_ wish: Wish) -> [HTTPSource] {
        let segment = wish.segment
        guard settings.edges.isEmpty, !segment.mirrors.isEmpty, segment.originOnly == nil, isOverdue(wish) else {
            return []
        }
        let steering = segment.rendition.stream.steering
        let failed = segment.rendition.ofWhole.places.filter { steering.isPenalised($0, at: now) }.map(\.url.originKey)
        let sources = httpSources(for: segment).filter { source in
            if source.url != segment.url.description {
                guard !steering.isApart(source.host, segment.originKey, at: now) else { return false }
                guard !failed.contains(source.host) else { return false }
            }
            return hosts[source.host]?.wholeBodyUntil.map { $0 <= now } ?? true
        }
        return sources.count > 1 && sources[0].url == segment.url.description ? sources : []
    }

    /// Looks again soon at a segment that could be had elsewhere, and finds out where, once its server turns out slow.
    mutating func watchServer(_ wish: Wish) {
        let segment = wish.segment
        let rendition = segment.rendition.ofWhole
        guard wish.isAsked, rendition.places.count > 1, settings.edges.isEmpty, !segment.rendition.isParts else {
            return
        }
        agenda.note(.plan(rendition.stream.id), at: now + Agent.serverLook)
        guard segment.mirrors.isEmpty, !rendition.isPresented, isOverdue(wish) else { return }
        readBeside(rendition)
    }

    /// The server in use is slower than the player plays, or silent; it will not bring the segment before the player
    /// runs dry; and by the deadline rule the next server has to begin now, if it shall.
    private func isOverdue(_ wish: Wish) -> Bool {
        let segment = wish.segment
        guard wish.isAsked, let slack = wish.slack, segment.duration > .zero, !segment.isOpenEnded,
            !segment.rendition.isParts
        else { return false }
        guard let expected = timeOfServer(segment) else { return false }
        guard expected > segment.duration, expected > slack else { return false }
        let next = segment.mirrors.first.flatMap { hosts[$0.originKey]?.estimate } ?? SourceEstimate()
        let rule = DeadlineRule(minimumBuffer: settings.minimumBuffer, downloadTimeout: settings.downloadTimeout)
        return rule.patience(slack: slack, rest: segment.rest, estimate: next, at: now) <= .zero
    }

    /// How long the server in use will take for what is missing, as far as it can be told; `forever` when it is silent.
    private func timeOfServer(_ segment: Segment) -> Duration? {
        let host = segment.originKey
        let estimate = hosts[host]?.estimate
        let own = segment.runs.first { run in fetch(of: run)?.request.url == segment.url.description }
        guard let own, let fetch = fetch(of: own) else {
            // Not asked yet: what other segments showed.
            guard let rate = estimate?.rate, estimate?.isRough == false else { return nil }
            let known = segment.length != nil || segment.rendition.stream.hasSegmentSizes
            let bytes = segment.length == nil ? segment.rendition.stream.typicalSegmentBytes : segment.rest
            return known ? .seconds(Double(bytes) / rate) : nil
        }
        guard !fetch.isPaused else { return nil }
        if now - own.lastProgress >= max(silence(of: host), Agent.judgingTime) { return .forever }
        guard let headAt = fetch.headAt, now - headAt >= Agent.judgingTime, segment.length != nil else { return nil }
        return .seconds(Double(segment.rest) / max(1, Double(fetch.received) / (now - headAt).seconds))
    }

    /// Another server of the rendition refuses or fails: the one in use decides what becomes of the segment.
    mutating func dropMirror(_ segment: Segment, _ run: Run, _ fetch: Fetch, why: String) {
        drop(run, of: segment, fetch: fetch, why: why)
        segment.mirrors.removeAll { $0.description == fetch.request.url }
    }

    /// Whether this exchange is with another server than the one in use.
    func isMirror(_ fetch: Fetch, of segment: Segment) -> Bool {
        !fetch.isEdge && fetch.request.url != segment.url.description
            && segment.mirrors.contains { $0.description == fetch.request.url }
    }

    /// Another server has another edition: their bytes are not mixed, here and for a while.
    mutating func keepApart(_ segment: Segment, _ run: Run, _ fetch: Fetch) {
        log(
            .info,
            "two servers of the stream have different editions; segments come whole from one",
            [("stream", segment.rendition.stream.id.text), ("server", fetch.host)]
        )
        segment.rendition.stream.steering.keepApart(
            fetch.host,
            segment.originKey,
            until: now + Agent.apartTime
        )
        dropMirror(segment, run, fetch, why: "another edition")
    }

    // MARK: Another pathway's list

    /// Reads the next pathway's playlist beside the one in use: a guessed address that fails would tell nothing.
    mutating func readBeside(_ rendition: Rendition) {
        let stream = rendition.stream
        let pause = rendition.isLive ? rendition.targetDuration / 2 : .seconds(60)
        guard rendition.besideAskedAt.map({ now - $0 >= pause }) ?? true else { return }
        let others = stream.steering.ranked(rendition.places).filter {
            $0.server != rendition.place?.server && !stream.steering.isPenalised($0, at: now)
        }
        guard let place = others.first else { return }
        rendition.besideAskedAt = now
        let request = FetchRequest(url: place.url.description, purpose: .manifest)
        _ = begin(request, purpose: .beside(rendition, place), host: place.url.originKey)
        totals.manifest_requests += 1
    }

    mutating func besideBody(_ payload: any Payload, _ fetch: Fetch) {
        guard fetch.body.count + payload.count <= limits.manifestBytes else { return cancel(fetch) }
        fetch.body += payload.bytes()
    }

    mutating func besideEnded(_ rendition: Rendition, _ place: Place, _ fetch: Fetch, _ end: FetchEnd) {
        let variables = rendition.stream.top.playlist?.variables ?? PlaylistVariables()
        guard end == .complete, let head = fetch.head, head.status == 200, let url = WebURL(head.url),
            let bytes = try? PlaylistCoding.decoded(fetch.body, head, limits: limits),
            case .media(let list) = try? HLSPlaylist.parse(bytes, url: url, limits: limits, importing: variables)
        else {
            return log(.info, "another pathway's playlist cannot be had", [("server", place.url.originKey)])
        }
        rendition.beside = list
        for segment in rendition.stream.racing where segment.rendition === rendition { noteOtherPlaces(segment) }
        replan(rendition.stream)
    }

    /// Where the list that was read beside has a segment, if it names the same file under the same keys.
    func besides(_ segment: Segment) -> WebURL? {
        let rendition = segment.rendition
        guard !rendition.isParts, segment.id.kind == .media, let other = rendition.beside, let own = rendition.playlist,
            other.keys.map(\.url) == own.keys.map(\.url), let entry = other.entry(segment.id.number),
            !entry.isGap, entry.byteRange == segment.id.range, entry.name == segment.edition.name
        else { return nil }
        return entry.url
    }
}

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
            known.isAhead = false
            known.isOver = false
            known.isOnDemand = false
            if known.isOpen, let path = known.path {
                joinSwarm(known)
                emit(.opened(id, .ready(known.id, path: path)))
            } else {
                known.openers.append(id)
            }
            return
        }
        makeRoomForStream()
        guard streams.count < limits.streams else {
            emit(.opened(id, .failed(.refused, "\(limits.streams) streams are open already; close one first")))
            return
        }
        let swarm = SwarmID.derive(url: url, name: request.swarmName ?? settings.swarmName)
        let stream = Stream(id: key, url: url, swarm: swarm, time: time, now: now)
        stream.openers.append(id)
        stream.fields = request.fields
        streams.append(stream)
        fetchManifest(stream.top, of: stream, rendition: nil)
    }

    /// Ends a session: its local addresses lead nowhere from now on. What is held of a recording serves peers for as long
    /// as a stream does that nobody plays.
    mutating func close(_ id: StreamID) {
        guard let stream = stream(id) else { return }
        let isWorthKeeping = !stream.isLive && stream.isMember && settings.seedTime != .zero && holdsMedia(stream)
        guard isWorthKeeping else { return remove(stream) }
        for segment in stream.racing { abandon(segment) }
        endAnswers(of: stream)
        stream.isOver = true
        stream.isOnDemand = true
        stream.players = []
        for rendition in stream.renditions { tellInterest(rendition, force: false) }
    }

    func holdsMedia(_ stream: Stream) -> Bool {
        stream.renditions.contains { $0.media.values.contains { $0.isKept } }
    }

    private mutating func endAnswers(of stream: Stream) {
        for answer in answers.values.sorted(by: { $0.request.id < $1.request.id }) where belongs(answer, to: stream) {
            end(answer, status: 410, text: "this session was closed\n")
        }
    }

    mutating func remove(_ stream: Stream) {
        leaveSwarm(stream)
        for segment in stream.racing { abandon(segment) }
        // Nothing may outlive the stream: segments and renditions are its own.
        for fetch in fetches.values.sorted(by: { $0.id < $1.id }) where belongs(fetch, to: stream) { cancel(fetch) }
        for link in links { link.queries = link.queries.filter { $0.value.rendition.stream !== stream } }
        endAnswers(of: stream)
        for rendition in stream.renditions {
            for segment in rendition.allSegments { ledger.release(segment) }
        }
        streams.removeAll { $0 === stream }
        forgetOldFiles()
    }

    /// Segments do not keep their stream alive, so nothing of it may arrive later.
    private func belongs(_ fetch: Fetch, to stream: Stream) -> Bool {
        switch fetch.purpose {
        case .manifest(_, let owner, _): owner === stream
        case .segment(let segment, _), .audit(let segment, _), .check(let segment, _, _), .anchor(let segment):
            segment.rendition.stream === stream
        case .index(let reading): reading.stream === stream
        case .clock(let owner, _): owner === stream
        case .steering(let owner): owner === stream
        case .beside(let rendition, _): rendition.stream === stream
        case .keyAhead(let owner, _): owner === stream
        case .relay: false
        }
    }

    func belongs(_ answer: Answer, to stream: Stream) -> Bool {
        switch answer.content {
        case .manifest(_, let owner): owner === stream
        case .segment(let segment): segment.rendition.stream === stream
        case .relay, .nothing: false
        }
    }

    mutating func openedStream(_ stream: Stream) {
        stream.isOpen = true
        guard let path = stream.path else { return }
        log(.info, "stream open", [("stream", stream.id.text), ("swarm", stream.swarm.description)])
        for opener in stream.openers { emit(.opened(opener, .ready(stream.id, path: path))) }
        stream.openers = []
        joinSwarm(stream)
        agenda.note(.house, at: now + .seconds(5))
    }

    /// Renditions as the manifest at the stream's URL lists them; those that are known stay as they are.
    mutating func adopt(_ playlist: HLSPlaylist, in stream: Stream) {
        switch playlist {
        case .media:
            guard stream.renditions.isEmpty else { return }
            stream.add(
                Rendition(key: .main, stream: stream, manifest: stream.top, isShared: true, isSubtitles: false)
            )
        case .multivariant(let list): adopt(list, in: stream)
        }
    }

    private mutating func adopt(_ list: MultivariantPlaylist, in stream: Stream) {
        let keys = list.renditionKeys()
        let groups = list.pathwayOfGroups()
        for rendition in stream.renditions { rendition.listed = [] }
        for (variant, key) in zip(list.variants, keys.variants) {
            let place = Place(pathway: variant.pathway, url: variant.url, stableID: variant.stableID)
            addRendition(key, place, to: stream, isShared: true)
            stream.rendition(key)?.bandwidth = variant.bandwidth
        }
        for (rendition, key) in zip(list.renditions, keys.renditions) {
            guard let url = rendition.url, let key else { continue }
            let isSubtitles = rendition.type == .subtitles
            let place = Place(
                pathway: groups[rendition.group] ?? Place.defaultPathway,
                url: url,
                stableID: rendition.stableID,
                isVariant: false
            )
            addRendition(key, place, to: stream, isShared: !isSubtitles, isSubtitles: isSubtitles)
            stream.rendition(key)?.language = rendition.language
        }
        for (frames, key) in zip(list.iFrameStreams, keys.iFrameStreams) {
            let place = Place(pathway: frames.pathway, url: frames.url, stableID: frames.stableID)
            addRendition(key, place, to: stream, isShared: false)
        }
        adoptSteering(list.steering, in: stream)
        choosePlaces(stream)
    }

    private func addRendition(
        _ key: RenditionKey,
        _ place: Place,
        to stream: Stream,
        isShared: Bool,
        isSubtitles: Bool = false
    ) {
        if let known = stream.rendition(key) {
            if !known.listed.contains(place) { known.listed.append(place) }
            return
        }
        guard stream.renditions.count < limits.renditions else { return }
        let rendition = Rendition(
            key: key,
            stream: stream,
            manifest: Manifest(url: place.url),
            isShared: isShared,
            isSubtitles: isSubtitles
        )
        rendition.listed = [place]
        stream.add(rendition)
    }
}

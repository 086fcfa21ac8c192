// Several servers for one rendition: which one its playlist is read from, and when another one takes over.
extension Agent {
    /// Other addresses of a segment that are remembered.
    static let mostMirrors = 3

    /// Looks anew which place each rendition's playlist is read from.
    mutating func choosePlaces(_ stream: Stream) {
        let before = pathway(of: stream)
        for rendition in stream.renditions where !rendition.listed.isEmpty {
            rendition.places = stream.steering.withClones(rendition.listed)
            guard let choice = stream.steering.choice(among: rendition.places, at: now) else { continue }
            use(choice, for: rendition)
        }
        guard let after = pathway(of: stream), let before, after != before else { return }
        log(.notice, "another pathway", [("stream", stream.id.text), ("from", before), ("to", after)])
    }

    /// The pathway that most of what is played comes from; nil when the stream has none.
    func pathway(of stream: Stream) -> String? {
        let isSteered = stream.steering.server != nil
        let played = stream.renditions.filter { isPlaying($0) }
        guard let place = (played.isEmpty ? stream.renditions : played).first(where: { $0.place != nil })?.place else {
            return nil
        }
        return place.pathway == Place.defaultPathway && !isSteered ? nil : place.pathway
    }

    private mutating func use(_ place: Place, for rendition: Rendition) {
        if rendition.isPresented { return move(rendition, to: place) }
        let before = rendition.place
        rendition.place = place
        let manifest = rendition.manifest
        guard manifest.url != place.url else { return }
        // A reloaded master mints new tokens: the newest address wins.
        manifest.url = place.url
        guard let before, before.server != place.server else { return }
        let isWanted =
            !manifest.waiting.isEmpty || isPlaying(rendition)
            || rendition.stream.racing.contains { $0.rendition.manifest === manifest }
        if let fetch = manifest.fetch.flatMap({ fetches[$0] }) {
            cancel(fetch)
            manifest.fetch = nil
        }
        if isWanted { fetchManifest(manifest, of: rendition.stream, rendition: rendition) }
    }

    /// The place that a rendition's playlist is read from failed. True when another one is being asked.
    mutating func failOver(_ rendition: Rendition, why: String) -> Bool {
        guard let place = rendition.place, rendition.places.contains(where: { $0.server != place.server }) else {
            return false
        }
        let stream = rendition.stream
        stream.steering.penalise(place, at: now)
        log(
            .notice,
            "a server of the stream failed",
            [("stream", stream.id.text), ("server", place.url.originKey), ("why", why)]
        )
        guard rendition.places.contains(where: { !stream.steering.isPenalised($0, at: now) }) else {
            // All have failed: the player hears of it, and whoever asks next tries the next one. Base URLs are not
            // changed for that: the segments that failed would all be asked anew.
            guard !rendition.isPresented else { return false }
            let index = rendition.places.firstIndex(of: place) ?? 0
            let next = rendition.places[(index + 1) % rendition.places.count]
            rendition.place = next
            rendition.manifest.url = next.url
            return false
        }
        choosePlaces(stream)
        return true
    }

    /// Whether a segment whose address failed will be asked at another one.
    mutating func mayAskElsewhere(_ segment: Segment, _ fetch: Fetch, why: String) -> Bool {
        let rendition = segment.rendition.ofWhole
        if fetch.request.url != segment.url.description {
            // Asked by an address that is outdated meanwhile, or by that of another pathway.
            segment.mirrors.removeAll { $0.description == fetch.request.url }
            return true
        }
        guard rendition.places.count > 1, !isBeyondEnd(segment) else { return false }
        if rendition.isPresented { return failOver(rendition, why: why) }
        if rendition.listedBy?.server == rendition.place?.server {
            guard segment.rendition.entry(segment.id.number)?.url == segment.url || segment.id.kind == .initialisation,
                failOver(rendition, why: why)
            else { return false }
        } else if rendition.places.allSatisfy({ rendition.stream.steering.isPenalised($0, at: now) }) {
            return false
        }
        fetchManifest(rendition.manifest, of: rendition.stream, rendition: rendition)
        segment.retryAt = now + .milliseconds(500)
        agenda.note(.plan(rendition.stream.id), at: now + .milliseconds(500))
        return true
    }

    /// Gives segments that are still to come the addresses of a list that came from elsewhere, or with new tokens.
    mutating func readdress(_ rendition: Rendition, from before: MediaPlaylist?, isOtherServer: Bool) {
        guard let playlist = rendition.playlist else { return }
        if let before, before.keys.count == playlist.keys.count {
            for (old, new) in zip(before.keys, playlist.keys) {
                if let old = old.url, let new = new.url { rendition.stream.keys.replace(old, with: new) }
            }
        }
        for reader in rendition.stream.renditions where reader.manifest === rendition.manifest {
            for number in reader.media.keys.sorted() {
                guard let segment = reader.media[number], !segment.isHeld, let entry = reader.entry(number) else {
                    continue
                }
                let old = segment.url
                if ensureSegment(entry, in: reader) === segment {
                    addressChanged(segment, from: old, isOtherServer: isOtherServer)
                }
            }
        }
        for map in playlist.maps {
            guard let segment = rendition.initialisation[map.id(of: rendition.key).number], !segment.isHeld else {
                continue
            }
            let old = segment.url
            segment.url = map.url
            addressChanged(segment, from: old, isOtherServer: isOtherServer)
        }
    }

    /// Of DASH: it was computed, and may never have been made; that it is not there says nothing of a server.
    private func isBeyondEnd(_ segment: Segment) -> Bool {
        guard segment.id.kind == .media, let listed = segment.rendition.representation else { return false }
        return listed.representation.table.slot(named: segment.id.number) == nil
    }

    mutating func addressChanged(_ segment: Segment, from old: WebURL, isOtherServer: Bool) {
        guard segment.url != old else { return }
        segment.mirrors.removeAll { $0 == segment.url }
        if isOtherServer { segment.mirrors = Array(([old] + segment.mirrors).prefix(Agent.mostMirrors)) }
        segment.retryAt = nil
        segment.statusRetries = 0
        if case .failed = segment.phase { segment.phase = .absent }
    }
}

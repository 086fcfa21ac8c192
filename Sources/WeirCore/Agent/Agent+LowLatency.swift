// Partial segments and blocking reloads (RFC 8216bis 6.2.5): one hold upstream for all local players.
extension Agent {
    /// A reload is held for three target durations at most (RFC 8216bis 6.2.5.2).
    static let longestHold = 3

    /// Renditions that consist of parts come and go with the tag that announces them.
    mutating func noteParts(_ rendition: Rendition, isNew: Bool) {
        guard rendition.isShared, !rendition.isParts, rendition.parts != nil else { return }
        let stream = rendition.stream
        if stream.rendition(rendition.key.ofParts) == nil, stream.renditions.count < limits.renditions {
            stream.add(
                Rendition(
                    key: rendition.key.ofParts,
                    stream: stream,
                    manifest: rendition.manifest,
                    isShared: true,
                    isSubtitles: false,
                    isParts: true
                )
            )
        }
        if let parts = stream.rendition(rendition.key.ofParts) { playlistChanged(parts, isNew: isNew) }
        if isNew { noteCompositions(rendition) }
    }

    // MARK: Blocking reloads

    /// What a player's reload waits for, if its list can be held for that.
    private func heldDirectives(_ answer: Answer, _ manifest: Manifest) -> DeliveryDirectives? {
        guard let directives = answer.directives, case .media(let list) = manifest.playlist,
            list.lowLatency.canBlockReload, !list.satisfies(directives)
        else { return nil }
        return directives
    }

    /// Keeps a blocking reload waiting, or refuses it. False: it is to be answered like any other.
    mutating func holds(_ answer: Answer, _ manifest: Manifest, _ stream: Stream, _ rendition: Rendition?) -> Bool {
        guard let directives = heldDirectives(answer, manifest), case .media(let list) = manifest.playlist else {
            return false
        }
        // RFC 8216bis 6.2.5.2: no list will have it soon.
        guard directives.sequence ?? 0 <= list.nextPlace.sequence + 1 else {
            end(answer, status: 400, text: "_HLS_msn is too far ahead of the playlist\n")
            return true
        }
        manifest.waiting.append(answer.request.id)
        agenda.note(.answer(answer.request.id), at: now + list.targetDuration * Agent.longestHold)
        holdUpstream(manifest, stream, rendition)
        return true
    }

    /// Whether an answer that waits for a playlist goes on waiting now that a copy arrived.
    func waitsOn(_ answer: Answer, _ manifest: Manifest) -> Bool { heldDirectives(answer, manifest) != nil }

    /// Asks upstream to answer as soon as there is more than is known here.
    mutating func holdUpstream(_ manifest: Manifest, _ stream: Stream, _ rendition: Rendition?) {
        guard manifest.fetch == nil, case .media(let list) = manifest.playlist else { return }
        let pause = (list.lowLatency.partTarget ?? list.targetDuration) / 2
        // A server that answers at once without news is not asked in a loop.
        if let started = manifest.fetchStartedAt, manifest.changedAt != manifest.fetchedAt, now - started < pause,
            let key = rendition?.key
        {
            manifest.nextReload = started + pause
            return agenda.note(.reload(stream.id, key), at: started + pause)
        }
        let next = list.nextPlace
        let part = list.lowLatency.partTarget == nil ? nil : next.part
        let directives = DeliveryDirectives(sequence: next.sequence, part: part)
        fetchManifest(manifest, of: stream, rendition: rendition, directives: directives)
    }

    /// Players wait for news of this list.
    func isHeldFor(_ manifest: Manifest) -> Bool {
        manifest.waiting.contains { id in answers[id].map { waitsOn($0, manifest) } ?? false }
    }

    /// A held reload was held for as long as it may be.
    mutating func holdIsOver(_ answer: Answer, _ manifest: Manifest) {
        guard case .media(let list) = manifest.playlist else { return }
        let limit = answer.arrived + list.targetDuration * Agent.longestHold
        guard now >= limit else { return agenda.note(.answer(answer.request.id), at: limit) }
        manifest.waiting.removeAll { $0 == answer.request.id }
        end(answer, status: 503, text: "the origin's playlist has not come so far\n")
    }

    // MARK: Parts

    /// Until when a part may stay with peers; nil for whole segments. Once the origin lists it, half a part's duration;
    /// while it is only hinted the elected agent's request is held there, as long as a part may take.
    func patience(forPart segment: Segment) -> Instant? {
        guard segment.rendition.isParts else { return nil }
        let target = segment.rendition.targetDuration
        guard let available = segment.availableAt else { return segment.listedAt + target * 3 }
        return available + max(target / 2, .milliseconds(100))
    }

    func noteAvailability(_ segment: Segment) {
        guard segment.availableAt == nil, segment.rendition.isParts,
            !(segment.rendition.parts?.isHinted(segment.id.number) ?? true)
        else { return }
        segment.availableAt = now
        // An origin that did not know of a part that it had hinted at has it now.
        segment.retryAt = nil
        segment.statusRetries = 0
    }
}

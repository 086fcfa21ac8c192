// When a playlist is fetched again without a player's asking.
extension Agent {
    /// Weir's own reloads: only while somebody plays and there is somebody to share with; alone it asks for nothing
    /// that its player does not ask for.
    mutating func scheduleReload(_ manifest: Manifest, _ stream: Stream, _ rendition: Rendition?) {
        guard let rendition, rendition.isLive, !rendition.isParts, let expected = rendition.reloadPeriod else { return }
        guard isPlaying(rendition), hasSwarm(stream) else {
            return scheduleWindowReload(manifest, rendition, expected)
        }
        let isNews = manifest.failures == 0 && manifest.changedAt == manifest.fetchedAt
        // Counted from the last attempt: an origin that fails is not asked more often than one that works.
        let attempt = max(manifest.fetchedAt ?? now, manifest.failures > 0 ? now : .start)
        let earliest = attempt + expected / 2
        let due = isNews ? ownTurn(rendition, expected, after: earliest) : earliest
        manifest.nextReload = max(due, now + .milliseconds(200))
        agenda.note(.reload(stream.id, rendition.key), at: manifest.nextReload ?? now)
    }

    /// One moment per target duration, another one for each agent: hints make all reload together, and whoever reloads
    /// a whole target duration after that finds a new segment late. Spread out, somebody always looks just after it
    /// was listed, and each agent's own reloads are still a target duration apart.
    private func ownTurn(_ rendition: Rendition, _ expected: Duration, after time: Instant) -> Instant {
        let period = max(expected.nanoseconds, 1)
        let phase = Int64(RandomSource.mix(me.digest.prefix ^ rendition.key.value) % UInt64(period))
        let rest = (time.nanoseconds - phase) % period
        return time + Duration(nanoseconds: rest <= 0 ? -rest : period - rest)
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
        if isHeldFor(manifest) { return holdUpstream(manifest, stream, rendition) }
        guard rendition.isLive, isPlaying(rendition) && hasSwarm(stream) || keepsWindow(rendition) else { return }
        fetchManifest(manifest, of: stream, rendition: rendition)
    }

    /// A peer speaks of a segment that our playlist does not list yet: look again, but not more often than a player
    /// that polls eagerly would, and less and less often while the hints turn out to be vain.
    mutating func reloadOnHint(_ rendition: Rendition) {
        let manifest = rendition.manifest
        guard rendition.isLive, !rendition.isTimetable, isPlaying(rendition), manifest.fetch == nil else { return }
        // Of parts the players' own blocking reloads bring news.
        guard !rendition.isParts else { return }
        let pause = min(.milliseconds(200), rendition.targetDuration / 4) * (1 << min(8, manifest.vainHints))
        if let started = manifest.fetchStartedAt, now - started < pause {
            let due = started + pause
            guard manifest.nextReload.map({ due < $0 }) ?? true else { return }
            manifest.vainHints += 1
            manifest.nextReload = due
            agenda.note(.reload(rendition.stream.id, rendition.key), at: due)
            return
        }
        manifest.vainHints += 1
        fetchManifest(manifest, of: rendition.stream, rendition: rendition)
    }

    /// Somebody asked for media of it lately.
    func isPlaying(_ rendition: Rendition) -> Bool {
        rendition.stream.players.contains { activeHead(of: $0, in: rendition) != nil }
    }

    /// Without a media request for this long a player counts as gone.
    func idleAfter(_ rendition: Rendition) -> Duration {
        rendition.isLive ? max(.seconds(6), rendition.targetDuration * 3) : .seconds(30)
    }
}

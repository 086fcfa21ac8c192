// What a segment's name stands for at the origin, and what happens when that changes.
extension Agent {
    func sameEdition(_ segment: Segment, _ head: FetchHead, total: Int64?) -> Bool {
        let validator = Edition.validatorHash(head.fields)
        let edition = Edition(length: total, validator: validator, name: segment.edition.name)
        return segment.edition.agrees(with: edition)
    }

    /// What peers stated is not what this source serves: all of theirs goes, and the exchange goes on.
    mutating func believeOrigin(_ segment: Segment, _ run: Run) {
        if let copy = segment.disk { forgetFile(copy.id) }
        segment.disputed = Array((segment.evidence.vouches + segment.disputed).prefix(64))
        let disputed = segment.disputed
        let (queried, refusals, start, anchorAsked) = (
            segment.queried, segment.refusals, segment.raceStart, segment.anchorAsked
        )
        segment.unclaim(run)
        segment.runs.removeAll { $0 === run }
        dropRuns(of: segment)
        totals.wasted_bytes += segment.chunks.checkedBytes
        abortBegun(segment)
        ledger.release(segment)
        if segment.announced != nil { announce(segment, .gone) }
        segment.reset()
        segment.phase = .racing
        (segment.queried, segment.refusals, segment.raceStart, segment.anchorAsked) = (
            queried, refusals, start, anchorAsked
        )
        segment.disputed = disputed
        segment.runs = [run]
        segment.originOnly = "another edition at the origin"
    }

    /// From now on the edition is what an HTTP source said, and not what peers say.
    mutating func confirm(_ segment: Segment, _ head: FetchHead, isEdge: Bool) {
        guard !segment.isConfirmed else { return }
        segment.isConfirmed = true
        let validator = Edition.validatorHash(head.fields)
        if validator != 0, !isEdge { segment.edition.validator = validator }
        for vouch in segment.disputed where !sameEdition(segment, head, as: vouch.edition) { noteMismatch(vouch) }
        segment.disputed.removeAll { !sameEdition(segment, head, as: $0.edition) }
    }

    func sameEdition(_ segment: Segment, _ head: FetchHead, as other: Edition) -> Bool {
        let total = head.status == 206 ? ContentRange(head.first("content-range") ?? "")?.total : nil
        let length = total ?? (head.status == 200 ? head.first("content-length").flatMap { Int64($0) } : nil)
        let validator = Edition.validatorHash(head.fields)
        return Edition(length: segment.id.range?.length ?? length, validator: validator, name: other.name)
            .agrees(with: other)
    }

    /// The origin now serves other bytes under this name. What was not yet given to a player is read anew.
    mutating func otherEdition(_ segment: Segment, _ run: Run, _ fetch: Fetch) {
        log(.notice, "a segment changed at the origin", [("segment", String(segment.id.number))])
        drop(run, of: segment, fetch: fetch, why: "another edition")
        abortBegun(segment)
        restart(segment, why: "another edition at the origin")
    }

    /// Who has the head of another edition can only be cut off.
    private mutating func abortBegun(_ segment: Segment) {
        for id in segment.answers { if let answer = answers[id], answer.hasHead { abort(answer) } }
    }

    /// Forgets all bytes of a segment and races it anew, from the origin alone.
    mutating func restart(_ segment: Segment, why: String) {
        if let copy = segment.disk { forgetFile(copy.id) }
        dropRuns(of: segment)
        ledger.release(segment)
        if segment.announced != nil { announce(segment, .gone) }
        let wanted = segment.phase == .racing || segment.phase == .held
        segment.reset()
        segment.originOnly = why
        if wanted {
            segment.phase = .racing
            segment.raceStart = now
        }
        replan(segment.rendition.stream)
    }
}

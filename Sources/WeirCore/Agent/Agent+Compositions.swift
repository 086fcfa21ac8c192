// Whole segments out of partial ones: for players that ask for segments in a swarm, or beside a player, of parts.
//
// What is put together here is never offered to peers. Its chunks are cut elsewhere than the parts', so that nobody's
// statements cover them, and this agent can state only what it has read itself. Its parts are offered as they came, with
// the statements of whoever read them, and each agent puts them together for itself.
extension Agent {
    /// Remembers which parts make up which segments: they are listed together for a short while only.
    func noteCompositions(_ rendition: Rendition) {
        guard let list = rendition.playlist, !list.lowLatency.parts.isEmpty else { return }
        for index in max(0, list.segments.count - 64)..<list.segments.count {
            guard let segment = rendition.media[list.segments[index].sequence], segment.composition == nil else {
                continue
            }
            segment.composition = list.composition(ofSegment: index)
        }
    }

    private func parts(of segment: Segment) -> [Segment]? {
        guard let numbers = segment.composition?.parts,
            let rendition = segment.rendition.stream.rendition(segment.rendition.key.ofParts)
        else { return nil }
        let parts = numbers.compactMap { rendition.media[$0] }
        return parts.count == numbers.count ? parts : nil
    }

    // MARK: Getting parts

    /// The parts that bring a segment: nil when it is to be had as a whole; those still to come otherwise, none when all
    /// are here.
    func partsToGet(for wish: Wish) -> [Segment]? {
        let segment = wish.segment
        guard let composition = segment.composition, segment.rendition.compositionProof.covers(composition),
            segment.runs.isEmpty, segment.chunks.checkedCount == 0, segment.originOnly == nil,
            let parts = parts(of: segment)
        else { return nil }
        let missing = parts.filter { !$0.isHeld }
        // At a start the origin is the surest; what a peer has as a whole comes with one list of digests.
        guard missing.isEmpty || (!wish.isStart && !hasPeerOffer(segment)) else { return nil }
        return missing.allSatisfy { canCome($0) } ? missing : nil
    }

    private func canCome(_ part: Segment) -> Bool {
        if case .failed = part.phase { return false }
        return !part.isPassedThrough && (hasPeerOffer(part) || !part.runs.isEmpty)
    }

    /// True when the segment comes by its parts, or has.
    mutating func raceParts(for wish: Wish, _ stream: Stream) -> Bool {
        guard let missing = partsToGet(for: wish) else { return false }
        guard !missing.isEmpty else { return !wish.isAsked || putTogether(wish.segment) }
        // Parts in files of their own do not say beforehand how long they are; whole segments have said it.
        let isKnown = stream.hasSegmentSizes && wish.segment.rendition.bandwidth == 0
        let rest = min(isKnown ? stream.typicalSegmentBytes : .max, missing.reduce(0) { $0 + $1.rest })
        for part in missing {
            part.wishedIn = stream.plans
            race(
                Wish(
                    segment: part,
                    slack: wish.slack,
                    isAsked: wish.isAsked,
                    isStart: false,
                    whole: Wish.Whole(segment: wish.segment, rest: rest)
                ),
                stream
            )
        }
        return true
    }

    /// Peers' parts of a segment that was read whole, to compare: of one segment at a time, while there is proof to find.
    mutating func raceProofs(_ stream: Stream) {
        for rendition in stream.renditions where rendition.compositionProof.isOpen && !rendition.isParts {
            guard hasSwarm(stream), isPlaying(rendition), let list = rendition.playlist,
                list.lowLatency.partTarget != nil
            else { continue }
            for entry in list.segments.suffix(8).reversed() {
                guard let segment = rendition.media[entry.sequence], isProvable(segment),
                    let parts = parts(of: segment), parts.allSatisfy({ $0.isHeld || canCome($0) })
                else { continue }
                for part in parts where !part.isHeld {
                    part.wishedIn = stream.plans
                    race(
                        Wish(
                            segment: part,
                            slack: nil,
                            isAsked: false,
                            isStart: false,
                            whole: Wish.Whole(segment: segment, rest: 0)
                        ),
                        stream
                    )
                }
                break
            }
        }
    }

    // MARK: Proof

    private func isProvable(_ segment: Segment) -> Bool {
        guard let composition = segment.composition, !composition.isRanges, !composition.isEncrypted else {
            return false
        }
        return segment.isHeld && !segment.isPutTogether && !segment.wasCompared && segment.evidence.isAllOwn
    }

    /// A segment or a part is here: is there something to put together, or to compare?
    mutating func compositionArrived(_ arrived: Segment) {
        let rendition = arrived.rendition
        let whole = rendition.isParts ? rendition.ofWhole.media[arrived.id.number >> 16] : arrived
        guard let whole, !whole.rendition.isParts, whole.composition != nil else { return }
        if rendition.isParts, !whole.answers.isEmpty { replan(rendition.stream) }
        compare(whole)
    }

    /// The segment as the origin gave it whole, beside its parts.
    private mutating func compare(_ segment: Segment) {
        guard segment.rendition.compositionProof.isOpen, isProvable(segment), let parts = parts(of: segment),
            parts.allSatisfy({ $0.isHeld })
        else { return }
        segment.wasCompared = true
        let pieces = parts.joinedChunks()
        let isEqual =
            pieces.count == segment.chunks.count
            && pieces.indices.allSatisfy { pieces[$0].digest() == segment.evidence.digest(of: $0) }
        segment.rendition.compositionProof.note(isEqual: isEqual)
        guard !isEqual else { return }
        log(
            .notice,
            "a segment is not its parts put together: it is read whole from now on",
            [("segment", String(segment.id.number)), ("rendition", segment.id.rendition.padded)]
        )
    }

    // MARK: Putting together

    /// False when it has to come as a whole.
    private mutating func putTogether(_ segment: Segment) -> Bool {
        guard let parts = parts(of: segment), parts.allSatisfy({ $0.isHeld }) else { return false }
        let length = parts.reduce(Int64(0)) { $0 + ($1.length ?? 0) }
        if segment.isConfirmed, segment.length != length {
            segment.rendition.compositionProof.note(isEqual: false)
            log(.notice, "a segment is longer than its parts", [("segment", String(segment.id.number))])
            return false
        }
        guard length > 0, segment.chunks.count <= Chunk.count(ofBytes: length), admit(segment, length: length) else {
            return false
        }
        for (chunk, piece) in parts.joinedChunks().enumerated()
        where segment.chunks.fill(chunk, with: piece, from: .parts) {
            ledger.add(piece.count, to: segment)
        }
        segment.isPutTogether = true
        finishIfComplete(segment)
        return segment.isHeld
    }
}

extension [Segment] {
    /// The bytes of held segments, one behind the other, in chunks of their own.
    fileprivate func joinedChunks() -> [any Payload] {
        var chunks: [any Payload] = []
        var pending: [any Payload] = []
        var bytes = 0
        func close() {
            guard let first = pending.first else { return }
            chunks.append(first.stored(followedBy: [any Payload](pending.dropFirst())))
            pending = []
            bytes = 0
        }
        for payload in flatMap({ $0.chunks.payloads }).compactMap({ $0 }) {
            var rest = payload
            while rest.count > 0 {
                let taken = Swift.min(rest.count, Chunk.byteCount - bytes)
                pending.append(taken == rest.count ? rest : rest.slice(0..<taken))
                bytes += taken
                if bytes == Chunk.byteCount { close() }
                guard taken < rest.count else { break }
                rest = rest.slice(taken..<rest.count)
            }
        }
        close()
        return chunks
    }
}

// Segments whose bytes are no whole media: told by the media program, thrown away and fetched again from elsewhere.
extension Agent {
    /// Times that one segment is fetched again at most.
    private static let mostRefetches = 2
    /// So many in a row that were the same again: the stream is like that, and is left alone.
    private static let mostVain = 3

    /// The other pathway's list has so long to come.
    private static let besidePatience = Duration.seconds(1)

    /// - Parameter target: the segment's local address.
    mutating func segmentIsDamaged(_ target: String, _ reason: String) {
        guard let segment = segment(at: target), segment.isHeld, let root = segment.listRoot else { return }
        let stream = segment.rendition.stream
        var damage = segment.damage ?? Damage()
        // Others may read the same bytes and say the same.
        guard damage.state != .refetching, !damage.roots.contains(root) else { return }
        if damage.roots.isEmpty {
            totals.damaged_segments += 1
            stream.damage.found += 1
        }
        damage.reason = reason
        damage.roots.append(root)
        damage.servers += segment.servers.filter { !damage.servers.contains($0) }
        segment.damage = damage
        if let why = whyLeft(segment, damage) { return leave(segment, why) }
        segment.damage?.state = .found
        refetchIfDamaged(segment)
    }

    private func segment(at target: String) -> Segment? {
        guard case .segment(let id, let key, let number, _) = LocalPath(target: target) else { return nil }
        return stream(id)?.rendition(key)?.media[number]
    }

    /// Why nothing better is to be had; nil when there may be.
    private func whyLeft(_ segment: Segment, _ damage: Damage) -> String? {
        if segment.anchor != nil { return "the origin's own digest is that of these bytes" }
        if segment.isReplaced || segment.rendition.entry(segment.id.number) == nil { return "it is listed no more" }
        if damage.roots.count > Agent.mostRefetches { return "it was fetched again often enough" }
        if segment.rendition.stream.damage.vain >= Agent.mostVain { return "others of this stream were the same again" }
        return nil
    }

    private mutating func leave(_ segment: Segment, _ why: String) {
        segment.damage?.state = .left
        tell(segment, "is left as it is", why)
    }

    private mutating func tell(_ segment: Segment, _ outcome: String, _ why: String = "") {
        let reason = segment.damage?.reason ?? ""
        segment.rendition.stream.damage.latest =
            "segment \(segment.id.number): \(reason); it \(outcome)" + (why.isEmpty ? "" : ": \(why)")
        var metadata = [("segment", String(segment.id.number)), ("rendition", segment.id.rendition.padded)]
        metadata += [("damage", reason), ("why", why)].filter { !$0.1.isEmpty }
        log(.notice, "a damaged segment \(outcome)", metadata)
    }

    /// Once nobody reads it: what a player has begun it gets to its end.
    mutating func refetchIfDamaged(_ segment: Segment) {
        guard segment.damage?.state == .found, segment.answers.isEmpty, segment.isHeld else { return }
        segment.damage?.state = .refetching
        let stream = segment.rendition.stream
        restart(segment, why: "damaged")
        if let range = segment.id.range { _ = admit(segment, length: range.length) }
        if !stream.racing.contains(where: { $0 === segment }) { stream.racing.append(segment) }
        noteOtherPlaces(segment)
        let rendition = segment.rendition.ofWhole
        if segment.mirrors.isEmpty, rendition.places.count > 1, !rendition.isPresented {
            // The list of the other pathway says where that has it.
            readBeside(rendition)
            segment.retryAt = now + Agent.besidePatience
        }
        tell(segment, "is fetched again")
        replan(stream)
    }

    /// Nobody may be waiting for it.
    mutating func wishForDamaged(_ stream: Stream, into found: inout [Wish]) {
        for segment in stream.racing
        where segment.damage?.state == .refetching && segment.answers.isEmpty
            && !found.contains(where: { $0.segment === segment })
        {
            found.append(Wish(segment: segment, slack: nil, isAsked: false, isStart: false))
        }
    }

    /// Servers whose copy was damaged are asked only where there is no other.
    func withoutDamage(_ sources: [HTTPSource], of segment: Segment) -> [HTTPSource] {
        guard let damage = segment.damage, damage.state == .refetching else { return sources }
        // An edge keeps what it has.
        let origins = sources.filter { !$0.isEdge }
        let others = origins.filter { !damage.servers.contains($0.host) }
        return others.isEmpty ? origins : others
    }

    /// It is here again.
    mutating func settleDamage(_ segment: Segment) {
        guard let damage = segment.damage, damage.state == .refetching, let root = segment.listRoot else { return }
        let stream = segment.rendition.stream
        guard damage.roots.contains(root) else {
            segment.damage?.state = .replaced
            stream.damage.vain = 0
            stream.damage.replaced += 1
            totals.refetched_segments += 1
            return tell(segment, "was replaced")
        }
        stream.damage.vain += 1
        let isSameServer = segment.servers == damage.servers
        leave(segment, isSameServer ? "the origin has the same again" : "another source has the same")
    }
}

/// What was said against a segment's bytes, and what came of it.
///
/// Life: `found → refetching → replaced` or `left`; `found → left`; `replaced → found`, a bounded number of times.
struct Damage {
    enum State { case found, refetching, replaced, left }

    var state = State.found
    var reason = ""
    /// Of the copies it was said of.
    var roots: [Digest] = []
    /// Servers that those were read from.
    var servers: [String] = []
}

/// The same of a stream, for reports.
struct StreamDamage {
    var found = 0
    var replaced = 0
    /// In a row, fetched again for nothing.
    var vain = 0
    var latest: String?
}

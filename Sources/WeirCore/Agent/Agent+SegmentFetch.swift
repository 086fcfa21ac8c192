// Segments from origins and edges: whom to ask for which bytes, and what to do when the answer is no.
extension Agent {
    /// Asks an HTTP source for the whole segment or for the chunks `range` of it.
    ///
    /// - Parameter source: nil takes the one that should finish first, edges before the origin.
    mutating func fetchSegment(
        _ segment: Segment,
        chunks range: Range<Int>?,
        reason: String,
        from source: HTTPSource? = nil
    ) {
        guard let source = source ?? httpSources(for: segment).first else { return }
        let host = source.host
        let size = Int64(Chunk.byteCount)
        var first = Int64(range?.lowerBound ?? 0) * size
        if let carry = segment.carry, carry.chunk == range?.lowerBound ?? 0 { first += Int64(carry.bytes) }
        let wholeBody = hosts[host]?.wholeBodyUntil.map { $0 > now } ?? false
        // A range that ends with the segment is open: a source that knows more bytes than we do says so.
        let endsWithSegment = range.map { segment.length != nil && $0.upperBound >= segment.chunks.count } ?? true
        let last = endsWithSegment ? nil : range.map { Int64($0.upperBound) * size }
        let needsRange = segment.id.range != nil || ((first > 0 || last != nil) && !wholeBody)
        var fields: [HeaderField] = []
        if needsRange {
            let base = segment.id.range?.offset ?? 0
            let end = last.map { base + $0 } ?? segment.id.range.map { $0.offset + $0.length }
            fields.append(HeaderField("range", "bytes=\(base + first)-" + (end.map { String($0 - 1) } ?? "")))
        }
        let request = FetchRequest(url: source.url, fields: fields, purpose: .segment)
        let run = Run(
            source: .http(FetchID(0)),
            first: Int(first / size),
            end: range?.upperBound,
            askedAt: now,
            expected: hosts[host]?.estimate.roundTrip ?? .seconds(1)
        )
        segment.runs.append(run)
        let fetch = begin(request, purpose: .segment(segment, run), host: host, isEdge: source.isEdge)
        run.source = .http(fetch.id)
        fetch.offset = first
        // A host that ignores ranges sends from its beginning to its end.
        fetch.end = needsRange ? last : nil
        fetch.skip = needsRange ? 0 : first
        if let carry = segment.carry, carry.chunk == run.next {
            fetch.parts = carry.parts
            fetch.partBytes = carry.bytes
            segment.carry = nil
        }
        totals.origin_requests += source.isEdge ? 0 : 1
        if segment.originReason.isEmpty { segment.originReason = reason }
        claimRange(run, of: segment)
        // Peers may have the damaged copy: what replaces it is not theirs.
        if isReadingAll(segment), segment.damage?.state != .refetching { announce(segment, .fetching) }
    }

    /// Marks an HTTP run's chunks as requested, as soon as it is known how many there are.
    func claimRange(_ run: Run, of segment: Segment) {
        guard segment.length != nil else { return }
        segment.claim(run, to: min(run.end ?? .max, segment.chunks.count))
    }

    /// Whether our own HTTP ranges bring everything that is not here yet.
    private func isReadingAll(_ segment: Segment) -> Bool {
        let ranges = segment.runs.filter { $0.isHTTP }.map { $0.next..<max($0.next, $0.end ?? .max) }
        guard segment.length != nil else { return ranges.contains { $0.lowerBound == 0 && $0.upperBound == .max } }
        let states = segment.chunks.states
        return states.indices.allSatisfy { place in
            states[place] == .checked || ranges.contains { $0.contains(place) }
        }
    }

    /// Who can be asked for it by HTTP now, edges before the origin; none while all must be left alone.
    func httpSources(for segment: Segment) -> [HTTPSource] {
        withoutDamage(allHTTPSources(for: segment), of: segment)
    }

    private func allHTTPSources(for segment: Segment) -> [HTTPSource] {
        var sources: [HTTPSource] = []
        for edge in settings.edges {
            guard let base = try? WebURL(parsing: edge), mayAsk(base.originKey) else { continue }
            sources.append(
                HTTPSource(host: base.originKey, url: segment.url.atEdge(base).description, isEdge: true)
            )
        }
        if mayAsk(segment.originKey) {
            sources.append(
                HTTPSource(host: segment.originKey, url: segment.url.description, isEdge: false)
            )
        }
        for mirror in segment.mirrors where mayAsk(mirror.originKey) {
            sources.append(HTTPSource(host: mirror.originKey, url: mirror.description, isEdge: false))
        }
        return sources
    }

    private func mayAsk(_ host: String) -> Bool { hosts[host]?.retryAt.map { $0 <= now } ?? true }

    // MARK: Refusals

    mutating func segmentRefused(_ segment: Segment, _ run: Run, _ fetch: Fetch, status: Int) {
        let host = fetch.host
        let isEdge = fetch.isEdge
        if isMirror(fetch, of: segment) {
            dropMirror(segment, run, fetch, why: "status \(status)")
            return replan(segment.rendition.stream)
        }
        // Asked before the length was known, and the segment turned out shorter: nobody's fault.
        if status == 416, run.next > 0, run.next >= segment.chunks.count || segment.length == nil {
            return drop(run, of: segment, fetch: fetch, why: "beyond the segment's end")
        }
        drop(run, of: segment, fetch: fetch, why: "status \(status)")
        if segment.announced == .fetching { announce(segment, .gone) }
        if isEdge {
            // An edge that cannot serve is passed over; the origin decides what is true.
            var state = hosts[host] ?? HostState()
            state.retryAt = max(state.retryAt ?? now, now + .seconds(5))
            hosts[host] = state
            return replan(segment.rendition.stream)
        }
        segment.statusRetries += 1
        // Asked beyond the end of what the origin has: its length was only peers' word, or it changed.
        if status == 416, fetch.offset > 0, segment.id.range == nil, segment.statusRetries <= 2 {
            return restart(segment, why: "the origin has fewer bytes")
        }
        let rendition = segment.rendition
        let isNearEdge = rendition.isLive && now - segment.listedAt < rendition.targetDuration
        let isHonest = (400..<500).contains(status) && status != 429 && status != 408
        // A 404 close to the live edge is a packager that lists before it serves; a 5xx may pass.
        let mayRetry = isHonest ? (status == 404 && isNearEdge) : segment.statusRetries <= 4
        if status == 404, mayRetry { noteEarly(segment) }
        if mayRenew(segment, fetch, status: status) { return replan(rendition.stream) }
        // Two failures in a row are the server's, one may be anybody's.
        if !mayRetry || hosts[host]?.failures ?? 0 > 1, mayAskElsewhere(segment, fetch, why: "status \(status)") {
            return replan(rendition.stream)
        }
        // Peers may have what the origin has not yet, or not any more.
        guard !mayRetry, !hasPeerOffer(segment) || segment.statusRetries > 3 else {
            segment.retryAt = now + .milliseconds(250 << min(3, segment.statusRetries - 1))
            return replan(rendition.stream)
        }
        refuse(segment, status: status)
    }

    /// Takes a run and its exchange out of the race; its chunks are missing again.
    mutating func drop(_ run: Run, of segment: Segment, fetch: Fetch, why: String) {
        cancel(fetch)
        keepCarry(segment, run, fetch)
        segment.runs.removeAll { $0 === run }
        segment.unclaim(run)
        log(.debug, "dropped a source", [("segment", String(segment.id.number)), ("why", why)])
        replan(segment.rendition.stream)
    }
}

/// Where a segment can be asked by HTTP.
struct HTTPSource: Equatable {
    /// `scheme://host:port`, under which experience is kept.
    var host: String
    var url: String
    var isEdge: Bool
}

/// `Content-Range: bytes 0-499/1234` (RFC 9110 14.4).
struct ContentRange: Equatable {
    var first: Int64
    var last: Int64
    var total: Int64?

    init?(_ text: String) {
        guard text.hasPrefix("bytes ") else { return nil }
        let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Int64(ends[0]), let last = Int64(ends[1]), first >= 0, last >= first else {
            return nil
        }
        self.first = first
        self.last = last
        total = Int64(parts[1])
        guard parts[1] == "*" || (total ?? -1) > last else { return nil }
    }
}

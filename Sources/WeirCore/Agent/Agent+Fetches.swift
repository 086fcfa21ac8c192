// HTTP exchanges: begun here, and what arrives is handed to whom it is for.
extension Agent {
    mutating func begin(
        _ request: FetchRequest,
        purpose: Fetch.Purpose,
        host: String,
        isEdge: Bool = false
    ) -> Fetch {
        var request = request
        request.fields += owner(of: purpose)?.fields ?? []
        let fetch = Fetch(
            id: newFetchID(),
            purpose: purpose,
            request: request,
            host: host,
            isEdge: isEdge,
            now: now
        )
        for other in fetches.values where other.host == host && other.readsSegment && fetch.readsSegment {
            other.isAlone = false
            fetch.isAlone = false
        }
        fetches[fetch.id] = fetch
        emit(.fetch(fetch.id, request))
        return fetch
    }

    private func owner(of purpose: Fetch.Purpose) -> Stream? {
        switch purpose {
        case .manifest(_, let stream, _), .keyAhead(let stream, _), .steering(let stream): return stream
        case .clock(let stream, _): return stream
        case .index(let reading): return reading.stream
        case .beside(let rendition, _): return rendition.stream
        case .segment(let segment, _), .audit(let segment, _), .check(let segment, _, _), .anchor(let segment):
            return segment.rendition.stream
        case .relay(let request):
            // Whatever is passed on stands behind an address of its stream.
            guard let target = answers[request]?.request.target, let id = LocalPath(target: target)?.stream else {
                return nil
            }
            return stream(id)
        }
    }

    /// Drops an exchange; nothing more of it arrives.
    mutating func cancel(_ fetch: Fetch) {
        guard fetches.removeValue(forKey: fetch.id) != nil else { return }
        emit(.cancelFetch(fetch.id))
    }

    mutating func fetchHead(_ id: FetchID, _ head: FetchHead) {
        guard let fetch = fetches[id] else { return }
        fetch.head = head
        fetch.headAt = now
        fetch.lastProgress = now
        let isSuccess = (200..<300).contains(head.status)
        if !fetch.mayBeHeld {
            var isProbe = true
            if case .manifest = fetch.purpose { isProbe = false }
            hosts[fetch.host, default: HostState()].estimate.note(
                roundTrip: now - fetch.startedAt,
                isProbe: isProbe,
                at: now
            )
        }
        if isSuccess {
            hostAnswered(fetch.host)
        } else if head.status >= 500 || head.status == 429 {
            hostFailed(fetch.host, retryAfter: head.first("retry-after"), isAnswer: true)
        }
        switch fetch.purpose {
        case .manifest(let manifest, _, _): manifest.head = head
        case .segment(let segment, let run):
            segmentHead(segment, run, fetch, head)
            // Its length may be more than may be spent.
            if segment.rendition.stream.isAhead { replan(segment.rendition.stream) }
        case .audit, .check: break
        case .anchor(let segment): anchorHead(segment, fetch, head)
        case .relay(let request): relayHead(request, head)
        case .index, .clock: break
        case .steering, .beside: break
        case .keyAhead: break
        }
    }

    mutating func fetchBody(_ id: FetchID, _ payload: any Payload) {
        guard let fetch = fetches[id], payload.count > 0 else { return }
        fetch.lastProgress = now
        fetch.received += Int64(payload.count)
        downlink.note(payload.count, at: now)
        switch fetch.purpose {
        case .manifest(let manifest, _, _): manifestBody(manifest, payload, fetch)
        case .segment(let segment, let run):
            segmentBody(segment, run, fetch, payload)
            if segment.rendition.stream.isAhead, zapAllowance == 0 { replan(segment.rendition.stream) }
        case .audit, .check: auditBody(fetch, payload)
        case .anchor: break
        case .relay(let request): relayBody(request, payload, fetch)
        case .index(let reading): indexBody(reading, payload, fetch)
        case .clock: clockBody(payload, fetch)
        case .steering(let stream): steeringBody(stream, payload, fetch)
        case .beside: besideBody(payload, fetch)
        case .keyAhead(let stream, _): keyAheadBody(stream, payload, fetch)
        }
    }

    mutating func fetchEnded(_ id: FetchID, _ end: FetchEnd) {
        guard let fetch = fetches.removeValue(forKey: id) else { return }
        if case .failed = end { hostFailed(fetch.host, retryAfter: nil, isAnswer: fetch.headAt != nil) }
        switch fetch.purpose {
        case .manifest(let manifest, _, _): manifestEnded(manifest, fetch, end)
        case .segment(let segment, let run): segmentEnded(segment, run, fetch, end)
        case .audit(let segment, let chunk): auditEnded(segment, chunk: chunk, fetch, end)
        case .check(let segment, let teller, let refutation): checkEnded(segment, teller, refutation, fetch, end)
        case .anchor(let segment):
            segment.anchorFetch = nil
            finishIfComplete(segment)
            replan(segment.rendition.stream)
        case .relay(let request): relayEnded(request, end)
        case .index(let reading): indexEnded(reading, fetch, end)
        case .clock(let stream, let scheme): clockEnded(stream, scheme, fetch, end)
        case .steering(let stream): steeringEnded(stream, fetch, end)
        case .beside(let rendition, let place): besideEnded(rendition, place, fetch, end)
        case .keyAhead(let stream, let url): keyAheadEnded(stream, url, fetch, end)
        }
    }

    /// Waits longer after each failure in a row: 250 ms, doubling to 4 s; what the server asks for counts if it is
    /// longer, up to a minute.
    ///
    /// - Parameter isAnswer: it answered, but with a status: that it answers other requests then says nothing.
    mutating func hostFailed(_ host: String, retryAfter: String?, isAnswer: Bool = false) {
        var state = hosts[host] ?? HostState()
        state.failures += 1
        let backoff = Duration.milliseconds(250 << min(4, state.failures - 1))
        let asked = retryAfter.flatMap { Int($0) }.map { Duration.seconds(min(60, max(0, $0))) }
        state.retryAt = now + max(backoff, asked ?? .zero)
        state.isAway = !isAnswer && asked == nil
        hosts[host] = state
    }

    /// Whoever was away is back with its first good answer: what waits for it need not wait until it would be tried.
    private mutating func hostAnswered(_ host: String) {
        var state = hosts[host] ?? HostState()
        state.failures = 0
        if state.isAway {
            state.isAway = false
            state.retryAt = nil
            for stream in streams { replan(stream) }
            dialAgain()
        }
        hosts[host] = state
    }

    /// Speed learnt from a body.
    mutating func noteRate(_ fetch: Fetch) {
        guard let headAt = fetch.headAt, fetch.received > 0 else { return }
        // Beside another body it had a part of the host's rate: better than nothing, worse than an earlier figure.
        guard fetch.isAlone || hosts[fetch.host]?.estimate.isKnown != true else { return }
        // A short body came with its headers: the whole exchange then stands for the rate, which errs to safety.
        let isLong = fetch.received >= Int64(SourceEstimate.fullWeightBytes)
        let time = max(now - (isLong ? headAt : fetch.startedAt), .milliseconds(1))
        hosts[fetch.host, default: HostState()].estimate.note(
            bytes: Int(fetch.received),
            in: time,
            isShort: !isLong,
            at: now
        )
    }
}

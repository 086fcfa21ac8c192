// Content steering (RFC 8216bis 7): what the steering server says, asked while somebody plays.
extension Agent {
    /// What a multivariant list says of steering. The first word counts, then what the server says.
    mutating func adoptSteering(_ list: MultivariantPlaylist, in stream: Stream) {
        guard let said = list.steering, stream.steering.server == nil, !stream.steering.isOver else { return }
        if stream.steering.priority.isEmpty, let pathway = said.pathway { stream.steering.priority = [pathway] }
        guard let server = said.server else { return }
        stream.steering.server = server
        askSteering(stream, at: now)
    }

    private mutating func askSteering(_ stream: Stream, at due: Instant) {
        stream.steering.nextFetch = due
        agenda.note(.steering(stream.id), at: due)
    }

    /// After a pause without players the server is asked again as soon as somebody plays.
    mutating func resumeSteering(_ stream: Stream) {
        guard let due = stream.steering.nextFetch, due <= now else { return }
        agenda.note(.steering(stream.id), at: now)
    }

    mutating func steerIfDue(_ id: StreamID) {
        guard let stream = stream(id), let server = stream.steering.server, stream.steering.fetch == nil,
            let due = stream.steering.nextFetch
        else { return }
        guard due <= now else { return agenda.note(.steering(id), at: due) }
        guard !stream.isOpen || now - stream.lastMediaRequest < .seconds(30) else { return }
        var parameters: [String: String] = [:]
        parameters["_HLS_pathway"] = pathway(of: stream)
        if let rate = stream.raceEstimate.rate { parameters["_HLS_throughput"] = String(Int64(rate * 8)) }
        let request = FetchRequest(url: server.settingQuery(parameters).description, purpose: .other)
        stream.steering.received = []
        stream.steering.nextFetch = nil
        stream.steering.fetch = begin(request, purpose: .steering(stream), host: server.originKey).id
    }

    mutating func steeringBody(_ stream: Stream, _ payload: any Payload, _ fetch: Fetch) {
        guard stream.steering.received.count + payload.count <= SteeringManifest.byteLimit else {
            cancel(fetch)
            return steeringFailed(stream, why: "larger than \(SteeringManifest.byteLimit) bytes", fetch.head)
        }
        stream.steering.received += payload.bytes()
    }

    mutating func steeringEnded(_ stream: Stream, _ fetch: Fetch, _ end: FetchEnd) {
        guard let head = fetch.head, head.status == 200, end == .complete else {
            let why = fetch.head.map { "the server answered \($0.status)" } ?? reason(of: end)
            return steeringFailed(stream, why: why, fetch.head)
        }
        // A relative RELOAD-URI counts from here.
        stream.steering.answeredBy = WebURL(head.url)
        // The shell reads JSON, and answers with `Input.steering`.
        emit(.readSteering(stream.id, stream.steering.received))
    }

    private mutating func steeringFailed(_ stream: Stream, why: String, _ head: FetchHead?) {
        stream.steering.fetch = nil
        stream.steering.received = []
        log(.info, "the steering server did not help", [("stream", stream.id.text), ("why", why)])
        if head?.status == 410 {
            stream.steering.server = nil
            stream.steering.isOver = true
            return
        }
        var wait = stream.steering.lifetime
        if head?.status == 429, let asked = head?.first("retry-after").flatMap({ Int($0) }) {
            wait = .seconds(min(86_400, max(10, asked)))
        }
        askSteering(stream, at: now + wait)
    }

    /// What the shell made of a steering manifest; nil: it is none.
    mutating func steer(_ id: StreamID, _ manifest: SteeringManifest?) {
        guard let stream = stream(id), stream.steering.fetch != nil else { return }
        guard let manifest, manifest.version == 1 else {
            return steeringFailed(stream, why: "it sent no steering manifest of version 1", nil)
        }
        stream.steering.fetch = nil
        stream.steering.received = []
        // However small, the server is not asked in a loop.
        stream.steering.lifetime = max(.seconds(10), min(manifest.lifetime, .seconds(86_400)))
        stream.steering.priority = Array(manifest.priority.prefix(64))
        stream.steering.clones = Array(manifest.clones.prefix(Steering.mostClones))
        let base = stream.steering.answeredBy ?? stream.steering.server
        if let next = manifest.reloadURI.flatMap({ base?.resolve($0) }) { stream.steering.server = next }
        askSteering(stream, at: now + stream.steering.lifetime)
        choosePlaces(stream)
    }
}

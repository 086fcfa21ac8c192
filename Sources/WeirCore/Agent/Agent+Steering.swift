// Content steering (RFC 8216bis 7, ETSI TS 103 998 for DASH): what the steering server says, asked while somebody plays.
extension Agent {
    /// How long a manifest waits for a server that it wants asked before anything is played.
    static let steeringPatience = Duration.seconds(2)

    /// What a manifest says of steering. The first word counts, then what the server says.
    mutating func adoptSteering(_ said: ContentSteering?, in stream: Stream) {
        guard let said, stream.steering.server == nil, !stream.steering.isOver else { return }
        if stream.steering.priority.isEmpty { stream.steering.priority = Array(said.pathways.prefix(64)) }
        guard let server = said.server else { return }
        stream.steering.server = server
        stream.steering.proxy = said.proxy
        if said.isAskedFirst, !stream.isOpen { stream.steering.awaitedUntil = now + Agent.steeringPatience }
        askSteering(stream, at: now)
    }

    /// The server has answered, or is not waited for any longer.
    private mutating func ceaseAwaiting(_ stream: Stream) {
        guard stream.steering.awaitedUntil != nil else { return }
        stream.steering.awaitedUntil = nil
        if stream.top.coming != nil { readIndexes(stream.top, stream) }
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
        guard let stream = stream(id) else { return }
        if let limit = stream.steering.awaitedUntil, limit <= now { ceaseAwaiting(stream) }
        guard let server = stream.steering.server, stream.steering.fetch == nil, let due = stream.steering.nextFetch
        else { return }
        guard due <= now else { return agenda.note(.steering(id), at: due) }
        guard !stream.isOpen || now - stream.lastMediaRequest < .seconds(30) else { return }
        var parameters = stream.top.mpd == nil && stream.top.coming == nil ? pathwayInUse(stream) : pathwaysSeen(stream)
        if stream.steering.proxy != nil { parameters["url"] = server.description }
        let url = stream.steering.proxy ?? server
        let request = FetchRequest(url: url.settingQuery(parameters).description, purpose: .other)
        stream.steering.received = []
        stream.steering.nextFetch = nil
        stream.steering.fetch = begin(request, purpose: .steering(stream), host: url.originKey).id
        if let limit = stream.steering.awaitedUntil { agenda.note(.steering(id), at: limit) }
    }

    private func pathwayInUse(_ stream: Stream) -> [String: String] {
        var parameters: [String: String] = [:]
        parameters["_HLS_pathway"] = pathway(of: stream)
        if let rate = stream.raceEstimate.rate { parameters["_HLS_throughput"] = String(Int64(rate * 8)) }
        return parameters
    }

    /// DASH wants the service locations that were measured, the present one first, and bits per second of each.
    private func pathwaysSeen(_ stream: Stream) -> [String: String] {
        var seen: [(name: String, rate: Double)] = []
        let places = stream.renditions.compactMap(\.place) + stream.renditions.flatMap(\.places)
        for place in places where seen.count < 16 && !seen.contains(where: { $0.name == place.pathway }) {
            guard let rate = hosts[place.url.originKey]?.estimate.rate else { continue }
            seen.append((place.pathway, rate))
        }
        guard !seen.isEmpty else { return [:] }
        return [
            "_DASH_pathway": seen.map(\.name).joined(separator: ","),
            "_DASH_throughput": seen.map { String(Int64($0.rate * 8)) }.joined(separator: ","),
        ]
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
        // A relative RELOAD-URI counts from here; what a proxy passes on counts from the server.
        stream.steering.answeredBy = stream.steering.proxy == nil ? WebURL(head.url) : stream.steering.server
        // The shell reads JSON, and answers with `Input.steering`.
        emit(.readSteering(stream.id, stream.steering.received))
    }

    private mutating func steeringFailed(_ stream: Stream, why: String, _ head: FetchHead?) {
        stream.steering.fetch = nil
        stream.steering.received = []
        log(.info, "the steering server did not help", [("stream", stream.id.text), ("why", why)])
        defer { ceaseAwaiting(stream) }
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
        ceaseAwaiting(stream)
    }
}

import WeirCore

/// Where the baseline takes segments from, and what it gives to others.
extension OnePeerPolicy {
    var httpRunning: Int { jobs.count { if case .http = $0.source { true } else { false } } }
    private var peersRunning: Int { jobs.count { if case .peer = $0.source { true } else { false } } }

    /// Segments from the one that the player waits for, or will ask for next, to the end of the list.
    private func queue() -> [UInt64] {
        guard let playlist, let next = waiting?.sequence ?? lastAsked.map({ $0 + 1 }) else { return [] }
        let end = playlist.mediaSequence + UInt64(playlist.segments.count)
        let start = max(next, playlist.mediaSequence)
        return start < end ? Array(start..<end) : []
    }

    /// Playback seconds until a segment is due.
    private func timeUntilDue(_ sequence: UInt64, first: UInt64) -> Duration {
        buffer + scenario.segmentDuration * Int(sequence - first)
    }

    private func job(_ sequence: UInt64) -> Job {
        if let known = jobs.first(where: { $0.sequence == sequence }) { return known }
        let job = Job(sequence: sequence, now: now)
        jobs.insert(job, at: jobs.firstIndex { $0.sequence > sequence } ?? jobs.count)
        return job
    }

    func process() {
        expirePeerDownloads()
        let queue = queue()
        guard let first = queue.first else { return }
        for sequence in queue where stored[sequence] == nil {
            let job = job(sequence)
            let isUrgent =
                switch reader {
                case .drawn: timeUntilDue(sequence, first: first) < highDemandWindow
                case .elected: waiting?.sequence == sequence && buffer < urgentThreshold
                }
            if isUrgent {
                hurry(job)
            } else if case .none = job.source {
                if reader == .elected { readIfElected(job) }
                if case .none = job.source { loadFromPeer(job) }
            }
        }
    }

    private func hurry(_ job: Job) {
        if case .http = job.source { return }
        guard job.retryAt <= now else { return }
        if reader == .elected {
            for other in jobs where other !== job { if case .http = other.source { stop(other) } }
        } else if httpRunning >= OnePeerPolicy.httpDownloads {
            // The furthest-ahead download makes room.
            let last = jobs.last { if case .http = $0.source { true } else { false } }
            guard let last, last.sequence > job.sequence else {
                if case .none = job.source { loadFromPeer(job) }
                return
            }
            stop(last)
        }
        stop(job)
        loadFromOrigin(job)
    }

    func loadFromOrigin(_ job: Job) {
        guard let slash = url.lastIndex(of: "/") else { return }
        var fields: [HeaderField] = []
        if job.bytes > 0 { fields.append(HeaderField("Range", "bytes=\(job.bytes)-")) }
        totals.origin_requests += 1
        job.source = .http(fetch(url[...slash] + "segment-\(job.sequence).ts", fields: fields, purpose: .segment))
        job.startedAt = now
        job.lastByte = now
        mustAnnounce = true
    }

    private func loadFromPeer(_ job: Job) {
        guard peersRunning < OnePeerPolicy.peerDownloads else { return }
        let holders = peers.filter { !$0.isBusy && $0.held.contains(job.sequence) }
        guard !holders.isEmpty else { return }
        let peer = holders[random.below(holders.count)]
        peer.isBusy = true
        lastRequest += 1
        job.source = .peer(peer.id, request: lastRequest)
        job.lastByte = now
        let request = RunRequest(
            request: lastRequest,
            handle: 0,
            segment: SegmentID(rendition: OnePeerPolicy.rendition, number: job.sequence),
            edition: Edition(length: nil, validator: 0, name: 0),
            chunks: ChunkRun(first: UInt32(job.bytes), count: .max - UInt32(job.bytes))
        )
        emit(.send(peer.id, .request(request), payload: nil))
    }

    private func expirePeerDownloads() {
        for job in jobs where job.lastByte + OnePeerPolicy.peerPatience <= now {
            guard case .peer(let link, _) = job.source, let peer = peer(link) else { continue }
            stop(job)
            peer.failures += 1
            if peer.failures >= OnePeerPolicy.peerRetries { emit(.closeLink(link, reason: "silent")) }
        }
    }

    // MARK: Random prefetch

    func schedulePrefetch() {
        prefetchAt = now + .seconds(1) + .seconds(random.fraction() * Double(peers.count))
    }

    /// Every 1…1+N s: each of the first segments that nobody has is fetched with probability queue ÷ (N + 1).
    func prefetch() {
        guard !peers.isEmpty else {
            prefetchAt = .never
            return
        }
        schedulePrefetch()
        let candidates = queue().filter { sequence in
            stored[sequence] == nil && !isLoading(sequence)
                && !peers.contains { $0.held.contains(sequence) || $0.fetching.contains(sequence) }
        }
        let count = min(candidates.count, OnePeerPolicy.httpDownloads * (peers.count + 1))
        var probability = Double(count) / Double(peers.count + 1)
        for sequence in random.choose(count, from: Array(candidates.prefix(count))) {
            guard httpRunning < OnePeerPolicy.httpDownloads else { break }
            if random.fraction() < min(1, probability) { loadFromOrigin(job(sequence)) }
            probability -= 1
        }
    }

    private func isLoading(_ sequence: UInt64) -> Bool {
        jobs.contains { job in
            if case .none = job.source { return false }
            return job.sequence == sequence
        }
    }

    // MARK: Peers

    func linkDown(_ id: LinkID) {
        for job in jobs {
            if case .peer(let link, _) = job.source, link == id { job.source = .none }
        }
        peers.removeAll { $0.id == id }
    }

    func announceToAll() {
        mustAnnounce = false
        for peer in peers { announce(to: peer.id) }
    }

    func announce(to link: LinkID) {
        guard uploads else { return }
        let loading = jobs.compactMap { job in if case .http = job.source { job.sequence } else { nil } }
        let ranges = runs(storedOrder.sorted(), .held) + runs(loading, .fetching)
        emit(.send(link, .have(Have(handle: 0, rendition: OnePeerPolicy.rendition, ranges: ranges)), payload: nil))
    }

    private func runs(_ numbers: [UInt64], _ state: Have.State) -> [Have.Range] {
        var ranges: [Have.Range] = []
        for number in numbers {
            if let last = ranges.last, last.first + last.count == number {
                ranges[ranges.count - 1].count += 1
            } else {
                ranges.append(Have.Range(kind: .media, first: number, count: 1, state: state))
            }
        }
        return ranges
    }

    func heard(_ id: LinkID, _ message: Message, _ payload: (any Payload)?) {
        guard let peer = peer(id) else { return }
        switch message {
        case .have(let have):
            peer.held = numbers(have, .held)
            peer.fetching = numbers(have, .fetching)
        case .request(let run): serve(peer, run)
        case .partial(let header):
            guard let job = download(id, header.handle) else { return }
            job.total = header.runs.first.map { Int($0.first) }
            job.lastByte = now
        case .data(let request, _):
            guard let payload else { return }
            totals.peer_bytes += Int64(payload.count)
            if let job = download(id, request) {
                add(payload, to: job)
            } else {
                totals.wasted_bytes += Int64(payload.count)
            }
        case .absent(let request, _):
            guard let job = download(id, request) else { return }
            job.source = .none
            peer.isBusy = false
            peer.held.remove(job.sequence)
        case .cancel(let request, _): if peer.upload?.request == request { peer.upload = nil }
        default: break
        }
    }

    private func numbers(_ have: Have, _ state: Have.State) -> Set<UInt64> {
        Set(have.ranges.filter { $0.state == state }.flatMap { $0.first..<$0.first + $0.count })
    }

    private func download(_ link: LinkID, _ request: UInt32) -> Job? {
        jobs.first { job in
            if case .peer(let id, let number) = job.source { id == link && number == request } else { false }
        }
    }

    private func serve(_ peer: Peer, _ run: RunRequest) {
        guard uploads, let payload = stored[run.segment.number], Int(run.chunks.first) < payload.count else {
            emit(.send(peer.id, .absent(request: run.request, reason: .notHeld), payload: nil))
            return
        }
        let header = Partial(
            handle: run.request,
            segment: run.segment,
            runs: [ChunkRun(first: UInt32(payload.count), count: 1)]
        )
        emit(.send(peer.id, .partial(header), payload: nil))
        // A new request ends the upload that was running.
        peer.upload = (run.request, payload, Int(run.chunks.first))
        pump(peer)
    }

    func pump(_ peer: Peer) {
        while let upload = peer.upload, peer.unsent <= OnePeerPolicy.highWater {
            let end = min(upload.payload.count, upload.next + OnePeerPolicy.messageBytes)
            let message = Message.data(request: upload.request, firstChunk: UInt32(upload.next))
            emit(.send(peer.id, message, payload: upload.payload.slice(upload.next..<end)))
            peer.unsent += end - upload.next
            totals.uploaded_bytes += Int64(end - upload.next)
            peer.upload = end < upload.payload.count ? (upload.request, upload.payload, end) : nil
        }
    }
}

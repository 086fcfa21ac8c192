import WeirCore

/// The baselines that share whole segments, on the same network: what p2p-media-loader does.
///
/// Whole segments from one peer, a uniform choice among free holders; what is about to be played goes to HTTP at once
/// and resumes there from the bytes at hand. Who reads a segment that nobody has is drawn or elected (`Reader`).
/// Upstream's weights for faster peers (2.3 on) are left out: all uplinks here are alike. Messages are the core's types
/// with meanings of their own: `have` replaces all that was said before, a `request` begins at byte `chunks.first`,
/// `partial` answers it with the whole length in bytes, `data` counts bytes, `absent` and `cancel` as usual.
final class OnePeerPolicy: Decider {
    /// Downloads at once (library defaults).
    static let peerDownloads = 3
    static let httpDownloads = 2
    /// One data message (webRtcMaxMessageSize) and what may wait unsent on a connection.
    static let messageBytes = 65_535
    static let highWater = 65_536
    /// p2pNotReceivingBytesTimeoutMs, and how many without a success end the connection.
    static let peerPatience = Duration.seconds(2)
    static let peerRetries = 3
    static let tick = Duration.milliseconds(500)
    static let rendition = RenditionKey(1)

    /// Who reads what no peer has.
    enum Reader {
        /// Up to 4.x: everybody now and then, by chance; what is within the window of high demand at once.
        case drawn
        /// 5.x: the lowest hash of peer and segment at once, the others when their players' buffers run low.
        case elected
    }

    final class Job {
        enum Source {
            case none
            case http(FetchID)
            case peer(LinkID, request: UInt32)
        }
        let sequence: UInt64
        var source = Source.none
        var pieces: [any Payload] = []
        var bytes = 0
        var total: Int?
        /// When its source was asked.
        var startedAt: Instant
        var lastByte: Instant
        var retryAt = Instant.start

        init(sequence: UInt64, now: Instant) {
            self.sequence = sequence
            startedAt = now
            lastByte = now
        }
    }

    final class Peer {
        let id: LinkID
        let peer: PeerID
        var held: Set<UInt64> = []
        var fetching: Set<UInt64> = []
        var isBusy = false
        var failures = 0
        var upload: (request: UInt32, payload: any Payload, next: Int)?
        var unsent = 0

        init(_ id: LinkID, _ peer: PeerID) {
            self.id = id
            self.peer = peer
        }
    }

    let scenario: Scenario
    let reader: Reader
    let id: PeerID
    let uploads: Bool
    var random: SeededGenerator
    var now = Instant.start
    var outputs = Ring<Output>()
    var totals = AgentStatistics()
    var url = ""
    var opening: OpenID?
    var playlistFetch: FetchID?
    var playlistBytes: [UInt8] = []
    var playlist: LocalPlaylist?
    var playlistWaiting: [RequestID] = []
    var waiting: (id: RequestID, sequence: UInt64)?
    /// What the player asked for last.
    var lastAsked: UInt64?
    /// How long the last segment took by HTTP.
    var fetchTime = Duration.seconds(1)
    var stored: [UInt64: any Payload] = [:]
    var storedOrder: [UInt64] = []
    /// In order of their numbers.
    var jobs: [Job] = []
    var peers: [Peer] = []
    var lastFetch: UInt64 = 0
    var lastRequest: UInt32 = 0
    var mustAnnounce = false
    /// When the player's buffer is empty, as far as deliveries tell.
    var dryAt: Instant?
    var prefetchAt = Instant.never
    var tickAt = Instant.never
    var isStopping = false

    init(scenario: Scenario, id: PeerID, uploads: Bool, seed: UInt64) {
        self.scenario = scenario
        self.id = id
        reader = scenario.policy == .elected ? .elected : .drawn
        self.uploads = uploads
        random = SeededGenerator(seed: seed)
    }

    var highDemandWindow: Duration { scenario.highDemandWindow ?? .seconds(scenario.isLive ? 4 : 15) }
    /// Playback seconds at hand.
    var buffer: Duration { dryAt.map { ($0 - now).orZero } ?? .zero }

    func nextOutput() -> Output? { outputs.popFirst() }
    var nextDeadline: Instant? { min(prefetchAt, tickAt) == .never ? nil : min(prefetchAt, tickAt) }

    func statistics(at now: Instant) -> AgentStatistics {
        var result = totals
        result.peers = peers.count
        result.ledger_bytes = storedOrder.reduce(0) { $0 + Int64(stored[$1]?.count ?? 0) }
        return result
    }

    func emit(_ output: Output) { outputs.append(output) }

    func handle(_ input: Input, at time: Instant) {
        now = time
        switch input {
        case .open(let id, let request): open(id, request)
        case .close: forgetAll()
        case .request(let request): asked(request)
        case .requestClosed(let id): if waiting?.id == id { waiting = nil }
        case .fetchHead(let id, let head): fetchHead(id, head)
        case .fetchBody(let id, let payload): fetchBody(id, payload)
        case .fetchEnded(let id, let end): fetchEnded(id, end)
        case .linkUp(let id, let peer, _):
            peers.append(Peer(id, peer.id))
            announce(to: id)
            if prefetchAt == .never, reader == .drawn { schedulePrefetch() }
        case .linkMessage(let id, let message, let payload): heard(id, message, payload)
        case .linkDrained(let id, let bytes):
            guard let peer = peer(id) else { break }
            peer.unsent = max(0, peer.unsent - bytes)
            pump(peer)
        case .linkDown(let id, _): linkDown(id)
        case .stop:
            isStopping = true
            emit(.stopped)
        default: break
        }
        guard !isStopping else { return }
        if prefetchAt <= now { prefetch() }
        if tickAt <= now { tickAt = now + OnePeerPolicy.tick }
        process()
        if mustAnnounce { announceToAll() }
    }

    func peer(_ id: LinkID) -> Peer? { peers.first { $0.id == id } }

    // MARK: Player

    private func open(_ id: OpenID, _ request: StreamRequest) {
        if url != request.url { forgetAll() }
        url = request.url
        opening = id
        tickAt = now + OnePeerPolicy.tick
        fetchPlaylist()
    }

    /// The library is destroyed with its player, and its memory with it.
    private func forgetAll() {
        for job in jobs { stop(job) }
        jobs = []
        if let playlistFetch { emit(.cancelFetch(playlistFetch)) }
        playlistFetch = nil
        playlistWaiting = []
        playlist = nil
        waiting = nil
        lastAsked = nil
        dryAt = nil
        mustAnnounce = mustAnnounce || !stored.isEmpty
        stored = [:]
        storedOrder = []
    }

    private func fetchPlaylist() {
        guard playlistFetch == nil else { return }
        playlistBytes = []
        playlistFetch = fetch(url, fields: [], purpose: .manifest)
        totals.manifest_requests += 1
    }

    func fetch(_ url: String, fields: [HeaderField], purpose: FetchRequest.Purpose) -> FetchID {
        lastFetch += 1
        emit(.fetch(FetchID(lastFetch), FetchRequest(url: url, fields: fields, purpose: purpose)))
        return FetchID(lastFetch)
    }

    private func asked(_ request: PlayerRequest) {
        if let sequence = StreamShape.sequence(ofPath: request.target) {
            // After a jump what was buffered is of no use.
            if let lastAsked, sequence != lastAsked, sequence != lastAsked + 1 { dryAt = nil }
            waiting = (request.id, sequence)
            lastAsked = sequence
            answerIfStored()
        } else {
            playlistWaiting.append(request.id)
            fetchPlaylist()
        }
    }

    private func answer(_ id: RequestID, status: Int, bytes: [UInt8]) {
        emit(.answerHead(id, AnswerHead(status: status, fields: [], bodyLength: bytes.count)))
        emit(.answerBytes(id, bytes))
        emit(.answerEnd(id))
    }

    func answerIfStored() {
        guard let (id, sequence) = waiting, let payload = stored[sequence] else { return }
        waiting = nil
        emit(.answerHead(id, AnswerHead(status: 200, fields: [], bodyLength: payload.count)))
        emit(.answerBody(id, payload))
        emit(.answerEnd(id))
        dryAt = max(dryAt ?? now, now) + scenario.segmentDuration
        totals.delivered_bytes += Int64(payload.count)
    }

    // MARK: HTTP

    private func fetchHead(_ id: FetchID, _ head: FetchHead) {
        guard let job = job(fetch: id) else { return }
        let length = head.first("content-length").flatMap { Int($0) } ?? 0
        if head.status == 206 {
            job.total = job.bytes + length
        } else if head.status == 200 {
            job.pieces = []
            job.bytes = 0
            job.total = length
        } else {
            job.source = .none
            job.retryAt = now + .seconds(1)
            emit(.cancelFetch(id))
            mustAnnounce = true
        }
    }

    private func fetchBody(_ id: FetchID, _ payload: any Payload) {
        if id == playlistFetch {
            playlistBytes += payload.bytes()
            return
        }
        guard let job = job(fetch: id) else { return }
        totals.origin_bytes += Int64(payload.count)
        add(payload, to: job)
    }

    private func fetchEnded(_ id: FetchID, _ end: FetchEnd) {
        if id == playlistFetch { return playlistEnded(end) }
        guard let job = job(fetch: id) else { return }
        job.source = .none
        job.retryAt = now + .seconds(1)
        mustAnnounce = true
    }

    private func playlistEnded(_ end: FetchEnd) {
        playlistFetch = nil
        let list = end == .complete ? LocalPlaylist(playlistBytes) : nil
        if let list { playlist = list }
        if let id = opening {
            opening = nil
            emit(
                .opened(
                    id,
                    list == nil
                        ? .failed(.unreachable, "no playlist") : .ready(StreamID("one"), path: "/one/index.m3u8")
                )
            )
        }
        for id in playlistWaiting {
            answer(id, status: list == nil ? 502 : 200, bytes: list == nil ? [] : playlistBytes)
        }
        playlistWaiting = []
        if scenario.isLive, let list {
            abandon(before: list.mediaSequence)
            forget()
        }
    }

    /// Nobody fetches what left the list, but what the player waits for.
    private func abandon(before first: UInt64) {
        for job in jobs where job.sequence < first && job.sequence != waiting?.sequence { stop(job) }
        jobs.removeAll { $0.sequence < first && $0.sequence != waiting?.sequence }
    }

    /// Live: what was played longer ago than the window of high demand goes (5.x: than 15 s and three segments).
    private func forget() {
        guard let next = waiting?.sequence ?? lastAsked.map({ $0 + 1 }) else { return }
        let kept = reader == .drawn ? highDemandWindow : max(.seconds(15), scenario.segmentDuration * 3)
        let (ahead, duration) = (buffer, scenario.segmentDuration)
        let old = Set(storedOrder.filter { $0 < next && duration * Int(next - 1 - $0) > ahead + kept })
        guard !old.isEmpty else { return }
        for sequence in old { stored[sequence] = nil }
        storedOrder.removeAll { old.contains($0) }
        mustAnnounce = true
    }

    func job(fetch id: FetchID) -> Job? {
        jobs.first { if case .http(let fetch) = $0.source { fetch == id } else { false } }
    }

    /// Takes bytes in; a whole segment is stored, given to the player and announced.
    func add(_ payload: any Payload, to job: Job) {
        job.pieces.append(payload)
        job.bytes += payload.count
        job.lastByte = now
        guard let total = job.total, job.bytes >= total, let first = job.pieces.first else { return }
        if case .peer(let link, _) = job.source {
            let peer = peer(link)
            peer?.isBusy = false
            peer?.failures = 0
        }
        if case .http = job.source { fetchTime = now - job.startedAt }
        jobs.removeAll { $0 === job }
        stored[job.sequence] = first.stored(followedBy: Array(job.pieces.dropFirst()))
        storedOrder.append(job.sequence)
        mustAnnounce = true
        answerIfStored()
    }

    /// Ends a job's transfer and keeps what it has.
    func stop(_ job: Job) {
        switch job.source {
        case .none: break
        case .http(let fetch): emit(.cancelFetch(fetch))
        case .peer(let link, let request):
            emit(.send(link, .cancel(request: request, fromChunk: 0), payload: nil))
            peer(link)?.isBusy = false
        }
        job.source = .none
    }
}

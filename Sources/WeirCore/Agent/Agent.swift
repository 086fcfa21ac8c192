/// One agent: a value that decides and does nothing else.
///
/// Feed it an `Input` with the time, drain its `Output`s, and call it again at `nextDeadline`. It opens no socket, reads
/// no clock and draws random numbers only from its seed, so the box and the simulator run the very same code.
///
/// What belongs to one concept stands in one extension: streams and manifests, players' answers, fetches, planning,
/// links, uploads, integrity, the ledger, trackers, reports.
package struct Agent: ~Copyable {
    var settings: AgentSettings
    let limits: Limits
    let signer: any Signer
    let me: PeerID
    var random: RandomSource
    /// Of pings alone: how often the line is looked at decides nothing else.
    var nonces: RandomSource
    var now = Instant.start
    let time = TimeSource()
    var agenda = Agenda()
    private var outputs: [Output] = []
    private var outputsTaken = 0
    var isStopping = false

    var streams: [Stream] = []
    var channels: ChannelList?
    var zap: Zap?
    var answers: [RequestID: Answer] = [:]
    var fetches: [FetchID: Fetch] = [:]
    private var fetchesBegun: UInt64 = 0
    var hosts: [String: HostState] = [:]
    /// In the order in which they came up; changed by `add` and `remove` alone.
    private(set) var links: [Link] = []
    private var linkByID: [LinkID: Link] = [:]
    var dials = DialBook()
    var vainDials: VainDials
    var bans = BanList()
    /// When links were last compared.
    var neighboursReviewedAt = Instant.start
    var mismatches = MismatchBook()
    var trackers: [TrackerState] = []
    var acquaintances = Acquaintances()
    /// When somebody from outside this household last dialled us.
    var lastDialled: Instant?
    var uploadBucket: TokenBucket
    var uploadTurn = 0
    var uplink = UplinkMeter()
    var downlink = DownlinkMeter()
    /// Uploads wait until some of what is under way is known to have arrived.
    var isUplinkLimiting = false
    var networks: [String: NetworkSample] = [:]
    var ledger = Ledger()
    var disk: DiskWindow
    var totals = AgentStatistics()
    /// Segments that came to be held.
    package internal(set) var segmentsFinished: UInt64 = 0
    /// Streams whose races must be looked at before the current input is done.
    private var unplanned: [StreamID] = []

    package init(settings: AgentSettings, limits: Limits = Limits(), signer: any Signer, seed: UInt64) {
        self.settings = settings
        self.limits = limits
        self.signer = signer
        guard let identity = signer.identity(ofKey: signer.publicKey) else {
            preconditionFailure("a signer knows its own key")
        }
        me = identity
        random = RandomSource(seed: seed)
        nonces = RandomSource(seed: RandomSource.mix(seed ^ 0x70_696E_67))
        vainDials = VainDials(limit: limits.vainDials)
        uploadBucket = TokenBucket(rate: settings.uploadBytesPerSecond)
        let window = settings.dvrLength > .zero ? Int64(settings.dvrBytes) : 0
        disk = DiskWindow(
            budget: settings.dvrLength > .zero ? Int64(settings.dvrDiskBytes) : 0,
            memory: Int64(settings.cacheBytes) + window
        )
        ledger.window = max(0, window - disk.room)
        ledger.capacity = Int64(settings.cacheBytes) + window - disk.room
        trackers = (0..<settings.trackerCount).map { TrackerState(id: TrackerID($0)) }
        for address in settings.peers { dials.wish(for: address, at: .start) }
        agenda.note(.dials, at: .start)
    }

    package mutating func handle(_ input: Input, at time: Instant) {
        // A clock that steps back would undo what was decided in the meantime.
        now = max(now, time)
        self.time.now = now
        dispatch(input)
        while let task = agenda.takeDue(at: now) { perform(task) }
        planUnplanned()
    }

    /// The next thing to do, in order; nil when there is nothing left.
    package mutating func nextOutput() -> Output? {
        guard outputsTaken < outputs.count else {
            outputs.removeAll(keepingCapacity: true)
            outputsTaken = 0
            return nil
        }
        outputsTaken += 1
        return outputs[outputsTaken - 1]
    }

    /// When to feed `Input.timer`, if nothing else happens before.
    package var nextDeadline: Instant? { agenda.nextDue }

    mutating func emit(_ output: Output) {
        outputs.append(output)
    }

    mutating func log(_ level: LogEvent.Level, _ message: String, _ metadata: [(String, String)] = []) {
        emit(.log(LogEvent(level, message, metadata)))
    }

    mutating func newFetchID() -> FetchID {
        fetchesBegun += 1
        return FetchID(fetchesBegun)
    }

    /// Has the stream's races looked at before the current input is done.
    mutating func replan(_ stream: Stream) {
        if !unplanned.contains(stream.id) { unplanned.append(stream.id) }
    }

    /// What peers say of their holdings comes in showers; one look after each is enough.
    static let newsPause = Duration.milliseconds(10)

    mutating func replanSoon(_ stream: Stream) {
        agenda.note(.plan(stream.id), at: now + Agent.newsPause)
    }

    private mutating func planUnplanned() {
        // Planning one stream never makes another one's plan outdated, so one pass is enough; what a plan itself sets
        // free is looked at a moment later.
        let due = unplanned
        unplanned.removeAll(keepingCapacity: true)
        for id in due {
            if let stream = stream(id) { plan(stream) }
        }
        for id in unplanned { agenda.note(.plan(id), at: now + .milliseconds(5)) }
        unplanned.removeAll(keepingCapacity: true)
    }

    func stream(_ id: StreamID) -> Stream? { streams.first { $0.id == id } }
    func stream(swarm: SwarmID) -> Stream? { streams.first { $0.swarm == swarm } }
    func link(_ id: LinkID) -> Link? { linkByID[id] }
    /// Payload waits in this link's socket, so that it matters when some of it leaves.
    package func awaitsDrain(_ id: LinkID) -> Bool { linkByID[id].map { $0.sentNotDrained > 0 } ?? false }

    mutating func add(_ link: Link) {
        links.append(link)
        linkByID[link.id] = link
    }

    mutating func remove(_ link: Link) {
        links.removeAll { $0 === link }
        linkByID[link.id] = nil
    }

    private mutating func dispatch(_ input: Input) {
        switch input {
        case .request(let request): playerAsks(request)
        case .delivered(let id, let bytes): delivered(id, bytes: bytes)
        case .requestClosed(let id): playerLeft(id)
        case .connectionClosed(let id): connectionClosed(id)
        case .fetchHead(let id, let head): fetchHead(id, head)
        case .fetchBody(let id, let payload): fetchBody(id, payload)
        case .fetchEnded(let id, let end): fetchEnded(id, end)
        case .linkUp(let id, let peer, let dial): linkUp(id, peer, dial: dial)
        case .linkMessage(let id, let message, let payload): linkSays(id, message, payload)
        case .linkGarbage(let id, let error): linkGarbage(id, error)
        case .linkDrained(let id, let bytes): linkDrained(id, bytes: bytes)
        case .linkDown(let id, let end): linkDown(id, end)
        case .dialFailed(let id, let end): dialFailed(id, end)
        case .trackerUp(let id): trackerUp(id)
        case .trackerReply(let id, let reply): trackerSays(id, reply)
        case .trackerDown(let id, let reason): trackerDown(id, reason: reason)
        case .open(let id, let request): open(id, request)
        case .channels(let list): channelsArrived(list)
        case .close(let id): close(id)
        case .steering(let id, let manifest): steer(id, manifest)
        case .wallClock(let milliseconds):
            let wall = WallTime(milliseconds: milliseconds)
            time.wallOffset = Duration(nanoseconds: wall.nanoseconds.subtractedSaturating(now.nanoseconds))
        case .disk(let answer): diskSays(answer)
        case .damaged(let target, let reason): segmentIsDamaged(target, reason)
        case .timer: break
        case .stop: stop()
        }
    }

    private mutating func perform(_ task: Agenda.Task) {
        switch task {
        case .plan(let id): if let stream = stream(id) { replan(stream) }
        case .reload(let id, let key): reloadIfDue(id, key)
        case .answer(let id): answerIsLate(id)
        case .uploads: pumpUploads()
        case .dials: dialDue()
        case .tracker(let id): announceIfDue(id)
        case .link(let id): checkLink(id)
        case .house: keepHouse()
        case .steering(let id): steerIfDue(id)
        case .warm: warmNeighbours()
        }
    }
}

/// A connected message channel to another agent.
///
/// Life: `greeting → up → closing → gone`; `greeting → closing` when the hello is not acceptable.
final class Link {
    enum Phase { case greeting, up, closing }

    let id: LinkID
    let peer: LinkPeer
    /// We dialled it.
    let isOutbound: Bool
    let since: Instant
    /// Its bytes need no audit: same household or operator, by `local_networks`.
    let isLocal: Bool
    var phase = Phase.greeting
    var hello: Hello?
    /// What it told us: its handle of each swarm.
    var theirSwarms: [UInt32: SwarmID] = [:]
    /// Swarms that both are in, in the order in which they were found.
    var shared: [SwarmID] = []
    /// What we told it: our handle of each swarm.
    var ourHandles: [(swarm: SwarmID, handle: UInt32)] = []
    var nextHandle: UInt32 = 0

    /// When its last viewing of each stream was counted; bounded by the swarms that a link may be in.
    var countedAt: [SwarmID: Instant] = [:]
    /// What it says of each rendition, in the order in which it first spoke of them: few enough for a linear search.
    var holdings: [Holdings] = []

    // Downloads
    var runs: [UInt32: RunOnLink] = [:]
    var nextRequest: UInt32 = 1
    /// Requests given up lately: what still arrives for them is as good as any other.
    var late: [(request: UInt32, segment: Segment)] = []
    /// Requests for digests alone.
    var queries: [UInt32: Segment] = [:]
    /// Since when, and how many bytes, the current sample of its rate counts.
    var sampleStart: Instant?
    var sampleBytes = 0
    /// Nothing was asked of it before the run whose first chunk is awaited.
    var wasIdle = false
    /// Chunks asked and not yet arrived.
    var outstandingChunks = 0
    /// How many chunks may be outstanding: grows while answers come fast, shrinks when they queue.
    var window = Link.firstWindow
    var estimate = SourceEstimate()
    /// Time from asking for a chunk to having it.
    var latency: Duration?
    var leastLatency: Duration?
    var lastWindowCut: Instant = .start
    /// When a chunk last came from it.
    var lastChunk: Instant = .start
    var receivedBytes: Int64 = 0
    var rejectedBytes: Int64 = 0
    /// Of these, what trackers were told.
    var toldReceived: Int64 = 0
    var toldRejected: Int64 = 0
    /// Runs that it lost for being silent.
    var stalls = 0
    var lastStall = Instant.start
    /// Standing requests in a row of which nothing came until they were asked elsewhere.
    var failedStanding = 0

    /// Payload either way at the last look at all links.
    private var carriedBefore: Int64 = 0

    // Uploads
    var uploads: [Upload] = []
    var sentNotDrained = 0
    var sentBytes: Int64 = 0
    var lastDrained: Instant
    /// Statements that it already has from us.
    var told: [NamedSegment: ToldList] = [:]
    /// Statements that we have from it.
    var ownLists: [NamedSegment: OwnList] = [:]
    /// Books about segments are gone through when they have grown to this many.
    var listLimit = 512
    /// Times in a row that it did not answer a question for digests.
    var mutes = 0
    /// Times that it sent bytes of which it had sent no digest.
    var unlisted = 0
    /// Addresses that it named and where nobody was, in a row; and from when on its hints count again.
    var vainHints = 0
    var hintsHeardFrom = Instant.start
    /// Times that it called a true statement false; and from when on its refutations count again.
    var falseRefutations = 0
    var refutationsHeardFrom = Instant.start
    /// What announcements may cost us: far beyond what an honest peer says, far below what would keep us busy.
    var announcements = TokenBucket(rate: 2048)

    var lastHeard: Instant
    /// The ping that waits for its pong.
    var ping: (nonce: UInt64, sentAt: Instant)?
    /// The ping that follows chunks, with all the bytes that left before it; and how many of these have arrived.
    var probe: (nonce: UInt64, sentAt: Instant, bytes: Int64)?
    var confirmedBytes: Int64 = 0
    /// The shortest time that a ping took.
    var leastPing: Duration?

    static let firstWindow = 4
    static let largestWindow = 64

    init(id: LinkID, peer: LinkPeer, isOutbound: Bool, isLocal: Bool, now: Instant) {
        self.id = id
        self.peer = peer
        self.isOutbound = isOutbound
        self.isLocal = isLocal
        since = now
        network = NetworkPrefix.enclosing(peer.address.host)
        line = NetworkPrefix.line(of: peer.address.host)
        lastHeard = now
        lastDrained = now
    }

    var isUp: Bool { phase == .up }

    /// Payload that it carried either way since this was last asked; what was bad counts for nothing.
    func takeCarried() -> Int64 {
        let carried = receivedBytes - rejectedBytes + sentBytes
        defer { carriedBefore = carried }
        return carried - carriedBefore
    }

    /// The network that its audits count for: the address's first 24 or 48 bits.
    let network: String
    /// What it shares with all that speak from the same host.
    let line: String

    /// Where it can be dialled by others, when it accepts links.
    var dialAddress: PeerAddress? {
        guard let hello, hello.listenPort > 0 else { return nil }
        return PeerAddress(host: peer.address.host, port: Int(hello.listenPort))
    }

    /// One of the two left the swarm: what was said there is said anew when both are in it again.
    func forget(_ swarm: SwarmID) {
        shared.removeAll { $0 == swarm }
        holdings.removeAll { $0.swarm == swarm }
        uploads.removeAll { $0.swarm == swarm }
        told = told.filter { $0.key.swarm != swarm }
        ownLists = ownLists.filter { $0.key.swarm != swarm }
    }

    func handle(of swarm: SwarmID) -> UInt32? { ourHandles.first { $0.swarm == swarm }?.handle }

    func holdings(_ swarm: SwarmID, _ rendition: RenditionKey) -> Holdings? {
        holdings.first { $0.rendition == rendition && $0.swarm == swarm }
    }

    /// Seconds that a chunk takes; a slow home uplink's before anything was measured.
    var secondsPerChunk: Double { estimate.rate.map { Double(Chunk.byteCount) / $0 } ?? 0.1 }

    /// Expected seconds until a further chunk would be here; who was never measured is given a try.
    var expectedFinish: Double {
        let perChunk = estimate.rate.map { Double(Chunk.byteCount) / $0 } ?? 0.05
        return Double(outstandingChunks + 1) * perChunk + (latency ?? .milliseconds(100)).seconds
    }
}

/// What a link's other end says of one rendition.
final class Holdings {
    let swarm: SwarmID
    let rendition: RenditionKey
    var held = HeldRanges()
    var heldInitialisation: Set<UInt64> = []
    /// Being read from an origin or edge: every chunk is promised.
    var fetching: Set<UInt64> = []
    var fetchingInitialisation: Set<UInt64> = []
    var partial: [UInt64: [ChunkRun]] = [:]
    var position: UInt64?
    var newest: UInt64?
    /// How much of it the other end can pass on, in eighths.
    var share = UploadShare.whole
    /// What we hold and have not told it, because it did not need it; and since when there is such.
    var untold = HeldRanges()
    var untoldSince: Instant?
    /// Being read by somebody that the other end knows of: no promise, but no reason to read it once more.
    var underway: Set<UInt64> = []

    init(swarm: SwarmID, rendition: RenditionKey) {
        self.swarm = swarm
        self.rendition = rendition
    }
}

/// A segment among all that a link may speak of: an identifier names it within its swarm only, and the first segments of
/// two recordings have the same.
struct NamedSegment: Hashable {
    let swarm: SwarmID
    let id: SegmentID
}

extension Segment {
    var named: NamedSegment { NamedSegment(swarm: rendition.stream.swarm, id: id) }
}

/// Which statements about a segment a link has had from us.
struct ToldList {
    /// Of which of the segment's lives: evidence that was dropped is told again.
    var life: Int
    var vouches: Set<Int> = []
    var hasRoot = false
}

/// What a link itself said of a segment's digests.
struct OwnList {
    /// In which of the segment's lives here.
    var life: Int
    /// Chunks whose digests we took from it: bytes against them contradict the sender's own word.
    var chunks = ChunkRanges()
    /// How many statements it sent, good or bad.
    var statements = 0
    /// It sent statements that could not be used then; it believes that we have them.
    var isOutdated = false
}

/// A run that a link serves us.
struct RunOnLink {
    var segment: Segment
    var run: Run
}

/// A peer's request that we serve.
struct Upload {
    let request: UInt32
    let swarm: SwarmID
    let segment: Segment
    var next: Int
    var end: Int
    /// Only digests are wanted.
    let isQuery: Bool
    /// The digest list that the requester has, if it has all of one.
    let list: Digest?
    /// Of those who wait for the same chunk the lowest comes first.
    let turn: UInt64
}

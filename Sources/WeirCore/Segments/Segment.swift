/// One segment as this agent knows it: its chunks, the evidence for them, and the race that fetches them.
///
/// Life: `absent → racing → held → absent` (evicted), `racing → absent` (abandoned), `racing → failed → absent`,
/// `held → racing` (the origin changed it), `absent/racing → held` (read from the disk, where it lies).
final class Segment {
    enum Phase: Equatable {
        /// Nothing of it is wanted or held.
        case absent
        /// Chunks are being fetched, or waited for.
        case racing
        /// Every chunk is checked.
        case held
        /// The origin answered with this status and nobody else has it; forgotten after a while.
        case failed(status: Int)
    }

    let id: SegmentID
    /// What it stands for among peers: from its own number to the next segment's.
    var numbers: Range<UInt64>
    /// As the newest playlist names it.
    var url: WebURL {
        didSet { originKey = url.originKey }
    }
    /// Of `url`, which every look at the race needs.
    private(set) var originKey: String
    /// The copy of its manifest that was last seen to list it as it stands here.
    var listedIn = -1
    /// Where other pathways have it, as far as their lists were read; asked when `url`'s server is left alone.
    var mirrors: [WebURL] = []
    let duration: Duration
    /// When this agent first saw it listed: elections and delays count from here.
    let listedAt: Instant
    /// Of a part: when the origin was first known to have it.
    var availableAt: Instant?
    unowned let rendition: Rendition

    var phase = Phase.absent
    /// It lies on the disk, as part of a time shift window, whether or not it is held in memory.
    var disk: DiskCopy?
    var edition: Edition
    var chunks = ChunkMap()
    var evidence = Evidence()

    /// Players' answers that read from it.
    var answers: [RequestID] = []
    /// Live exchanges, in the order in which they began.
    var runs: [Run] = []
    /// The beginning of a chunk whose source was lost: resumed byte for byte.
    var carry: Carry?

    var raceStart: Instant?
    var raceEnd: Instant?
    /// The last time a player or a peer read from it.
    var lastUse: Instant
    /// Its race began while the stream was served directly; a race ends as it began.
    var isDirect = false
    /// Nothing of it may come from peers any more; says why.
    var originOnly: String?
    /// When a peer last held or promised any of it: who stands in for a lost source is elected from then on.
    var lastOffer = Instant.start
    /// Origins that this copy was read from.
    var servers: [String] = []
    /// The media program found fault with it.
    var damage: Damage?
    /// Why the origin was asked, for the segments' report.
    var originReason = ""
    var statusRetries = 0
    /// What the origin answered to an address that may have expired: passed on unless there is a newer one.
    var awaitedStatus: Int?
    /// It is asked at an address that was asked for because the one before had expired.
    var isRenewed = false
    /// HTTP sources are not asked for it before then.
    var retryAt: Instant?
    /// The segment is larger than the agent holds, or has no known length: passed through, never shared.
    var isPassedThrough = false
    /// The origin sends it without saying how long it is; players get it in chunked coding.
    var isOpenEnded = false
    /// The parts that it consists of, once a playlist listed them beside it.
    var composition: SegmentComposition?
    /// It was made of them here, and is no peer's business.
    var isPutTogether = false
    var wasCompared = false
    /// Bytes of it came while its length was unknown.
    var grew = false
    /// When a chunk last came.
    var lastArrival = Instant.start
    /// Its number now stands for another file: those who read it read on, nobody else finds it.
    var isReplaced = false
    var audits: [Audit] = []
    var auditsDrawn = false
    /// Statements set aside because they disagree; what the origin says decides whose voucher lied.
    var disputed: [Vouch] = []
    var anchor: Anchor?
    var anchorAsked = false
    var anchorFetch: FetchID?
    /// How often its evidence began anew: what was told or heard of it before does not count any more.
    var life = 0
    /// An HTTP source itself said which edition this is; until then it is only peers' word.
    var isConfirmed = false

    /// The swarm was told that somebody else reads it.
    var isUnderwayTold = false
    /// How often each chunk was sent to peers: what was sent least goes first, so that they have something to trade.
    var sent: [Int] = []
    /// The plan that last found somebody who wants it.
    var wishedIn: UInt64 = 0

    /// Bytes that the ledger holds for it, and bytes that are there.
    var charged: Int64 = 0
    var stored: Int64 = 0
    /// Which network each of peers' chunks came from; none for peers that need no audit.
    var networks: [Int: String] = [:]
    /// Networks that named the whole list that is known here or sent chunks by it; as many as matter.
    var agreed: [String] = []
    /// Networks that passed on the root that is known here, before the list was complete.
    var rootTellers: [String] = []

    var originBytes: Int64 = 0
    var edgeBytes: Int64 = 0
    var peerBytes: Int64 = 0
    var contributors: [PeerID] = []
    /// Links that offer it; nil after news of it.
    var candidates: Candidates?
    /// Links whose answer to this segment was no.
    var refusals: [LinkID: Instant] = [:]
    /// Links that were asked for digests, and when.
    var queried: [LinkID: Instant] = [:]
    /// What peers were told of it.
    var announced: Have.State?
    var partialAnnounced = 0
    var partialAnnouncedAt: Instant?
    /// The chunks that were told last.
    var partsTold: [ChunkRun] = []

    init(
        id: SegmentID,
        url: WebURL,
        duration: Duration,
        name: UInt64,
        rendition: Rendition,
        listedAt: Instant
    ) {
        self.id = id
        numbers = id.number..<(id.number == .max ? .max : id.number + 1)
        self.url = url
        originKey = url.originKey
        self.duration = duration
        self.rendition = rendition
        self.listedAt = listedAt
        lastUse = listedAt
        edition = Edition(length: nil, validator: 0, name: name)
    }

    /// How many numbers it stands for.
    var span: UInt64 { max(1, numbers.upperBound - numbers.lowerBound) }
    var length: Int64? { edition.length }
    var isHeld: Bool { phase == .held }
    /// This agent has all of it, in memory or on the disk.
    var isKept: Bool { isHeld || disk != nil }

    /// Bytes not yet checked. While the length is unknown a guess: half a mebibyte, or less if the manifest says how many
    /// bits a second has.
    var rest: Int64 {
        guard let length else {
            let most = 512.0 * 1024
            guard rendition.bandwidth > 0, duration > .zero else { return Int64(most) }
            return Int64(min(most, 1.5 * Double(rendition.bandwidth) / 8 * duration.seconds))
        }
        return max(0, length - chunks.checkedBytes)
    }

    /// Fixes the length once a source states it. False when it contradicts what is known.
    func setLength(_ length: Int64) -> Bool {
        if let known = edition.length { return known == length }
        edition.length = length
        chunks.resize(to: length)
        evidence.resize(to: chunks.count)
        return true
    }

    /// The root of its digest list; nil while a digest or its length is unknown.
    var listRoot: Digest? { length.flatMap { evidence.listRoot(length: $0) } }

    func timesSent(_ chunk: Int) -> Int { chunk < sent.count ? sent[chunk] : 0 }

    func countSent(_ chunk: Int) {
        if sent.count < chunks.count { sent.append(contentsOf: repeatElement(0, count: chunks.count - sent.count)) }
        if chunk < sent.count { sent[chunk] += 1 }
    }

    // MARK: Claims

    /// Counts a run's chunks as requested, up to `end`.
    func claim(_ run: Run, to end: Int) {
        guard end > max(run.next, run.claimedTo) else { return }
        chunks.request(max(run.next, run.claimedTo)..<end)
        run.claimedTo = end
    }

    /// The run is past these chunks, whether they came or not.
    func passChunks(of run: Run, upTo next: Int) {
        if run.next < min(next, run.claimedTo) { chunks.release(run.next..<min(next, run.claimedTo)) }
        run.next = next
    }

    /// Another source takes over the run's tail.
    func shorten(_ run: Run, to end: Int) {
        if end < run.claimedTo { chunks.release(max(run.next, end)..<run.claimedTo) }
        run.claimedTo = min(run.claimedTo, end)
        run.end = end
    }

    /// What the run has not delivered is missing again.
    func unclaim(_ run: Run) {
        if run.next < run.claimedTo { chunks.release(run.next..<run.claimedTo) }
        run.claimedTo = 0
    }

    /// Back to nothing: the cache dropped it, or its bytes turned out not to belong together.
    func reset() {
        phase = .absent
        life += 1
        isConfirmed = false
        disputed = []
        edition = Edition(length: nil, validator: 0, name: edition.name)
        chunks = ChunkMap()
        evidence = Evidence()
        carry = nil
        networks = [:]
        agreed = []
        rootTellers = []
        sent = []
        isUnderwayTold = false
        audits = []
        auditsDrawn = false
        anchor = nil
        anchorAsked = false
        raceStart = nil
        raceEnd = nil
        queried = [:]
        refusals = [:]
        candidates = nil
        if disk == nil || announced != .held { announced = nil }
        partialAnnounced = 0
        partialAnnouncedAt = nil
        partsTold = []
        contributors = []
        servers = []
        originBytes = 0
        edgeBytes = 0
        peerBytes = 0
        isPassedThrough = false
        isOpenEnded = false
        isPutTogether = false
        grew = false
        lastArrival = .start
        statusRetries = 0
        awaitedStatus = nil
        isRenewed = false
    }
}

/// Links that offer a segment, in the order in which they came up.
struct Candidates {
    /// Of which gathering of the rendition's speakers.
    var gathering: Int
    var links: [Link] = []
    /// Those that hold or promise all of it, and of these those that read it just now.
    var whole: [Link] = []
    var promising: [Link] = []
}

/// Bytes of a chunk whose source was lost half-way.
struct Carry {
    var chunk: Int
    var parts: [any Payload]
    var bytes: Int
}

/// Consecutive chunks asked from one source at once.
///
/// Life: `asked → delivering → done`, `asked/delivering → dropped` (stalled, cancelled, link or connection lost).
final class Run {
    enum Source: Equatable {
        case link(LinkID, request: UInt32)
        case http(FetchID)
    }

    var source: Source
    /// The next chunk expected.
    var next: Int
    /// One past the last chunk that the segment's map counts as requested by this run; 0 once it was given up.
    var claimedTo = 0
    /// One past the last chunk; shortened when another source takes over the tail. Nil: to the unknown end.
    var end: Int?
    let askedAt: Instant
    var lastProgress: Instant
    /// When the next chunk was expected, from the source's estimate at the time of asking.
    var expected: Duration
    var delivered = 0
    /// The list that was named in the request: who sends chunks for it has the same one.
    var list: Digest?
    /// Asked before the segment's length was known: what is not made yet says nothing of the link, and leaves room for
    /// other requests.
    var isGrowing = false
    /// Asked of somebody who waits for it as well: when it comes says nothing of the link either.
    var isStanding = false

    init(source: Source, first: Int, end: Int?, askedAt: Instant, expected: Duration) {
        self.source = source
        next = first
        self.end = end
        self.askedAt = askedAt
        lastProgress = askedAt
        self.expected = expected
    }

    /// Chunks that are still expected; none once a body has run on beyond what was asked or is known.
    /// - Parameter count: of the segment's chunks, as far as is known.
    func rest(of count: Int) -> Range<Int> { next..<max(next, end ?? count) }

    /// Whether its chunks count as outstanding on their link.
    var isCounted: Bool { !isGrowing && !isStanding }

    var isHTTP: Bool {
        if case .http = source { return true }
        return false
    }
}

/// One HTTP exchange that the core has begun, and what its bytes are for.
///
/// Life: `asked → headers → body → ended`, any → cancelled.
final class Fetch {
    enum Purpose {
        case manifest(Manifest, Stream, Rendition?)
        case segment(Segment, Run)
        case audit(Segment, chunk: Int)
        /// Whether what a peer calls false is false.
        case check(Segment, LinkID, Refutation)
        case anchor(Segment)
        case relay(RequestID)
        /// A part of a DASH segment index.
        case index(IndexReading)
        /// What time the origin has.
        case clock(Stream, UTCTiming.Scheme)
        case steering(Stream)
        /// Another pathway's playlist of a rendition.
        case beside(Rendition, Place)
        /// A key of a stream that may be watched next.
        case keyAhead(Stream, WebURL)
    }

    let id: FetchID
    let purpose: Purpose
    let request: FetchRequest
    /// `scheme://host:port`, whose estimate it feeds.
    let host: String
    let isEdge: Bool
    let startedAt: Instant
    var head: FetchHead?
    var headAt: Instant?
    var lastProgress: Instant
    /// Where in the segment the next byte belongs.
    var offset: Int64 = 0
    /// One past the last byte that was asked for; nil: to the end.
    var end: Int64?
    /// Bytes to skip: the source ignored the range and sent everything.
    var skip: Int64 = 0
    var received: Int64 = 0
    /// Pieces of the chunk that is arriving.
    var parts: [any Payload] = []
    var partBytes = 0
    var isPaused = false
    /// No other segment was read from the host meanwhile: its rate is the host's.
    var isAlone = true
    var body: [UInt8] = []

    var readsSegment: Bool {
        if case .segment = purpose { return true }
        return false
    }

    /// The origin may make it wait for what is to come: how long that took says nothing of the way there.
    var mayBeHeld: Bool {
        switch purpose {
        case .segment(let segment, _): segment.rendition.isParts
        case .manifest(let manifest, _, _): manifest.isHeldUpstream
        case .audit, .check, .anchor, .relay, .index, .clock, .steering, .beside, .keyAhead: false
        }
    }

    init(
        id: FetchID,
        purpose: Purpose,
        request: FetchRequest,
        host: String,
        isEdge: Bool,
        now: Instant
    ) {
        self.id = id
        self.purpose = purpose
        self.request = request
        self.host = host
        self.isEdge = isEdge
        startedAt = now
        lastProgress = now
    }
}

/// What is known of an origin's or edge's host.
struct HostState {
    var estimate = SourceEstimate()
    var failures = 0
    /// Not asked before then: it failed, or said Retry-After.
    var retryAt: Instant?
    /// It is left alone because it could not be reached or fell silent, not because it said no.
    var isAway = false
    /// It answers ranges with whole bodies: asked without ranges until then.
    var wholeBodyUntil: Instant?
    /// It answered a range with 206.
    var servesRanges = false
    /// Whole bodies that carried the origin's own digest.
    var anchoredBodies = 0
    /// HEADs that succeeded and did not say it.
    var headsWithoutDigest = 0
    var refusesHead = false
}

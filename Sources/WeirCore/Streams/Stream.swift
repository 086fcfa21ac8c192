/// One manifest URL as played: its manifests, renditions, players and the swarm it shares with.
///
/// Life: `opening → open → closed`; `opening → closed` when the manifest can't be had.
final class Stream {
    let id: StreamID
    let url: WebURL
    let swarm: SwarmID
    /// The manifest at the stream's own URL.
    let top: Manifest
    /// Sent with every request to its servers.
    var fields: [HeaderField] = []
    var isOpen = false
    /// Nobody has asked for it: it is next to the channel that is watched. It enters no swarm.
    var isAhead = false
    /// Opened because a player asked for its address: it may be closed to make room.
    var isOnDemand = false
    /// While it is ahead: the renditions that a player will probably read, initialisation sections to fetch, and keys.
    var likely: [RenditionKey] = []
    var wanted: [Segment] = []
    var sectionsAhead: Set<SegmentID> = []
    var keysAhead: [WebURL: KeyAhead] = [:]
    /// Who waits to hear whether it can be played.
    var openers: [OpenID] = []
    private(set) var renditions: [Rendition] = []
    private var renditionPlace: [RenditionKey: Int] = [:]
    /// Resources behind local addresses that are neither manifests nor segments: never shared, never kept.
    var keys = URLTable()
    var resources = URLTable()
    var players: [Player] = []
    /// Segments that somebody waits for or that are being fetched ahead.
    var racing: [Segment] = []
    /// Agents in the swarm as the tracker counts them, itself included; 0 when unknown.
    var announcedMembers = 0
    /// Where its media are to come from, and why.
    var mode = DeliveryMode.peers
    var modeReason = "no tracker says otherwise"
    var lastMediaRequest: Instant
    /// Links that share this stream and are up; nil when it must be gathered anew.
    var members: [Link]? {
        didSet { for rendition in renditions { rendition.speakers = nil } }
    }
    /// When the first of those who are linked now was met.
    var metFirst = Instant.start
    /// Other members that peers named, linked or not; bounded.
    var named: Set<PeerID> = []
    /// How much it is asked for, by this agent's players and by peers.
    var popularity = Popularity()
    /// Its session was ended: players have no access to it, peers are served on.
    var isOver = false
    /// Of linked agents that were elected and did not read.
    var electionFailures: [PeerID: ElectionFailures] = [:]
    var stalls = 0
    var damage = StreamDamage()
    /// It was logged that players fetch its segment sequences themselves.
    var hasToldSequences = false
    /// How often it was planned.
    var plans: UInt64 = 0
    /// A running mean, for what is not known yet.
    var typicalSegmentBytes: Int64 = 1024 * 1024
    /// The typical size was learnt and is no assumption.
    var hasSegmentSizes = false
    /// How fast segments came that a player waited for.
    var raceEstimate = SourceEstimate()
    /// Linked agents and trackers know that we are in its swarm.
    var isMember = false
    var steering = Steering()
    /// Segments finished, newest last, for the report.
    var finished: [SegmentReport] = []
    let clock: StreamClock

    init(id: StreamID, url: WebURL, swarm: SwarmID, time: TimeSource, now: Instant) {
        self.id = id
        self.url = url
        self.swarm = swarm
        clock = StreamClock(time: time)
        top = Manifest(url: url)
        lastMediaRequest = now
    }

    /// The local path that plays it; nil until the manifest's kind is known.
    var path: String? {
        if top.mpd != nil { return LocalPath.presentation(id).text }
        return switch top.playlist {
        case .multivariant: LocalPath.master(id).text
        case .media: renditions.first.map { LocalPath.index(id, $0.key).text }
        case nil: nil
        }
    }

    func rendition(_ key: RenditionKey) -> Rendition? {
        renditionPlace[key].map { renditions[$0] }
    }

    func add(_ rendition: Rendition) {
        guard renditionPlace[rendition.key] == nil else { return }
        renditionPlace[rendition.key] = renditions.count
        renditions.append(rendition)
    }

    /// Takes renditions out of the list; whoever does so has seen to it that nothing refers to their segments.
    func remove(where isGone: (Rendition) -> Bool) {
        renditions.removeAll(where: isGone)
        renditionPlace = Dictionary(uniqueKeysWithValues: renditions.enumerated().map { ($1.key, $0) })
    }

    var isLive: Bool { renditions.contains { $0.isLive } }
}

/// A playlist resource and its reloads: one upstream request at a time, whoever asks.
final class Manifest {
    var url: WebURL
    var playlist: HLSPlaylist? {
        didSet { copies += 1 }
    }
    /// How many copies have been adopted.
    private(set) var copies = 0
    /// A DASH manifest: the renditions of the whole stream.
    var mpd: MPD?
    /// Segment indexes that were read, or are being read, for it.
    var indexes: [RenditionKey: IndexReading] = [:]
    /// A newer copy that waits for segment indexes.
    var coming: MPD?
    var hasCopy: Bool { playlist != nil || mpd != nil }
    /// Where relative URIs resolve: the URL that answered.
    var answeredBy: WebURL?
    var fetch: FetchID?
    /// The exchange under way is answered as soon as there is news: the copy is the newest until then.
    var isHeldUpstream = false
    var received: [UInt8] = []
    var head: FetchHead?
    /// The copy was fetched before anybody asked for the stream.
    var wasFetchedAhead = false
    /// A player has had the copy.
    var wasServed = false
    /// Players' requests that wait for a fresh copy.
    var waiting: [RequestID] = []
    var fetchStartedAt: Instant?
    var fetchedAt: Instant?
    /// When its content last changed.
    var changedAt: Instant?
    var digest: Digest?
    var failures = 0
    var nextReload: Instant?
    /// Reloads that a peer's hint caused since the content last changed.
    var vainHints = 0
    /// A patch is asked for, not the whole; which of them were of no use in a row, and from when on they are asked again.
    var isPatching = false
    var patchFailures = 0
    var patchesFrom: Instant?
    /// The last status that was no success, for whoever asks while there is no copy.
    var lastFailure: ManifestFailure?
    var condition = PlaylistCondition.unread
    /// Since when only older copies have arrived.
    var rolledBackSince: Instant?
    /// The server that a redirect led to last time is asked, because the one that redirects is down.
    var isFallback = false

    init(url: WebURL) {
        self.url = url
    }
}

enum ManifestFailure: Equatable {
    case status(Int)
    case transport(String)
    case notAManifest(String)
}

/// One quality or track.
final class Rendition {
    let key: RenditionKey
    unowned let stream: Stream
    let manifest: Manifest
    /// Peers may have it: everything but subtitles and I-frame lists.
    let isShared: Bool
    let isSubtitles: Bool
    /// Where the multivariant list says its playlist is, and with what clones add; none when there is no such list.
    var listed: [Place] = []
    var places: [Place] = []
    /// Another pathway's playlist, read because the one in use turned out slow, and when it was last asked.
    var beside: MediaPlaylist?
    var besideAskedAt: Instant?
    /// Where its playlist is read from now, and where the one came from that is adopted.
    var place: Place?
    var listedBy: Place?
    /// Peak bits per second as the multivariant list says; 0 when it does not.
    var bandwidth = 0
    /// RFC 5646's tag, as the multivariant list says.
    var language: String?
    var media: [UInt64: Segment] = [:]
    var initialisation: [UInt64: Segment] = [:]
    /// What was listed lately, while it is live.
    var window = TimeShiftWindow()
    /// When a player last asked for media of it, and the first number that is fetched for the window if nobody asks.
    var lastAsked: Instant?
    var keptFrom: UInt64?
    /// Linked members that speak of it, with what they say; nil when it must be gathered anew.
    var speakers: [(link: Link, holdings: Holdings)]?
    /// How often that was done.
    var gathering = 0
    /// The newest number that peers were told of.
    var toldNewest: UInt64?
    var toldPosition: UInt64?
    /// How much of it this agent can pass on, in eighths, as peers were told.
    var share = UploadShare.whole
    /// Bytes per second; nil before anything of it was seen.
    var mediaRate: Double? {
        if bandwidth > 0 { return Double(bandwidth) / 8 }
        guard stream.hasSegmentSizes, targetDuration > .zero else { return nil }
        return Double(stream.typicalSegmentBytes) / targetDuration.seconds
    }
    /// What was newest here when peers last spoke of something newer, and how many reloads that has caused.
    var hint: (number: UInt64, reloads: Int) = (0, 0)
    /// New addresses are being asked for, because one expired; and when that may be done again.
    var isRenewing = false
    var nextRenewal: Instant?
    var renewalPause = firstRenewalPause
    static let firstRenewalPause = Duration.seconds(10)
    /// The rendition whose playlist lists it, when it consists of another one's parts.
    var ofWhole: Rendition {
        guard isParts else { return self }
        return stream.renditions.first { $0.manifest === manifest && !$0.isParts } ?? self
    }
    /// The next copy comes from another server than the last, or from a new address.
    var isReadElsewhere: Bool { isRenewing || listedBy?.server != place?.server }
    /// The origin refused this rendition's playlist: peers are not served either.
    var isWithdrawn = false

    /// The origin was seen to send segments of it without saying how long they are.
    var comesWithoutLength = false

    /// Whether its segments are their parts put together.
    var compositionProof = CompositionProof()

    /// It consists of the partial segments of another rendition, which shares its manifest.
    let isParts: Bool

    init(
        key: RenditionKey,
        stream: Stream,
        manifest: Manifest,
        isShared: Bool,
        isSubtitles: Bool,
        isParts: Bool = false
    ) {
        self.key = key
        self.stream = stream
        self.manifest = manifest
        self.isShared = isShared
        self.isSubtitles = isSubtitles
        self.isParts = isParts
    }

    var playlist: MediaPlaylist? {
        if case .media(let playlist) = manifest.playlist { return playlist }
        return nil
    }

    /// What a DASH manifest says of it.
    var representation: ListedRepresentation?
    /// A DASH manifest lists it: its places are base URLs, and not where a playlist is.
    var isPresented: Bool { representation != nil }

    /// What is listed now; nil before the first copy.
    var listing: (any SegmentListing)? {
        if let representation { return RepresentationListing(representation, at: stream.clock.now) }
        return isParts ? parts : playlist
    }

    /// Its segments follow from the clock alone: nobody has to be told what is newest, and no reload tells more.
    var isTimetable: Bool { representation?.representation.isOpenEnded ?? false }
    /// The partial segments that its manifest lists.
    var parts: PartListing? { playlist.flatMap { $0.lowLatency.partTarget == nil ? nil : PartListing(playlist: $0) } }
    var newest: UInt64? { listing?.newest }
    var first: UInt64? { listing?.first }
    var targetDuration: Duration { listing?.targetDuration ?? .seconds(6) }
    var isLive: Bool { listing.map { !$0.isComplete } ?? false }

    /// What peers are told is newest. A DASH manifest lists many renditions that nobody plays; only what is played is
    /// worth a word, and nothing that everybody's clock says.
    var newestToTell: UInt64? {
        guard representation != nil else { return newest }
        return isTimetable || toldPosition == nil ? nil : newest
    }

    /// Of a DASH representation also what should not be there yet, or not any more.
    func entry(_ number: UInt64) -> ListedSegment? {
        guard let representation else { return listing?.entry(number) }
        return representation.entry(number)
    }

    /// Some member's holding of these changed.
    func forgetCandidates(_ range: Have.Range) {
        if range.count == 1 {
            let segment = range.kind == .media ? media[range.first] : initialisation[range.first]
            segment?.candidates = nil
        } else {
            for segment in stream.racing { segment.candidates = nil }
        }
    }

    func segment(_ id: SegmentID) -> Segment? {
        let found = id.kind == .media ? media[id.number] : initialisation[id.number]
        return found?.id == id ? found : nil
    }
}

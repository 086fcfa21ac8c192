import WeirCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What was wrong so that a remux cannot go on at all; one line for the reader.
struct RemuxFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// The stream became something that the container cannot tell: what was written up to there is whole.
struct StreamChange: Error, CustomStringConvertible {
    let change: String

    init(_ change: String) { self.change = change }

    /// For a player, who gets the new stream by asking anew.
    var description: String { "\(change); open it again" }
}

/// The worker's clocks.
enum WorkerClock {
    static var now: Instant {
        let time = read(CLOCK_MONOTONIC)
        return Instant(nanoseconds: time)
    }

    static var wall: WallTime { WallTime(nanoseconds: read(CLOCK_REALTIME)) }

    static func sleep(_ duration: WeirCore.Duration) {
        guard duration > .zero else { return }
        var time = timespec(
            tv_sec: Int(duration.nanoseconds / 1_000_000_000),
            tv_nsec: Int(duration.nanoseconds % 1_000_000_000)
        )
        // The worker has no signal handlers that would cut it short.
        nanosleep(&time, nil)
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// The segments of one rendition, one after another, as the agent's manifests list them. Blocks while there is none.
final class RenditionSource {
    /// Times in a row that a manifest may fail until the stream is given up.
    private static let patience = 10
    /// Times in a row that the agent may not answer until it has gone.
    private static let patienceWithAgent = 3
    /// Bytes of a segment that is taken as a whole.
    private static let mostSegmentBytes = 96 * 1024 * 1024

    private enum Walk {
        case playlist(SegmentWalk, MediaPlaylist?)
        case presentation(PresentationWalk, MPD?)
    }

    private let manifest: WebURL
    private let agent: WebURL
    private var walk: Walk
    private var isNew = false
    private var readAt = Instant.start
    /// The one that was looked at and not taken.
    private var pending: WalkedSegment?
    private var keys: [(url: WebURL, bytes: [UInt8])] = []
    private(set) var isLive = false
    /// One segment is looked at, and nobody watches.
    var isGlance = false
    private var hasTaken = false
    /// How far within its first segment it was asked to begin.
    var startWithin: WeirCore.Duration {
        switch walk {
        case .playlist(let walk, _): walk.startWithin
        case .presentation(let walk, _): walk.startWithin
        }
    }
    /// Media that could be read already.
    private(set) var waiting = WeirCore.Duration.zero
    /// Longest segment, as far as the manifest says.
    private(set) var target = WeirCore.Duration.seconds(2)
    /// Told of segments whose bytes are no whole media: address and reason.
    var tellDamage: ((WebURL, String) -> Void)?
    /// Waits for the origin as long as it takes, asks for segments again, and takes them whole.
    var isPatient = false

    /// - Parameters:
    ///   - distance: from the live end, where it begins at least.
    ///   - lead: begin this much earlier.
    init(
        playlist: WebURL,
        agent: WebURL,
        start: WeirCore.Duration?,
        distance: WeirCore.Duration,
        lead: WeirCore.Duration = .zero
    ) {
        manifest = playlist
        self.agent = agent
        var walk = SegmentWalk()
        walk.start = start
        walk.distance = distance
        walk.lead = lead
        self.walk = .playlist(walk, nil)
    }

    init(
        presentation: WebURL,
        content: Representation.Content,
        agent: WebURL,
        distance: WeirCore.Duration,
        lead: WeirCore.Duration
    ) {
        manifest = presentation
        self.agent = agent
        var walk = PresentationWalk(content: content)
        walk.distance = distance
        walk.lead = lead
        walk.wish = PresentationWish(query: presentation.query)
        self.walk = .presentation(walk, nil)
    }

    /// Goes on where an earlier process had come to.
    func resume(at place: CaptureJournal.Place, timeline: UInt64) {
        switch walk {
        case .playlist(var walk, let list):
            walk.resume(at: place.segment, timeline: timeline)
            self.walk = .playlist(walk, list)
        case .presentation(var walk, let mpd):
            guard let period = place.period else { return }
            walk.resume(at: place.segment, period: period, timeline: timeline)
            self.walk = .presentation(walk, mpd)
        }
    }

    /// All bytes of a part of a segment, asked for until they come.
    /// - Returns: nil when they are not to be had any more.
    func fetch(_ part: WalkedSegment.Part, of segment: WalkedSegment, _ report: (String) -> Void) throws -> [UInt8]? {
        var attempts = 0
        while true {
            let failure: LocalFailure
            do throws(LocalFailure) {
                return try open(part).readAll(upTo: RenditionSource.mostSegmentBytes)
            } catch {
                failure = error
            }
            attempts += 1
            if attempts == 1 { report("segment \(segment.number): \(failure)") }
            if case .unreachable = failure, attempts >= RenditionSource.patienceWithAgent {
                throw RemuxFault("the agent does not answer any more")
            }
            WorkerClock.sleep(target / 2)
            if isLive { try reload() }
            let again = SegmentRetry.again(
                attempts: attempts,
                isRefused: failure.isRefusal,
                isListed: isListed(segment),
                isLive: isLive && segment.period == nil
            )
            guard again else { return nil }
        }
    }

    private func isListed(_ segment: WalkedSegment) -> Bool {
        guard case .playlist(_, let list?) = walk else { return true }
        return SegmentWalk.lists(segment, list)
    }

    /// The next segment, without taking it; nil at the end.
    func peek() throws -> WalkedSegment? {
        if let pending { return pending }
        if isGlance, hasTaken { return nil }
        pending = try advance()
        return pending
    }

    /// It was taken.
    func take() {
        pending = nil
        hasTaken = true
    }

    /// The key of a segment; nil when it cannot be had.
    func key(_ key: WalkedSegment.Key) -> [UInt8]? {
        if let known = keys.first(where: { $0.url == key.url }) { return known.bytes }
        guard let bytes = try? LocalAnswer(.init(url: key.url), agent: agent).readAll(upTo: 1024) else {
            return nil
        }
        // Rotating keys are used once each.
        if keys.count >= 8 { keys.removeFirst() }
        keys.append((key.url, bytes))
        return bytes
    }

    func open(_ part: WalkedSegment.Part) throws(LocalFailure) -> LocalAnswer {
        try LocalAnswer(part, agent: agent, isGlance: isGlance)
    }

    private func advance() throws -> WalkedSegment? {
        if needsManifest { try reload() }
        while true {
            switch step() {
            case .segment(let segment):
                guard !segment.isProtected else {
                    throw RemuxFault("the stream is encrypted in a way that only its players have keys for (DRM)")
                }
                return segment
            case .end: return nil
            case .wait(let time):
                WorkerClock.sleep(readAt + time - WorkerClock.now)
                try reload()
            }
        }
    }

    private var needsManifest: Bool {
        switch walk {
        case .playlist(_, let list): list == nil
        case .presentation(_, let mpd): mpd == nil
        }
    }

    private func step() -> WalkStep {
        defer { isNew = false }
        switch walk {
        case .playlist(var walk, let list?):
            let step = walk.step(in: list, isNew: isNew)
            waiting = walk.remaining(in: list)
            self.walk = .playlist(walk, list)
            return step
        case .presentation(var walk, let mpd?):
            let step = walk.step(in: mpd, at: WorkerClock.wall)
            self.walk = .presentation(walk, mpd)
            return step
        case .playlist(_, nil), .presentation(_, nil): return .wait(.seconds(1))
        }
    }

    private func reload() throws {
        var failures = 0
        while true {
            do {
                let bytes = try LocalAnswer(.init(url: manifest), agent: agent)
                    .readAll(upTo: Limits().manifestBytes)
                readAt = WorkerClock.now
                isNew = true
                return try adopt(bytes)
            } catch LocalFailure.unreachable {
                throw RemuxFault("the agent does not answer any more")
            } catch let failure as LocalFailure {
                failures += 1
                guard isPatient || failures < RenditionSource.patience else {
                    throw RemuxFault("the manifest cannot be read: \(failure)")
                }
                WorkerClock.sleep(target / 2)
            }
        }
    }

    private func adopt(_ bytes: [UInt8]) throws {
        switch walk {
        case .playlist(let walk, _):
            guard case .media(let list) = try HLSPlaylist.parse(bytes, url: manifest, limits: Limits()) else {
                throw RemuxFault("a list of renditions is where a list of segments should be")
            }
            isLive = !list.endList
            target = list.targetDuration
            self.walk = .playlist(walk, list)
        case .presentation(let walk, _):
            let mpd = try MPD.parse(bytes, url: manifest, limits: Limits())
            isLive = mpd.isDynamic
            self.walk = .presentation(walk, mpd)
        }
    }
}

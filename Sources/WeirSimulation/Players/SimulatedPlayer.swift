import WeirCore

/// A player on an agent's local endpoint: reads the list, asks for segments one after another, plays in real time.
///
/// Phases: idle → opening → playing → over; opening → opening (again after a failure).
final class SimulatedPlayer {
    /// Bytes per second that its socket takes.
    static let socketRate = 50_000_000.0
    /// What a player of recordings keeps ahead.
    static let readAhead = Duration.seconds(30)
    static let attempts = 4

    private struct SegmentRequest {
        let id: RequestID
        let sequence: UInt64
        let asked: Instant
        /// Whose bytes are right; of two editions the first that comes, for the whole segment.
        var object: UInt64
        let length: Int
        /// Bytes that were handed over, and those that the socket took.
        var handed = 0
        var taken = 0
        var status = 0
    }

    private enum Item {
        case body(RequestID, bytes: Int)
        case end(RequestID)
        case abort(RequestID)
    }

    let number: Int
    private let shape: StreamShape
    private let queue: EventQueue
    private let isSplit: Bool
    private let warmUp: Instant
    /// So many segments from the end of a live list.
    private let startFromEnd: Int
    /// Feeds the agent.
    private let tell: (Input) -> Void
    private(set) var figures = PlayerFigures()
    /// Hears of media bytes that the socket took, and of wrong ones among those that were handed over.
    var onTaken: (Int) -> Void = { _ in }
    var onWrong: (Int) -> Void = { _ in }
    /// Hears, once it plays on or ends, when it ran dry.
    var onStall: (Instant) -> Void = { _ in }
    /// When each live segment was delivered whole, by number from `StreamShape.firstSequence`.
    private(set) var completedAt: [Instant?] = []

    private(set) var isOver = false
    private var url = ""
    private var reopensAt: Instant?
    private var startedAt = Instant.start
    private var path: String?
    /// Of a stream with several renditions: where each is, and which one is played.
    private var variants: [String] = []
    private(set) var rendition = 0
    private var rule = BitrateRule(bandwidths: [])
    /// The session that the agent opened for it.
    private(set) var stream: StreamID?
    private var lastID: UInt64 = 0
    private var playlist: LocalPlaylist?
    private var playlistRequest: (id: RequestID, bytes: [UInt8], status: Int)?
    private var reloadAt = Instant.start
    private var segmentRequest: SegmentRequest?
    private var next: UInt64?
    /// Of a recording: what is still to be played, as places in the list; between two of them the viewer jumps.
    private var parts: ArraySlice<Range<Int>>
    /// When the viewer jumps on, and when it did.
    private var jumpsAt: Instant?
    private var jumpedAt: Instant?
    private var attempt = 0
    private var retryAt = Instant.start
    /// When what is buffered has been played; nil before playback began.
    private var dryAt: Instant?
    private var socketFree = Instant.start
    private var items = Ring<Item>()
    private var wakeAt = Instant.never

    init(
        number: Int,
        scenario: Scenario,
        viewing: Viewing? = nil,
        queue: EventQueue,
        tell: @escaping (Input) -> Void
    ) {
        self.number = number
        parts = viewing?.parts[...] ?? []
        shape = scenario.shape
        isSplit = scenario.isSplit
        warmUp = .start + scenario.warmUp
        startFromEnd = scenario.startFromEnd
        self.queue = queue
        self.tell = tell
    }

    func start(url: String) {
        startedAt = queue.now
        self.url = url
        open()
    }

    private func open() { tell(.open(OpenID(UInt64(number)), StreamRequest(url: url))) }

    /// The viewer left, or the run is over.
    func stop() {
        guard !isOver else { return }
        isOver = true
        if let dryAt, !figures.isFinished, queue.now > dryAt {
            noteStall(from: dryAt, sequence: next ?? 0)
        }
    }

    private func noteStall(from dry: Instant, sequence: UInt64) {
        figures.noteStall(from: dry, until: queue.now, sequence: sequence)
        onStall(dry)
    }

    /// Playing or about to.
    var isOn: Bool { !isOver && !figures.isFinished }
    /// It has begun, and waits.
    var isDry: Bool { isOn && dryAt.map { $0 < queue.now } ?? false }

    /// The viewer turns to something else; the agent lives on.
    func leave() {
        guard !isOver else { return }
        stop()
        if let request = segmentRequest { tell(.requestClosed(request.id)) }
        if let request = playlistRequest { tell(.requestClosed(request.id)) }
    }

    /// Seconds of media ahead.
    private var buffer: Duration { dryAt.map { ($0 - queue.now).orZero } ?? .zero }

    // MARK: What the agent answers. Nothing is fed back here: the agent is still being drained.

    func opened(_ result: OpenResult) {
        switch result {
        case .ready(let stream, let path):
            self.path = path
            self.stream = stream
            wake(at: queue.now)
        case .failed:
            figures.failedAnswers += 1
            reopensAt = queue.now + .seconds(1)
            wake(at: queue.now + .seconds(1))
        }
    }

    func answerHead(_ id: RequestID, _ head: AnswerHead) {
        if playlistRequest?.id == id { playlistRequest?.status = head.status }
        if segmentRequest?.id == id { segmentRequest?.status = head.status }
    }

    func answerBytes(_ id: RequestID, _ bytes: [UInt8]) {
        if playlistRequest?.id == id { playlistRequest?.bytes += bytes }
        enqueue(.body(id, bytes: bytes.count), bytes: bytes.count)
    }

    func answerBody(_ id: RequestID, _ payload: any Payload) {
        check(id, payload)
        enqueue(.body(id, bytes: payload.count), bytes: payload.count)
    }

    func answerEnd(_ id: RequestID) { enqueue(.end(id), bytes: 0) }
    func answerAbort(_ id: RequestID) { enqueue(.abort(id), bytes: 0) }

    private func enqueue(_ item: Item, bytes: Int) {
        socketFree = max(socketFree, queue.now) + transmissionTime(bytes, at: SimulatedPlayer.socketRate)
        items.append(item)
        queue.schedule(Event(.localDelivery, number), at: socketFree)
    }

    /// The oracle: these must be the origin's bytes, in order.
    private func check(_ id: RequestID, _ payload: any Payload) {
        guard var request = segmentRequest, request.id == id, request.status == 200 else { return }
        let pieces = (payload as? SimulatedPayload)?.pieces ?? []
        var wrong = pieces.isEmpty ? payload.count : 0
        let other = isSplit ? shape.otherObject(request.sequence) : request.object
        if request.handed == 0, pieces.first?.object == other { request.object = other }
        for piece in pieces {
            let isRight = piece.object == request.object && piece.offset == Int64(request.handed) && piece.tag == 0
            if !isRight { wrong += piece.count }
            request.handed += piece.count
        }
        segmentRequest = request
        figures.wrongBytes += Int64(wrong)
        if wrong > 0 { onWrong(wrong) }
    }

    // MARK: Events

    /// The socket took the next item.
    func take() {
        guard let item = items.popFirst(), !isOver else { return }
        switch item {
        case .body(let id, let bytes):
            guard id == segmentRequest?.id || id == playlistRequest?.id else { return }
            tell(.delivered(id, bytes: bytes))
            if segmentRequest?.id == id, segmentRequest?.status == 200 { took(bytes) }
        case .end(let id): ended(id, isCut: false)
        case .abort(let id): ended(id, isCut: true)
        }
    }

    private func took(_ bytes: Int) {
        segmentRequest?.taken += bytes
        figures.deliveredBytes += Int64(bytes)
        if queue.now >= warmUp { figures.deliveredAfterWarmUp += Int64(bytes) }
        onTaken(bytes)
        if figures.firstByte == nil { figures.firstByte = queue.now - startedAt }
    }

    private func ended(_ id: RequestID, isCut: Bool) {
        if let request = playlistRequest, request.id == id {
            playlistRequest = nil
            playlistEnded(request.bytes, isUsable: request.status == 200 && !isCut)
        } else if let request = segmentRequest, request.id == id {
            segmentRequest = nil
            segmentEnded(request, isCut: isCut)
        }
        act()
    }

    private func playlistEnded(_ bytes: [UInt8], isUsable: Bool) {
        guard isUsable, let list = LocalPlaylist(bytes) else {
            figures.failedAnswers += 1
            reloadAt = queue.now + .seconds(1)
            return
        }
        guard list.variants.isEmpty else {
            variants = list.variants.map { LocalPlaylist.path(of: $0.uri, relativeTo: path ?? "/") }
            rule = BitrateRule(bandwidths: list.variants.map(\.bandwidth))
            path = variants[0]
            return
        }
        let isNew = playlist != list
        playlist = list
        // RFC 8216 6.3.4.
        reloadAt = queue.now + .seconds(isNew ? list.targetDuration : list.targetDuration / 2)
        if next == nil {
            let skipped = list.isEnded ? parts.first?.lowerBound ?? 0 : max(0, list.segments.count - startFromEnd)
            next = list.mediaSequence + UInt64(skipped)
        }
        if let wanted = next, wanted < list.mediaSequence {
            figures.skippedSegments += Int(clamping: list.mediaSequence - wanted)
            next = list.mediaSequence
        }
    }

    private func segmentEnded(_ request: SegmentRequest, isCut: Bool) {
        let isWhole = request.status == 200 && !isCut && request.handed == request.length
        if request.status == 200, !isWhole { figures.cutBodies += 1 }
        guard isWhole else {
            if request.status != 200 { figures.failedAnswers += 1 }
            attempt += 1
            retryAt = queue.now + .seconds(1)
            if attempt >= SimulatedPlayer.attempts {
                figures.skippedSegments += 1
                next = request.sequence + 1
                attempt = 0
            }
            return
        }
        attempt = 0
        figures.segments += 1
        next = request.sequence + 1
        noteCompleted(request.sequence)
        if figures.startUp == nil { figures.startUp = queue.now - startedAt }
        if let begun = jumpedAt {
            figures.jumpWaits.append(queue.now - begun)
            jumpedAt = nil
        }
        if let dry = dryAt, queue.now > dry {
            noteStall(from: dry, sequence: request.sequence)
        }
        dryAt = max(dryAt ?? queue.now, queue.now) + shape.segmentDuration
        rule.note(bytes: request.length, in: queue.now - request.asked)
        turn(to: rule.next(from: rendition))
        if let list = playlist, list.isEnded { noteEnds(request.sequence + 1 - list.mediaSequence, list) }
    }

    /// Goes on with another rendition: its list first.
    private func turn(to wanted: Int) {
        guard wanted != rendition, variants.indices.contains(wanted) else { return }
        figures.noteSwitch(isUp: wanted > rendition)
        rendition = wanted
        path = variants[wanted]
        playlist = nil
        // An answer that is under way is the other's.
        if let request = playlistRequest { tell(.requestClosed(request.id)) }
        playlistRequest = nil
        reloadAt = queue.now
    }

    /// A recording was read up to this place of the list.
    private func noteEnds(_ place: UInt64, _ list: LocalPlaylist) {
        if parts.count > 1 {
            // The player does not know that the viewer will jump, and reads on until then.
            if let part = parts.first, place >= UInt64(part.upperBound), jumpsAt == nil { jumpsAt = dryAt }
        } else if place >= UInt64(min(parts.first?.upperBound ?? .max, list.segments.count)) {
            figures.isFinished = true
        }
    }

    /// The viewer has seen what it wanted of this part: what was read beyond it is thrown away.
    private func jump() {
        jumpsAt = nil
        parts = parts.dropFirst()
        guard let list = playlist, let part = parts.first else { return }
        if let request = segmentRequest {
            segmentRequest = nil
            tell(.requestClosed(request.id))
        }
        next = list.mediaSequence + UInt64(part.lowerBound)
        dryAt = nil
        attempt = 0
        jumpedAt = queue.now
    }

    private func noteCompleted(_ sequence: UInt64) {
        guard shape.isLive else { return }
        let place = Int(sequence - StreamShape.firstSequence)
        while completedAt.count <= place { completedAt.append(nil) }
        completedAt[place] = queue.now
    }

    func timer() {
        guard wakeAt <= queue.now else { return }
        wakeAt = .never
        if let again = reopensAt, again <= queue.now, !isOver {
            reopensAt = nil
            open()
        }
        act()
    }

    private func wake(at time: Instant) {
        guard time < wakeAt else { return }
        wakeAt = max(time, queue.now)
        queue.schedule(Event(.playerTimer, number), at: wakeAt)
    }

    /// Asks for what is due.
    private func act() {
        guard !isOver, let path, !figures.isFinished else { return }
        if let jumpsAt {
            if jumpsAt <= queue.now { jump() } else { wake(at: jumpsAt) }
        }
        let isLoading = playlistRequest != nil
        let mustReload = playlist.map { !$0.isEnded } ?? true
        if !isLoading, mustReload {
            if queue.now >= reloadAt {
                playlistRequest = (newID(), [], 0)
                ask(playlistRequest?.id, path)
            } else {
                wake(at: reloadAt)
            }
        }
        askForSegment(relativeTo: path)
    }

    private func askForSegment(relativeTo path: String) {
        guard segmentRequest == nil, let list = playlist, let next, next >= list.mediaSequence else { return }
        let place = Int(clamping: next - list.mediaSequence)
        guard place < list.segments.count else { return }
        if queue.now < retryAt { return wake(at: retryAt) }
        if list.isEnded, buffer > SimulatedPlayer.readAhead {
            return wake(at: queue.now + (buffer - SimulatedPlayer.readAhead))
        }
        let request = SegmentRequest(
            id: newID(),
            sequence: next,
            asked: queue.now,
            object: shape.object(next, rendition: rendition),
            length: shape.bytes(of: next, rendition: rendition)
        )
        segmentRequest = request
        ask(request.id, LocalPlaylist.path(of: list.segments[place].uri, relativeTo: path))
    }

    private func newID() -> RequestID {
        lastID += 1
        return RequestID(UInt64(number) << 32 | lastID)
    }

    /// The player that made a request.
    static func number(of id: RequestID) -> Int { Int(id.value >> 32) }

    private func ask(_ id: RequestID?, _ target: String) {
        guard let id else { return }
        tell(.request(PlayerRequest(id: id, method: .get, target: target, userAgent: "simulated player")))
    }
}

// Trackers introduce peers: when to announce, what to do with offers and answers, when to try again.
extension Agent {
    /// Without enough links a new search may go out this often.
    static let eagerSearch = Duration.seconds(5)
    static let offersPerAnnounce = 5

    mutating func announceToTrackers(_ stream: Stream) {
        for tracker in trackers {
            switch tracker.phase {
            case .up: announce(stream, to: tracker, event: .started)
            case .idle: openTracker(tracker)
            case .opening, .waiting: break
            }
        }
    }

    mutating func leaveTrackers(_ stream: Stream) {
        for tracker in trackers { tracker.words[stream.swarm] = nil }
        for tracker in trackers where tracker.phase == .up && tracker.swarms[stream.swarm] != nil {
            announce(stream, to: tracker, event: .stopped)
            tracker.swarms[stream.swarm] = nil
        }
    }

    private mutating func openTracker(_ tracker: TrackerState) {
        tracker.phase = .opening
        emit(.openTracker(tracker.id))
    }

    private func tracker(_ id: TrackerID) -> TrackerState? { trackers.first { $0.id == id } }

    mutating func trackerUp(_ id: TrackerID) {
        guard let tracker = tracker(id) else { return }
        tracker.phase = .up
        tracker.swarms = [:]
        for stream in streams where stream.isMember { announce(stream, to: tracker, event: .started) }
    }

    mutating func trackerDown(_ id: TrackerID, reason: String) {
        guard let tracker = tracker(id), !isStopping else { return }
        tracker.swarms = [:]
        guard streams.contains(where: { $0.isMember }) else {
            tracker.phase = .idle
            return
        }
        tracker.failures += 1
        // A second, doubling to a minute, and up to half of it more, so that a swarm does not come back at once (F72).
        let wait = Duration.milliseconds(min(60_000, 1000 << min(6, tracker.failures - 1)))
        let jitter = wait * (random.fraction() / 2)
        tracker.phase = .waiting(until: now + wait + jitter)
        log(.notice, "tracker not available", [("tracker", String(id.value)), ("why", reason)])
        agenda.note(.tracker(id), at: now + wait + jitter)
    }

    mutating func announceIfDue(_ id: TrackerID) {
        guard let tracker = tracker(id), !isStopping else { return }
        if case .waiting(let until) = tracker.phase {
            guard until <= now else { return agenda.note(.tracker(id), at: until) }
            guard streams.contains(where: { $0.isMember }) else {
                tracker.phase = .idle
                return
            }
            return openTracker(tracker)
        }
        guard tracker.phase == .up else { return }
        for stream in streams where stream.isMember {
            guard let state = tracker.swarms[stream.swarm] else { continue }
            if nextAnnounce(state, stream) <= now { announce(stream, to: tracker, event: nil) }
        }
        noteNext(tracker)
    }

    private mutating func noteNext(_ tracker: TrackerState) {
        let due = streams.compactMap { stream in
            tracker.swarms[stream.swarm].map { nextAnnounce($0, stream) }
        }.min()
        if let due { agenda.note(.tracker(tracker.id), at: max(due, now + .milliseconds(100))) }
    }

    /// At the tracker's interval, or sooner while there are members that we should be linked to: less and less often
    /// while that brings no link, as with members that cannot be reached.
    private func nextAnnounce(_ state: TrackerState.Swarm, _ stream: Stream) -> Instant {
        let others = max(0, stream.announcedMembers - 1)
        let lacks = links(of: stream).count < min(others, wantedLinks / 2)
        let regular = state.lastAnnounce + .seconds(state.interval)
        return lacks
            ? min(regular, state.lastAnnounce + Agent.eagerSearch * (1 << min(10, state.vainSearches))) : regular
    }

    private mutating func announce(_ stream: Stream, to tracker: TrackerState, event: Announce.Event?) {
        let room = max(0, wantedLinks - links(of: stream).count)
        let count = event == .stopped ? 0 : min(room, Agent.offersPerAnnounce)
        let offers = (0..<count).map { _ in Offer(id: newOfferID(), endpoints: endpoints) }
        let isLeaving = event == .stopped
        emit(
            .announce(
                tracker.id,
                .announce(
                    Announce(
                        swarm: stream.swarm,
                        me: TrackerPeerID.derive(me, in: stream.swarm),
                        event: event,
                        wanted: count,
                        uploaded: totals.uploaded_bytes,
                        downloaded: totals.peer_bytes,
                        offers: offers,
                        claims: isLeaving ? nil : claims(of: stream, since: tracker.swarms[stream.swarm]),
                        holdings: isLeaving ? [] : holdings(of: stream),
                        receipts: isLeaving ? [] : receipts(of: stream)
                    )
                )
            )
        )
        var state = tracker.swarms[stream.swarm] ?? TrackerState.Swarm(lastAnnounce: now, interval: 120)
        let linked = links(of: stream).count
        state.vainSearches = event == .started || linked > state.linked ? 0 : state.vainSearches + 1
        state.linked = linked
        state.lastAnnounce = now
        state.uploadedBytes = totals.uploaded_bytes
        tracker.swarms[stream.swarm] = state
        noteNext(tracker)
    }

    private var endpoints: Endpoints { Endpoints(addresses: settings.ownAddresses, identity: me) }

    /// Twenty printable characters, as trackers and browsers expect them.
    private mutating func newOfferID() -> OfferID {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)
        return OfferID((0..<20).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] })
    }

    mutating func trackerSays(_ id: TrackerID, _ reply: TrackerReply) {
        guard let tracker = tracker(id) else { return }
        switch reply {
        case .swarm(let swarm, let interval, let complete, let incomplete, let mode):
            guard let stream = stream(swarm: swarm) else { return }
            // Only an answer proves that it works: accepting a connection does not.
            tracker.failures = 0
            tracker.swarms[swarm]?.interval = max(5, min(3600, interval))
            let members = max(0, complete).addingReportingOverflow(max(0, incomplete))
            stream.announcedMembers = members.overflow ? 1_000_000 : min(1_000_000, members.partialValue)
            heard(mode, of: swarm, from: tracker, interval: max(5, min(3600, interval)))
            noteNext(tracker)
        case .offer(let swarm, let from, let offer, let endpoints, let claims):
            guard let stream = stream(swarm: swarm), stream.isMember, from != TrackerPeerID.derive(me, in: swarm)
            else { return }
            consider(endpoints, claims: claims, in: stream, from: tracker)
            guard !settings.ownAddresses.isEmpty else { return }
            emit(
                .announce(
                    id,
                    .answer(
                        swarm: swarm,
                        me: TrackerPeerID.derive(me, in: stream.swarm),
                        to: from,
                        offer: offer,
                        sdp: self.endpoints
                    )
                )
            )
        case .answer(let swarm, _, _, let endpoints):
            consider(endpoints, claims: nil, in: stream(swarm: swarm), from: tracker)
        case .failure(_, let reason): log(.warning, "the tracker refuses", [("why", String(reason.prefix(200)))])
        case .warning(let text): log(.info, "the tracker warns", [("text", String(text.prefix(200)))])
        }
    }

    /// Dials what the SDP names; without a key in it there is nobody of ours behind it.
    private mutating func consider(
        _ endpoints: Endpoints,
        claims: PeerClaims?,
        in stream: Stream?,
        from tracker: TrackerState
    ) {
        guard let identity = endpoints.identity, identity != me else { return }
        let host =
            settings.trackerHosts.indices.contains(tracker.id.value) ? settings.trackerHosts[tracker.id.value] : ""
        let scope = NetworkScope(host: host)
        let worth = worth(of: identity, claims: claims, in: stream)
        for address in endpoints.addresses.prefix(4) {
            consider(address, peer: identity, namedFrom: scope, by: .tracker(tracker.id), worth: worth)
        }
    }
}

/// A tracker's socket and what was announced on it.
final class TrackerState {
    enum Phase: Equatable {
        case idle
        case opening
        case up
        case waiting(until: Instant)
    }

    struct Swarm {
        var lastAnnounce: Instant
        /// Seconds.
        var interval: Int
        /// Links at the last announce, and announces since one was won.
        var linked = 0
        var vainSearches = 0
        /// All that had been uploaded at the last announce.
        var uploadedBytes: Int64 = 0
    }

    let id: TrackerID
    var phase = Phase.idle
    var failures = 0
    var swarms: [SwarmID: Swarm] = [:]
    /// Dials in a row of strangers that it named and that were not there, and from when on the next of them is dialled.
    var vainDials = 0
    var dialsFrom = Instant.start
    /// What it last said of channels' modes, and until when that holds: beyond a lost connection.
    var words: [SwarmID: (mode: ChannelMode, until: Instant)] = [:]

    init(id: TrackerID) {
        self.id = id
    }
}

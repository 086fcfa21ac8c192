package import WeirCore

/// What a run showed. Equal runs have equal reports.
package struct Report: Sendable {
    package let policy: Scenario.Policy
    package let viewers: Int
    /// Of the run: what no swarm could beat, second by second (B1, B2). For recordings, as if all watched together.
    package let bound: Double
    /// Bytes that players' sockets took after the warm-up.
    package let delivered: Int64
    /// Media payload that the origin sent after the warm-up, without what hostile agents took, and before.
    package let originBytes: Int64
    package let startUpBytes: Int64
    package let playlistBytes: Int64
    package let playlistRequests: Int
    package let stalls: Int
    package let stalled: Duration
    package let stalledViewers: Int
    /// Median and 95th percentile from a player's start to its first whole segment.
    package let startUp: (median: Duration, p95: Duration)
    /// Of payload that links and fetches brought: the part thrown away.
    package let waste: Double
    package let fetchesPerSegment: Double
    package let copiesPerSegment: Double
    /// From a segment's listing to a peer's holding it (its word on the wire; without links: its player's).
    package let delay: (median: Duration, p95: Duration)
    /// From a segment's listing to the player's having it whole.
    package let playerDelay: (median: Duration, p95: Duration)
    /// From the first request for a segment at the origin to a peer's holding it, and bound B5 for it.
    package let spread: (median: Duration, p95: Duration)
    package let spreadBound: Duration
    /// Hundredths of `playerDelay`, for a plot: from the least to the most.
    package let playerDelays: [Duration]
    package let timeline: Timeline
    /// The spans that the scenario wants figures of.
    package let spans: [MeasuredSpan]
    /// From an agent's start to its first link; links of an agent at the end.
    package let firstLink: (median: Duration, p95: Duration)
    package let links: (median: Int, least: Int)
    package let violations: [Violation]
    /// Of what went over links: everything but payload.
    package let controlShare: Double
    package let auditBytes: Int64
    package let rejectedBytes: Int64
    package let bannedPeers: Int
    package let wrongBytes: Int64
    package let cutBodies: Int
    package let failedAnswers: Int
    package let skippedSegments: Int
    package let unfinished: Int
    package let unofferedRequests: Int
    package let runRequests: Int
    package let refusals: Int
    /// The largest ledger above its budget, over all agents, at the end.
    package let ledgerExcess: Int64
    /// Media bytes by the origin's log that no agent counted (cancelled in flight); negative would be a miscount.
    package let uncountedOriginBytes: Int64
    /// Of each tracker; none where agents are introduced without one.
    package let trackers: [TrackerServerStatistics]
    /// What the first tracker says of the stream at the end.
    package let channel: ChannelReport?
    /// Of recordings: what other ways to keep them would have given.
    package let onDemand: OnDemandFigures?
    package let renditions: RenditionFigures?
    package let events: UInt64
    package let digest: EventDigest

    package var offload: Double { delivered > 0 ? 1 - Double(originBytes) / Double(delivered) : 0 }

    init(_ simulation: Simulation) {
        let scenario = simulation.scenario
        let counted = simulation.agents.filter { !$0.role.isHostile }
        let figures = counted.flatMap { $0.players.map(\.figures) }
        let log = simulation.servers[0].log
        let statistics = simulation.agents.map { $0.decider.statistics(at: simulation.now) }
        policy = scenario.policy
        viewers = scenario.onDemand == nil ? scenario.peers : figures.count
        renditions = scenario.renditions.isEmpty ? nil : RenditionFigures(simulation)
        onDemand = scenario.onDemand.map { OnDemandFigures($0, simulation, figures) }
        let boundInTime = scenario.isLive ? simulation.timeline.bound(from: .start + scenario.warmUp) : nil
        bound = onDemand?.bound ?? boundInTime ?? Report.bound(simulation)
        delivered = figures.reduce(0) { $0 + $1.deliveredAfterWarmUp }
        originBytes = log.mediaBytes - log.startUpBytes - log.hostileBytes
        startUpBytes = log.startUpBytes
        playlistBytes = log.playlistBytes
        playlistRequests = log.playlistRequests
        stalls = figures.reduce(0) { $0 + $1.stalls }
        stalled = figures.reduce(.zero) { $0 + $1.stalled }
        stalledViewers = figures.count { $0.stalls > 0 }
        startUp = Report.quantiles(figures.compactMap(\.startUp))
        let received = statistics.reduce(Int64(0)) { $0 + $1.peer_bytes + $1.origin_bytes }
        let wasted = statistics.reduce(Int64(0)) { $0 + $1.wasted_bytes + $1.rejected_bytes }
        waste = received > 0 ? Double(wasted) / Double(received) : 0
        let copies = Report.copies(log, scenario)
        fetchesPerSegment = copies.fetches
        copiesPerSegment = copies.bytes
        delay = Report.quantiles(Report.delays(simulation, ofPlayers: scenario.policy == .plain))
        let playerDelays = Report.delays(simulation, ofPlayers: true).sorted()
        playerDelay = Report.quantiles(playerDelays)
        self.playerDelays =
            playerDelays.isEmpty ? [] : (0...100).map { playerDelays[(playerDelays.count - 1) * $0 / 100] }
        spread = Report.quantiles(Report.spreads(simulation))
        spreadBound = .seconds(
            Bounds.chunkedTime(
                segmentBytes: scenario.bitrate / 8 * scenario.segmentDuration.seconds,
                uplink: Report.payloadRate(scenario.uplink) / 8,
                viewers: scenario.peers,
                chunkBytes: Double(Chunk.byteCount)
            )
        )
        timeline = simulation.timeline
        spans = scenario.measures.compactMap { MeasuredSpan($0, of: simulation.timeline) }
        firstLink = Report.quantiles(counted.compactMap { agent in agent.firstLinkAt.map { $0 - agent.startsAt } })
        let links = counted.filter { $0.state == .running }.map(\.linkCount).sorted()
        self.links = links.isEmpty ? (0, 0) : (links[links.count / 2], links[0])
        violations = simulation.oracles.violations
        let control = simulation.agents.reduce(Int64(0)) { $0 + $1.controlBytes }
        let data = simulation.agents.reduce(Int64(0)) { $0 + $1.dataBytes }
        controlShare = control + data > 0 ? Double(control) / Double(control + data) : 0
        auditBytes = statistics.reduce(0) { $0 + $1.audit_bytes }
        rejectedBytes = statistics.reduce(0) { $0 + $1.rejected_bytes }
        bannedPeers = statistics.reduce(0) { $0 + $1.banned_peers }
        wrongBytes = figures.reduce(0) { $0 + $1.wrongBytes }
        cutBodies = figures.reduce(0) { $0 + $1.cutBodies }
        failedAnswers = figures.reduce(0) { $0 + $1.failedAnswers }
        skippedSegments = figures.reduce(0) { $0 + $1.skippedSegments }
        unfinished = figures.count { scenario.isLive ? $0.segments == 0 : !$0.isFinished }
        unofferedRequests = simulation.oracle.unofferedRequests
        runRequests = simulation.oracle.requests
        refusals = simulation.oracle.refusals
        ledgerExcess = statistics.map { max(0, $0.ledger_bytes - Int64(scenario.settings.cacheBytes)) }.max() ?? 0
        uncountedOriginBytes = log.mediaBytes - statistics.reduce(0) { $0 + $1.origin_bytes }
        trackers = simulation.trackers.map(\.statistics)
        channel = simulation.channel
        events = simulation.eventCount
        digest = simulation.digest
    }

    private static func bound(_ simulation: Simulation) -> Double {
        let scenario = simulation.scenario
        // Who comes in the place of another has its uplink.
        let uplinks = simulation.agents.prefix(scenario.peers).filter { $0.role != .freeRider }
            .map { payloadRate(scenario.uplink(of: $0.number)) }
        return Bounds.offload(viewers: scenario.peers, uplinks: uplinks, bitrate: scenario.bitrate)
    }

    /// What a link's rate leaves for payload.
    static func payloadRate(_ rate: Double) -> Double {
        rate * Double(Transport.segmentBytes) / Double(Transport.segmentBytes + Transport.headerBytes)
    }

    /// Requests and whole copies per segment that was listed after the warm-up.
    private static func copies(_ log: AccessLog, _ scenario: Scenario) -> (fetches: Double, bytes: Double) {
        let shape = scenario.shape
        var (segments, fetches, bytes) = (0, 0, 0.0)
        for place in log.requestsPerSegment.indices {
            let sequence = StreamShape.firstSequence + UInt64(place)
            if scenario.isLive, shape.listed(sequence) < .start + scenario.warmUp { continue }
            segments += 1
            fetches += log.requestsPerSegment[place]
            bytes += log.copiesPerSegment[place]
        }
        guard segments > 0 else { return (0, 0) }
        return (Double(fetches) / Double(segments), bytes / Double(segments))
    }

    private static func delays(_ simulation: Simulation, ofPlayers: Bool) -> [Duration] {
        let scenario = simulation.scenario
        guard scenario.isLive else { return [] }
        let shape = scenario.shape
        return simulation.agents.flatMap { agent -> [Duration] in
            let times = ofPlayers ? agent.players.first?.completedAt ?? [] : agent.heldAt
            return times.indices.compactMap { place in
                let listed = shape.listed(StreamShape.firstSequence + UInt64(place))
                guard let time = times[place], listed >= .start + scenario.warmUp, listed >= agent.startsAt else {
                    return nil
                }
                return time - listed
            }
        }
    }

    /// For each segment listed after the warm-up and each agent that was there: from the first request to its word that
    /// it holds it.
    private static func spreads(_ simulation: Simulation) -> [Duration] {
        let scenario = simulation.scenario
        guard scenario.isLive, scenario.policy == .weir else { return [] }
        let asked = simulation.servers[0].log.firstAsked
        return simulation.agents.filter { !$0.role.isHostile }.flatMap { agent -> [Duration] in
            zip(asked, agent.heldAt).compactMap { asked, held in
                guard let asked, let held, asked >= .start + scenario.warmUp, asked >= agent.startsAt else {
                    return nil
                }
                return (held - asked).orZero
            }
        }
    }

    static func quantiles(_ values: [Duration]) -> (median: Duration, p95: Duration) {
        guard !values.isEmpty else { return (.zero, .zero) }
        let sorted = values.sorted()
        return (sorted[sorted.count / 2], sorted[min(sorted.count - 1, sorted.count * 95 / 100)])
    }
}

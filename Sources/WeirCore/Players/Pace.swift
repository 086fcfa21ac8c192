/// How fast an answer may flow of which all or a part came ahead of its player, so that an adaptive player measures the
/// network and not the loopback device, and does not switch up to what only the cache can deliver.
struct Pace {
    /// Bytes per second.
    let rate: Double
    let begun: Instant

    /// Two chunks at once: what a socket takes anyway.
    static let burst = 2 * Chunk.byteCount
    /// The player must gain on the stream however slow the network was measured.
    static let leastGain = 1.5
    /// Segments of a session that are never paced: start-up is the player's hurry, not its measurement.
    static let freeSegments = 2
    static let step = Duration.milliseconds(20)

    func allowance(at now: Instant) -> Int64 {
        Int64(min(1e15, Double(Pace.burst) + rate * (now - begun).orZero.seconds))
    }
}

extension Agent {
    /// The pace of an answer; nil when it is not to be paced.
    ///
    /// What is being fetched already when it is asked for has its beginning in the cache as well: the rest, alone, comes in
    /// a moment. What is read for this player alone is as fast as the network.
    func pace(_ answer: Answer, _ segment: Segment) -> Pace? {
        guard segment.isHeld || hasSwarm(segment.rendition.stream), segment.id.kind == .media,
            !segment.rendition.isParts, let player = answer.player, player.isAdaptive,
            player.segmentsAsked > Pace.freeSegments,
            let place = player.place(of: segment.id.rendition), player.playheads[place].head.hasStarted,
            let measured = segment.rendition.stream.raceEstimate.rate
        else { return nil }
        let bitrate = Double(segment.length ?? 0) / max(0.1, segment.duration.seconds)
        let nominal = Double(segment.rendition.bandwidth) / 8
        return Pace(rate: max(measured, Pace.leastGain * max(bitrate, nominal)), begun: now)
    }
}

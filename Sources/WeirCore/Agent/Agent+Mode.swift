// Whether a stream's media come from its servers alone or from peers: the trackers' word, and how it is obeyed.
extension Agent {
    /// A tracker's word holds for this many of its intervals after it was last heard.
    static let wordIntervals = 3

    /// Served directly when a tracker says so and none says otherwise; by peers without any word.
    mutating func settleMode(_ stream: Stream) {
        var words: [ChannelMode] = []
        for tracker in trackers {
            if let word = tracker.words[stream.swarm], word.until > now { words.append(word.mode) }
        }
        let ruling = words.first { $0.mode == .peers } ?? words.first
        let mode = ruling?.mode ?? .peers
        stream.modeReason = ruling.map { "the tracker: \($0.reason)" } ?? "no tracker says otherwise"
        guard mode != stream.mode else { return }
        stream.mode = mode
        log(
            .notice,
            mode == .direct ? "media now come from the servers alone" : "media now come from peers as well",
            [("stream", stream.id.text), ("why", stream.modeReason)]
        )
        replan(stream)
    }

    mutating func heard(_ mode: ChannelMode?, of swarm: SwarmID, from tracker: TrackerState, interval: Int) {
        if let mode {
            tracker.words[swarm] = (mode, now + .seconds(interval * Agent.wordIntervals))
        } else {
            tracker.words[swarm] = nil
        }
        if let stream = stream(swarm: swarm) { settleMode(stream) }
    }
}

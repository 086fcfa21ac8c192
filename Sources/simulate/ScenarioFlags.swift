import ArgumentParser

/// Flags with the names and the units of a scenario file's keys; what is not given is left as it is.
struct ScenarioFlags: ParsableArguments {
    @Option(help: "Viewers; 30.")
    var peers: String?
    @Option(help: "Simulated minutes; 10.")
    var minutes: String?
    @Option(help: "weir, plain, one-peer or elected.")
    var policy: String?
    @Option(help: "Seconds that count as start-up; 60.")
    var warmUp: String?
    @Option(help: "Seconds within which viewers arrive; 20.")
    var arrivals: String?
    @Option(help: "Mean viewing time in seconds; who leaves is replaced.")
    var churn: String?
    @Option(help: "Share of viewers that upload nothing, 0 to 1 or in %.")
    var freeRiders: String?
    @Option(help: "Share of pairs that cannot reach each other, 0 to 1 or in %.")
    var unreachable: String?
    @Option(help: "Agents that a newcomer is linked to; without it 20, for one-peer and elected 5.")
    var links: String?
    @Option(help: "Agents that share an IP network (/24): audits and searches tell networks apart; 1.")
    var agentsPerNetwork: String?
    @Option(help: "Mbit/s of the stream; 1.")
    var bitrate: String?
    @Option(help: "Seconds of a segment; 2.")
    var segment: String?
    @Option(help: "Segments in a live list; 8.")
    var window: String?
    @Option(help: "Mbit/s of each viewer's uplink; 5.")
    var uplink: String?
    @Option(help: "Mbit/s that each agent may upload; without it, whatever its uplink takes.")
    var uploadLimit: String?
    @Option(help: "Mbit/s of each viewer's downlink; 20.")
    var downlink: String?
    @Option(help: "Mbit/s of the origin; 1000.")
    var originRate: String?
    @Option(help: "Milliseconds to the origin and back; 30.")
    var originRtt: String?
    @Option(help: "Milliseconds between viewers and back: one number, or least-most; 20-80.")
    var rtt: String?
    @Option(help: "Seconds of playback that one-peer takes from the origin at once, and elected for its player.")
    var highDemand: String?
    @Option(help: "Segments from the end of a live list where players begin; without it, as the policy's players do.")
    var behind: String?
    @Option(help: "Whether the origin states the digest of each body: yes or no.")
    var anchored: String?
    @Option(help: "MiB of each agent's cache; 48.")
    var cache: String?
    @Option(help: "yes: agents find each other by a tracker with weir's own logic; no: they are linked at random.")
    var tracker: String?
    @Option(help: "Seconds between announces to the tracker; 20.")
    var announceInterval: String?
    @Option(help: "Viewers that the origin can carry alone; the tracker then sets the stream's mode.")
    var maxStreams: String?
    @Option(help: "The part of --max-streams that is left to peers, 0 to 1.")
    var dynamicStreamingRate: String?
    @Option(help: "Announces a second from which on the tracker uses its reserve search; 1: always.")
    var fullSearchRate: String?
    @Option(help: "A line of a scenario file, repeatable: 'at 60s kill 3', 'share polluter 50%'.")
    var line: [String] = []

    var given: [(name: String, value: String)] {
        let all: [(String, String?)] = [
            ("peers", peers), ("minutes", minutes), ("policy", policy), ("warm-up", warmUp), ("arrivals", arrivals),
            ("churn", churn), ("free-riders", freeRiders), ("unreachable", unreachable), ("links", links),
            ("agents-per-network", agentsPerNetwork),
            ("bitrate", bitrate), ("segment", segment), ("window", window), ("uplink", uplink),
            ("upload-limit", uploadLimit), ("downlink", downlink), ("origin-rate", originRate),
            ("origin-rtt", originRtt), ("rtt", rtt), ("high-demand", highDemand), ("behind", behind),
            ("anchored", anchored), ("cache", cache), ("tracker", tracker), ("announce-interval", announceInterval),
            ("max-streams", maxStreams), ("dynamic-streaming-rate", dynamicStreamingRate),
            ("full-search-rate", fullSearchRate),
        ]
        return all.compactMap { name, value in value.map { (name, $0) } }
    }
}

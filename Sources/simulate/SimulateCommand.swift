import ArgumentParser
import WeirCore
import WeirSimulation

/// `simulate`: a whole swarm on a virtual clock, its figures beside their bounds.
///
/// Standard output repeats with the arguments, whatever the machine; wall time goes to standard error.
@main
struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run a swarm of weir agents on a virtual clock and print what came of it."
    )

    @Option(help: "Viewers.")
    var peers = 30
    @Flag(inversion: .prefixedNo, help: "A live stream; with --no-live or --vod a recording.")
    var live = true
    @Flag(help: "A recording as long as the run.")
    var vod = false
    @Option(help: "Simulated minutes.")
    var minutes = 10.0
    @Option(help: "First seed.")
    var seed: UInt64 = 1
    @Option(help: "How many seeds to run, from --seed on.")
    var seeds = 1
    @Option(help: "weir, plain, one-peer or elected.")
    var policy = Scenario.Policy.weir
    @Flag(help: "All policies on the same network and seeds, as a table.")
    var compare = false
    @Option(help: "Seconds that count as start-up.")
    var warmUp = 60.0
    @Option(help: "Seconds within which viewers arrive.")
    var arrivals = 20.0
    @Option(help: "Mean viewing time in seconds; who leaves is replaced.")
    var churn: Double?
    @Option(help: "Share of viewers that upload nothing, 0 to 1.")
    var freeRiders = 0.0
    @Option(help: "Share of pairs that cannot reach each other, 0 to 1.")
    var unreachable = 0.0
    @Option(help: "Agents that a newcomer is linked to; without it 20, for one-peer and elected 5.")
    var links: Int?
    @Option(help: "Mbit/s of the stream.")
    var bitrate = 1.0
    @Option(help: "Seconds of a segment.")
    var segment = 2.0
    @Option(help: "Segments in a live list.")
    var window = 8
    @Option(help: "Mbit/s of each viewer's uplink.")
    var uplink = 5.0
    @Option(help: "Mbit/s that each agent may upload; without it, whatever its uplink takes.")
    var uploadLimit: Double?
    @Option(help: "Mbit/s of each viewer's downlink.")
    var downlink = 20.0
    @Option(help: "Mbit/s of the origin.")
    var originRate = 1000.0
    @Option(help: "Milliseconds to the origin and back.")
    var originRtt = 30
    @Option(help: "Milliseconds between viewers and back: one number, or least-most.")
    var rtt = "20-80"
    @Option(help: "Seconds of playback that one-peer takes from the origin at once, and elected for its player.")
    var highDemand: Double?
    @Option(help: "Segments from the end of a live list where players begin; without it, as the policy's players do.")
    var behind: Int?
    @Flag(help: "The origin states the digest of each body.")
    var anchored = false
    @Option(help: "MiB of each agent's cache.")
    var cache = 48
    @Option(help: "From-until in seconds: the origin answers nothing.")
    var silent: String?
    @Option(help: "AGENT@SECONDS, repeatable: the agent's process is killed.")
    var kill: [String] = []
    @Option(help: "AGENT@SECONDS, repeatable: the agent's host loses its power.")
    var vanish: [String] = []
    @Flag(help: "Print the digest of the event log alone.")
    var digestOnly = false
    @Flag(help: "Print the agents' log lines on standard error.")
    var log = false

    @Option(help: "Print the messages to and from this agent on standard error.")
    var trace: Int?

    @Flag(help: "Print each agent's account of its latest segments on standard error.")
    var why = false

    func validate() throws {
        guard peers > 0, minutes > 0, seeds > 0, bitrate > 0, segment > 0, window > 0 else {
            throw ValidationError("--peers, --minutes, --seeds, --bitrate, --segment and --window must be above 0")
        }
        guard uplink > 0, downlink > 0, originRate > 0 else {
            throw ValidationError("--uplink, --downlink and --origin-rate must be above 0")
        }
        let scenario = try scenario(seed: seed, policy: policy)
        let agents = scenario.script.map(\.action.agent)
        guard agents.allSatisfy({ $0 < peers }) else { throw ValidationError("--kill and --vanish: no such agent") }
    }

    func run() throws {
        if compare {
            try runComparison()
        } else {
            for seed in seed..<seed + UInt64(seeds) {
                let report = try run(seed: seed, policy: policy)
                if digestOnly {
                    print(report.digest)
                } else {
                    if seeds > 1 { print("seed \(seed)") }
                    for line in report.lines { print(line) }
                    print("digest \(report.digest)")
                }
            }
        }
    }

    private func run(seed: UInt64, policy: Scenario.Policy) throws -> Report {
        let simulation = Simulation(try scenario(seed: seed, policy: policy))
        if log {
            simulation.onLog = { agent, time, event in
                let fields = event.metadata.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
                let seconds = DecimalText.format(Double(time.nanoseconds) / 1e9, digits: 3)
                StandardError.write("\(seconds) agent \(agent) \(event.level) \(event.message) \(fields)\n")
            }
        }
        if let trace {
            simulation.onFetch = { agent, time, fetch, what in
                guard agent == trace || trace < 0 else { return }
                let seconds = DecimalText.format(Double(time.nanoseconds) / 1e9, digits: 3)
                StandardError.write("\(seconds) fetch \(fetch.value) \(what)\n")
            }
            simulation.onMessage = { from, to, time, message, bytes in
                guard from == trace || to == trace || trace < 0 else { return }
                let seconds = DecimalText.format(Double(time.nanoseconds) / 1e9, digits: 3)
                StandardError.write("\(seconds) \(from) → \(to) \(bytes) \(message)\n")
            }
        }
        let clock = ContinuousClock()
        var report: Report?
        let elapsed = clock.measure { report = simulation.run() }
        guard let report else { throw ExitCode.failure }
        if why {
            for way in simulation.ways {
                func text(_ span: Duration?) -> String { span.map { DecimalText.format($0.seconds, digits: 2) } ?? "-" }
                let held = way.held
                StandardError.write(
                    "way \(way.sequence) asked \(text(way.firstAsked)) held first \(text(held.first)) median"
                        + " \(text(held.isEmpty ? nil : held[held.count / 2])) last \(text(held.last)) by \(held.count)\n"
                )
            }
            for agent in simulation.agents {
                let figures = simulation.figures(of: agent.number)
                StandardError.write(
                    "viewer \(agent.number) from \(agent.startsAt.nanoseconds / 1_000_000) ms: \(figures.segments) segments,"
                        + " \(figures.stalls) stalls, \(DecimalText.format(figures.stalled.seconds, digits: 1)) s\n"
                )
                for segment in agent.decider.segments(at: simulation.now) {
                    StandardError.write(
                        "agent \(agent.number) segment \(segment.number) origin \(segment.origin_bytes) peers"
                            + " \(segment.peer_bytes) of \(segment.bytes) in"
                            + " \(DecimalText.format(segment.milliseconds, digits: 0)) ms from \(segment.sources)"
                            + " sources: \(segment.origin_reason) \(segment.state)\n"
                    )
                }
            }
        }
        let wall = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        let speed = minutes * 60 / max(wall, 1e-9)
        StandardError.write(
            "\(policy.rawValue) seed \(seed): \(DecimalText.format(wall, digits: 2)) s of wall time,"
                + " \(DecimalText.format(speed, digits: 0)) × real time\n"
        )
        return report
    }

    private func runComparison() throws {
        var table = ComparisonTable()
        for seed in seed..<seed + UInt64(seeds) {
            for policy in Scenario.Policy.allCases {
                table.add(try run(seed: seed, policy: policy), seed: seed)
            }
        }
        for line in table.lines { print(line) }
    }

    private func scenario(seed: UInt64, policy: Scenario.Policy) throws -> Scenario {
        var scenario = Scenario()
        scenario.policy = policy
        scenario.seed = seed
        scenario.peers = peers
        scenario.isLive = live && !vod
        scenario.duration = .seconds(minutes * 60)
        scenario.warmUp = .seconds(warmUp)
        scenario.arrivals = .seconds(arrivals)
        scenario.churn = churn.map { .seconds($0) }
        scenario.freeRiders = min(1, max(0, freeRiders))
        scenario.unreachable = min(1, max(0, unreachable))
        scenario.links = links
        scenario.bitrate = bitrate * 1e6
        scenario.segmentDuration = .seconds(segment)
        scenario.window = window
        scenario.uplink = uplink * 1e6
        scenario.downlink = downlink * 1e6
        scenario.originRate = originRate * 1e6
        scenario.originRoundTrip = .milliseconds(originRtt)
        scenario.roundTrips = try Self.roundTrips(rtt)
        scenario.highDemandWindow = highDemand.map { .seconds($0) }
        scenario.behind = behind
        scenario.isAnchored = anchored
        scenario.settings.uploadBytesPerSecond = uploadLimit.map { Int($0 * 125_000) }
        scenario.settings.cacheBytes = cache * 1024 * 1024
        scenario.script =
            try kill.map { try Self.moment($0) { .kill(agent: $0) } }
            + vanish.map { try Self.moment($0) { .vanish(agent: $0) } }
        if let silent {
            let ends = silent.split(separator: "-").compactMap { Double($0) }
            guard ends.count == 2, ends[0] < ends[1] else { throw ValidationError("--silent takes FROM-UNTIL") }
            scenario.faults = [
                OriginFault(.silent, from: .start + .seconds(ends[0]), until: .start + .seconds(ends[1]))
            ]
        }
        return scenario
    }

    private static func moment(
        _ text: String,
        _ action: (Int) -> Scenario.Action
    ) throws -> (at: Instant, action: Scenario.Action) {
        let parts = text.split(separator: "@")
        guard parts.count == 2, let agent = Int(parts[0]), let seconds = Double(parts[1]), agent >= 0 else {
            throw ValidationError("--kill and --vanish take AGENT@SECONDS")
        }
        return (.start + .seconds(seconds), action(agent))
    }

    private static func roundTrips(_ text: String) throws -> (least: Duration, most: Duration) {
        let ends = text.split(separator: "-").compactMap { Int($0) }
        guard let least = ends.first, let most = ends.last, ends.count <= 2, least <= most, least >= 0 else {
            throw ValidationError("--rtt takes milliseconds, or LEAST-MOST")
        }
        return (.milliseconds(least), .milliseconds(most))
    }
}

extension Scenario.Policy: ExpressibleByArgument {}

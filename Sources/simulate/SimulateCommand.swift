import ArgumentParser
import WeirCore
import WeirSimulation

/// `simulate swarm`, or `simulate` alone: a whole swarm on a virtual clock, its figures beside their bounds.
///
/// Standard output repeats with the arguments, whatever the machine; wall time goes to standard error.
struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swarm",
        abstract: "Run a swarm of weir agents on a virtual clock and print what came of it (the default)."
    )

    @Option(help: "A scenario file; flags beside it change what it says. Fixtures/scenarios has some.")
    var scenario: String?
    @Option(
        help: "Feed a recording (weir play --record-inputs FILE) to the core and compare; everything else is ignored."
    )
    var replay: String?
    @Option(help: "First seed.")
    var seed: UInt64 = 1
    @Option(help: "How many seeds to run, from --seed on; without it as many as the scenario says, else 1.")
    var seeds: Int?
    @Flag(help: "All policies on the same network and seeds, as a table.")
    var compare = false
    @Option(help: "A directory for a drawing (SVG) of the first seed's run, or of all policies' with --compare.")
    var plot: String?
    @Flag(inversion: .prefixedNo, help: "A live stream, the default; with --no-live or --vod a recording.")
    var live: Bool?
    @Flag(help: "A recording as long as the run.")
    var vod = false
    @OptionGroup(title: "What a scenario file says, too")
    var keys: ScenarioFlags
    @Flag(help: "Print the digest of the event log alone.")
    var digestOnly = false
    @Flag(help: "Print the agents' log lines on standard error.")
    var log = false

    @Option(help: "Print the messages to and from this agent on standard error.")
    var trace: Int?

    @Flag(help: "Print each agent's account of its latest segments on standard error.")
    var why = false

    func run() throws {
        if let replay { return try play(replay) }
        let file = try scenarioFile()
        let all = seed..<seed + UInt64(seeds ?? file.seeds)
        if compare { return try runComparison(file, all) }
        var reports: [Report] = []
        for seed in all {
            let report = try run(file.scenario, seed: seed, policy: file.scenario.policy)
            reports.append(report)
            if digestOnly {
                print(report.digest)
            } else {
                if all.count > 1 { print("seed \(seed)") }
                for line in report.lines { print(line) }
                print("digest \(report.digest)")
            }
            if seed == all.lowerBound { try writePlot(file, seed, [report]) }
        }
        if !digestOnly { for verdict in Verdicts(file, reports).all { print(verdict) } }
        let violated = zip(all, reports).flatMap { seed, report in report.violations.map { (seed, $0) } }
        try fail(over: violated)
    }

    /// The core of this build beside what a real agent's did.
    private func play(_ path: String) throws {
        let replay: Replay
        do {
            replay = try Replay(try TextFile.bytes(path, limit: Int.max))
        } catch let error as RecordingError {
            throw ValidationError("\(path): \(error)")
        }
        let seconds = DecimalText.format(replay.length.seconds, digits: 1)
        print("\(replay.inputs) inputs, \(replay.outputs) outputs, \(seconds) s of the agent's time")
        if let difference = replay.difference {
            print("first difference: \(difference)")
            throw ExitCode.failure
        }
        switch replay.end {
        case .stopped: print("no difference, to the agent's stop")
        case .full: print("no difference, to the recording's full size")
        case .slow: print("no difference, until the disk was too slow for the recording")
        case nil:
            let over = replay.breaksOff.map { ", over an input of kind \($0)" } ?? ""
            print("no difference, until the recording breaks off\(over)")
        }
    }

    /// A violated oracle fails the run, and says where to look.
    private func fail(over violations: [(seed: UInt64, violation: Violation)]) throws {
        for (seed, violation) in violations { StandardError.write("violated: seed \(seed), \(violation)\n") }
        guard violations.isEmpty else { throw ExitCode.failure }
    }

    private func writePlot(_ file: ScenarioFile, _ seed: UInt64, _ reports: [Report]) throws {
        guard let plot else { return }
        let name = scenario.map { path in
            let last = path.split(separator: "/").last ?? "scenario"
            return String(last.prefix { $0 != "." })
        }
        let title = file.title.isEmpty ? "\(file.scenario.peers) viewers" : file.title
        let drawing = ScenarioPlot(title: title, about: file.about, seed: seed, reports: reports)
        try TextFile.write("\(plot)/\(name ?? "scenario").svg", drawing.svg)
    }

    private func run(_ scenario: Scenario, seed: UInt64, policy: Scenario.Policy) throws -> Report {
        var scenario = scenario
        scenario.seed = seed
        scenario.policy = policy
        let simulation = Simulation(scenario)
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
        let cost = RunCost()
        let report = simulation.run()
        let costLine = cost.line(
            simulated: scenario.duration.seconds,
            events: report.events,
            agents: simulation.agents.count
        )
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
                        + " \(figures.stalls) stalls, \(DecimalText.format(figures.stalled.seconds, digits: 1)) s"
                        + (figures.firstStall.map(describe) ?? "") + "\n"
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
        StandardError.write("\(policy.rawValue) seed \(seed): \(costLine)\n")
        return report
    }

    private func describe(_ stall: (at: Instant, sequence: UInt64)) -> String {
        ", first at \(DecimalText.format(Double(stall.at.nanoseconds) / 1e9, digits: 3)) s for segment \(stall.sequence)"
    }

    /// The baselines know no multivariant lists.
    private func policies(for scenario: Scenario) -> [Scenario.Policy] {
        scenario.renditions.isEmpty ? Scenario.Policy.allCases : [.weir, .plain]
    }

    private func runComparison(_ file: ScenarioFile, _ seeds: Range<UInt64>) throws {
        var table = ComparisonTable()
        for seed in seeds {
            let reports = try policies(for: file.scenario).map { try run(file.scenario, seed: seed, policy: $0) }
            for report in reports { table.add(report, seed: seed) }
            if seed == seeds.lowerBound { try writePlot(file, seed, reports) }
        }
        for line in table.lines { print(line) }
        let verdicts = Verdicts(file, table.reports)
        for verdict in verdicts.all { print(verdict) }
        let plain = verdicts.violations.map { (seeds.lowerBound + UInt64($0.place), $0.violation) }
        try fail(over: table.violations + plain)
    }

    /// The file, if there is one, and what flags change of it.
    private func scenarioFile() throws -> ScenarioFile {
        do {
            var file = ScenarioFile()
            if let scenario { file = try ScenarioFile(parsing: TextFile.read(scenario)) }
            for (name, value) in keys.given { try file.set(name, value) }
            if let live { file.scenario.isLive = live }
            if vod { file.scenario.isLive = false }
            for line in keys.line { try file.read(line[...]) }
            try file.check()
            guard seeds ?? 1 > 0 else { throw ScenarioError(line: nil, message: "--seeds must be above 0") }
            return file
        } catch let error as ScenarioError {
            let place = error.line == nil ? "" : "\(scenario ?? "") "
            throw ValidationError("\(place)\(error)")
        }
    }
}

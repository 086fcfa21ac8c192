import ArgumentParser
import WeirCore
import WeirSimulation

/// `simulate on-demand`: recordings that viewers begin when they like.
struct OnDemandCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "on-demand",
        abstract: "Simulate recordings that each viewer begins when it likes.",
        discussion: """
            Without --titles one recording, whose viewers come and go (catch-up); with it, boxes that play one of many
            titles after another, as often as Zipf's law says, and keep what fits into their cache.
            """
    )

    @Option(help: "Viewers in all; with --titles, boxes.")
    var peers = 100
    @Option(help: "Catch-up: starts within the time that a segment can be had from a viewer; a list runs them all.")
    var density = "1"
    @Option(help: "Catch-up: seconds that a segment can be had from a viewer, on average.")
    var reach = 600.0
    @Option(help: "Recordings to choose from.")
    var titles: Int?
    @Option(help: "Zipf's exponent.")
    var skew = 0.8
    @Option(help: "Minutes that boxes are simulated; catch-up ends with its last viewer.")
    var minutes = 60.0
    @Option(help: "Screens of each box.")
    var screens = 1
    @Option(help: "Seconds between two titles on a screen, on average.")
    var pause = 20.0
    @Option(help: "Seconds of a recording.")
    var length = 300.0
    @Option(help: "Jumps in a viewing, on average.")
    var seeks = 0.0
    @Option(help: "Share of viewings that are broken off, 0 to 1.")
    var brokenOff = 0.0
    @Option(help: "Seconds that do not count.")
    var warmUp: Double?
    @Option(help: "Mbit/s of the recordings.")
    var bitrate = 1.0
    @Option(help: "Seconds of a segment.")
    var segment = 4.0
    @Option(help: "Mbit/s of each uplink.")
    var uplink = 5.0
    @Option(help: "MiB of each agent's cache.")
    var cache = 64
    @Option(help: "Agents that a newcomer is introduced to.")
    var links = 20
    @Option(help: "First seed.")
    var seed: UInt64 = 1
    @Option(help: "How many seeds to run, from --seed on.")
    var seeds = 1
    @Flag(help: "Beside each run one without peers.")
    var besidePlain = false
    @Flag(help: "Beside each run one without peers and both baselines, for one screen a box.")
    var compare = false
    @Flag(help: "Print the whole report of each run.")
    var reports = false

    func validate() throws {
        guard peers > 0, reach > length / 2, length >= segment, segment > 0, bitrate > 0, uplink > 0, cache > 0 else {
            throw ValidationError("--reach must be above half of --length, and numbers above 0")
        }
        guard titles.map({ $0 > 0 }) ?? true, minutes > 0, screens > 0, seeds > 0 else {
            throw ValidationError("--titles, --minutes, --screens and --seeds must be above 0")
        }
        guard !compare || screens == 1 else {
            throw ValidationError("the baselines of --compare play on one screen")
        }
        guard densities.allSatisfy({ $0 > 0 }), !densities.isEmpty else {
            throw ValidationError("--density takes numbers above 0, with commas between them")
        }
    }

    private var densities: [Double] { density.split(separator: ",").compactMap { Double($0) } }

    func run() throws {
        let others: [Scenario.Policy] = compare ? [.plain, .onePeer, .elected] : besidePlain ? [.plain] : []
        var table = OnDemandTable(isCatchUp: titles == nil, beside: others)
        var isViolated = false
        for density in titles == nil ? densities : [0] {
            for seed in seed..<seed + UInt64(seeds) {
                let runs = ([.weir] + others).map { Simulation(scenario($0, seed: seed, density: density)).run() }
                if reports { for line in runs[0].lines { print(line) } }
                for violation in runs.flatMap(\.violations) {
                    print("VIOLATED seed \(seed), \(violation)")
                    isViolated = true
                }
                print(table.add(runs, seed: seed, density: density))
            }
            if seeds > 1 { print(table.sum(density: density)) }
        }
        if isViolated { throw ExitCode.failure }
    }

    private func scenario(_ policy: Scenario.Policy, seed: UInt64, density: Double) -> Scenario {
        var scenario = Scenario()
        scenario.policy = policy
        scenario.seed = seed
        scenario.peers = peers
        scenario.isLive = false
        scenario.bitrate = bitrate * 1e6
        scenario.segmentDuration = .seconds(segment)
        scenario.uplink = uplink * 1e6
        scenario.links = links
        scenario.settings.cacheBytes = cache * 1024 * 1024
        // Who is there can be asked: when an agent goes is the scenario's to say.
        scenario.settings.seedTime = nil
        let perSecond = density / reach
        var onDemand = OnDemand(
            titles == nil
                ? .passing(perSecond: perSecond, stay: .seconds(reach + length / 2))
                : .resident(screens: screens, pause: .seconds(pause))
        )
        onDemand.titles = titles ?? 1
        onDemand.skew = titles == nil ? 0 : skew
        onDemand.titleDuration = .seconds(length)
        onDemand.seeks = seeks
        onDemand.brokenOff = min(1, max(0, brokenOff))
        scenario.onDemand = onDemand
        if titles == nil {
            let last = onDemand.plan(scenario.lasting(.forever)).last?.endsAt ?? .start
            scenario.duration = (last - .start) + .seconds(1)
            scenario.warmUp = .seconds(warmUp ?? 0)
        } else {
            scenario.duration = .seconds(minutes * 60)
            scenario.warmUp = .seconds(warmUp ?? minutes * 30)
        }
        return scenario
    }
}

extension Scenario {
    fileprivate func lasting(_ duration: WeirCore.Duration) -> Scenario {
        var scenario = self
        scenario.duration = duration
        return scenario
    }
}

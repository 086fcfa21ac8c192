import ArgumentParser
import WeirCore
import WeirLab
import WeirSimulation

/// A live swarm of real agents on hosts with home uplinks, beside its bound and what the simulator predicts.
struct SwarmBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swarm",
        abstract: "Twelve agents behind shaped uplinks on one live stream: offload by nginx's log, stalls, load.",
        discussion: """
            Every agent and its viewer run on a host of their own: a network namespace whose access link is shaped \
            (tc-tbf), \(SwarmBench.roundTripMilliseconds) ms from every other. nginx serves the stream, weir tracker \
            introduces. The bound is min(1 − 1/N, Σ uplinks / (N · rate)); the goal is 0.97 of it without a stall, and \
            a simulation of the same set-up within 3 points. Needs root.
            """
    )

    static let roundTripMilliseconds = 30
    /// Seconds of a queue before an access link, as home routers have them.
    static let queueSeconds = 0.25
    static let goal = 0.97
    static let predictionGoal = 0.03

    @Option(help: "Agents, each with a viewer.") var agents = 12
    @Option(help: "Minutes after the warm-up.") var minutes = 10.0
    @Option(help: "Seconds that count as start-up.") var warmUp = 60.0
    @Option(help: "The stream's rate in Mbit/s.") var rate = 2.0
    @Option(help: "Mbit/s of the uplinks, LEAST-MOST: the agents' are spread evenly over it.") var uplinks = "5-20"
    @Option(help: "Mbit/s of each downlink.") var downlink = 50.0
    @Flag(help: "Leave the simulation out.") var noPrediction = false

    private var range: (least: Double, most: Double)? {
        let ends = uplinks.split(separator: "-").compactMap { Double($0) }
        guard ends.count == 2, ends[0] > 0, ends[0] <= ends[1], ends[1] <= 1000 else { return nil }
        return (ends[0], ends[1])
    }

    func validate() throws {
        guard (2...40).contains(agents), (0.2...120).contains(minutes), (5...600).contains(warmUp),
            (0.1...20).contains(rate), (1...1000).contains(downlink), range != nil
        else {
            throw ValidationError(
                "agents 2…40, minutes 0.2…120, warm-up 5…600, rate 0.1…20, downlink 1…1000, uplinks LEAST-MOST"
            )
        }
    }

    func run() async throws {
        guard let range else { return }
        let uplinks = (0..<agents).map { number in
            range.least + (range.most - range.least) * Double(number) / Double(max(1, agents - 1))
        }
        let plan = SwarmPlan(
            uplinks: uplinks,
            downlink: downlink,
            rate: rate,
            warmUp: warmUp,
            seconds: minutes * 60
        )
        print("\(agents) agents, \(rate) Mbit/s, uplinks \(self.uplinks) Mbit/s, \(minutes) min after \(warmUp) s\n")
        let figures = try await SwarmStage.measure(plan)
        print(figures.table.text)
        for line in figures.complaints { print(line) }
        print(figures.summary(bound: plan.bound))
        guard !noPrediction else { return }
        let report = Simulation(plan.scenario).run()
        let distance = report.offload - figures.offload
        print(
            "simulated: offload \((100 * report.offload).fixed(1)) %, \(report.stalls) stalls, waste"
                + " \((100 * report.waste).fixed(1)) %; off by \((100 * distance).fixed(1)) points"
                + " (goal: within \((100 * Self.predictionGoal).fixed(0)))"
        )
    }
}

/// What is set up, for real hosts and simulated ones alike.
struct SwarmPlan: Sendable {
    /// Mbit/s, one for each agent.
    var uplinks: [Double]
    var downlink: Double
    var rate: Double
    /// Seconds.
    var warmUp: Double
    var seconds: Double

    /// Mbit/s of the origin's access link: more than its viewers' downlinks could ever ask for matters to nobody.
    static let originRate = 1000.0

    /// Bytes of a segment; whole words.
    var segmentBytes: Int { Int(rate * 1e6 / 8 * Double(LivePackager.segmentSeconds)) / 8 * 8 }

    var bound: Double { Bounds.offload(viewers: uplinks.count, uplinks: uplinks, bitrate: rate) }

    var scenario: Scenario {
        var scenario = Scenario()
        scenario.peers = uplinks.count
        scenario.uplinks = uplinks.map { $0 * 1e6 }
        scenario.downlink = downlink * 1e6
        scenario.bitrate = rate * 1e6
        scenario.segmentDuration = .seconds(LivePackager.segmentSeconds)
        scenario.window = LivePackager.window
        scenario.originRate = Self.originRate * 1e6
        let roundTrip = WeirCore.Duration.milliseconds(SwarmBench.roundTripMilliseconds)
        scenario.originRoundTrip = roundTrip
        scenario.roundTrips = (roundTrip, roundTrip)
        scenario.arrivals = .seconds(SwarmStage.arrivalSeconds)
        scenario.warmUp = .seconds(warmUp)
        scenario.duration = .seconds(warmUp + seconds)
        return scenario
    }
}

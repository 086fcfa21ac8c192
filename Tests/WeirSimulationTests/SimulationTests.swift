import Testing
import WeirCore
import WeirSimulation

@Suite("Simulated swarms")
struct SimulationTests {
    static func scenario(_ policy: Scenario.Policy, seed: UInt64, peers: Int = 4, seconds: Int = 60) -> Scenario {
        var scenario = Scenario()
        scenario.policy = policy
        scenario.seed = seed
        scenario.peers = peers
        scenario.duration = .seconds(seconds)
        scenario.warmUp = .seconds(20)
        scenario.arrivals = .seconds(5)
        return scenario
    }

    /// What holds in every run, whatever the policy: oracles apart from the code.
    static func expectSound(_ report: Report, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(report.wrongBytes == 0, sourceLocation: sourceLocation)
        #expect(report.cutBodies == 0, sourceLocation: sourceLocation)
        #expect(report.unofferedRequests == 0, sourceLocation: sourceLocation)
        #expect(report.ledgerExcess == 0, sourceLocation: sourceLocation)
        #expect(report.uncountedOriginBytes >= 0, sourceLocation: sourceLocation)
        #expect(report.unfinished == 0, sourceLocation: sourceLocation)
        #expect(report.delivered > 0, sourceLocation: sourceLocation)
    }

    @Test("Two runs of one seed are the same run", arguments: Scenario.Policy.allCases)
    func determinism(policy: Scenario.Policy) {
        func report() -> Report { Simulation(Self.scenario(policy, seed: 7, seconds: 30)).run() }
        let (one, two) = (report(), report())
        #expect(one.digest == two.digest)
        #expect(one.lines == two.lines)
        let other = Simulation(Self.scenario(policy, seed: 8, seconds: 30)).run()
        #expect(one.digest != other.digest)
    }

    @Test("Which chunks are here is told to 12 links at most, and to others with the next segment")
    func partListeners() {
        struct Telling: Hashable {
            var teller: Int
            var part: Partial
        }
        var scenario = Self.scenario(.weir, seed: 3, peers: 22, seconds: 16)
        (scenario.arrivals, scenario.warmUp) = (.seconds(2), .seconds(6))
        let simulation = Simulation(scenario)
        var listeners: [Telling: Set<Int>] = [:]
        var everHeard: [Int: Set<Int>] = [:]
        simulation.onMessage = { from, to, _, message, _ in
            guard case .partial(var part) = message else { return }
            // A handle is the link's own.
            part.handle = 0
            listeners[Telling(teller: from, part: part), default: []].insert(to)
            everHeard[from, default: []].insert(to)
        }
        Self.expectSound(simulation.run())
        #expect(listeners.count > 100)
        #expect(listeners.values.allSatisfy { $0.count <= Agent.partListeners })
        #expect(everHeard.values.contains { $0.count > Agent.partListeners })
    }

    @Test("Plain players take everything from the origin and do not stall", arguments: 1...3 as ClosedRange<UInt64>)
    func plain(seed: UInt64) {
        let report = Simulation(Self.scenario(.plain, seed: seed)).run()
        Self.expectSound(report)
        #expect(abs(report.offload) < 0.05)
        #expect(report.stalls == 0)
        #expect(report.runRequests == 0)
        #expect(abs(report.copiesPerSegment - 4) < 0.2)
    }

    @Test("One peer per segment shares something", arguments: 1...3 as ClosedRange<UInt64>)
    func onePeer(seed: UInt64) {
        let report = Simulation(Self.scenario(.onePeer, seed: seed)).run()
        Self.expectSound(report)
        // Above the bound by what the origin sent before the window and players got within it: segments come late here.
        #expect(report.offload > 0.05 && report.offload < report.bound + 0.05)
        #expect(report.runRequests > 0)
    }

    @Test("One elected reader per segment leaves the origin little to do", arguments: 1...3 as ClosedRange<UInt64>)
    func elected(seed: UInt64) {
        let report = Simulation(Self.scenario(.elected, seed: seed)).run()
        Self.expectSound(report)
        #expect(report.offload > 0.5)
        // Played behind the live end, a little was read before the warm-up was over.
        #expect(report.offload < report.bound + 0.02)
        #expect(report.stalls == 0)
    }

    @Test("The election's hash is upstream's")
    func electionHash() {
        #expect(ElectionHash.value(of: Array("-PM0500-AAAAAAAAAAAA|1234".utf8)) == 3_557_622_334)
        #expect(ElectionHash.value(of: Array("-PM0500-zzzzzzzzzzzz|1234".utf8)) == 4_184_274_638)
    }

    @Test("Weir's swarm comes close to its bound without a stall", arguments: 1...3 as ClosedRange<UInt64>)
    func weir(seed: UInt64) {
        let report = Simulation(Self.scenario(.weir, seed: seed)).run()
        Self.expectSound(report)
        #expect(report.offload > 0.9 * report.bound)
        #expect(report.stalls == 0)
        #expect(report.rejectedBytes == 0 && report.bannedPeers == 0)
    }

    @Test("A recording is played to its end", arguments: Scenario.Policy.allCases)
    func recording(policy: Scenario.Policy) {
        var scenario = Self.scenario(policy, seed: 3, seconds: 100)
        scenario.isLive = false
        scenario.arrivals = .seconds(2)
        // As long as the run: the end is not reached, so the recording is made shorter.
        scenario.recordedDuration = .seconds(60)
        let report = Simulation(scenario).run()
        Self.expectSound(report)
        #expect(report.stalls == 0)
        #expect(report.skippedSegments == 0)
    }

    @Test("Who leaves is replaced, and the swarm goes on", arguments: 1...2 as ClosedRange<UInt64>)
    func churn(seed: UInt64) {
        var scenario = Self.scenario(.weir, seed: seed, peers: 6, seconds: 90)
        scenario.churn = .seconds(40)
        let simulation = Simulation(scenario)
        let report = simulation.run()
        #expect(simulation.agents.count > 6)
        #expect(report.wrongBytes == 0 && report.unofferedRequests == 0)
    }
}

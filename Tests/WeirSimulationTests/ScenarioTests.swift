import Testing
import WeirCore
import WeirSimulation

/// Faults by script, over seeds. Attack tests show that the attack took place, that the attacker was stopped and that
/// the honest were unharmed.
@Suite("Faults in a swarm")
struct ScenarioTests {
    @Test(
        "F03 The origin falls silent for 15 s: peers carry on with what they hold",
        arguments: 1...3 as ClosedRange<UInt64>
    )
    func silentOrigin(seed: UInt64) {
        var scenario = SimulationTests.scenario(.weir, seed: seed, peers: 4, seconds: 90)
        scenario.isLive = false
        scenario.arrivals = .seconds(2)
        scenario.recordedDuration = .seconds(70)
        // Players of a recording are 30 s ahead by then.
        scenario.faults = [
            OriginFault(.silent, from: .start + .seconds(45), until: .start + .seconds(60))
        ]
        let report = Simulation(scenario).run()
        SimulationTests.expectSound(report)
        #expect(report.stalls == 0)
    }

    @Test("F07 The origin answers 503 for 4 s: nobody stalls", arguments: 1...3 as ClosedRange<UInt64>)
    func unavailable(seed: UInt64) {
        var scenario = SimulationTests.scenario(.weir, seed: seed)
        scenario.isLive = false
        scenario.recordedDuration = .seconds(55)
        scenario.arrivals = .seconds(1)
        scenario.warmUp = .seconds(2)
        scenario.faults = [
            OriginFault(.status(503), from: .start + .seconds(20), until: .start + .seconds(24))
        ]
        let report = Simulation(scenario).run()
        SimulationTests.expectSound(report)
        #expect(report.stalls == 0)
    }

    @Test("F04 Bodies that stall half-way cost no stall", arguments: 1...3 as ClosedRange<UInt64>)
    func stalledBodies(seed: UInt64) {
        var scenario = SimulationTests.scenario(.weir, seed: seed)
        scenario.isLive = false
        scenario.recordedDuration = .seconds(55)
        scenario.arrivals = .seconds(1)
        scenario.warmUp = .seconds(2)
        scenario.faults = [
            OriginFault(.stalledBodies, from: .start + .seconds(15), until: .start + .seconds(17))
        ]
        let report = Simulation(scenario).run()
        SimulationTests.expectSound(report)
        #expect(report.stalls == 0)
    }

    @Test("F88 A peer killed mid-transfer: nobody else stalls", arguments: 1...3 as ClosedRange<UInt64>)
    func killed(seed: UInt64) {
        var scenario = SimulationTests.scenario(.weir, seed: seed, peers: 6)
        scenario.script = [(.start + .milliseconds(30_300), .kill(agent: 0))]
        let simulation = Simulation(scenario)
        let report = simulation.run()
        #expect(report.wrongBytes == 0)
        for agent in 1..<6 { #expect(simulation.figures(of: agent).stalls == 0) }
        #expect(report.offload > 0.5)
    }

    @Test(
        "F61 A peer whose host loses its power, unheard: the others go on without a stall",
        arguments: 1...6 as ClosedRange<UInt64>
    )
    func vanished(seed: UInt64) {
        var scenario = SimulationTests.scenario(.weir, seed: seed, peers: 6)
        scenario.script = [(.start + .milliseconds(40_400), .vanish(agent: 1))]
        let simulation = Simulation(scenario)
        let report = simulation.run()
        #expect(report.wrongBytes == 0)
        for agent in [0, 2, 3, 4, 5] { #expect(simulation.figures(of: agent).stalls == 0) }
        #expect(report.offload > 0.5)
    }

    @Test(
        "F31 Who sends bytes that contradict its list is banned; no bad byte gets out",
        arguments: 1...3 as ClosedRange<UInt64>
    )
    func polluter(seed: UInt64) {
        var scenario = SimulationTests.scenario(.weir, seed: seed, peers: 5)
        scenario.roles = [(agent: 2, role: .polluter)]
        let simulation = Simulation(scenario)
        let report = simulation.run()
        #expect(simulation.agents[2].dataBytes > 0, "the attack took place")
        #expect(report.rejectedBytes > 0)
        #expect(report.wrongBytes == 0)
        #expect(report.bannedPeers >= 1 && report.bannedPeers <= 4, "and nobody but the polluter")
        for agent in [0, 1, 3, 4] { #expect(simulation.figures(of: agent).stalls == 0) }
    }

    @Test("F34 A lying voucher is caught at the audit rate", arguments: 1...3 as ClosedRange<UInt64>)
    func liar(seed: UInt64) {
        var scenario = SimulationTests.scenario(.weir, seed: seed, peers: 5, seconds: 90)
        scenario.roles = [(agent: 2, role: .liar)]
        let simulation = Simulation(scenario)
        let report = simulation.run()
        // Its statements go out with its first bytes, or before anybody asks it for any.
        #expect(simulation.agents[2].dataBytes > 0 || report.bannedPeers > 0, "the attack took place")
        // Bytes go wrong until the first audit finds one; then the voucher is believed no more.
        #expect(Double(report.wrongBytes) < 0.2 * Double(report.delivered))
        #expect(report.bannedPeers >= 1)
    }

    @Test(
        "F34 Against the origin's own digests a lying voucher gets no byte out",
        arguments: 1...3 as ClosedRange<UInt64>
    )
    func liarAgainstAnchors(seed: UInt64) {
        var scenario = SimulationTests.scenario(.weir, seed: seed, peers: 5, seconds: 90)
        scenario.isAnchored = true
        scenario.settings.integrity = .anchored
        scenario.roles = [(agent: 2, role: .liar)]
        let report = Simulation(scenario).run()
        #expect(report.wrongBytes == 0)
        #expect(report.offload > 0)
    }

    @Test("F50 With a third of free riders the swarm still carries most", arguments: 1...2 as ClosedRange<UInt64>)
    func freeRiders(seed: UInt64) {
        var scenario = SimulationTests.scenario(.weir, seed: seed, peers: 9)
        scenario.freeRiders = 0.33
        let report = Simulation(scenario).run()
        SimulationTests.expectSound(report)
        #expect(report.stalls == 0)
        #expect(report.offload > 0.8 * report.bound)
    }
}

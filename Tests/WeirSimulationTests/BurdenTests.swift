import Testing
import WeirCore
import WeirSimulation

/// Peers that cost others work, and swarms that change under everybody's feet, over seeds.
@Suite("Burdens on a swarm")
struct BurdenTests {
    private func run(
        _ role: Scenario.Role,
        seed: UInt64,
        seconds: Int = 24
    ) -> (simulation: Simulation, report: Report, attacker: SimulatedAgent) {
        let run = AttackTests.run([(2, role)], seed: seed, seconds: seconds)
        return (run.simulation, run.report, run.simulation.agents[2])
    }

    private func expectUnharmed(
        _ report: Report,
        stalls: Int = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(report.violations == [], sourceLocation: sourceLocation)
        #expect(report.wrongBytes == 0 && report.cutBodies == 0, sourceLocation: sourceLocation)
        #expect(report.stalls <= stalls, sourceLocation: sourceLocation)
        #expect(report.unfinished == 0 && report.delivered > 0, sourceLocation: sourceLocation)
    }

    /// What one viewer plays in a run, in bytes.
    private func played(_ simulation: Simulation) -> Int64 {
        Int64(simulation.scenario.bitrate / 8 * simulation.scenario.duration.seconds)
    }

    @Test(
        "F43 F46 Asking for the same again and again, or asking and cancelling, takes nothing from the others",
        arguments: [
            Scenario.Role.hammer, .flapper,
        ],
        1...2 as ClosedRange<UInt64>
    )
    func repeated(role: Scenario.Role, seed: UInt64) {
        let run = run(role, seed: seed)
        #expect(run.attacker.acts > 500)
        // What others leave of four uplinks, it may have.
        let uplinks = Int64(4 * run.simulation.scenario.uplink / 8 * run.simulation.scenario.duration.seconds)
        #expect(run.attacker.receivedBytes < uplinks)
        expectUnharmed(run.report)
    }

    @Test(
        "F44 Who asks and never reads loses its links, and costs nobody more than a window",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func neverReads(seed: UInt64) {
        let run = run(.glutton, seed: seed, seconds: 40)
        #expect(run.attacker.acts > 100)
        #expect(run.attacker.linkCount == 0)
        #expect(run.attacker.receivedBytes < played(run.simulation))
        expectUnharmed(run.report)
    }

    @Test(
        "Peers at a tenth of the uplink, or silent for seconds again and again, cost at most one short stall in all",
        arguments: [
            Scenario.Role.slow, .stalling,
        ]
    )
    func sluggish(role: Scenario.Role) {
        let run = AttackTests.run([], seed: 2, peers: 8, seconds: 30) { $0.shares = [(role, 0.25)] }
        expectUnharmed(run.report, stalls: 1)
        #expect(run.report.stalled < .seconds(1))
        #expect(run.report.offload > 0.5)
    }

    @Test(
        "An upload limit far below what the others need costs nobody a stall",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func scarce(seed: UInt64) {
        let run = AttackTests.run([], seed: seed, peers: 4, seconds: 30) { $0.settings.uploadBytesPerSecond = 40_000 }
        expectUnharmed(run.report)
        #expect(run.report.offload > 0.1)
    }

    @Test(
        "Within a target duration after the origin is back nobody waits",
        arguments: [OriginFault.Kind.refused, .silent]
    )
    func healing(kind: OriginFault.Kind) {
        let run = AttackTests.run([], seed: 1, peers: 6, seconds: 28) {
            $0.faults = [OriginFault(kind, from: .start + .seconds(12), until: .start + .seconds(22))]
        }
        #expect(run.report.stalls > 0, "it was long enough to be felt")
        #expect(run.report.violations == [])
        #expect(run.report.wrongBytes == 0 && run.report.unfinished == 0)
    }

    @Test("F45 What does not exist is refused", arguments: 1...2 as ClosedRange<UInt64>)
    func nothingThere(seed: UInt64) {
        let run = run(.dreamer, seed: seed)
        #expect(run.attacker.acts > 500)
        #expect(run.report.refusals > 500)
        expectUnharmed(run.report)
    }

    @Test("F47 Who announces without end is shown the door", arguments: 1...2 as ClosedRange<UInt64>)
    func announcements(seed: UInt64) {
        let run = run(.flooder, seed: seed, seconds: 14)
        #expect(run.attacker.acts > 20)
        #expect(run.attacker.goodbyes.contains(.protocolError))
        expectUnharmed(run.report)
    }

    @Test(
        "F48 Peer exchange makes nobody storm a victim, and nobody knock at its own door",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func victims(seed: UInt64) {
        let run = run(.misleader, seed: seed)
        #expect(run.attacker.acts > 0)
        let dials = run.simulation.strayDials
        let forbidden = ["127.", "169.254.", "::1", "fe80:"]
        #expect(!dials.contains { dial in forbidden.contains { dial.address.host.hasPrefix($0) } })
        let honest = run.simulation.agents.count - 1
        #expect(dials.count <= honest * 24, "\(dials.count) dials, at most one a second each")
        expectUnharmed(run.report)
    }

    @Test("F64 Most of the swarm leaves at once: the rest play on", arguments: 1...3 as ClosedRange<UInt64>)
    func exodus(seed: UInt64) {
        let run = AttackTests.run([], seed: seed, peers: 8, seconds: 28) {
            $0.script = [(.start + .milliseconds(15_300), .leave(share: 0.75, over: .zero))]
        }
        #expect(run.simulation.agents.count { $0.state == .running } == 2)
        expectUnharmed(run.report)
        #expect(run.report.offload > 0.8 * run.report.bound)
    }

    @Test(
        "F65 Twenty times the audience within ten seconds: all begin, nobody stalls",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func crowd(seed: UInt64) {
        let run = AttackTests.run([], seed: seed, peers: 1, seconds: 18) {
            $0.warmUp = .seconds(4)
            $0.script = [(.start + .seconds(4), .join(count: 19, over: .seconds(10)))]
        }
        #expect(run.simulation.agents.count { $0.state == .running } == 20)
        expectUnharmed(run.report)
        #expect(run.report.offload > 0.3, "each start is the origin's")
    }

    @Test("F66 On metered links nobody uploads, and everybody plays", arguments: 1...2 as ClosedRange<UInt64>)
    func metered(seed: UInt64) {
        let run = AttackTests.run([], seed: seed, peers: 4, seconds: 20) { $0.freeRiders = 1 }
        #expect(run.simulation.agents.allSatisfy { $0.dataBytes == 0 })
        #expect(abs(run.report.offload) < 0.1)
        expectUnharmed(run.report)
    }

    @Test("F66 An upload limit holds", arguments: 1...2 as ClosedRange<UInt64>)
    func limited(seed: UInt64) {
        let run = AttackTests.run([], seed: seed, peers: 4, seconds: 20) {
            $0.settings.uploadBytesPerSecond = 150_000
        }
        #expect(run.simulation.agents.contains { $0.dataBytes > 100_000 })
        // A second's worth may be saved up.
        #expect(run.simulation.agents.allSatisfy { $0.dataBytes <= 150_000 * 21 })
        expectUnharmed(run.report)
    }

    @Test(
        "F25 Where the origin tells two halves different bytes, nobody's segment mixes them and nobody is banned",
        arguments: 1...3 as ClosedRange<UInt64>
    )
    func twoEditions(seed: UInt64) {
        let run = AttackTests.run([], seed: seed, peers: 6) { $0.isSplit = true }
        #expect(run.report.bannedPeers == 0)
        #expect(run.report.offload > 0.2, "each half shares within itself")
        // An answer that began with the other half's bytes is broken off, and never goes on with one's own.
        #expect(run.report.wrongBytes == 0)
        #expect(run.report.stalls == 0)
    }
}

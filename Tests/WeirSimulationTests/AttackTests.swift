import Testing
import WeirCore
import WeirSimulation

/// Members of the swarm that turn against it, over seeds. Each test shows that the attack took place, what stopped it,
/// and that the honest beside it had their bytes in time.
@Suite("Attacks in a swarm")
struct AttackTests {
    static func run(
        _ roles: [(agent: Int, role: Scenario.Role)],
        seed: UInt64,
        peers: Int = 5,
        seconds: Int = 24,
        change: (inout Scenario) -> Void = { _ in }
    ) -> (simulation: Simulation, report: Report) {
        var scenario = SimulationTests.scenario(.weir, seed: seed, peers: peers, seconds: seconds)
        scenario.warmUp = .seconds(8)
        scenario.arrivals = .seconds(3)
        scenario.roles = roles
        change(&scenario)
        let simulation = Simulation(scenario)
        return (simulation, simulation.run())
    }

    /// No wrong byte, no stall, no oracle violated; and there was something to play.
    func expectUnharmed(
        _ run: (simulation: Simulation, report: Report),
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(run.report.violations == [], sourceLocation: sourceLocation)
        #expect(run.report.wrongBytes == 0, sourceLocation: sourceLocation)
        #expect(run.report.cutBodies == 0, sourceLocation: sourceLocation)
        #expect(run.report.stalls == 0, sourceLocation: sourceLocation)
        #expect(run.report.unfinished == 0, sourceLocation: sourceLocation)
        #expect(run.report.delivered > 0, sourceLocation: sourceLocation)
    }

    /// Until an audit meets a lie, as many chunks get through as the sampling of new networks says: a window of 1/rate
    /// chunks holds one audit, so two windows cannot pass. For each lying identity and each honest receiver.
    func expectLiesAtAuditRate(
        _ run: (simulation: Simulation, report: Report),
        liars: Int,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let honest = run.simulation.agents.count { !$0.role.isHostile }
        expectWrongChunks(run, atMost: Int(2 / 0.05) * liars * honest, sourceLocation: sourceLocation)
    }

    private func expectWrongChunks(
        _ run: (simulation: Simulation, report: Report),
        atMost chunks: Int,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(run.report.wrongBytes <= Int64(chunks * Chunk.byteCount), sourceLocation: sourceLocation)
        #expect(run.report.violations == [], sourceLocation: sourceLocation)
        #expect(run.report.cutBodies == 0, sourceLocation: sourceLocation)
    }

    // MARK: Wrong bytes

    @Test(
        "F30 F32 Noise and other segments' bytes get their sender banned",
        arguments: [
            Scenario.Role.garbler, .swapper,
        ],
        1...2 as ClosedRange<UInt64>
    )
    func contradiction(role: Scenario.Role, seed: UInt64) {
        let run = Self.run([(2, role)], seed: seed)
        #expect(run.simulation.agents[2].acts > 0)
        #expect(run.report.rejectedBytes > 0)
        #expect(run.simulation.agents[2].goodbyes.contains(.banned))
        for agent in [0, 1, 3, 4] { #expect(!run.simulation.agents[agent].goodbyes.contains(.banned)) }
        expectUnharmed(run)
    }

    @Test(
        "F33 Who offers an older version is no source for long, and its bytes stay the exception",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func oldVersion(seed: UInt64) {
        let run = Self.run([(2, .oldReader)], seed: seed)
        #expect(run.simulation.agents[2].acts > 0)
        #expect(run.report.stalls == 0)
        // All of them have its list, so that each chunk is compared by one receiver in two hundred: of three times as many
        // as it takes on average not one is compared in one run of twenty.
        expectWrongChunks(run, atMost: 3 * 200)
    }

    @Test("F34 False lengths cut no answer and cost no stall", arguments: 1...2 as ClosedRange<UInt64>)
    func falseLengths(seed: UInt64) {
        let run = Self.run([(2, .sizer)], seed: seed)
        #expect(run.simulation.agents[2].acts > 0)
        #expect(run.report.offload > 0.4)
        expectUnharmed(run)
    }

    @Test(
        "F35 A majority that agrees on false lists gets through at the audit rate alone",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func collusion(seed: UInt64) {
        let colluders = [1, 2, 3, 4].map { (agent: $0, role: Scenario.Role.colluder) }
        let run = Self.run(colluders, seed: seed, peers: 6, seconds: 30)
        #expect(run.simulation.agents[1...4].reduce(0) { $0 + $1.acts } > 0)
        #expect(run.simulation.agents[1...4].reduce(0) { $0 + $1.dataBytes } > 0)
        #expect(run.report.bannedPeers > 0)
        expectLiesAtAuditRate(run, liars: 4)
    }

    @Test(
        "F39 A voucher that lies once in a hundred chunks is caught at the audit rate",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func seldom(seed: UInt64) {
        let run = Self.run([(1, .seldomLiar), (2, .seldomLiar)], seed: seed, seconds: 30)
        #expect(run.simulation.agents[1].acts + run.simulation.agents[2].acts > 0)
        #expect(Double(run.report.wrongBytes) < 0.02 * Double(run.report.delivered), "no more than it lies")
        #expect(run.report.stalls == 0)
        expectLiesAtAuditRate(run, liars: 2)
    }

    @Test(
        "F40 Of a crowd of lying identities on one host each agent is linked to a few",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func identities(seed: UInt64) {
        let crowd = 40
        let liars = (0..<crowd).map { (agent: $0, role: Scenario.Role.colluder) }
        let run = Self.run(liars, seed: seed, peers: crowd + 4, seconds: 20) { $0.agentsOnFirstHost = crowd }
        #expect(run.simulation.agents[..<crowd].reduce(0) { $0 + $1.acts } > 0)
        #expect(run.simulation.agents[..<crowd].contains { $0.goodbyes.contains(.tooManyLinks) })
        #expect(run.report.bannedPeers > 0)
        #expect(run.report.stalls == 0)
        // However many names it has, no more of them than links at once could lie to anybody before a ban.
        expectLiesAtAuditRate(run, liars: 8)
    }

    @Test(
        "F41 A polluter that comes back under a new identity is banned each time",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func newIdentity(seed: UInt64) {
        let run = Self.run([(2, .whitewasher)], seed: seed, seconds: 30)
        let lives = run.simulation.agents.filter { $0.role == .whitewasher }
        #expect(lives.count > 1)
        #expect(lives.count { $0.goodbyes.contains(.banned) } >= lives.count - 1)
        expectUnharmed(run)
    }

    // MARK: Empty promises

    @Test(
        "Who says that it can pass on everything and has a tenth of an uplink costs copies, and nobody a stall",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func boaster(seed: UInt64) {
        let run = Self.run([(2, .boaster)], seed: seed)
        #expect(run.simulation.agents[2].acts > 0)
        #expect(run.report.bannedPeers == 0, "never for slowness")
        #expect(run.report.offload > 0.3)
        expectUnharmed(run)
    }

    @Test(
        "F36 F37 F38 Who claims everything and sends nothing, a byte a second, or all but some, loses its runs",
        arguments: [
            Scenario.Role.mute, .strangler, .withholder,
        ],
        1...2 as ClosedRange<UInt64>
    )
    func promises(role: Scenario.Role, seed: UInt64) {
        let run = Self.run([(2, role)], seed: seed)
        #expect(run.simulation.agents[2].acts > 0)
        #expect(run.report.bannedPeers == 0, "never for slowness")
        #expect(run.report.offload > 0.3)
        expectUnharmed(run)
    }

    @Test(
        "F49 Every peer is hostile: the player is served as if it were alone",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func surrounded(seed: UInt64) {
        let roles: [Scenario.Role] = [.garbler, .swapper, .mute, .withholder, .strangler, .sizer]
        let hostile = roles.enumerated().map { (agent: $0 + 1, role: $1) }
        let run = Self.run(hostile, seed: seed, peers: 7)
        #expect(run.simulation.agents[1...].count { $0.acts > 0 } >= 4)
        expectUnharmed(run)
    }

    @Test(
        "F49 Every peer lies: lies get through at the audit rate, and nothing stalls",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func surroundedByLiars(seed: UInt64) {
        let run = Self.run((1..<6).map { ($0, .colluder) }, seed: seed, peers: 6)
        #expect(run.simulation.agents[1...].reduce(0) { $0 + $1.acts } > 0)
        #expect(run.report.stalls == 0)
        expectLiesAtAuditRate(run, liars: 5)
    }
}

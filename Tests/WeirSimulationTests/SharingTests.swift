import Testing
import WeirCore
import WeirSimulation

@Suite("How a fresh segment comes to everybody")
struct SharingTests {
    @Test(
        "The last of ten viewers has it 1.4 seconds after the origin was asked",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func time(seed: UInt64) {
        let simulation = Simulation(SimulationTests.scenario(.weir, seed: seed, peers: 10, seconds: 50))
        let report = simulation.run()
        SimulationTests.expectSound(report)
        let times = simulation.ways.dropFirst(10).compactMap { way -> Duration? in
            guard let asked = way.firstAsked, way.held.count == 10, let last = way.held.last else { return nil }
            return last - asked
        }.sorted()
        #expect(times.count > 5)
        // Before chunks were passed on by trees it was 1.5.
        #expect(times.isEmpty || times[times.count / 2] < .milliseconds(1400), "\(times)")
        #expect(report.waste < 0.03)
    }

    @Test("A quarter with a tenth of the uplink costs little offload", arguments: 1...2 as ClosedRange<UInt64>)
    func slowUplinks(seed: UInt64) {
        var scenario = SimulationTests.scenario(.weir, seed: seed, peers: 8, seconds: 40)
        scenario.shares = [(.slow, 0.25)]
        let simulation = Simulation(scenario)
        let report = simulation.run()
        SimulationTests.expectSound(report)
        // Before agents knew their uplinks it was 69 % in the mean.
        #expect(report.offload > 0.8, "\(report.offload)")
    }
}

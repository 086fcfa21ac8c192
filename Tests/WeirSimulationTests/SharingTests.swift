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
}

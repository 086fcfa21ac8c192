import Testing
import WeirCore
import WeirSimulation
@Test func zdebug() {
    var scenario = Scenario()
    scenario.peers = 2
    scenario.arrivals = .seconds(1)
    let simulation = Simulation(scenario)
    for k in 1..<60 {
        simulation.run(until: .start + .milliseconds(500 * k))
        for a in simulation.agents {
            let s = a.decider.statistics(at: simulation.now)
            print("BUF", Double(k) / 2, a.number, s.buffer_seconds, s.delivered_bytes, s.peers)
        }
    }
}

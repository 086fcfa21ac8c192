import Testing
import WeirCore
import WeirSimulation

/// Players that choose among renditions by how fast segments come.
@Suite("Swarms of several renditions")
struct QualityScenarioTests {
    private func scenario(seed: UInt64) -> Scenario {
        var scenario = SimulationTests.scenario(.weir, seed: seed, peers: 6, seconds: 60)
        scenario.renditions = [200_000, 400_000, 800_000]
        scenario.bitrate = 800_000
        scenario.arrivals = .seconds(3)
        scenario.warmUp = .seconds(20)
        return scenario
    }

    @Test(
        "Players go up, what they watch is the origin's, and each rendition counts as a copy",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func sharing(seed: UInt64) throws {
        let report = Simulation(scenario(seed: seed)).run()
        SimulationTests.expectSound(report)
        let renditions = try #require(report.renditions)
        #expect(renditions.switchesUp >= 6)
        #expect(renditions.inUse >= 1 && renditions.inUse <= 3)
        #expect(renditions.watchedRate > 300_000)
        #expect(report.bound <= 1 - 1 / 6 + 1e-9)
        #expect(report.digest == Simulation(scenario(seed: seed)).run().digest)
    }

    @Test("Of renditions in use each has to leave the origin once")
    func bounds() {
        let plenty = [1e9]
        #expect(Bounds.offload(bitrates: [1, 1, 1, 1], uplinks: plenty) == 0.75)
        #expect(Bounds.offload(bitrates: [2, 2, 1, 1, 1, 1], uplinks: plenty) == 1 - 3.0 / 8)
        #expect(Bounds.offload(bitrates: [1, 2, 3], uplinks: plenty) == 0)
        #expect(Bounds.offload(bitrates: [4, 4], uplinks: [1, 1]) == 0.25)
        #expect(Bounds.offload(bitrates: [], uplinks: plenty) == 0)
    }

    @Test("Narrow downlinks are drawn by number alone, and keys say what they mean")
    func keys() throws {
        let text = "peers 200\nrenditions 0.3,0.8,2M\nnarrow 50% 1.5\nnarrow 25% 3"
        let scenario = try ScenarioFile(parsing: text).scenario
        #expect(scenario.renditions == [300_000, 800_000, 2_000_000] && scenario.bitrate == 2_000_000)
        let rates = (0..<200).map { scenario.downlink(of: $0) }
        #expect(rates == (0..<200).map { scenario.downlink(of: $0) })
        #expect((70...130).contains(rates.count { $0 == 1_500_000 }))
        #expect((25...75).contains(rates.count { $0 == 3_000_000 }))
        for wrong in ["renditions 1", "renditions 2,1", "narrow 50%", "narrow 60% 1\nnarrow 60% 2"] {
            #expect(throws: ScenarioError.self) { try ScenarioFile(parsing: wrong) }
        }
        #expect(throws: ScenarioError.self) { try ScenarioFile(parsing: "renditions 1,2\npolicy elected") }
    }
}

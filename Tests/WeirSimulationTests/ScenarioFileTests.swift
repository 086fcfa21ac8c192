import Testing
import WeirCore
import WeirSimulation

@Suite("Scenario files")
struct ScenarioFileTests {
    @Test("Keys, units, events and goals are read; comments are not")
    func everything() throws {
        let file = try ScenarioFile(
            parsing: """
                title A busy evening # not this
                about First line.
                about Second line.
                # nor this
                peers 12
                bitrate 800k
                uplink 2.5
                churn 10min
                free-riders 25%
                share slow 0.25
                role 3 polluter
                rtt 10-40
                minutes 2
                at 60s join 570 over 10s
                at 1min leave 50%
                at 75 kill 3
                from 90s to 100s origin status 503
                from 90s to 100s origin rate 8M
                from 0s to 2min swing 30%-1.5 every 2s
                from 10s to 1min measure the first minute
                seeds 5
                goal offload 97%
                """
        )
        #expect(file.title == "A busy evening")
        #expect(file.about == ["First line.", "Second line."])
        let scenario = file.scenario
        #expect(scenario.peers == 12)
        #expect(scenario.bitrate == 800_000)
        #expect(scenario.uplink == 2_500_000)
        #expect(scenario.churn == .seconds(600))
        #expect(scenario.duration == .seconds(120))
        #expect(scenario.freeRiders == 0.25)
        let shares = scenario.shares.map { "\($0.role.rawValue) \($0.share)" }
        #expect(shares == ["slow 0.25"])
        let roles = scenario.roles.map { "\($0.agent) \($0.role.rawValue)" }
        #expect(roles == ["3 polluter"])
        #expect(scenario.roundTrips.least == .milliseconds(10))
        #expect(scenario.roundTrips.most == .milliseconds(40))
        let seconds = scenario.script.map { $0.at.nanoseconds / 1_000_000_000 }
        #expect(seconds == [60, 60, 75])
        #expect(scenario.faults.map { $0.kind } == [.status(503), .rate(1_000_000)])
        let swing = try #require(scenario.swings.first)
        #expect(swing.every == .seconds(2))
        #expect(swing.factors.most == 1.5)
        #expect(scenario.measures.map(\.name) == ["the first minute"])
        #expect(file.seeds == 5)
        #expect(file.goals == [.offload(0.97)])
    }

    @Test("Recordings: who begins them when, how many there are, what viewers do")
    func recordings() throws {
        let catchUp = try ScenarioFile(
            parsing: "starts-every 10min\nstays 12.5min\ntitle-length 5min\nseed-time forever\ngoal keeping 1.5"
        )
        let passing = try #require(catchUp.scenario.onDemand)
        #expect(passing.audience == .passing(perSecond: 1 / 600, stay: .seconds(750)))
        #expect(passing.titleDuration == .seconds(300) && passing.titles == 1)
        #expect(!catchUp.scenario.isLive && catchUp.scenario.settings.seedTime == nil)
        #expect(catchUp.goals == [.keeping(1.5)])
        let catalogue = try ScenarioFile(
            parsing: "titles 400\nskew 0.8\nscreens 2\npause 20s\nseeks 0.5\nbroken-off 20%\nlifetime 180s"
        )
        let boxes = try #require(catalogue.scenario.onDemand)
        #expect(boxes.audience == .resident(screens: 2, pause: .seconds(20)))
        #expect(boxes.titles == 400 && boxes.skew == 0.8 && boxes.seeks == 0.5 && boxes.brokenOff == 0.2)
        #expect(boxes.lifetime == .seconds(180))
    }

    @Test(
        "What is not understood is an error with its line",
        arguments: [
            "peer 12", "peers", "peers none", "peers 0", "peers -1", "uplink 0", "uplink fast", "free-riders 130%",
            "share dragon 10%", "rtt 80-20", "rtt 1-2-3", "live maybe", "at 60s", "at 60s dance 3",
            "at 60s kill 3 soon 4", "at 60s kill 3 over 10s", "from 5s to 4s origin silent", "from 5s to 6s origin",
            "from 5s to 6s origin status 200", "from 5s to 6s swing 1-2", "from 5s to 6s swing 0-2 every 1s",
            "goal beauty 3", "policy best", "segment 1ms", "churn nan", "bitrate inf", "titles 0", "screens 0",
            "starts-every 0s", "stays 0s", "broken-off 2", "seed-time never",
        ]
    )
    func refused(line: String) {
        let error = #expect(throws: ScenarioError.self) { try ScenarioFile(parsing: "title x\n\n\(line)\npeers 9") }
        #expect(error?.line == 3)
    }

    @Test(
        "What contradicts itself only as a whole is an error, too",
        arguments: [
            "peers 3\nat 5s kill 3", "peers 3\nrole 7 slow", "share slow 60%\nfree-riders 50%",
            "titles 3\nlive yes", "segment 4s\ntitle-length 2s", "starts-every 1min\nstays 2min\ntitle-length 5min",
        ]
    )
    func contradictions(text: String) {
        #expect(throws: ScenarioError.self) { try ScenarioFile(parsing: text) }
    }

    @Test("Viewers join and leave when the scenario says so")
    func audience() throws {
        let file = try ScenarioFile(
            parsing: """
                peers 6
                duration 50s
                arrivals 3s
                warm-up 10s
                at 12s join 8 over 2s
                at 30s leave 50%
                """
        )
        let simulation = Simulation(file.scenario)
        func watching() -> Int { simulation.agents.count { $0.state == .running } }
        simulation.run(until: .start + .seconds(11))
        #expect(watching() == 6)
        simulation.run(until: .start + .seconds(20))
        #expect(watching() == 14)
        simulation.run(until: .start + .seconds(31))
        #expect(watching() == 7)
        SimulationTests.expectSound(simulation.run())
    }

    @Test(
        "F67 Access links that swing between half and one and a half every 2 s cost nobody a stall",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func swings(seed: UInt64) throws {
        var file = try ScenarioFile(
            parsing: """
                peers 6
                duration 60s
                arrivals 3s
                warm-up 10s
                from 20s to 50s swing 50%-150% every 2s
                """
        )
        file.scenario.seed = seed
        let report = Simulation(file.scenario).run()
        SimulationTests.expectSound(report)
        #expect(report.stalls == 0)
        #expect(report.offload > 0.9 * report.bound)
    }
}

import Testing
import WeirCore
import WeirSimulation

/// Swarms whose agents find each other by trackers, with the very logic that `weir tracker` runs.
@Suite("Swarms by tracker")
struct TrackerScenarioTests {
    private func scenario(seed: UInt64, peers: Int = 6, seconds: Int = 70) -> Scenario {
        var scenario = SimulationTests.scenario(.weir, seed: seed, peers: peers, seconds: seconds)
        scenario.arrivals = .seconds(3)
        scenario.warmUp = .seconds(20)
        scenario.tracker = TrackerModel()
        return scenario
    }

    @Test(
        "Agents that know nothing but a tracker share, and equal seeds go equal ways",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func sharing(seed: UInt64) {
        let simulation = Simulation(scenario(seed: seed))
        var said: [Announce] = []
        simulation.onAnnounce = { _, request in if case .announce(let announce) = request { said.append(announce) } }
        let report = simulation.run()
        SimulationTests.expectSound(report)
        #expect(report.stalls == 0)
        #expect(report.offload > 0.65)
        // What the agents really say: where they are, who sent them what, that they were dialled.
        #expect(said.contains { $0.claims?.timeslot != nil && $0.claims?.isDialable == true })
        #expect(said.contains { !$0.receipts.isEmpty && $0.receipts.allSatisfy { $0.good > 0 && $0.bad == 0 } })
        #expect(report.trackers.first.map { $0.announces > 12 && $0.offers > 15 && $0.answers > 15 } == true)
        #expect(report.digest == Simulation(scenario(seed: seed)).run().digest)
    }

    @Test("The reserve search keeps a swarm together too", arguments: 1...2 as ClosedRange<UInt64>)
    func reserve(seed: UInt64) {
        var scenario = scenario(seed: seed)
        scenario.tracker?.settings.fullSearchRate = 1
        let report = Simulation(scenario).run()
        SimulationTests.expectSound(report)
        #expect(report.offload > 0.65)
        #expect(report.trackers.first.map { $0.reserveSearches == $0.announces } == true)
    }

    @Test(
        "F68 A tracker that is down at the start harms nobody's playback, and links form once it is there",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func downAtStart(seed: UInt64) {
        var scenario = scenario(seed: seed)
        scenario.tracker?.outages = [.init(from: .start, until: .start + .seconds(12))]
        let report = Simulation(scenario).run()
        SimulationTests.expectSound(report)
        #expect(report.stalls == 0)
        #expect(report.offload > 0.5)
    }

    @Test(
        "F68 A swarm lives on without its tracker: peers introduce each other",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func downLater(seed: UInt64) {
        var scenario = scenario(seed: seed)
        scenario.tracker?.outages = [.init(from: .start + .seconds(15), until: .start + .seconds(600))]
        let report = Simulation(scenario).run()
        SimulationTests.expectSound(report)
        #expect(report.stalls == 0)
        #expect(report.offload > 0.65)
    }

    @Test("F70 A tracker that answers after 30 s is used when it does", arguments: 1...2 as ClosedRange<UInt64>)
    func slow(seed: UInt64) {
        var scenario = scenario(seed: seed, seconds: 100)
        scenario.warmUp = .seconds(50)
        scenario.tracker?.answerDelay = .seconds(30)
        let report = Simulation(scenario).run()
        SimulationTests.expectSound(report)
        #expect(report.stalls == 0)
        #expect(report.offload > 0.6)
        // No storm of announces meanwhile.
        #expect(report.trackers.first.map { $0.announces < 6 * 24 } == true)
    }

    @Test(
        "F71 Two trackers with disjoint members: one agent that knows both joins the halves",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func disjoint(seed: UInt64) {
        var scenario = scenario(seed: seed)
        scenario.tracker?.count = 2
        scenario.tracker?.bridges = 1
        let joined = Simulation(scenario).run()
        SimulationTests.expectSound(joined)
        #expect(joined.trackers.map(\.peers).allSatisfy { $0 >= 3 })
        scenario.tracker?.bridges = 0
        let apart = Simulation(scenario).run()
        SimulationTests.expectSound(apart)
        #expect(joined.stalls == 0 && apart.stalls == 0)
        // Two groups cost two copies.
        #expect(joined.originBytes < apart.originBytes * 3 / 4)
    }

    @Test(
        "F72 A tracker that restarts gets its swarm back spread over time, and nobody stalls",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func restart(seed: UInt64) {
        var scenario = scenario(seed: seed, peers: 12)
        let back = Instant.start + .seconds(34)
        scenario.tracker?.outages = [.init(from: .start + .seconds(30), until: back)]
        let simulation = Simulation(scenario)
        var returns: [Int: Instant] = [:]
        simulation.onAnnounce = { [unowned simulation] agent, _ in
            if simulation.now >= back, returns[agent] == nil { returns[agent] = simulation.now }
        }
        let report = simulation.run()
        SimulationTests.expectSound(report)
        #expect(report.stalls == 0)
        #expect(report.trackers.first?.peers == 12)
        let times = returns.values.sorted()
        #expect(times.count == 12)
        #expect(times.last.map { $0 - back <= .seconds(12) } == true)
        // No quarter of a second sees more than half of them.
        for time in times { #expect(times.count { $0 >= time && $0 < time + .milliseconds(250) } <= 6) }
    }

    @Test(
        "F48 F69 A tracker that introduces strangers, victims, everybody to themselves, and answers nonsense",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func liar(seed: UInt64) {
        var scenario = scenario(seed: seed)
        let addresses = scenario.addresses
        scenario.tracker?.twist = { reply, agent in
            guard case .swarm(let swarm, _, _, _, _) = reply else { return [reply] }
            func offer(_ number: Int, _ address: PeerAddress) -> TrackerReply {
                let name = TrackerPeerID(Array("-XX0000-0000000\(10_000 + number)".utf8))!
                // Without a key there would be nobody of ours behind it.
                let identity = PeerID(.sha256(Array("\(agent) \(number)".utf8)))
                let endpoints = Endpoints(addresses: [address], identity: identity)
                return .offer(swarm: swarm, from: name, offer: OfferID([1]), endpoints)
            }
            let victims = (0..<100).map { number in
                offer(number, PeerAddress(host: "10.200.\(number).1", port: 80))
            }
            let narrow = ["127.0.0.1", "169.254.169.254", "::1"].map { offer(600, PeerAddress(host: $0, port: 7000)) }
            let nonsense: [TrackerReply] = [.failure(swarm: nil, reason: "?"), .warning("!")]
            return victims + narrow + [offer(700, addresses.address(of: agent))] + nonsense + [reply]
        }
        let simulation = Simulation(scenario)
        let report = simulation.run()
        SimulationTests.expectSound(report)
        #expect(report.stalls == 0)
        #expect(simulation.strayDials.contains { $0.address.host.hasPrefix("10.200.") }, "the attack took place")
        // At most 64 at once and one in two seconds from then on, for each agent.
        #expect(simulation.strayDials.count <= 6 * (64 + 70 / 2))
        for forbidden in ["127.", "169.254.", "::1"] {
            #expect(!simulation.strayDials.contains { $0.address.host.hasPrefix(forbidden) })
        }
        #expect(report.offload > 0.5, "real members are found among them")
    }

    @Test(
        "F73 A tracker that wants to be asked without a pause, or in 68 years",
        arguments: [0, 1 << 31],
        1...2 as ClosedRange<UInt64>
    )
    func interval(seconds: Int, seed: UInt64) {
        var scenario = scenario(seed: seed)
        scenario.tracker?.twist = { reply, _ in
            guard case .swarm(let swarm, _, let complete, let incomplete, let mode) = reply else { return [reply] }
            return [
                .swarm(swarm, interval: seconds, complete: complete, incomplete: incomplete, mode: mode)
            ]
        }
        let report = Simulation(scenario).run()
        SimulationTests.expectSound(report)
        #expect(report.stalls == 0)
        #expect(report.offload > 0.6)
        // Every five seconds at most, and once at least.
        #expect(report.trackers.first.map { (6...6 * 16).contains(Int($0.announces)) } == true)
    }

    @Test(
        "P20 Few viewers are served directly, many by peers, and no one stalls at the switch",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func modes(seed: UInt64) {
        var scenario = scenario(seed: seed, peers: 8, seconds: 160)
        scenario.arrivals = .seconds(60)
        scenario.tracker?.settings.maximumStreams = 4
        scenario.tracker?.settings.intervalSeconds = 5
        // Six leave: two are left.
        scenario.script = (0..<6).map { (.start + .seconds(90 + Double($0)), .stop(agent: $0)) }
        func measure(_ name: String, _ from: Int, _ until: Int) -> MeasuredSpan.Wish {
            MeasuredSpan.Wish(name: name, from: .start + .seconds(from), until: .start + .seconds(until))
        }
        scenario.measures = [measure("many", 70, 90), measure("few", 130, 158), measure("never", 900, 910)]
        let simulation = Simulation(scenario)
        func offload(until second: Int) -> (origin: Int64, mode: DeliveryMode?) {
            simulation.run(until: .start + .seconds(second))
            return (simulation.originMediaBytes, simulation.channel?.mode)
        }
        #expect(offload(until: 10).mode != .peers)
        let full = offload(until: 70)
        #expect(full.mode == .peers)
        let shared = offload(until: 90)
        #expect(shared.mode == .peers)
        // Twenty seconds of 1 Mbit/s are 2.5 MB a copy; eight viewers play.
        #expect(shared.origin - full.origin < 6_000_000)
        let late = offload(until: 130)
        #expect(late.mode == .direct)
        let direct = offload(until: 158)
        // 28 s for two viewers, each its own copy.
        #expect(direct.origin - late.origin > 5_500_000)
        let report = simulation.run()
        SimulationTests.expectSound(report)
        #expect(report.stalls == 0)
        #expect(report.spans.map(\.name) == ["many", "few"], "beyond its end a run has nothing to measure")
        #expect(report.spans.map(\.modes) == [[.peers], [.direct]])
        #expect(report.spans.map(\.viewers.upperBound) == [8, 2])
        #expect(report.spans.allSatisfy { $0.stalls == 0 })
        #expect(report.spans[0].copies < 3 && report.spans[1].copies > 1.8)
    }
}

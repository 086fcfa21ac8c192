import Testing
import WeirCore
import WeirSimulation

@Suite("Recordings that viewers begin when they like")
struct OnDemandTests {
    private func catchUp(_ policy: Scenario.Policy, seed: UInt64, density: Double, viewers: Int = 12) -> Scenario {
        var scenario = Scenario()
        scenario.policy = policy
        scenario.seed = seed
        scenario.peers = viewers
        scenario.isLive = false
        scenario.segmentDuration = .seconds(4)
        scenario.settings.seedTime = nil
        var onDemand = OnDemand(.passing(perSecond: density / 120, stay: .seconds(150)))
        onDemand.titleDuration = .seconds(60)
        scenario.onDemand = onDemand
        scenario.warmUp = .zero
        scenario.duration = .seconds(100_000)
        let last = onDemand.plan(scenario).last?.endsAt ?? .start
        scenario.duration = last - .start
        return scenario
    }

    private func boxes(_ policy: Scenario.Policy, seed: UInt64, peers: Int = 8, minutes: Int = 16) -> Scenario {
        var scenario = Scenario()
        scenario.policy = policy
        scenario.seed = seed
        scenario.peers = peers
        scenario.isLive = false
        scenario.segmentDuration = .seconds(4)
        scenario.duration = .seconds(minutes * 60)
        scenario.warmUp = .seconds(minutes * 30)
        // 64 MiB, five minutes of 1 Mbit/s a title and 180 s, all in small: a fraction of the events.
        scenario.bitrate = 250_000
        scenario.settings.cacheBytes = 64 * 1024 * 1024 / 20
        scenario.settings.seedTime = nil
        var onDemand = OnDemand(.resident(screens: 1, pause: .seconds(5)))
        onDemand.titles = 40
        onDemand.skew = 0.8
        onDemand.titleDuration = .seconds(60)
        onDemand.lifetime = .seconds(36)
        scenario.onDemand = onDemand
        return scenario
    }

    private func expectSound(_ report: Report) {
        #expect(report.wrongBytes == 0 && report.cutBodies == 0 && report.unofferedRequests == 0)
        #expect(report.ledgerExcess == 0 && report.uncountedOriginBytes >= 0 && report.failedAnswers == 0)
        #expect(report.delivered > 0)
    }

    @Test("Late viewers get from those before them what these still have", arguments: 1...2 as ClosedRange<UInt64>)
    func catchUp(seed: UInt64) {
        let report = Simulation(catchUp(.weir, seed: seed, density: 3)).run()
        expectSound(report)
        #expect(report.bound > 0.5)
        // A title of a minute: its start, from the origin, is a fifteenth, and a new neighbour is audited closely.
        #expect(report.offload > 0.8 * report.bound)
        #expect(report.stalls == 0 && report.unfinished == 0)
    }

    @Test("Boxes keep what others will ask: half again of what first in, first out gives")
    func boxes() {
        var (offload, fifo, recent, bound) = (0.0, 0.0, 0.0, 0.0)
        for seed in 1...2 as ClosedRange<UInt64> {
            let report = Simulation(boxes(.weir, seed: seed)).run()
            expectSound(report)
            #expect(report.stalls == 0)
            offload += report.offload
            fifo += report.onDemand?.firstInFirstOut ?? 0
            recent += report.onDemand?.leastRecentlyUsed ?? 0
            bound += report.bound
        }
        #expect(offload >= 1.5 * fifo && fifo > 0)
        #expect(offload > 0.9 * recent && offload <= bound)
    }

    @Test("Jumps and several screens: all is played, and starts are no slower than without peers")
    func jumps() {
        func report(_ policy: Scenario.Policy) -> Report {
            var scenario = boxes(policy, seed: 3, peers: 4, minutes: 6)
            scenario.onDemand?.audience = .resident(screens: 2, pause: .seconds(5))
            scenario.onDemand?.seeks = 1.5
            scenario.onDemand?.brokenOff = 0.3
            return Simulation(scenario).run()
        }
        let (weir, plain) = (report(.weir), report(.plain))
        expectSound(weir)
        #expect(weir.onDemand?.jumpWait.p95 ?? .zero > .zero)
        #expect(weir.stalls <= plain.stalls)
        #expect(weir.startUp.median.seconds <= 1.02 * plain.startUp.median.seconds)
        #expect(weir.offload > plain.offload)
    }

    @Test("The baselines play the same titles", arguments: [Scenario.Policy.onePeer, .elected])
    func baselines(policy: Scenario.Policy) {
        let scenario = boxes(policy, seed: 4, peers: 4, minutes: 4)
        var plain = scenario
        plain.policy = .plain
        let (theirs, alone) = (Simulation(scenario).run(), Simulation(plain).run())
        #expect(theirs.wrongBytes == 0 && theirs.failedAnswers == 0 && theirs.cutBodies == 0)
        #expect(theirs.viewers == alone.viewers)
        #expect(Double(theirs.delivered) > 0.9 * Double(alone.delivered))
    }

    @Test("One seed is one run, and the same viewings whatever the policy")
    func determinism() {
        let scenario = boxes(.weir, seed: 5, peers: 4, minutes: 4)
        let (one, two) = (Simulation(scenario).run(), Simulation(scenario).run())
        #expect(one.digest == two.digest && one.lines == two.lines)
        var plain = scenario
        plain.policy = .plain
        #expect(scenario.onDemand?.plan(scenario) == scenario.onDemand?.plan(plain))
    }

    @Test("Poisson starts: their number in a time has its mean for variance")
    func poisson() {
        var scenario = Scenario()
        scenario.peers = 20_000
        scenario.duration = .forever
        let onDemand = OnDemand(.passing(perSecond: 1, stay: .seconds(400)))
        var counts: [Int: Int] = [:]
        for viewing in onDemand.plan(scenario) {
            counts[Int(viewing.startsAt.nanoseconds / 10_000_000_000), default: 0] += 1
        }
        let whole = (0..<1900).map { Double(counts[$0] ?? 0) }
        let mean = whole.reduce(0, +) / 1900
        let variance = whole.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 1900
        #expect(abs(mean - 10) < 0.5)
        #expect(abs(variance / mean - 1) < 0.1)
    }

    @Test("The bound of catch-up is 1 − e^(−λH) when what is held is held equally long")
    func bound() throws {
        var onDemand = OnDemand(.passing(perSecond: 0.01, stay: .seconds(100.0005)))
        onDemand.titleDuration = .milliseconds(1)
        let bound = try #require(onDemand.catchUpBound)
        #expect(abs(bound - 0.632_120_6) < 1e-4)
        var scenario = Scenario()
        scenario.peers = 20_000
        scenario.duration = .forever
        scenario.segmentDuration = .milliseconds(1)
        scenario.onDemand = onDemand
        let model = HolderModel(scenario, onDemand.plan(scenario))
        let counted = model.offload(.everything)
        #expect(abs(counted - bound) < 0.012)
    }

    @Test("Zipf's law: the first title is asked as much more than the tenth as it says")
    func zipf() {
        var scenario = Scenario()
        scenario.peers = 40_000
        scenario.duration = .forever
        var onDemand = OnDemand(.passing(perSecond: 1, stay: .seconds(400)))
        onDemand.titles = 100
        onDemand.skew = 1
        var counts = [Int](repeating: 0, count: 100)
        for viewing in onDemand.plan(scenario) { counts[viewing.title] += 1 }
        let ratio = Double(counts[0]) / Double(max(1, counts[9]))
        #expect(ratio > 8.5 && ratio < 11.5)
        #expect(counts.allSatisfy { $0 > 0 })
    }

    @Test(
        "No way to keep segments beats foresight, and a limit in time never beats none",
        arguments: 1...3 as ClosedRange<UInt64>
    )
    func models(seed: UInt64) {
        let scenario = boxes(.weir, seed: seed, peers: 10, minutes: 30)
        let model = HolderModel(scenario, scenario.onDemand?.plan(scenario) ?? [])
        let best = model.offload(.foresight)
        let recent = model.offload(.leastRecentlyUsed)
        let fifo = model.offload(.firstInFirstOut(lifetime: .seconds(36)))
        #expect(best > recent && recent > 0 && fifo > 0)
        #expect(fifo <= model.offload(.firstInFirstOut(lifetime: .forever)))
        #expect(model.offload(.everything) >= best)
    }
}

import Testing
import WeirCore

@Suite("Reserve search and storms")
struct ReserveSearchTests {
    private func settings(rate: Int = 100, interval: Int = 20) -> TrackerServerSettings {
        var settings = TrackerServerSettings.exact
        settings.fullSearchRate = rate
        settings.intervalSeconds = interval
        return settings
    }

    @Test("Entered within the second that is too much, left after ten calm ones, and shown")
    func hysteresis() {
        var trace = TrackerTrace(settings: settings())
        for number in 0..<200 { trace.open(number) }
        for number in 0..<99 { trace.announce(number, event: .started) }
        #expect(!trace.state.statistics.isReserve)
        trace.announce(99, event: .started)
        #expect(trace.state.statistics.isReserve)
        // 80 a second: too many to leave it, too few to enter it.
        for second in 1...20 {
            trace.now = .start + .seconds(second)
            for number in 0..<80 { trace.announce(number) }
            #expect(trace.state.statistics.isReserve)
        }
        for second in 21...32 {
            trace.now = .start + .seconds(second)
            for number in 0..<60 { trace.announce(number) }
            #expect(trace.state.statistics.isReserve == (second < 31))
        }
        for second in 33...60 {
            trace.now = .start + .seconds(second)
            for number in 0..<80 { trace.announce(number) }
            #expect(!trace.state.statistics.isReserve)
        }
        #expect(trace.state.statistics.announcesPerSecond == 80)
    }

    @Test("P11 Costs the same whatever the swarm's size, and finds as many as are wanted", arguments: [300, 20_000])
    func constantTime(members: Int) {
        var trace = TrackerTrace(settings: settings(rate: 1))
        for number in 0..<members {
            trace.open(number)
            trace.announce(number, offers: 5, event: .started)
        }
        let before = trace.state.statistics
        for number in 0..<100 { #expect(trace.announce(number, offers: 5).introduced.count == 5) }
        let looks = trace.state.statistics.looks - before.looks
        #expect(trace.state.statistics.reserveSearches - before.reserveSearches == 100)
        #expect(looks <= 100 * 6)
    }

    @Test("Equal prefixes get equal answers until somebody takes a slot over; each asker takes its own")
    func cacheable() {
        var trace = TrackerTrace(settings: settings(rate: 1))
        for number in 0..<500 {
            trace.open(number)
            trace.announce(number, offers: 5, event: .started)
        }
        let prefix = ReserveSlots.prefix(of: TrackerTrace.name(0))
        let twins = (500..<5000).filter { ReserveSlots.prefix(of: TrackerTrace.name($0)) == prefix }.prefix(2)
        for twin in twins { trace.open(twin) }
        let first = trace.announce(twins[twins.startIndex], offers: 5).introduced.map(\.to)
        let second = trace.announce(twins[twins.startIndex + 1], offers: 5).introduced.map(\.to)
        // The own slot's occupant comes first: meanwhile that is the twin.
        #expect(second.first == twins[twins.startIndex])
        #expect(first.dropFirst() == second.dropFirst())
        for (place, other) in first.enumerated() {
            let difference = ReserveSlots.prefix(of: TrackerTrace.name(other)) ^ prefix
            #expect(difference.nonzeroBitCount == (place == 0 ? 0 : 1))
        }
    }

    @Test("Swarms that came together in a storm hang together", arguments: UInt64(1)...3)
    func connected(seed: UInt64) {
        var trace = TrackerTrace(settings: settings(rate: 1), seed: seed)
        var links: [Int: Set<Int>] = [:]
        let members = 2000
        for number in 0..<members {
            trace.open(number)
            for other in trace.announce(number, offers: 5, event: .started).introduced {
                links[number, default: []].insert(other.to)
                links[other.to, default: []].insert(number)
            }
        }
        var seen: Set<Int> = [0]
        var front = [0]
        var steps = 0
        while !front.isEmpty {
            front = front.flatMap { links[$0] ?? [] }.filter { seen.insert($0).inserted }
            steps += 1
        }
        #expect(seen.count == members)
        #expect(steps < 30)
        // Nobody is everybody's first address.
        #expect((links.values.map(\.count).max() ?? 0) < 60)
    }

    @Test("F72 Ten thousand who come back within a second are taken in, searched for cheaply, and spread out")
    func storm() {
        var settings = settings(rate: 2000)
        settings.intervalJitter = 0.1
        var trace = TrackerTrace(settings: settings)
        var intervals: [Int: Int] = [:]
        for number in 0..<10_000 {
            trace.open(number)
            trace.now = .start + Duration(nanoseconds: Int64(number) * 100_000)
            let reply = trace.announce(number, offers: 5, event: .started).reply
            if let interval = reply?.interval { intervals[interval, default: 0] += 1 }
        }
        #expect(trace.state.statistics.peers == 10_000)
        #expect(trace.state.statistics.isReserve)
        // Twice the usual interval once there is load, a tenth of it up or down.
        let loaded = intervals.filter { $0.key >= 36 }
        #expect(loaded.values.reduce(0, +) == 8001)
        #expect(Set(loaded.keys) == Set(36...44))
        #expect((loaded.values.max() ?? 0) < 8001 / 5)
        // Nobody is forgotten for having done as told.
        trace.now = .start + .seconds(35)
        trace.state.expire(at: trace.now)
        #expect(trace.state.statistics.peers == 10_000)
        trace.now = .start + .seconds(200)
        trace.state.expire(at: trace.now)
        #expect(trace.state.statistics.peers == 0)
    }

    @Test("F69 A hundred thousand members of one swarm cost one asker no more than a thousand do")
    func manyMembers() {
        var trace = TrackerTrace()
        for number in 0..<100_000 {
            trace.open(number)
            trace.announce(number, event: .started, claims: .watching(live: Int64(number % 30_000)))
        }
        let before = trace.state.statistics.looks
        trace.open(100_000)
        let introduced = trace.announce(100_000, offers: 5, claims: .watching(live: 5000)).introduced
        #expect(introduced.count == 5)
        #expect(trace.state.statistics.looks - before <= 80)
        #expect(trace.state.statistics.peers == 100_001)
    }

    @Test("F69 Nobody is introduced to itself, whatever it calls itself and however often it comes")
    func ourselves() {
        for rate in [1, 1000] {
            var trace = TrackerTrace(settings: settings(rate: rate))
            for number in 0..<3 { trace.open(number, host: "203.0.113.1") }
            for _ in 0..<20 { #expect(trace.announce(0, offers: 5, event: .started).introduced.isEmpty) }
            trace.announce(1)
            for _ in 0..<20 { #expect(trace.announce(0, offers: 5).introduced.map(\.to) == [1]) }
            trace.state.closed(TrackerSocket(1))
            #expect(trace.announce(0, offers: 5).introduced.isEmpty)
        }
    }
}

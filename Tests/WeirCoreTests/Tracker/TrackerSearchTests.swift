import Testing
import WeirCore

@Suite("Tracker search")
struct TrackerSearchTests {
    private func member(
        _ claims: PeerClaims,
        holds: Bool = false,
        host: UInt64 = 1,
        network: UInt64 = 1,
        points: Double = 0,
        introductions: Int = 0
    ) -> SearchRank.Member {
        SearchRank.Member(
            claims: claims,
            announced: .start,
            holdsWanted: holds,
            host: host,
            network: network,
            points: points,
            introductions: introductions
        )
    }

    private func value(_ one: SearchRank.Member, _ asker: SearchRank.Member) -> Double {
        SearchRank.value(of: one, for: asker, at: .start)
    }

    @Test("Each thing that makes a peer useful raises it, all else being equal")
    func order() {
        let asker = member(.watching(at: 600_000).with { $0.isDialable = true }, host: 8, network: 8)
        let usual = member(.watching(at: 900_000))
        #expect(value(member(.watching(at: 900_000), holds: true), asker) > value(usual, asker))
        #expect(value(member(.watching(at: 630_000)), asker) > value(usual, asker))
        // Who is ahead has what comes next; who is behind has it yet to get.
        #expect(value(member(.watching(at: 630_000)), asker) > value(member(.watching(at: 570_000)), asker))
        let lan = value(member(.watching(at: 900_000), host: 8, network: 8), asker)
        let near = value(member(.watching(at: 900_000), network: 8), asker)
        let dialable = value(member(.watching(at: 900_000).with { $0.isDialable = true }), asker)
        #expect(lan > near && near > dialable && dialable > value(usual, asker))
        let idle = value(member(.watching(at: 900_000).with { $0.freeUpload = 2_000_000 }), asker)
        let busy = value(member(.watching(at: 900_000).with { $0.freeUpload = 10_000 }), asker)
        #expect(idle > value(usual, asker) && value(usual, asker) > busy)
        #expect(value(member(.watching(at: 900_000), points: 50_000), asker) > value(usual, asker))
        #expect(value(member(.watching(at: 900_000), points: -50_000), asker) < value(usual, asker))
        #expect(value(member(.watching(at: 900_000), introductions: 3), asker) < value(usual, asker))
        // Who uploads nothing comes behind everybody who may.
        let free = member(.watching(at: 600_000).with { $0.uploads = false })
        #expect(value(free, asker) < value(usual, asker))
    }

    @Test("Live players are near when they are equally far behind, whatever their clocks; other timelines are far")
    func live() {
        let asker = member(.watching(live: 4000))
        func closeness(_ claims: PeerClaims) -> Double {
            SearchRank.closeness(of: member(claims), to: asker, at: .start + .seconds(1000))
        }
        #expect(closeness(.watching(live: 4000)) == 1)
        #expect(closeness(.watching(live: 5000)) > closeness(.watching(live: 12_000)))
        #expect(closeness(.watching(live: 60_000)) == 0)
        #expect(closeness(.watching(at: 4000)) == 0)
        #expect(closeness(PeerClaims()) == 0)
        let other = Timeslot(rendition: RenditionKey(9), number: 1_700_000_000, place: .live(age: 4000))
        #expect(closeness(PeerClaims().with { $0.timeslot = other }) == 0)
    }

    @Test("Players of a recording are taken to have played on since they announced")
    func moving() {
        var late = member(.watching(at: 100_000))
        late.announced = .start + .seconds(60)
        let early = member(.watching(at: 40_000))
        #expect(SearchRank.closeness(of: late, to: early, at: .start + .seconds(60)) == 1)
    }

    @Test("Scores: each network counts up to its cap, and everything fades by half in half an hour")
    func scores() {
        var score = PeerScore()
        for _ in 0..<100 { score.note(good: 1_000_000, bad: 0, by: 1, at: .start) }
        #expect(score.points(at: .start) == PeerScore.capPerNetwork)
        score.note(good: 40_000, bad: 0, by: 2, at: .start)
        #expect(score.points(at: .start) == PeerScore.capPerNetwork + 40_000)
        #expect(abs(score.points(at: .start + .seconds(1800)) - (PeerScore.capPerNetwork + 40_000) / 2) < 1)
        #expect(abs(score.points(at: .start + .seconds(5400)) - (PeerScore.capPerNetwork + 40_000) / 8) < 1)
        // One network cannot take away more than it can give.
        for _ in 0..<100 { score.note(good: 0, bad: 1_000_000, by: 1, at: .start) }
        #expect(score.points(at: .start) == 40_000 - PeerScore.capPerNetwork)
        // Bounded, and the loudest stay.
        for network in 3..<1000 as Range<UInt64> { score.note(good: 10, bad: 0, by: network, at: .start) }
        #expect(score.points(at: .start) < 40_000 - PeerScore.capPerNetwork + 100)
        #expect(score.points(at: .start + .seconds(86_400 * 30)) == 0)
    }

    @Test(
        "F40 F50 In a seeded trace those who are introduced are far more useful than chance, and mostly other ones each time",
        arguments: UInt64(1)...5
    )
    func trace(seed: UInt64) {
        var trace = TrackerTrace(seed: seed)
        var freeRiders: Set<Int> = []
        var lags: [Int: Double] = [:]
        for number in 0..<500 {
            trace.open(number)
            let lag = 2000 + 58_000 * trace.fraction()
            lags[number] = lag
            let rides = trace.fraction() < 0.3
            if rides { freeRiders.insert(number) }
            let claims = PeerClaims.watching(live: Int64(lag)).with {
                $0.uploads = !rides
                $0.isDialable = number % 2 == 0
                $0.freeUpload = number % 3 * 400_000
            }
            trace.announce(number, event: .started, claims: claims)
        }
        var near = 0
        var riders = 0
        var introduced: [Int: Int] = [:]
        var total = 0
        for number in 0..<500 {
            guard let lag = lags[number] else { continue }
            trace.wait(.milliseconds(40))
            let claims = PeerClaims.watching(live: Int64(lag)).with {
                $0.uploads = !freeRiders.contains(number)
                $0.isDialable = number % 2 == 0
                $0.freeUpload = number % 3 * 400_000
            }
            for other in trace.announce(number, offers: 5, claims: claims).introduced {
                total += 1
                if abs((lags[other.to] ?? 0) - lag) < 10_000 { near += 1 }
                if freeRiders.contains(other.to) { riders += 1 }
                introduced[other.to, default: 0] += 1
            }
        }
        #expect(total == 2500)
        // By chance: three in ten, and three in ten.
        #expect(Double(near) / Double(total) > 0.6)
        #expect(Double(riders) / Double(total) < 0.15)
        #expect((introduced.values.max() ?? 0) <= 25)
        // One in five by chance: everybody who may serve is found by somebody.
        #expect(introduced.count > 400)
    }

    @Test("P10 A rare title's one holder is found among ten thousand members", arguments: UInt64(1)...3)
    func rareTitle(seed: UInt64) {
        var trace = TrackerTrace(seed: seed)
        for number in 0..<10_000 {
            trace.open(number)
            // All hold the beginning, one the 40th part.
            let parts: UInt64 = number == 4711 ? 1 << 40 : 1 << UInt64(number % 8)
            let held = [HeldParts(rendition: RenditionKey(9), parts: parts)]
            trace.announce(number, event: .started, claims: .watching(at: Int64(number % 8) * 112_500), holdings: held)
        }
        for asker in 20_000..<20_010 {
            trace.open(asker)
            let claims = PeerClaims.watching(at: 40 * 112_500 + 5)
            let introduced = trace.announce(asker, offers: 5, event: .started, claims: claims).introduced
            #expect(introduced.contains { $0.to == 4711 })
        }
        // What is held no longer is found no longer.
        trace.announce(4711, claims: .watching(at: 0), holdings: [])
        trace.open(30_000)
        let later = trace.announce(30_000, offers: 5, claims: .watching(at: 40 * 112_500)).introduced
        #expect(!later.contains { $0.to == 4711 })
    }

    @Test("F47 What one peer says of its holdings and receipts is bounded")
    func bounds() {
        var trace = TrackerTrace()
        for number in 0..<40 { trace.open(number) }
        for number in 1..<40 { trace.announce(number, event: .started, claims: .watching(at: 0)) }
        let all = (0..<1000).map { HeldParts(rendition: RenditionKey(UInt64($0)), parts: .max) }
        let praise = (1..<40).map { Receipt(sender: TrackerTrace.name($0), good: .max, bad: .max) }
        let introduced = trace.announce(0, offers: 20, claims: .watching(at: 0), holdings: all, receipts: praise)
        #expect(introduced.introduced.count == 20)
        // Listed for its first eight renditions and no more.
        func holders(_ rendition: UInt64) -> Bool {
            trace.open(100 + Int(rendition))
            let slot = Timeslot(rendition: RenditionKey(rendition), number: 1, place: .recorded(position: 1, part: 5))
            let claims = PeerClaims().with { $0.timeslot = slot }
            return trace.announce(100 + Int(rendition), offers: 1, claims: claims).introduced.first?.to == 0
        }
        #expect(holders(7))
        #expect(!holders(900))
    }

    @Test("Receivers' word counts, a peer's own network's does not")
    func receipts() {
        var trace = TrackerTrace()
        for number in 0..<3 { trace.open(number, host: "203.0.113.\(number)") }
        trace.open(3, host: "198.51.100.1")
        trace.open(4, host: "192.0.2.1")
        for number in 0..<4 { trace.announce(number, event: .started) }
        // Its neighbours praise 0, a stranger praises 1.
        trace.announce(2, receipts: [Receipt(sender: TrackerTrace.name(0), good: 1 << 20, bad: 0)])
        trace.announce(3, receipts: [Receipt(sender: TrackerTrace.name(1), good: 1 << 20, bad: 0)])
        trace.announce(3, receipts: [Receipt(sender: TrackerTrace.name(2), good: 0, bad: 1 << 20)])
        #expect(trace.announce(4, offers: 4).introduced.map(\.to) == [1, 0, 3, 2])
    }

    @Test("Clients without weir's additions are members like any other, and hear nothing of them")
    func foreign() {
        var settings = TrackerServerSettings.exact
        settings.maximumStreams = 10
        var trace = TrackerTrace(settings: settings)
        for number in 0..<4 { trace.open(number) }
        #expect(trace.announce(0, event: .started, claims: nil).reply?.mode == nil)
        trace.announce(1, event: .started, claims: nil)
        let agent = trace.announce(2, offers: 5, event: .started, claims: .watching(live: 100))
        #expect(Set(agent.introduced.map(\.to)) == [0, 1])
        #expect(agent.introduced.allSatisfy { $0.claims == .watching(live: 100) })
        #expect(agent.reply?.mode?.viewers == 3)
        let browser = trace.announce(3, offers: 5, event: .started, claims: nil)
        #expect(Set(browser.introduced.map(\.to)) == [0, 1, 2])
        #expect(browser.introduced.allSatisfy { $0.claims == nil })
    }
}

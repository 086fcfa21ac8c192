import Testing

@testable import WeirCore

@Suite("The deadline rule, the stall rule and the election")
struct DeadlineTests {
    private let rule = DeadlineRule(minimumBuffer: .seconds(10), downloadTimeout: .seconds(6))

    private func estimate(_ random: inout RandomSource, at now: inout Instant) -> SourceEstimate {
        var estimate = SourceEstimate()
        for _ in 0..<Int(random.next() % 6) {
            now = now + .milliseconds(Int(random.next() % 5000))
            estimate.note(
                bytes: Int(random.next() % 4_000_000) + 1,
                in: .milliseconds(Int(random.next() % 3000)),
                at: now
            )
            estimate.note(roundTrip: .milliseconds(Int(random.next() % 800)), at: now)
        }
        return estimate
    }

    @Test("Patience grows with slack and shrinks with what is missing and with the estimate's age", arguments: 0..<200)
    func monotone(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var now = Instant.start
        let estimate = estimate(&random, at: &now)
        let rest = Int64(random.next() % 20_000_000)
        var last: Duration?
        for slack in stride(from: 0.0, to: 60, by: 1.7) {
            let patience = rule.patience(slack: .seconds(slack), rest: rest, estimate: estimate, at: now)
            #expect(last.map { $0 <= patience } ?? true)
            last = patience
        }
        let need = rule.need(rest: rest, estimate: estimate, at: now)
        #expect(rule.need(rest: rest + 1_000_000, estimate: estimate, at: now) >= need)
        #expect(rule.need(rest: 0, estimate: estimate, at: now) >= .milliseconds(250))
        var spread = estimate.spread(at: now)
        for age in stride(from: 0, to: 300, by: 10) {
            let later = now + .seconds(age)
            #expect(estimate.spread(at: later) >= spread)
            spread = estimate.spread(at: later)
            #expect(spread <= SourceEstimate.widestSpread)
            #expect(rule.need(rest: rest, estimate: estimate, at: later) >= need)
        }
    }

    @Test("σ doubles with each half minute without a sample, up to its widest")
    func age() {
        var estimate = SourceEstimate()
        estimate.note(bytes: 1_000_000, in: .seconds(1), at: .start)
        let fresh = estimate.spread(at: .start)
        #expect(estimate.spread(at: .start + .seconds(29)) == fresh)
        #expect(estimate.spread(at: .start + .seconds(30)) == min(2, fresh * 2))
        #expect(estimate.spread(at: .start + .seconds(3000)) == SourceEstimate.widestSpread)
    }

    @Test("The answer of a playlist does not make a rate look fresh")
    func playlistIsNoSample() {
        let probe = AgentProbe()
        let url = "http://o.example/live.m3u8"
        let path = probe.open(url, Playlists.live(0...3))
        let link = probe.linkPeer(7)
        let bytes = [UInt8](repeating: 1, count: 200_000)
        let first = probe.ask(path.replacingIndex(with: "0.ts"))
        let fetch = probe.fetches("0.ts")[0].id
        probe.head(fetch, 200, [("content-length", "200000")])
        probe.wait(.milliseconds(100))
        probe.body(fetch, bytes)
        probe.end(fetch)
        probe.drain(first)
        _ = link
        let rateKnown = probe.agent.spreadOfOrigin(at: probe.now)
        for _ in 0..<40 {
            probe.wait(.seconds(2))
            _ = probe.ask(path)
            for list in probe.fetches("live.m3u8").suffix(1) {
                probe.answer(list.id, body: Array(Playlists.live(0...3).utf8), url: url)
            }
        }
        #expect(probe.agent.spreadOfOrigin(at: probe.now) > rateKnown)
    }

    @Test("Hostile numbers neither trap nor turn the rule around")
    func extremes() {
        var estimate = SourceEstimate()
        estimate.note(bytes: .max, in: .zero, at: .start)
        estimate.note(bytes: 1, in: .forever, at: .start)
        estimate.note(roundTrip: .forever, at: .start)
        let patience = rule.patience(slack: .forever, rest: .max, estimate: estimate, at: .never)
        #expect(patience <= .forever)
        #expect(rule.need(rest: .max, estimate: SourceEstimate(), at: .start) > .seconds(3600))
    }

    @Test("With a host of unknown speed and little buffer nobody waits; with much, the assumed speed counts")
    func unknownHost() {
        let unknown = SourceEstimate()
        #expect(rule.patience(slack: .seconds(9), rest: 1, estimate: unknown, at: .start) <= .zero)
        #expect(rule.patience(slack: .seconds(40), rest: 500_000, estimate: unknown, at: .start) > .zero)
        let measuring = rule.patience(
            slack: .seconds(5),
            rest: 1,
            estimate: unknown,
            isBeingMeasured: true,
            at: .start
        )
        #expect(measuring == DeadlineRule.measuringTime)
        #expect(
            rule.patience(slack: .milliseconds(900), rest: 1, estimate: unknown, isBeingMeasured: true, at: .start)
                <= .zero
        )
    }

    @Test("A stall limit stays within its ceilings", arguments: 0..<100)
    func stall(seed: UInt64) {
        var random = RandomSource(seed: seed)
        for _ in 0..<50 {
            let expected = Duration.milliseconds(Int(random.next() % 20_000))
            let ceiling = Duration.milliseconds(Int(random.next() % 5_000))
            let slack = random.next() % 4 == 0 ? nil : Duration.milliseconds(Int(random.next() % 30_000))
            let limit = StallRule.limit(expected: expected, ceiling: ceiling, slack: slack)
            #expect(limit >= StallRule.least)
            #expect(limit <= max(ceiling, StallRule.least))
            if let slack { #expect(limit <= max(slack / 3, StallRule.least)) }
            #expect(limit >= min(StallRule.limit(expected: expected, ceiling: ceiling, slack: nil), limit))
        }
    }

    @Test(
        "Exactly one of an electorate fetches first, whatever the order, and delays grow with the rank",
        arguments: 0..<100
    )
    func election(seed: UInt64) {
        var random = RandomSource(seed: seed)
        let count = Int(random.next() % 30) + 1
        let peers = (0..<count).map { PeerID(Digest.sha256([UInt8(seed), UInt8($0)])) }
        let segment = SegmentID(rendition: RenditionKey(seed), number: random.next() >> 1)
        let all = peers.map { Election.Candidate(peer: $0, share: UInt8(random.next() % 9)) }
        let ranks = all.map { me in Election.rank(of: me, among: all.filter { $0.peer != me.peer }, for: segment) }
        #expect(ranks.sorted() == Array(0..<count))
        // Whoever has most of an uplink comes first.
        #expect(zip(all, ranks).min { $0.1 < $1.1 }?.0.share == all.map(\.share).max())
        let shuffled = all.shuffled(using: &random)
        for (me, rank) in zip(all, ranks) {
            #expect(Election.rank(of: me, among: shuffled.filter { $0.peer != me.peer }, for: segment) == rank)
            let score = Election.score(me.peer, segment)
            for strangers in [-5, 0, 3, 1000, .max] {
                let delay = Election.delay(rank: rank, score: score, strangers: strangers)
                #expect(delay >= Election.backupStep * rank && delay <= Election.backupStep * rank + .seconds(2))
            }
        }
    }

    @Test("The duty goes round: over many segments each of ten peers is first about equally often")
    func fairness() {
        let peers = (0..<10).map { PeerID(Digest.sha256([UInt8($0)])) }
        var firsts = [PeerID: Int]()
        for number in 0..<2000 {
            let segment = SegmentID(rendition: .main, number: UInt64(number))
            let first = peers.min { (Election.score($0, segment), $0) < (Election.score($1, segment), $1) }
            if let first { firsts[first, default: 0] += 1 }
        }
        #expect(peers.allSatisfy { (130...270).contains(firsts[$0] ?? 0) })
    }
}

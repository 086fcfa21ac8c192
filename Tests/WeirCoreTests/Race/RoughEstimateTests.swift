import Testing

@testable import WeirCore

@Suite("A source's estimate from short bodies")
struct RoughEstimateTests {
    private let start = Instant(nanoseconds: 0)

    @Test("The first longer body replaces what an initialisation section said of the rate")
    func replaced() {
        var estimate = SourceEstimate()
        estimate.note(bytes: 1354, in: .milliseconds(40), isShort: true, at: start)
        #expect(estimate.isKnown)
        #expect(estimate.isRough)
        estimate.note(bytes: 1_000_000, in: .milliseconds(100), at: start)
        #expect(!estimate.isRough)
        #expect(abs((estimate.rate ?? 0) - 10_000_000) < 1)
        // From then on short ones count only as far as they are certain.
        estimate.note(roundTrip: .milliseconds(9), at: start)
        estimate.note(bytes: 16_384, in: .milliseconds(10), isShort: true, at: start)
        #expect(!estimate.isRough)
        #expect(abs((estimate.rate ?? 0) - 10_000_000) < 1)
    }

    @Test("Short bodies make a source slower or faster only by what is certain")
    func certain() {
        var estimate = SourceEstimate()
        estimate.note(bytes: 1_000_000, in: .milliseconds(1000), at: start)
        estimate.note(roundTrip: .milliseconds(10), at: start)
        // At least 190 ms for 20 kB: slower than 1 MB/s.
        estimate.note(bytes: 20_000, in: .milliseconds(200), isShort: true, at: start)
        #expect((estimate.rate ?? 0) < 700_000)
        var faster = SourceEstimate()
        faster.note(bytes: 1_000_000, in: .milliseconds(1000), at: start)
        faster.note(roundTrip: .milliseconds(10), at: start)
        // At most 11 ms for 50 kB: faster than 1 MB/s.
        faster.note(bytes: 50_000, in: .milliseconds(11), isShort: true, at: start)
        #expect((faster.rate ?? 0) > 1_100_000)
    }

    @Test("Subtitles of a hundred bytes do not make a fast origin look slow")
    func tiny() {
        var estimate = SourceEstimate()
        estimate.note(bytes: 1_000_000, in: .milliseconds(50), at: start)
        estimate.note(roundTrip: .milliseconds(1), at: start)
        for _ in 0..<1000 {
            // Four milliseconds late, on a machine that has other things to do.
            estimate.note(bytes: 94, in: .milliseconds(5), isShort: true, at: start)
        }
        #expect((estimate.rate ?? 0) > 19_000_000)
        let rule = DeadlineRule(minimumBuffer: .seconds(10), downloadTimeout: .seconds(6))
        #expect(rule.patience(slack: .seconds(3), rest: 1_000_000, estimate: estimate, at: start) > .zero)
    }

    @Test("While a longer body is under way, peers keep what a rough estimate would take from them")
    func patient() {
        let rule = DeadlineRule(minimumBuffer: .seconds(10), downloadTimeout: .seconds(6))
        var estimate = SourceEstimate()
        estimate.note(bytes: 1354, in: .milliseconds(40), isShort: true, at: start)
        func patience(_ slack: Duration, isBeingMeasured: Bool) -> Duration {
            rule.patience(
                slack: slack,
                rest: 1_000_000,
                estimate: estimate,
                isBeingMeasured: isBeingMeasured,
                at: start
            )
        }
        #expect(patience(.seconds(2), isBeingMeasured: true) > .zero)
        #expect(patience(.seconds(2), isBeingMeasured: false) < .zero)
        #expect(patience(.milliseconds(500), isBeingMeasured: true) < .zero)
    }
}

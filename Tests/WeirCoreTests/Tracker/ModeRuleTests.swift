import Testing
import WeirCore

@Suite("Direct or by peers")
struct ModeRuleTests {
    @Test(
        "P20 M = 2000: who is served directly, by share and by number of viewers",
        arguments: [
            (0.0, 500, DeliveryMode.direct), (0.0, 1500, .direct), (0.0, 2500, .peers),
            (0.5, 500, .direct), (0.5, 1500, .peers), (0.5, 2500, .peers),
            (1.0, 500, .peers), (1.0, 1500, .peers), (1.0, 2500, .peers),
        ]
    )
    func table(rate: Double, viewers: Int, expected: DeliveryMode) {
        var state = ModeRule.State()
        ModeRule(maximumStreams: 2000, dynamicStreamingRate: rate).decide(&state, viewers: viewers, at: .start)
        #expect(state.mode == expected)
        #expect(state.reason.contains("\(viewers) viewers"))
    }

    @Test("Back to the servers only a tenth below the limit, and not before 30 s are over")
    func hysteresis() {
        let rule = ModeRule(maximumStreams: 100, dynamicStreamingRate: 0.5)
        var state = ModeRule.State()
        var switches: [(Int, DeliveryMode)] = []
        func at(_ second: Int, _ viewers: Int) {
            let before = state.mode
            rule.decide(&state, viewers: viewers, at: .start + .seconds(second))
            if state.mode != before { switches.append((second, state.mode)) }
        }
        at(0, 50)
        at(10, 51)
        for second in 11..<60 { at(second, second % 2 == 0 ? 46 : 52) }
        #expect(switches.map(\.0) == [10])
        at(60, 45)
        #expect(state.mode == .direct)
        // At once up again: not before the dwell is over.
        at(61, 60)
        #expect(state.mode == .direct && state.reason.contains("30 s"))
        at(89, 60)
        #expect(state.mode == .direct)
        at(90, 60)
        #expect(switches.map(\.0) == [10, 60, 90])
    }

    @Test("More viewers than the servers carry at all are not kept waiting for the dwell")
    func overload() {
        let rule = ModeRule(maximumStreams: 100, dynamicStreamingRate: 0)
        var state = ModeRule.State()
        rule.decide(&state, viewers: 150, at: .start)
        rule.decide(&state, viewers: 20, at: .start + .seconds(30))
        #expect(state.mode == .direct)
        rule.decide(&state, viewers: 101, at: .start + .seconds(31))
        #expect(state.mode == .peers)
    }

    @Test("F73 Settings beyond sense stay within it", arguments: [(-5, -1.0), (0, 2.0), (Int.max, 0.0), (4, 0.999)])
    func extremes(streams: Int, rate: Double) {
        let rule = ModeRule(maximumStreams: streams, dynamicStreamingRate: rate)
        var state = ModeRule.State()
        for second in 0..<100 { rule.decide(&state, viewers: second % 7, at: .start + .seconds(second * 40)) }
        #expect(rule.share >= 0 && rule.share <= rule.maximumStreams)
    }

    @Test("The tracker says the mode to agents, counts viewers by their word within bounds, and reports each channel")
    func tracker() {
        var settings = TrackerServerSettings.exact
        settings.maximumStreams = 4
        var trace = TrackerTrace(settings: settings)
        for number in 0..<10 { trace.open(number) }
        for number in 0..<4 {
            let reply = trace.announce(number, event: .started, claims: .watching(live: 1)).reply
            #expect(reply?.mode?.mode == .direct && reply?.mode?.viewers == number + 1)
        }
        // A box that only serves watches nothing.
        #expect(trace.announce(4, claims: PeerClaims()).reply?.mode?.mode == .direct)
        #expect(trace.announce(5, claims: .watching(live: 1)).reply?.mode?.mode == .peers)
        let report = trace.state.channels(limit: 10, at: trace.now)
        #expect(report.map(\.viewers) == [5] && report.map(\.members) == [6] && report.map(\.mode) == [.peers])
        #expect(report.first?.reason == "5 viewers, only 4 of 4 streams are served directly")
        #expect(report.first?.channel == "07070707")
        // Two leave: 3 are a tenth below 4, once the dwell is over.
        trace.wait(.seconds(31))
        trace.announce(5, event: .stopped)
        trace.state.closed(TrackerSocket(3))
        #expect(trace.announce(0, claims: .watching(live: 1)).reply?.mode?.mode == .direct)
        // One announcer counts for a household at most.
        let liar = trace.announce(6, claims: .watching(live: 1, viewers: 1_000_000)).reply
        #expect(liar?.mode?.viewers == 3 + ClaimLimits.viewers)
        trace.announce(6, claims: .watching(live: 1, viewers: -5))
        #expect(trace.state.statistics.viewers == 3)
    }
}

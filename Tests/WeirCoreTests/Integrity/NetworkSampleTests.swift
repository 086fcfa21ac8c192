import Testing

@testable import WeirCore

@Suite("Which chunks of a network are audited")
struct NetworkSampleTests {
    @Test(
        "A network is audited once in its first 20 chunks, then in windows twice as long each, up to the trusted rate's",
        arguments: 1...8 as ClosedRange<UInt64>
    )
    func newNetwork(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var sample = NetworkSample()
        for window in [20, 40, 80, 160, 320, 640, 1000, 1000] {
            let drawn = (0..<window).count { _ in sample.draws(trustedRate: 0.001, random: &random) }
            #expect(drawn == 1, "window of \(window)")
        }
    }

    @Test(
        "A trusted network's chunks are audited at the swarm's rate, to the window",
        arguments: 1...8 as ClosedRange<UInt64>
    )
    func trusted(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var sample = NetworkSample()
        // The windows of 20 and 40 before those of 50.
        for _ in 0..<60 { _ = sample.draws(trustedRate: 0.02, random: &random) }
        let drawn = (0..<5000).count { _ in sample.draws(trustedRate: 0.02, random: &random) }
        #expect(drawn == 100)
    }

    @Test("A network is new until its first window is over, in which one chunk is audited")
    func isNew() {
        var random = RandomSource(seed: 1)
        var sample = NetworkSample()
        var audited = 0
        for _ in 0..<20 {
            #expect(sample.isNew)
            audited += sample.draws(trustedRate: 0.001, random: &random) ? 1 : 0
        }
        #expect(!sample.isNew && audited == 1)
        _ = sample.draws(trustedRate: 0.001, random: &random)
        #expect(!sample.isNew)
    }

    @Test("Where in its window the audited chunk lies is not to be foreseen")
    func secret() {
        let places = (1...64 as ClosedRange<UInt64>).map { seed in
            var random = RandomSource(seed: seed)
            var sample = NetworkSample()
            return (0..<20).firstIndex { _ in sample.draws(trustedRate: 0.02, random: &random) } ?? -1
        }
        #expect(!places.contains(-1))
        #expect(Set(places).count > 12)
    }
}

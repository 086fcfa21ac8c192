import Testing
import WeirLab

@Suite("Measuring")
struct MeasuringTests {
    @Test("Quantiles interpolate between neighbours")
    func quantiles() {
        let samples = Samples([4, 1, 3, 2])
        #expect(samples.median == 2.5)
        #expect(samples.quantile(0) == 1)
        #expect(samples.quantile(1) == 4)
        #expect(abs(samples.quantile(0.95) - 3.85) < 1e-9)
        #expect(Samples().median.isNaN)
    }

    @Test("Numbers are printed with fixed digits")
    func fixed() {
        #expect(1.005.fixed(1) == "1.0")
        #expect(12.96.fixed(1) == "13.0")
        #expect((-0.25).fixed(2) == "-0.25")
        #expect(0.05.fixed(2) == "0.05")
        #expect(7.0.fixed(0) == "7")
        #expect(Double.nan.fixed(2) == "-")
    }

    @Test("The bound of one source is its round trip and its rate")
    func oneSource() {
        let bound = RaceBound.seconds(bytes: 1e6, sources: [.init(rate: 1e6, roundTrip: 0.04)])
        #expect(abs(bound - 1.04) < 1e-9)
    }

    @Test("The bound of several sources adds what each brings after its own round trip")
    func severalSources() {
        let sources: [RaceBound.Source] = [
            .init(rate: 1e6, roundTrip: 0), .init(rate: 3e6, roundTrip: 0.1), .init(rate: 1e9, roundTrip: 5),
        ]
        // 1e6·T + 3e6·(T − 0.1) = 2e6.
        #expect(abs(RaceBound.seconds(bytes: 2e6, sources: sources) - 0.575) < 1e-9)
    }

    @Test("The reader's own link bounds too")
    func ownLink() {
        let bound = RaceBound.seconds(bytes: 1e6, sources: [.init(rate: 1e9, roundTrip: 0)], download: 1e6)
        #expect(bound == 1)
    }

    @Test("A cold connection doubles from its initial window until it reaches the link's rate")
    func slowStart() {
        let cold = RaceBound.Source(rate: 2_500_000, roundTrip: 0.04, initialWindow: 14_600)
        #expect(cold.bytes(after: 0.04) == 0)
        // One round trip of doubling: IW/ln 2 · (2 − 1).
        #expect(abs(cold.bytes(after: 0.08) - 14_600 / 0.6931471805599453) < 1)
        // Long after, only the ramp's loss remains.
        let warm = RaceBound.Source(rate: 2_500_000, roundTrip: 0.04)
        let lost = warm.bytes(after: 10) - cold.bytes(after: 10)
        #expect(lost > 0 && abs(warm.bytes(after: 20) - cold.bytes(after: 20) - lost) < 1)
    }

    @Test("Nothing arrives from sources without a rate")
    func nothing() {
        #expect(RaceBound.seconds(bytes: 1, sources: []) == .infinity)
    }

    @Test("A table's columns are aligned")
    func table() {
        var table = TextTable(["name", "n"])
        table.add(["a", "10"])
        #expect(table.text == "name   n\na     10\n")
    }
}

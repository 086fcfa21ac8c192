import WeirCore
import WeirSimulation

/// One row a scenario: weir's runs beside plain players' on the same seeds.
struct BesidePlainTable {
    private var runs: [(weir: Report, plain: Report)] = []
    /// Oracles that a run violated, for the end of the command.
    private(set) var violations: [String] = []

    private static let names = [
        "scenario", "seeds", "stalls", "plain", "seconds", "plain", "worse seeds", "start s", "plain", "ratio", "most",
        "goal",
    ]

    var head: String {
        Self.line(Self.names) + "\n" + Self.line(Self.names.map { _ in "---" })
    }

    mutating func add(weir: Report, plain: Report, seed: UInt64) {
        runs.append((weir, plain))
        for violation in weir.violations + plain.violations { violations.append("seed \(seed), \(violation)") }
    }

    /// The row of what was added since the last.
    mutating func row(of file: ScenarioFile, name: String) -> String {
        defer { runs = [] }
        let (weir, plain) = (runs.map(\.weir), runs.map(\.plain))
        let starts = runs.map { $0.weir.startUp.median.seconds / max($0.plain.startUp.median.seconds, 1e-9) }.sorted()
        let isMet = Verdicts(file, weir + plain).stallsNoMoreThanPlain && Self.median(starts) <= 1.02
        return Self.line([
            name,
            "\(runs.count)",
            "\(weir.reduce(0) { $0 + $1.stalls })",
            "\(plain.reduce(0) { $0 + $1.stalls })",
            Self.number(weir.reduce(0) { $0 + $1.stalled.seconds }, 1),
            Self.number(plain.reduce(0) { $0 + $1.stalled.seconds }, 1),
            "\(runs.count { $0.weir.stalls > $0.plain.stalls })",
            Self.number(Self.median(weir.map(\.startUp.median.seconds))),
            Self.number(Self.median(plain.map(\.startUp.median.seconds))),
            Self.number(Self.median(starts)),
            Self.number(starts.last ?? 1),
            isMet ? "met" : "MISSED",
        ])
    }

    private static func median(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.sorted()[values.count / 2]
    }

    private static func number(_ value: Double, _ digits: Int = 2) -> String {
        DecimalText.format(value, digits: digits)
    }

    private static func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
}

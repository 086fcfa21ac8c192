import WeirCore
import WeirSimulation

/// The policies side by side, one row a run, and their sums.
struct ComparisonTable {
    private var rows: [(seed: UInt64, report: Report)] = []

    var reports: [Report] { rows.map(\.report) }

    /// Oracles that any run violated.
    var violations: [(seed: UInt64, violation: Violation)] {
        rows.flatMap { row in row.report.violations.map { (row.seed, $0) } }
    }

    mutating func add(_ report: Report, seed: UInt64) {
        rows.append((seed, report))
    }

    var lines: [String] {
        var result = [
            Self.row(
                "seed",
                "policy",
                "offload",
                "bound",
                "origin MB",
                "stalls",
                "stalled s",
                "waste",
                "fetches",
                "p95 held s",
                "p95 player s",
                "digest"
            )
        ]
        for (seed, report) in rows {
            result.append(
                Self.row(
                    "\(seed)",
                    report.policy.rawValue,
                    percent(report.offload),
                    percent(report.bound),
                    megabytes(report.originBytes),
                    "\(report.stalls)",
                    format(report.stalled.seconds, 1),
                    percent(report.waste),
                    format(report.fetchesPerSegment, 2),
                    format(report.delay.p95.seconds, 2),
                    format(report.playerDelay.p95.seconds, 2),
                    String("\(report.digest)".prefix(8))
                )
            )
        }
        for policy in Scenario.Policy.allCases {
            let reports = rows.map(\.report).filter { $0.policy == policy }
            guard !reports.isEmpty else { continue }
            let delivered = reports.reduce(0) { $0 + $1.delivered }
            let origin = reports.reduce(0) { $0 + $1.originBytes }
            let stalled = reports.reduce(Duration.zero) { $0 + $1.stalled }
            let offload = delivered > 0 ? 1 - Double(origin) / Double(delivered) : 0
            let waste = reports.reduce(0) { $0 + $1.waste } / Double(reports.count)
            let fetches = reports.reduce(0) { $0 + $1.fetchesPerSegment } / Double(reports.count)
            let held = reports.map(\.delay.p95).max() ?? .zero
            let player = reports.map(\.playerDelay.p95).max() ?? .zero
            result.append(
                Self.row(
                    "all",
                    policy.rawValue,
                    percent(offload),
                    percent(reports[0].bound),
                    megabytes(origin),
                    "\(reports.reduce(0) { $0 + $1.stalls })",
                    format(stalled.seconds, 1),
                    percent(waste),
                    format(fetches, 2),
                    format(held.seconds, 2),
                    format(player.seconds, 2),
                    ""
                )
            )
        }
        return result
    }

    private static let widths = [5, 9, 9, 8, 11, 7, 10, 8, 8, 11, 13, 9]

    private static func row(_ cells: String...) -> String {
        var text = ""
        for (cell, width) in zip(cells, widths) {
            text += String(repeating: " ", count: max(1, width - cell.count)) + cell
        }
        return text
    }

    private func percent(_ value: Double) -> String { format(value * 100, 1) + " %" }
    private func megabytes(_ bytes: Int64) -> String { format(Double(bytes) / 1e6, 1) }
    private func format(_ value: Double, _ digits: Int) -> String { DecimalText.format(value, digits: digits) }
}

import WeirCore
import WeirSimulation

/// One row a run, and their sums.
struct OnDemandTable {
    private struct Row {
        /// Weir's first, then those beside it.
        var reports: [Report]
        var density: Double
    }

    private let isCatchUp: Bool
    private let others: [Scenario.Policy]
    private var rows: [Row] = []

    init(isCatchUp: Bool, beside others: [Scenario.Policy]) {
        self.isCatchUp = isCatchUp
        self.others = others
        var names = isCatchUp ? ["λH"] : []
        names += ["seed", "viewings", "offload", "bound", "ratio"]
        names += isCatchUp ? ["1−e^−λH"] : ["FIFO", "× FIFO", "LRU"]
        names += ["stalls", "stalled s", "start ms", "p95", "audits", "waste"]
        for other in others {
            if other != .plain { names.append("\(other.rawValue) offload") }
            names += ["\(other.rawValue) stalls", "start ms", "p95"]
        }
        print(OnDemandTable.row(names))
        print(OnDemandTable.row(names.map { _ in "---" }))
    }

    mutating func add(_ reports: [Report], seed: UInt64, density: Double) -> String {
        rows.append(Row(reports: reports, density: density))
        return line([rows[rows.count - 1]], name: "\(seed)")
    }

    /// Of all seeds at one density: the means of shares, the sums of counts.
    func sum(density: Double) -> String {
        line(rows.filter { $0.density == density }, name: "all")
    }

    private func line(_ rows: [Row], name: String) -> String {
        let reports = rows.map { $0.reports[0] }
        func mean(_ value: (Report) -> Double?) -> Double {
            let values = reports.compactMap(value)
            return values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
        }
        var cells = isCatchUp ? [number(rows.first?.density ?? 0, 2)] : []
        let offload = mean { $0.offload }
        let bound = mean { $0.bound }
        cells += [name, "\(reports.reduce(0) { $0 + $1.viewers })", number(offload * 100), number(bound * 100)]
        cells.append(bound > 0 ? number(offload / bound, 3) : "-")
        if isCatchUp {
            cells.append(number(mean { $0.onDemand?.formula } * 100))
        } else {
            let fifo = mean { $0.onDemand?.firstInFirstOut }
            cells += [number(fifo * 100), fifo > 0 ? number(offload / fifo, 2) : "-"]
            cells.append(number(mean { $0.onDemand?.leastRecentlyUsed } * 100))
        }
        cells += ["\(reports.reduce(0) { $0 + $1.stalls })", number(reports.reduce(0) { $0 + $1.stalled.seconds })]
        cells += starts(reports)
        cells.append(number(mean { Double($0.auditBytes) / Double(max(1, $0.delivered)) } * 100))
        cells.append(number(mean { $0.waste } * 100))
        for (place, other) in others.enumerated() {
            let beside = rows.map { $0.reports[place + 1] }
            if other != .plain {
                cells.append(number(beside.reduce(0) { $0 + $1.offload } / Double(max(1, beside.count)) * 100))
            }
            cells.append("\(beside.reduce(0) { $0 + $1.stalls })")
            cells += starts(beside)
        }
        return OnDemandTable.row(cells)
    }

    private func starts(_ reports: [Report]) -> [String] {
        [milliseconds(reports.map(\.startUp.median)), milliseconds(reports.map(\.startUp.p95))]
    }

    private func number(_ value: Double, _ digits: Int = 1) -> String { DecimalText.format(value, digits: digits) }

    private func milliseconds(_ times: [WeirCore.Duration]) -> String {
        number((times.reduce(.zero) { $0 + $1 }).seconds * 1000 / Double(max(1, times.count)), 0)
    }

    private static func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
}

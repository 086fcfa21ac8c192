import WeirCore
import WeirSimulation

/// One row a run, and their sums.
struct OnDemandTable {
    private struct Row {
        var report: Report
        var plain: Report?
        var density: Double
    }

    private let isCatchUp: Bool
    private var rows: [Row] = []

    init(isCatchUp: Bool) {
        self.isCatchUp = isCatchUp
        var names = isCatchUp ? ["λH"] : []
        names += ["seed", "viewings", "offload", "bound", "ratio"]
        names += isCatchUp ? ["1−e^−λH"] : ["FIFO 180 s", "× FIFO", "LRU"]
        names += ["stalls", "stalled s", "start ms", "p95", "waste", "plain stalls", "start ms", "p95"]
        print(OnDemandTable.row(names))
    }

    mutating func add(_ report: Report, plain: Report?, seed: UInt64, density: Double) -> String {
        rows.append(Row(report: report, plain: plain, density: density))
        return line([rows[rows.count - 1]], name: "\(seed)")
    }

    /// Of all seeds at one density: the means of shares, the sums of counts.
    func sum(density: Double) -> String {
        line(rows.filter { $0.density == density }, name: "all")
    }

    private func line(_ rows: [Row], name: String) -> String {
        let reports = rows.map(\.report)
        let plain = rows.compactMap(\.plain)
        func mean(_ value: (Report) -> Double?) -> Double {
            let values = reports.compactMap(value)
            return values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
        }
        func number(_ value: Double, _ digits: Int = 1) -> String { DecimalText.format(value, digits: digits) }
        func milliseconds(_ times: [WeirCore.Duration]) -> String {
            number((times.reduce(.zero) { $0 + $1 }).seconds * 1000 / Double(max(1, times.count)), 0)
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
        cells += [milliseconds(reports.map(\.startUp.median)), milliseconds(reports.map(\.startUp.p95))]
        cells.append(number(mean { $0.waste } * 100))
        guard !plain.isEmpty else { return OnDemandTable.row(cells) }
        cells += ["\(plain.reduce(0) { $0 + $1.stalls })", milliseconds(plain.map(\.startUp.median))]
        cells.append(milliseconds(plain.map(\.startUp.p95)))
        return OnDemandTable.row(cells)
    }

    private static func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
}

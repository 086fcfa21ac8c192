import WeirCore

/// One scenario on one page: offload beside its bound, who watches and who waits, how late segments come.
package struct ScenarioPlot {
    private let title: String
    private let about: [String]
    /// One run each, on the same seed; weir's first.
    private let reports: [Report]
    private let seed: UInt64

    package init(title: String, about: [String], seed: UInt64, reports: [Report]) {
        self.title = title
        self.about = about
        self.seed = seed
        self.reports = reports
    }

    private static let colours: [Scenario.Policy: String] = [
        .weir: "#0b5fb0", .onePeer: "#d9730d", .elected: "#2c8a3d", .plain: "#777777",
    ]
    /// Offload is drawn over so many seconds at least: a segment's bytes come in bursts.
    private static let leastSmoothing = 10
    /// A line has about so many points, however long the run was.
    private static let points = 150

    private static func colour(_ report: Report) -> String { colours[report.policy] ?? "#000000" }

    package var svg: String {
        var svg = SVG(width: 860, height: 880)
        svg.text(title, at: (40, 34), size: 20, isBold: true)
        svg.text(about.joined(separator: " "), at: (40, 56), size: 11, colour: "#555555")
        drawOffload(&svg)
        drawAudience(&svg)
        drawDelays(&svg)
        drawTable(&svg)
        return svg.document
    }

    private var seconds: Double { Double(reports.map { $0.timeline.seconds.count }.max() ?? 1) }
    /// Seconds between two points of a line.
    private var step: Int { max(1, Int(seconds) / Self.points) }
    private var smoothing: Int { max(Self.leastSmoothing, 2 * step) }

    /// Every so many seconds one value: the last of those in between.
    private func sampled(_ seconds: [Timeline.Second], _ value: (Timeline.Second) -> Double) -> [(Double, Double)] {
        stride(from: step, through: seconds.count, by: step).map { (Double($0), value(seconds[$0 - 1])) }
    }

    /// The most of those in between: what lasts for a second only must not be lost.
    private func peaks(_ seconds: [Timeline.Second], _ value: (Timeline.Second) -> Int) -> [(Double, Double)] {
        stride(from: step, through: seconds.count, by: step).map { end in
            (Double(end), Double(seconds[end - step..<end].map(value).max() ?? 0))
        }
    }

    private func drawOffload(_ svg: inout SVG) {
        let chart = Chart(x: 70, y: 100, width: 750, height: 230, across: 0...seconds, up: 0...1)
        chart.drawAxes(
            in: &svg,
            title: "Offload by the origin's log (over \(smoothing) s), and what no swarm could beat",
            acrossUnit: "seconds"
        ) { "\(Chart.text($0 * 100)) %" }
        if let report = reports.first {
            // Of recordings that begin at any time the bound is one of the whole run.
            let bounds =
                report.onDemand == nil
                ? sampled(report.timeline.seconds) { $0.watching > 0 ? $0.bound : -1 }.filter { $0.1 >= 0 }
                : [(0, report.bound), (seconds, report.bound)]
            svg.path(bounds.map { chart.place($0, $1) }, "#000000", width: 1, dashes: "4 3")
        }
        for report in reports.reversed() where report.policy != .plain {
            svg.path(offload(report.timeline).map { chart.place($0.at, $0.value) }, Self.colour(report))
        }
    }

    /// From when something had been delivered.
    private func offload(_ timeline: Timeline) -> [(at: Double, value: Double)] {
        let seconds = timeline.seconds
        guard seconds.count > smoothing else { return [] }
        return stride(from: 0, through: seconds.count - smoothing, by: step).compactMap { start in
            let part = seconds[start..<start + smoothing]
            let delivered = part.reduce(0) { $0 + $1.delivered }
            let origin = part.reduce(0) { $0 + $1.origin }
            guard delivered > 0 else { return nil }
            return (Double(start) + Double(smoothing) / 2, 1 - Double(origin) / Double(delivered))
        }
    }

    private func drawAudience(_ svg: inout SVG) {
        let most = reports.flatMap { $0.timeline.seconds.map(\.watching) }.max() ?? 1
        let chart = Chart(x: 70, y: 400, width: 330, height: 190, across: 0...seconds, up: 0...Double(max(1, most)))
        chart.drawAxes(
            in: &svg,
            title: "Viewers (grey), and those whose player waits",
            acrossUnit: "seconds",
            upText: Chart.text
        )
        guard let first = reports.first?.timeline.seconds else { return }
        let top = sampled(first) { Double($0.watching) }.map { chart.place($0, $1) }
        svg.area([chart.place(0, 0)] + top + [chart.place(Double(first.count), 0)], "#e4e8ee")
        for report in reports.reversed() {
            let points = peaks(report.timeline.seconds) { $0.dry }
            svg.path(points.map { chart.place($0, $1) }, Self.colour(report))
        }
    }

    private func drawDelays(_ svg: inout SVG) {
        // Of recordings there is no such delay.
        guard let most = reports.compactMap({ $0.playerDelays.last?.seconds }).max() else { return }
        let chart = Chart(x: 490, y: 400, width: 330, height: 190, across: 0...max(1, most), up: 0...1)
        chart.drawAxes(
            in: &svg,
            title: "Segments that are at the player after so long",
            acrossUnit: "seconds since the segment was listed"
        ) { "\(Chart.text($0 * 100)) %" }
        for report in reports.reversed() {
            let points = report.playerDelays.enumerated().map { chart.place($1.seconds, Double($0) / 100) }
            svg.path(points, Self.colour(report))
        }
    }

    private func drawTable(_ svg: inout SVG) {
        let columns: [(x: Double, name: String, value: (Report) -> String)] = [
            (200, "offload", { "\(Self.decimals($0.offload * 100, 1)) %" }),
            (290, "bound", { "\(Self.decimals($0.bound * 100, 1)) %" }),
            (380, "stalls", { "\($0.stalls)" }), (470, "stalled", { "\(Self.decimals($0.stalled.seconds, 1)) s" }),
            (560, "waste", { "\(Self.decimals($0.waste * 100, 1)) %" }),
            (650, "p95 delay", { "\(Self.decimals($0.playerDelay.p95.seconds, 2)) s" }),
            (740, "start-up", { "\(Self.decimals($0.startUp.median.seconds, 2)) s" }),
            (820, "wrong", { "\($0.wrongBytes)" }),
        ]
        for column in columns { svg.text(column.name, at: (column.x, 670), size: 12, anchor: .end, isBold: true) }
        svg.text("seed \(seed)", at: (70, 670), size: 12)
        for (row, report) in reports.enumerated() {
            let height = 694 + 22 * Double(row)
            svg.line((70, height - 4), (90, height - 4), Self.colour(report), width: 3)
            svg.text(report.policy.rawValue, at: (96, height), size: 12)
            for column in columns { svg.text(column.value(report), at: (column.x, height), size: 12, anchor: .end) }
        }
        let broken = reports.flatMap { report in report.violations.map { "\(report.policy.rawValue): \($0)" } }
        for (row, text) in broken.prefix(4).enumerated() {
            svg.text(text, at: (70, 796 + 18 * Double(row)), size: 11, colour: "#b00020")
        }
        svg.path([(70, 868), (100, 868)], "#000000", width: 1, dashes: "4 3")
        svg.text(
            reports.first?.onDemand == nil
                ? "broken line: bound, second by second (one copy; what all uplinks together carry)"
                : "broken line: bound of the whole run, by who can have held what when",
            at: (106, 872),
            size: 11
        )
    }

    private static func decimals(_ value: Double, _ digits: Int) -> String { DecimalText.format(value, digits: digits) }
}

import WeirCore

/// Whether a scenario's runs show what they have to, beside the numbers.
package struct Verdict: Sendable, CustomStringConvertible {
    package let isMet: Bool
    package let text: String

    package var description: String { "\(isMet ? "met   " : "MISSED") \(text)" }
}

/// The reports of one scenario, by policy, in the order of their seeds.
package struct Verdicts {
    private let file: ScenarioFile
    private let reports: [Scenario.Policy: [Report]]

    package init(_ file: ScenarioFile, _ reports: [Report]) {
        self.file = file
        self.reports = Dictionary(grouping: reports, by: \.policy)
    }

    private var weir: [Report] { reports[.weir] ?? [] }

    package var all: [Verdict] {
        guard !weir.isEmpty else { return [] }
        return file.goals.map(verdict) + besideOnePeer + besidePlain
    }

    private func verdict(_ goal: ScenarioFile.Goal) -> Verdict {
        switch goal {
        case .offload(let part):
            let worst = weir.min { $0.offload / max($0.bound, 1e-9) < $1.offload / max($1.bound, 1e-9) }
            guard let worst else { return Verdict(isMet: false, text: "offload: no run") }
            return Verdict(
                isMet: worst.offload >= part * worst.bound,
                text: "offload \(percent(worst.offload)) of a bound of \(percent(worst.bound)) in the worst run;"
                    + " goal \(percent(part)) of it"
            )
        case .spread(let times):
            let worst = weir.map { $0.spread.p95.seconds / max($0.spreadBound.seconds, 1e-9) }.max() ?? 0
            return Verdict(
                isMet: worst <= times,
                text: "p95 peer holds a segment within \(decimals(worst)) of the bound; goal \(decimals(times))"
            )
        case .stalls(let part):
            guard let plain = reports[.plain] else {
                return Verdict(isMet: false, text: "stalls beside plain: needs --compare")
            }
            let (mine, theirs) = (weir.reduce(0) { $0 + $1.stalls }, plain.reduce(0) { $0 + $1.stalls })
            return Verdict(
                isMet: Double(mine) <= part * Double(theirs),
                text: "stalls \(mine) beside plain's \(theirs); goal \(percent(part)) of them"
            )
        case .keeping(let times):
            let mine = weir.reduce(0) { $0 + $1.offload }
            let theirs = weir.reduce(0) { $0 + ($1.onDemand?.firstInFirstOut ?? 0) }
            return Verdict(
                isMet: theirs > 0 && mine >= times * theirs,
                text: "offload \(decimals(mine / max(theirs, 1e-9))) times that of first in, first out;"
                    + " goal \(decimals(times))"
            )
        }
    }

    /// Against whole segments from one peer: half the origin's bytes, half the delay, no more stalls.
    private var besideOnePeer: [Verdict] {
        guard let others = reports[.onePeer], others.count == weir.count, file.scenario.isLive else { return [] }
        let (mine, theirs) = (weir.reduce(0) { $0 + $1.originBytes }, others.reduce(0) { $0 + $1.originBytes })
        let delay = weir.map(\.playerDelay.p95.seconds).max() ?? 0
        let otherDelay = others.map(\.playerDelay.p95.seconds).max() ?? 0
        let (stalls, otherStalls) = (weir.reduce(0) { $0 + $1.stalls }, others.reduce(0) { $0 + $1.stalls })
        return [
            Verdict(
                isMet: Double(mine) <= 0.5 * Double(theirs),
                text: "origin bytes \(decimals(Double(mine) / max(Double(theirs), 1))) of one-peer's; goal 0.50"
            ),
            Verdict(
                isMet: delay <= 0.5 * otherDelay,
                text: "p95 at the player \(decimals(delay)) s beside one-peer's \(decimals(otherDelay)) s; goal half"
            ),
            Verdict(
                isMet: stalls <= otherStalls,
                text: "stalls \(stalls) beside one-peer's \(otherStalls); goal no more"
            ),
        ]
    }

    /// Never worse than the player alone.
    private var besidePlain: [Verdict] {
        guard let plain = reports[.plain], plain.count == weir.count else { return [] }
        let worse = zip(weir, plain).count { $0.stalls > $1.stalls }
        let (mine, theirs) = (weir.reduce(0.0) { $0 + $1.stalled.seconds }, plain.reduce(0) { $0 + $1.stalled.seconds })
        let slower =
            zip(weir, plain).map { $0.startUp.median.seconds / max($1.startUp.median.seconds, 1e-9) }.max() ?? 1
        return [
            Verdict(
                isMet: originIsAmple ? worse == 0 : mine <= theirs,
                text: "stalled \(decimals(mine)) s beside plain's \(decimals(theirs)) s,"
                    + " more stalls in \(worse) of \(weir.count) runs; goal "
                    + (originIsAmple ? "in none" : "no more in sum")
            ),
            Verdict(isMet: slower <= 1.02, text: "median start-up \(decimals(slower)) of plain's at worst; goal 1.02"),
        ]
    }

    /// Goal T5 but for starts: no seed with more stalls where the origin is ample, else no more seconds in sum, and
    /// where the file says so at most a part of plain's stalls.
    package var stallsNoMoreThanPlain: Bool {
        guard let plain = reports[.plain], plain.count == weir.count else { return false }
        let seconds = { (reports: [Report]) in reports.reduce(0.0) { $0 + $1.stalled.seconds } }
        let isNoMore = originIsAmple ? violations.isEmpty : seconds(weir) <= seconds(plain)
        return isNoMore
            && file.goals.allSatisfy { goal in
                if case .stalls = goal { verdict(goal).isMet } else { true }
            }
    }

    /// The origin could serve everybody one and a half times over, all the time.
    private var originIsAmple: Bool {
        let scenario = file.scenario
        let joining = scenario.script.reduce(0) { sum, entry in
            if case .join(let count, _) = entry.action { sum + count } else { sum }
        }
        return scenario.faults.isEmpty
            && scenario.originRate >= 1.5 * scenario.bitrate * Double(scenario.peers + joining)
    }

    /// A run with more stalls than the plain player's on its seed, where the origin is ample: when it first waited.
    package static func worseThanPlain(_ report: Report, _ plain: Report) -> Violation? {
        guard report.stalls > plain.stalls else { return nil }
        let second = report.timeline.seconds.firstIndex { $0.dry > 0 } ?? 0
        return Violation(
            .plain,
            at: .start + .seconds(second),
            "\(report.stalls) stalls, plain \(plain.stalls)"
        )
    }

    /// Of every seed, where that has to hold.
    package var violations: [(place: Int, violation: Violation)] {
        guard let plain = reports[.plain], plain.count == weir.count, originIsAmple else { return [] }
        return weir.indices.compactMap { place in
            Verdicts.worseThanPlain(weir[place], plain[place]).map { (place, $0) }
        }
    }

    private func percent(_ value: Double) -> String { "\(DecimalText.format(value * 100, digits: 1)) %" }
    private func decimals(_ value: Double) -> String { DecimalText.format(value, digits: 2) }
}

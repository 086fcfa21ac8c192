package import WeirCore

/// A run of recordings beside what was possible on the same viewings.
package struct OnDemandFigures: Sendable {
    /// No more can come from holders: of passing agents what any of them held, of boxes what foresight would have kept.
    package let bound: Double
    /// Bound B3, 1 − e^(−λH), over a title's segments; what `bound` tends to with ever more starts.
    package let formula: Double?
    /// Boxes that keep what they watched in order of time, for `lifetime` at most, and in order of use.
    package let firstInFirstOut: Double?
    package let leastRecentlyUsed: Double?
    /// Media bytes from the origin by the reason for asking it, most first, as far as agents keep account.
    package let originReasons: [(reason: String, bytes: Int64)]
    /// From a jump to the first whole segment there.
    package let jumpWait: (median: Duration, p95: Duration)

    init(_ onDemand: OnDemand, _ simulation: Simulation, _ figures: [PlayerFigures]) {
        let model = HolderModel(simulation.scenario, simulation.viewings)
        formula = onDemand.catchUpBound
        var reasons: [String: Int64] = [:]
        for agent in simulation.agents {
            for segment in agent.decider.segments(at: simulation.now) {
                reasons[segment.origin_reason, default: 0] += segment.origin_bytes
            }
        }
        originReasons = reasons.map { (reason: $0.key, bytes: $0.value) }
            .sorted { ($1.bytes, $0.reason) < ($0.bytes, $1.reason) }
        jumpWait = Report.quantiles(figures.flatMap(\.jumpWaits))
        switch onDemand.audience {
        case .passing:
            bound = model.offload(.everything)
            firstInFirstOut = nil
            leastRecentlyUsed = nil
        case .resident:
            bound = model.offload(.foresight)
            firstInFirstOut = model.offload(.firstInFirstOut(lifetime: onDemand.lifetime))
            leastRecentlyUsed = model.offload(.leastRecentlyUsed)
        }
    }
}

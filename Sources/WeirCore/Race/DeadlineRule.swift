/// The one rule of deadlines: how long a segment may stay with peers.
///
/// Peers keep it while `slack > rest / rate · (1 + 2σ) + round trip + twice its deviation + guard`; from then on the HTTP
/// sources get what is missing. The knobs of `AgentSettings` are ceilings on it.
package struct DeadlineRule: Sendable {
    /// Time for our own handling and for a timer that fires late.
    static let guardTime = Duration.milliseconds(250)
    /// Assumed until the first answer of a host: a slow home line's share, so that the first estimate errs to safety.
    static let unknownRate = 500_000.0
    static let unknownRoundTrip = Duration.milliseconds(200)

    /// A line that stood still for seconds says little of the next minutes.
    static let largestDeviation = Duration.milliseconds(300)

    /// With at least this much slack the first sample of a host is waited for, looking again this often.
    static let measuringSlack = Duration.seconds(1)
    static let measuringTime = Duration.milliseconds(200)

    package var minimumBuffer: Duration
    package var downloadTimeout: Duration

    package init(minimumBuffer: Duration, downloadTimeout: Duration) {
        self.minimumBuffer = minimumBuffer
        self.downloadTimeout = downloadTimeout
    }

    /// The time that an HTTP source needs for `rest` bytes, on the safe side.
    package func need(rest: Int64, estimate: SourceEstimate, at now: Instant) -> Duration {
        let rate = estimate.rate ?? DeadlineRule.unknownRate
        let deviation = min(estimate.roundTripDeviation * 2, DeadlineRule.largestDeviation)
        let roundTrip = (estimate.roundTrip ?? DeadlineRule.unknownRoundTrip) + deviation
        return .seconds(Double(rest) / rate * (1 + 2 * estimate.spread(at: now))) + roundTrip + DeadlineRule.guardTime
    }

    /// How much longer peers may keep a segment with this slack; zero or less: no longer.
    /// - Parameter isBeingMeasured: an exchange that will teach the rate is under way.
    package func patience(
        slack: Duration,
        rest: Int64,
        estimate: SourceEstimate,
        isBeingMeasured: Bool = false,
        at now: Instant
    ) -> Duration {
        let patience = slack - need(rest: rest, estimate: estimate, at: now)
        let isUncertain = !estimate.isKnown || estimate.isRough
        if isUncertain, isBeingMeasured, slack > DeadlineRule.measuringSlack { return DeadlineRule.measuringTime }
        // An unknown host may turn out slower than assumed: then little buffer is reason enough to ask it now.
        if !estimate.isKnown, slack < minimumBuffer { return min(patience, .zero) }
        return patience
    }
}

/// Lets media out of a live remux at the speed at which they are watched: whoever joins finds the latest keyframe near,
/// and what follows comes steadily however origins publish.
package struct MediaPace: Sendable {
    /// Media that may be out before their time, so that the first reader starts at once.
    private let lead: Duration
    /// What was late stays late: the clock begins anew instead of a burst that makes up for it.
    private static let patience = Duration.seconds(1)
    /// With more media waiting than this the clock runs a little faster: the origin's may do so too.
    private let comfortable: Duration
    private static let hurry = 0.05

    private var anchor: (media: Duration, at: Instant)?

    package init(lead: Duration, comfortable: Duration) {
        self.lead = lead
        self.comfortable = comfortable
    }

    /// How long what has this time is to be kept.
    /// - Parameter waiting: media that could be read already.
    package mutating func delay(of media: Duration, waiting: Duration, at now: Instant) -> Duration {
        guard let (start, began) = anchor else {
            anchor = (media, now)
            return .zero
        }
        let elapsed = now - began
        let passed = waiting > comfortable ? elapsed + Duration.seconds(elapsed.seconds * MediaPace.hurry) : elapsed
        let early = media - start - passed - lead
        if early < .zero - MediaPace.patience - lead {
            anchor = (media, now)
            return .zero
        }
        // A clock that ran faster keeps what it gained.
        if waiting > comfortable, elapsed > .seconds(10) { anchor = (start + passed, now) }
        return early.orZero
    }
}

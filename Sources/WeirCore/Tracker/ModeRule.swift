/// Whether a channel's viewers are served directly or by peers, from how many there are.
///
/// A channel: direct → p2p (more viewers than the share that is served directly), p2p → direct (a tenth fewer than that
/// share). Between two switches lie 30 s, unless there are more viewers than the servers carry at all.
package struct ModeRule: Sendable {
    /// Viewers that the servers can carry alone.
    package var maximumStreams: Int
    /// 0…1: the part of them that peers are to carry.
    package var dynamicStreamingRate: Double

    package static let dwell = Duration.seconds(30)
    package static let hysteresis = 0.1

    package init(maximumStreams: Int, dynamicStreamingRate: Double) {
        self.maximumStreams = min(1_000_000_000, max(0, maximumStreams))
        self.dynamicStreamingRate = min(1, max(0, dynamicStreamingRate))
    }

    /// The most viewers that are served directly.
    package var share: Int { Int((Double(maximumStreams) * (1 - dynamicStreamingRate)).rounded(.down)) }

    /// A channel's mode and when it was last switched; nil before the first switch.
    package struct State: Sendable, Equatable {
        package var mode = DeliveryMode.direct
        package var switched: Instant?
        package private(set) var reason = ""
        /// What the reason was made from.
        private var told: (viewers: Int, mode: DeliveryMode, isWaiting: Bool)?

        package init() {}

        package static func == (left: State, right: State) -> Bool {
            left.mode == right.mode && left.switched == right.switched && left.reason == right.reason
        }

        /// Texts cost more than decisions: a new one only when something changed.
        fileprivate mutating func explain(viewers: Int, isWaiting: Bool, _ text: () -> String) {
            if let told, told == (viewers, mode, isWaiting) { return }
            told = (viewers, mode, isWaiting)
            reason = text()
        }
    }

    /// Brings a channel's state up to date.
    package func decide(_ state: inout State, viewers: Int, at now: Instant) {
        let target = target(from: state.mode, viewers: viewers)
        let isOverCapacity = viewers > maximumStreams
        let wait = state.switched.map { (ModeRule.dwell - (now - $0)).orZero } ?? .zero
        if target != state.mode, wait == .zero || (target == .peers && isOverCapacity) {
            state.mode = target
            state.switched = now
        }
        let (mode, isWaiting) = (state.mode, target != state.mode)
        state.explain(viewers: viewers, isWaiting: isWaiting) { reason(mode, viewers: viewers, isWaiting: isWaiting) }
    }

    private func target(from mode: DeliveryMode, viewers: Int) -> DeliveryMode {
        switch mode {
        case .direct: return viewers > share ? .peers : .direct
        case .peers:
            // A share of nothing is never gone below.
            return share > 0 && Double(viewers) <= Double(share) * (1 - ModeRule.hysteresis) ? .direct : .peers
        }
    }

    private func reason(_ mode: DeliveryMode, viewers: Int, isWaiting: Bool) -> String {
        let bound = "\(share) of \(maximumStreams) streams are served directly"
        let what = viewers == 1 ? "1 viewer" : "\(viewers) viewers"
        if isWaiting { return "\(what), \(bound); switched less than \(Int(ModeRule.dwell.seconds)) s ago" }
        switch mode {
        case .direct: return "\(what), up to \(bound)"
        case .peers:
            return viewers > share ? "\(what), only \(bound)" : "\(what), not yet a tenth below the limit: \(bound)"
        }
    }
}

/// What time it is, for whoever is not told with every call.
final class TimeSource {
    var now = Instant.start
    /// The machine's wall clock less `now`; nil until the shell said what time it is.
    var wallOffset: Duration?
}

/// The wall clock of one live stream: its origin's, as far as it says what time it is, else the machine's.
///
/// A box may start with a clock that is days off; the window of a live manifest must not depend on it.
final class StreamClock {
    private let time: TimeSource
    /// The origin's wall clock less the agent's monotonic one.
    private var offset: Duration?
    private(set) var source = Source.none
    /// When the origin was last asked.
    var askedAt: Instant?

    /// What the offset was learnt from, the best last.
    enum Source: Int, Comparable {
        case none
        /// The `Date` field of the manifest's answer: whole seconds, and caches keep it.
        case answer
        /// What the manifest names as the source of time.
        case timing

        static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// A machine whose clock differs by less than what a `Date` field can tell is right.
    static let tolerance = Duration.seconds(2)

    init(time: TimeSource) {
        self.time = time
    }

    /// Nil while nothing said what time it is.
    var now: WallTime? {
        (offset ?? time.wallOffset).map {
            WallTime(nanoseconds: time.now.nanoseconds.addedSaturating(to: $0.nanoseconds))
        }
    }

    /// - Parameters:
    ///   - wall: what the origin's clock showed at `moment`.
    ///   - isCoarse: it is told in whole seconds.
    func note(_ wall: WallTime, at moment: Instant, from source: Source, isCoarse: Bool) {
        guard source >= self.source else { return }
        let heard = Duration(nanoseconds: wall.nanoseconds.subtractedSaturating(moment.nanoseconds))
        let own = time.wallOffset
        let difference = own.map { ($0 - heard).nanoseconds.magnitude } ?? .max
        let isOwnRight = isCoarse && difference < StreamClock.tolerance.nanoseconds.magnitude
        offset = isOwnRight ? own : heard
        self.source = source
    }
}

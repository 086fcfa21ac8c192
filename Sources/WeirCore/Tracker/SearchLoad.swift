/// How many announces come in a second, and whether that is too many for the full search.
///
/// full → reserve (a second's announces reach the limit; within that very second), reserve → full (ten seconds in a row
/// with less than 70 % of it).
struct SearchLoad: Sendable {
    static let calmShare = 0.7
    static let calmSeconds = 10

    let limit: Int
    private(set) var isReserve = false
    /// In the last whole second.
    private(set) var rate = 0
    private var second: Int64 = 0
    private var count = 0
    private var calm = 0

    init(limit: Int) { self.limit = max(1, limit) }

    mutating func note(at now: Instant) {
        advance(to: now)
        count += 1
        if count >= limit {
            isReserve = true
            calm = 0
        }
    }

    /// Seconds in which nothing came count too.
    mutating func advance(to now: Instant) {
        let current = now.nanoseconds / 1_000_000_000
        guard current > second else { return }
        let isCalm = Double(count) < Double(limit) * SearchLoad.calmShare
        calm = isCalm ? calm + 1 : 0
        // Whole seconds of silence in between.
        let silent = Int(clamping: current - second - 1)
        calm = min(SearchLoad.calmSeconds, calm + min(silent, SearchLoad.calmSeconds))
        rate = silent > 0 ? 0 : count
        second = current
        count = 0
        if calm >= SearchLoad.calmSeconds { isReserve = false }
    }
}

/// Pictures of a time shift window, in rows of equal ones, the oldest first.
package struct ContactSheet: Hashable, Sendable {
    /// Pixels of all of it.
    package static let width = 960
    private static let mostColumns = 4
    /// Seconds between two pictures at least: keyframes are hardly nearer.
    private static let leastDistance = 2.0

    /// In a row, and rows at most.
    package let columns: Int
    /// One for each picture: the middle of its part of the window, before the live edge.
    package let moments: [TimeShift]

    /// Nil when there is nothing to show.
    /// - Parameter seconds: the window.
    package init?(window seconds: Double) {
        guard seconds.isFinite, seconds > 0 else { return nil }
        let most = ContactSheet.mostColumns * ContactSheet.mostColumns
        let count = Int(min(Double(most), max(1, seconds / ContactSheet.leastDistance)))
        let columns = (1...ContactSheet.mostColumns).first { $0 * $0 >= count } ?? ContactSheet.mostColumns
        let part = seconds / Double(count)
        self.columns = columns
        moments = (0..<count).map { .beforeLive(.seconds(seconds - (Double($0) + 0.5) * part)) }
    }
}

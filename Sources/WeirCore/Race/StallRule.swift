/// When a source that was asked and does not deliver loses what it was asked for.
package enum StallRule {
    /// Scheduling noise of a busy dual-core box and one lost packet's retransmission stay below it.
    static let least = Duration.milliseconds(150)

    /// - Parameters:
    ///   - expected: when the next chunk was expected, counted from the request or the last chunk.
    ///   - ceiling: `stall_timeout`.
    ///   - slack: of the segment; nil when no player waits for it.
    package static func limit(expected: Duration, ceiling: Duration, slack: Duration?) -> Duration {
        var limit = min(expected * 2.5, ceiling)
        if let slack { limit = min(limit, slack / 3) }
        return max(limit, least)
    }
}

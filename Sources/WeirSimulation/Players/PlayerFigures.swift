package import WeirCore

/// What a viewer would have noticed, and what the oracle noticed for him.
package struct PlayerFigures: Sendable {
    /// Media bytes that the player's socket took, and the part of it after the warm-up.
    package var deliveredBytes: Int64 = 0
    package var deliveredAfterWarmUp: Int64 = 0
    package var segments = 0
    /// From the start to the first media byte, and to the first whole segment.
    package var firstByte: Duration?
    package var startUp: Duration?
    /// From each jump in a recording to the first whole segment there.
    package var jumpWaits: [Duration] = []
    package var stalls = 0
    package var stalled = Duration.zero
    /// To a better and to a lesser rendition.
    package private(set) var switches = (up: 0, down: 0)
    /// When it began to wait and for which segment: the first of its stalls.
    package private(set) var firstStall: (at: Instant, sequence: UInt64)?
    /// Answers other than 200, and segments given up for them or because they left the list.
    package var failedAnswers = 0
    package var skippedSegments = 0
    /// Oracle: bytes that are not the origin's at their place, bodies that ended early or were cut.
    package var wrongBytes: Int64 = 0
    package var cutBodies = 0
    /// Whether the last segment of a recording was played.
    package var isFinished = false

    mutating func noteSwitch(isUp: Bool) {
        switches.up += isUp ? 1 : 0
        switches.down += isUp ? 0 : 1
    }

    /// Notes that playback stood still until now.
    mutating func noteStall(from dry: Instant, until now: Instant, sequence: UInt64) {
        stalls += 1
        stalled = stalled + (now - dry)
        firstStall = firstStall ?? (dry, sequence)
    }
}

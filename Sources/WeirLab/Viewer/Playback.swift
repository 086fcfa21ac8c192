/// A player's buffer against a real-time clock, in seconds, with the clock as an argument.
///
/// waiting → playing, when the first media is there; playing ⇄ stalled, as the buffer runs dry and fills;
/// playing | stalled → ended, after `finish` and the last second.
package struct Playback: Sendable {
    package enum State: Sendable, Equatable {
        case waiting
        case playing
        case stalled
        case ended
    }

    package private(set) var state = State.waiting
    /// Media seconds that are downloaded and not yet played.
    package private(set) var buffer: Double = 0
    /// Times that the buffer ran dry while more was to come.
    package private(set) var stalls = 0
    package private(set) var stallSeconds: Double = 0
    package private(set) var playedSeconds: Double = 0
    private var lastTime: Double = 0
    private var finished = false

    package init() {}

    /// Lets the clock run up to a time.
    package mutating func advance(to now: Double) {
        let elapsed = max(0, now - lastTime)
        lastTime = max(now, lastTime)
        if state == .stalled { stallSeconds += elapsed }
        guard state == .playing else { return }
        let played = min(elapsed, buffer)
        buffer -= played
        playedSeconds += played
        guard elapsed > played || buffer == 0 else { return }
        if finished {
            state = .ended
        } else if elapsed > played {
            state = .stalled
            stalls += 1
            stallSeconds += elapsed - played
        }
    }

    /// A whole segment has arrived.
    package mutating func append(_ seconds: Double, at now: Double) {
        advance(to: now)
        buffer += seconds
        if state == .waiting || state == .stalled { state = .playing }
    }

    /// Nothing more will come.
    package mutating func finish(at now: Double) {
        finished = true
        advance(to: now)
        if buffer == 0 { state = .ended }
    }
}

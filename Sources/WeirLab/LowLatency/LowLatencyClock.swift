import Synchronization

/// The time since a low-latency origin started, in nanoseconds; it stands still while its packager is said to hang.
final class LowLatencyClock: Sendable {
    private struct State {
        var started = ContinuousClock.now
        /// When it stopped.
        var frozen: ContinuousClock.Instant?
    }

    /// While it stands still, those who wait look again this often.
    private static let look = Swift.Duration.milliseconds(20)

    private let state = Mutex(State())

    var elapsed: Int64 {
        state.withLock { LowLatencyClock.nanoseconds(($0.frozen ?? .now) - $0.started) }
    }

    /// When it shows this time, if it goes on.
    func instant(of time: Int64) -> ContinuousClock.Instant {
        state.withLock { $0.started + .nanoseconds(time) }
    }

    func freeze() {
        state.withLock { $0.frozen = $0.frozen ?? .now }
    }

    func thaw() {
        state.withLock { state in
            guard let frozen = state.frozen else { return }
            state.started += .now - frozen
            state.frozen = nil
        }
    }

    /// - Returns: false when the limit passed first.
    /// - Throws: `CancellationError`
    func wait(until time: Int64, limit: Double) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(limit)
        while elapsed < time {
            let now = ContinuousClock.now
            guard now < deadline else { return false }
            let isFrozen = state.withLock { $0.frozen != nil }
            let next = isFrozen ? now + LowLatencyClock.look : instant(of: time)
            try await Task.sleep(until: min(next, deadline), tolerance: .zero, clock: .continuous)
        }
        return true
    }

    private static func nanoseconds(_ duration: Swift.Duration) -> Int64 {
        duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000
    }
}

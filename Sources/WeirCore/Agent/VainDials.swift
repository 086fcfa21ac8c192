/// How many strangers may be dialled in vain: whoever names addresses, a tracker or a peer, must not be able to make
/// agents knock at somebody's door (F48).
///
/// A bucket of dials: each dial of a stranger takes one, whoever is met gives it back.
struct VainDials {
    /// A dial in so many comes back.
    static let refill = Duration.seconds(2)

    /// The most at once.
    let limit: Int
    private var spent = 0.0
    private var updated = Instant.start

    init(limit: Int) { self.limit = max(1, limit) }

    private func spent(at now: Instant) -> Double {
        max(0, spent - (now - updated).orZero.seconds / VainDials.refill.seconds)
    }

    mutating func take(at now: Instant) {
        spent = spent(at: now) + 1
        updated = now
    }

    mutating func giveBack() { spent = max(0, spent - 1) }

    /// When there is room for another one.
    func nextCredit(at now: Instant) -> Instant {
        let excess = spent(at: now) + 1 - Double(limit)
        return excess <= 0 ? now : now + VainDials.refill * excess + .milliseconds(1)
    }

    /// Between two dials of strangers that one tracker named, after so many in a row where nobody was.
    static func pause(after vain: Int) -> Duration {
        vain < 16 ? .zero : min(.seconds(60), .milliseconds(250) * (1 << min(8, vain / 8 - 2)))
    }
}

/// How much a stream is asked for: viewings that this agent heard of, older ones counting less.
///
/// Nobody knows how often a recording is watched; whoever holds some of it hears when others begin to, because they are
/// introduced to its holders. Seldom-watched recordings are heard of once an hour or less, so the count fades slowly.
struct Popularity {
    private var value = 0.0
    private var notedAt = Instant.start

    /// A viewing counts half after this time.
    static let halfLife = Duration.seconds(3600)
    /// A member that does not play has played before, or it would hold nothing: nobody knows when.
    static let earlierViewing = 0.5
    /// Somebody that begins again sooner than this has not begun another viewing.
    static let pause = Duration.seconds(60)

    mutating func note(_ viewings: Double, at now: Instant) {
        value = self.viewings(at: now) + viewings
        notedAt = max(notedAt, now)
    }

    func viewings(at now: Instant) -> Double { value * Popularity.fading(over: now - notedAt) }

    /// Halved for each whole half-life, and in a straight line in between.
    private static func fading(over span: Duration) -> Double {
        let lives = max(0, span.seconds / halfLife.seconds)
        guard lives < 60 else { return 0 }
        let whole = lives.rounded(.down)
        return Double(sign: .plus, exponent: -Int(whole), significand: 1 - (lives - whole) / 2)
    }
}

import WeirCore

/// Which rendition a simulated player takes next, by how fast whole segments came: a rule of the simplest kind that
/// players have.
///
/// Down at once, to what 0.95 of the rate carries; up by one step, when 0.7 of the rate carries it. The rate is the
/// lesser of a quick and a slow mean, so that it falls fast and rises slowly.
struct BitrateRule {
    static let carries = 0.95
    static let carriesUp = 0.7
    private static let weights = (quick: 0.5, slow: 0.2)

    /// Peak bits per second, least first.
    let bandwidths: [Double]
    private var quick: Double?
    private var slow: Double?

    init(bandwidths: [Double]) { self.bandwidths = bandwidths }

    /// Bits per second.
    private var rate: Double? {
        guard let quick, let slow else { return nil }
        return min(quick, slow)
    }

    /// A segment came whole.
    /// - Parameter span: from its request to its end.
    mutating func note(bytes: Int, in span: Duration) {
        let sample = Double(bytes) * 8 / max(span.seconds, 0.001)
        quick = (quick ?? sample) + ((sample - (quick ?? sample)) * BitrateRule.weights.quick)
        slow = (slow ?? sample) + ((sample - (slow ?? sample)) * BitrateRule.weights.slow)
    }

    func next(from rendition: Int) -> Int {
        guard let rate, bandwidths.indices.contains(rendition) else { return rendition }
        if bandwidths[rendition] > rate * BitrateRule.carries {
            return bandwidths.lastIndex { $0 <= rate * BitrateRule.carries } ?? 0
        }
        let above = rendition + 1
        return bandwidths.indices.contains(above) && bandwidths[above] <= rate * BitrateRule.carriesUp
            ? above : rendition
    }
}

/// What experience says of a source's speed: exponentially weighted time per byte and its relative spread, and the time
/// to the first byte.
///
/// Time per byte and not bytes per second is averaged, because times add up and rates do not.
package struct SourceEstimate: Sendable {
    /// Weight of a new sample; a quarter forgets half of the past in 2.4 samples.
    static let weight = 0.25
    /// A short exchange has less weight in proportion as it has fewer bytes than these, and none below a chunk: a few
    /// milliseconds more of a subtitle of a hundred bytes say that its round trip was slow, not how long a megabyte takes.
    static let fullWeightBytes = 4 * Chunk.byteCount
    /// The spread doubles for each of these without a sample, because conditions move on.
    static let staleness = Duration.seconds(30)
    /// Beyond this the estimate says no more than "unknown".
    static let widestSpread = 2.0

    private var secondsPerByte: Double?
    private static let firstSpread = 0.5
    private var spread = firstSpread
    /// Only short bodies have been seen, whose time is mostly the round trip.
    package private(set) var isRough = false
    package private(set) var roundTrip: Duration?
    /// How far samples of the round trip lie from it, in the mean: one's own uplink may be busy.
    package private(set) var roundTripDeviation = Duration.zero
    package private(set) var lastSample: Instant?

    package init() {}

    package var isKnown: Bool { secondsPerByte != nil }

    /// Bytes per second, nil before the first sample.
    package var rate: Double? { secondsPerByte.map { 1 / max($0, 1e-10) } }

    /// Notes that `bytes` took `time` once they had begun to flow.
    ///
    /// - Parameter isShort: the time is that of a whole exchange of few bytes. The first longer one replaces what such
    ///   exchanges said, and afterwards they say only what is certain: the bytes took no longer than all of it, and no
    ///   less than what is left of it after the round trip. An initialisation section, or a track of sound beside the
    ///   picture, must not make an origin look slow.
    package mutating func note(bytes: Int, in time: Duration, isShort: Bool = false, at now: Instant) {
        guard bytes > 0 else { return }
        var sample = max(time.seconds, 1e-7) / Double(bytes)
        var weight = SourceEstimate.weight
        if isShort, !isRough, let known = secondsPerByte {
            let least = (time - (roundTrip ?? time)).orZero.seconds / Double(bytes)
            sample = min(max(known, least), sample)
            guard sample != known, bytes >= Chunk.byteCount else { return }
            weight *= min(1, Double(bytes) / Double(SourceEstimate.fullWeightBytes))
        }
        if isRough, !isShort {
            (secondsPerByte, spread, isRough) = (sample, SourceEstimate.firstSpread, false)
        } else if let known = secondsPerByte {
            let deviation = min(SourceEstimate.widestSpread, abs(sample - known) / known)
            spread += weight * (deviation - spread)
            secondsPerByte = known + weight * (sample - known)
        } else {
            secondsPerByte = sample
            isRough = isShort
        }
        lastSample = now
    }

    /// Notes the time from a request to its first byte.
    /// - Parameter isProbe: it also says that the rate still holds, as an audit does and a playlist does not.
    package mutating func note(roundTrip sample: Duration, isProbe: Bool = true, at now: Instant) {
        if let known = roundTrip {
            let deviation = max(sample - known, known - sample)
            roundTripDeviation = roundTripDeviation + (deviation - roundTripDeviation) * SourceEstimate.weight
            roundTrip = known + (sample - known) * SourceEstimate.weight
        } else {
            roundTrip = sample
        }
        if isProbe { lastSample = now }
    }

    /// The relative spread σ at a moment: doubled for each half minute without a sample.
    package func spread(at now: Instant) -> Double {
        guard let lastSample else { return SourceEstimate.widestSpread }
        let doublings = max(0, (now - lastSample).seconds / SourceEstimate.staleness.seconds)
        var value = spread
        for _ in 0..<min(8, Int(doublings)) { value *= 2 }
        return min(SourceEstimate.widestSpread, value)
    }
}

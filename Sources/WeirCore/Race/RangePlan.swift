/// Splits the missing chunks of a segment over several HTTP sources, so that all finish together.
///
/// Source i begins to deliver after `delay` and then at `rate`, so by time T it has brought `rate · (T − delay)`; the
/// plan is the least T for which these shares add up to what is missing. A share below `leastChunks` does not earn its
/// request: such a source is left out and the others get more.
package struct RangePlan: Sendable {
    /// What is known of a source at the moment of planning.
    package struct Source: Equatable, Sendable {
        /// Bytes per second; nil before anything was measured.
        package var rate: Double?
        /// Seconds until the first byte of a range that is asked now, or as soon as the source may be asked again.
        package var delay: Double
        /// False while it is busy with an earlier range: its share is set aside until it is free.
        package var mayBeAsked: Bool

        package init(rate: Double?, delay: Double, mayBeAsked: Bool = true) {
            self.rate = rate
            self.delay = delay
            self.mayBeAsked = mayBeAsked
        }
    }

    /// Chunks for one source, by its place in the list that was planned for.
    package struct Piece: Equatable, Sendable {
        package var source: Int
        package var chunks: Range<Int>

        package init(source: Int, chunks: Range<Int>) {
            self.source = source
            self.chunks = chunks
        }
    }

    /// 256 KiB: below it the round trip costs more than the range brings.
    package static let leastChunks = 16
    /// Bytes per second assumed of a source when none is known: 10 Mbit/s.
    static let unknownRate = 1_250_000.0

    /// Who is asked for what now. A source that was never measured gets half of its share: what it then shows decides
    /// who brings the rest.
    ///
    /// - Parameters:
    ///   - missing: the gap; what is behind it is planned when this is under way.
    ///   - sources: at least one.
    package static func pieces(of missing: Range<Int>, over sources: [Source]) -> [Piece] {
        guard !missing.isEmpty, !sources.isEmpty else { return [] }
        let shares = shares(ofChunks: missing.count, over: sources)
        // In the order in which the player wants them: the front goes to whoever delivers first.
        let order = sources.indices.filter { shares[$0] > 0 }.sorted { left, right in
            let leftKey = (sources[left].mayBeAsked ? 0 : 1, sources[left].delay, left)
            let rightKey = (sources[right].mayBeAsked ? 0 : 1, sources[right].delay, right)
            return leftKey < rightKey
        }
        var pieces: [Piece] = []
        var taken = 0.0
        var first = missing.lowerBound
        for place in order {
            taken += shares[place]
            let end = min(missing.upperBound, missing.lowerBound + Int(taken.rounded()))
            guard sources[place].mayBeAsked else { break }
            guard end > first else { continue }
            var last = end
            if sources[place].rate == nil, order.count > 1 {
                last = min(end, first + max(leastChunks, (end - first + 1) / 2))
            }
            pieces.append(Piece(source: place, chunks: first..<last))
            first = end
        }
        return pieces
    }

    /// Chunks, with fractions, that each source brings by the moment at which everything is there; they add up to
    /// `count`.
    static func shares(ofChunks count: Int, over sources: [Source]) -> [Double] {
        let known = sources.compactMap { $0.rate }.sorted()
        let assumed = known.isEmpty ? unknownRate : known[known.count / 2]
        let rates = sources.map { max($0.rate ?? assumed, 1) / Double(Chunk.byteCount) }
        let delays = sources.map { max(0, $0.delay) }
        var included = Array(sources.indices)
        while true {
            let finish = finish(Double(count), included.map { (rates[$0], delays[$0]) })
            var shares = [Double](repeating: 0, count: sources.count)
            for place in included { shares[place] = max(0, finish - delays[place]) * rates[place] }
            guard included.count > 1,
                let least = included.min(by: { (shares[$0], $0) < (shares[$1], $1) }),
                shares[least] < Double(leastChunks)
            else { return shares }
            included.removeAll { $0 == least }
        }
    }

    /// The least T with Σ max(0, T − delay) · rate ≥ amount.
    private static func finish(_ amount: Double, _ sources: [(rate: Double, delay: Double)]) -> Double {
        var rate = 0.0
        var offset = 0.0
        let sorted = sources.sorted { $0.delay < $1.delay }
        for (place, source) in sorted.enumerated() {
            rate += source.rate
            offset += source.rate * source.delay
            let finish = (amount + offset) / rate
            // Sources that begin later than this bring nothing.
            if place + 1 == sorted.count || finish <= sorted[place + 1].delay { return finish }
        }
        return 0
    }
}

/// Whether an idle source should take the tail of a range that a slower one is still delivering, and how much of it.
package enum TailRule {
    /// 64 KiB: less is there before the other source has answered.
    static let leastChunks = 4
    /// "Clearly sooner": at least this much and this part of the time that is left.
    static let leastGain = 0.05
    static let leastPart = 0.25

    /// - Parameters:
    ///   - rest: chunks that the range still has to bring.
    ///   - rate: bytes per second that it was seen to bring; 0 when it is silent.
    ///   - thief: the idle source's rate, and its delay until the first byte.
    /// - Returns: how many of the last chunks to take; nil when that would not finish clearly sooner.
    package static func chunksToTake(rest: Int, rate: Double, thief: (rate: Double, delay: Double)) -> Int? {
        guard rest > leastChunks, thief.rate > 0 else { return nil }
        let bytes = Double(rest) * Double(Chunk.byteCount)
        // An hour stands for never.
        let alone = rate > 0 ? min(3600, bytes / rate) : 3600
        guard alone > thief.delay else { return nil }
        // Both finish together: delay + x/thief.rate = (bytes − x)/rate.
        let share = rate > 0 ? (bytes / rate - thief.delay) / (1 / thief.rate + 1 / rate) : bytes
        let chunks = min(rest - 1, Int(share / Double(Chunk.byteCount)))
        guard chunks >= leastChunks else { return nil }
        let together = thief.delay + Double(chunks) * Double(Chunk.byteCount) / thief.rate
        guard alone - together >= max(leastGain, alone * leastPart) else { return nil }
        return chunks
    }
}

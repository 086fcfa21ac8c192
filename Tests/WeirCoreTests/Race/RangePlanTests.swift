import Testing

@testable import WeirCore

@Suite("How missing chunks are split over HTTP sources")
struct RangePlanTests {
    private func source(_ chunksPerSecond: Double?, delay: Double = 0, free: Bool = true) -> RangePlan.Source {
        RangePlan.Source(rate: chunksPerSecond.map { $0 * Double(Chunk.byteCount) }, delay: delay, mayBeAsked: free)
    }

    @Test("Shares follow the rates, and every chunk is asked once")
    func sharesFollowRates() {
        let pieces = RangePlan.pieces(of: 0..<300, over: [source(100), source(200)])
        #expect(pieces == [.init(source: 0, chunks: 0..<100), .init(source: 1, chunks: 100..<300)])
    }

    @Test("A source that answers later gets less")
    func delayCosts() {
        let pieces = RangePlan.pieces(of: 0..<200, over: [source(100, delay: 1), source(100)])
        // 100·(T − 1) + 100·T = 200: T = 1.5.
        #expect(pieces == [.init(source: 1, chunks: 0..<150), .init(source: 0, chunks: 150..<200)])
    }

    @Test("A source whose share is below 256 KiB is left out")
    func slowSourceIsLeftOut() {
        let pieces = RangePlan.pieces(of: 10..<110, over: [source(100), source(3)])
        #expect(pieces == [.init(source: 0, chunks: 10..<110)])
    }

    @Test("A small rest goes to one source")
    func smallRest() {
        let pieces = RangePlan.pieces(of: 0..<5, over: [source(100), source(90), source(80)])
        #expect(pieces == [.init(source: 0, chunks: 0..<5)])
    }

    @Test("A busy source's share is left for it")
    func busySource() {
        let pieces = RangePlan.pieces(of: 0..<200, over: [source(100, free: false), source(100)])
        #expect(pieces == [.init(source: 1, chunks: 0..<100)])
    }

    @Test("A source without measurement gets half of its share at first")
    func unknownSource() {
        let pieces = RangePlan.pieces(of: 0..<200, over: [source(100), source(nil)])
        #expect(pieces == [.init(source: 0, chunks: 0..<100), .init(source: 1, chunks: 100..<150)])
    }

    @Test("Pieces never overlap, stay inside the gap, and follow each other", arguments: UInt64(1)...50)
    func property(seed: UInt64) {
        var random = RandomSource(seed: seed)
        let sources = (0..<Int(1 + random.next() % 6)).map { _ in
            source(
                random.next() % 4 == 0 ? nil : Double(1 + random.next() % 500),
                delay: Double(random.next() % 100) / 200,
                free: random.next() % 4 != 0
            )
        }
        let first = Int(random.next() % 10)
        let gap = first..<first + Int(random.next() % 600)
        let pieces = RangePlan.pieces(of: gap, over: sources)
        var next = gap.lowerBound
        for piece in pieces {
            #expect(piece.chunks.lowerBound >= next && !piece.chunks.isEmpty)
            #expect(sources[piece.source].mayBeAsked)
            next = piece.chunks.upperBound
        }
        #expect(next <= gap.upperBound)
        let shares = RangePlan.shares(ofChunks: gap.count, over: sources)
        #expect(abs(shares.reduce(0, +) - Double(gap.count)) < 1e-6)
    }

    @Test("A tail is taken so that both finish together, and only when that is clearly sooner")
    func tails() {
        let chunk = Double(Chunk.byteCount)
        // 100 chunks alone take 10 s; with 30 a second beside, 75 are taken and both need 2.5 s.
        #expect(TailRule.chunksToTake(rest: 100, rate: 10 * chunk, thief: (30 * chunk, 0)) == 75)
        // The rest is there before the other source has answered.
        #expect(TailRule.chunksToTake(rest: 10, rate: 100 * chunk, thief: (1000 * chunk, 0.1)) == nil)
        // A silent source keeps one chunk, the one it may be in the middle of.
        #expect(TailRule.chunksToTake(rest: 50, rate: 0, thief: (30 * chunk, 0.1)) == 49)
        #expect(TailRule.chunksToTake(rest: 4, rate: 0, thief: (30 * chunk, 0.1)) == nil)
    }
}

/// Chunks of one segment as ranges: usually a single one, and then without memory of its own.
struct ChunkRanges: Equatable {
    private var first: Range<Int> = 0..<0
    private var rest: [Range<Int>] = []

    func contains(_ chunk: Int) -> Bool {
        first.contains(chunk) || rest.contains { $0.contains(chunk) }
    }

    /// Whether the first `count` chunks are in it.
    func covers(_ count: Int) -> Bool {
        if first.lowerBound == 0, first.upperBound >= count { return count > 0 }
        return count > 0 && (0..<count).allSatisfy { contains($0) }
    }

    mutating func insert(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        if first.isEmpty {
            first = range
        } else if range.lowerBound <= first.upperBound, first.lowerBound <= range.upperBound {
            first = min(first.lowerBound, range.lowerBound)..<max(first.upperBound, range.upperBound)
        } else if !rest.contains(where: { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound }) {
            rest.append(range)
        }
    }
}

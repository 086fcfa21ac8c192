/// Measured values of one kind. Quantiles interpolate linearly between the neighbouring order statistics.
package struct Samples: Sendable, Equatable {
    package private(set) var values: [Double]

    package init(_ values: [Double] = []) {
        self.values = values
    }

    package var count: Int { values.count }
    package var median: Double { quantile(0.5) }
    package var sum: Double { values.reduce(0, +) }
    package var mean: Double { values.isEmpty ? .nan : sum / Double(count) }

    package mutating func append(_ value: Double) { values.append(value) }
    package mutating func append(contentsOf other: Samples) { values += other.values }

    /// - Parameter part: 0 the least, 1 the largest.
    /// - Returns: not a number when there are no values.
    package func quantile(_ part: Double) -> Double {
        guard !values.isEmpty else { return .nan }
        let sorted = values.sorted()
        let place = min(max(part, 0), 1) * Double(sorted.count - 1)
        let below = Int(place)
        let above = min(below + 1, sorted.count - 1)
        return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
    }
}

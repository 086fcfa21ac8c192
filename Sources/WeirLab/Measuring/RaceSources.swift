import WeirCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Link rates drawn at random, the same on every machine for one seed.
package enum RaceSources {
    /// Log-normal around `median`: home lines and servers differ by factors, not by amounts.
    ///
    /// - Parameters:
    ///   - median: bytes per second.
    ///   - sigma: of the logarithm; 0.5 puts two thirds of the rates between 0.6 and 1.65 times the median.
    package static func rates(_ count: Int, median: Double, sigma: Double, seed: UInt64) -> [Double] {
        var random = RandomSource(seed: seed)
        return (0..<count).map { _ in
            // Twelve fractions add up to something close to a normal distribution around 6 with deviation 1.
            let normal = (0..<12).reduce(0.0) { sum, _ in sum + random.fraction() } - 6
            return median * exp(sigma * max(-3, min(3, normal)))
        }
    }
}

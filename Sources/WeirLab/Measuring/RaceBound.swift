/// The least time in which sources can bring a segment, whatever the policy (BOUNDS B6).
///
/// `T* = least T with Σ ∫(rtt_i..T) r_i(t) dt ≥ S`, and `≥ S/d`; found by bisection.
package struct RaceBound: Sendable {
    package struct Source: Sendable {
        /// Bytes per second of its link.
        package var rate: Double
        /// Seconds from a request to its first byte.
        package var roundTrip: Double
        /// Bytes that a new connection may send before the first acknowledgement; nil: it sends at its rate at once,
        /// as a warm connection does, and the lab's relay.
        package var initialWindow: Double?

        package init(rate: Double, roundTrip: Double, initialWindow: Double? = nil) {
            self.rate = rate
            self.roundTrip = roundTrip
            self.initialWindow = initialWindow
        }

        /// Bytes that have arrived this many seconds after the request.
        ///
        /// With slow start the rate is `min(link, IW · 2^(t/rtt) / rtt)`, t counted from the first byte.
        package func bytes(after time: Double) -> Double {
            let flowing = time - roundTrip
            guard flowing > 0 else { return 0 }
            guard let initialWindow, roundTrip > 0, initialWindow / roundTrip < rate else { return rate * flowing }
            // Σ of IW/rtt · 2^(t/rtt) up to the moment at which it reaches the link's rate.
            var full = 0.0
            while initialWindow / roundTrip * power(full / roundTrip) < rate { full += roundTrip / 64 }
            let growing = min(flowing, full)
            let ramp = initialWindow / 0.6931471805599453 * (power(growing / roundTrip) - 1)
            return ramp + rate * max(0, flowing - full)
        }

        /// 2^x for x ≥ 0, without a C library.
        private func power(_ exponent: Double) -> Double {
            var whole = 1.0
            for _ in 0..<min(200, Int(exponent)) { whole *= 2 }
            let rest = (exponent - exponent.rounded(.down)) * 0.6931471805599453
            var term = 1.0
            var sum = 1.0
            for place in 1...12 {
                term *= rest / Double(place)
                sum += term
            }
            return whole * sum
        }
    }

    /// - Parameter download: bytes per second of the reader's own link; nil: no limit.
    /// - Returns: seconds; infinite when no source brings anything.
    package static func seconds(bytes: Double, sources: [Source], download: Double? = nil) -> Double {
        guard sources.contains(where: { $0.rate > 0 }) else { return .infinity }
        func arrived(_ time: Double) -> Double { sources.reduce(0) { $0 + $1.bytes(after: time) } }
        var high = 0.001
        while arrived(high) < bytes { high *= 2 }
        var low = 0.0
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if arrived(middle) < bytes { low = middle } else { high = middle }
        }
        return max(high, download.map { bytes / $0 } ?? 0)
    }
}

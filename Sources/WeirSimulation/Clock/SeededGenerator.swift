/// Seeded random numbers: xoshiro256** (Blackman and Vigna), its state filled by SplitMix64.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    package init(seed: UInt64) {
        var mixer = seed
        func word() -> UInt64 {
            mixer &+= 0x9e37_79b9_7f4a_7c15
            return mixed(mixer)
        }
        state = (word(), word(), word(), word())
    }

    package mutating func next() -> UInt64 {
        let product = state.1 &* 5
        let result = (product << 7 | product >> 57) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = state.3 << 45 | state.3 >> 19
        return result
    }

    /// Uniform in [0, 1).
    package mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Uniform in [0, bound); 0 for a bound below 1.
    package mutating func below(_ bound: Int) -> Int {
        bound < 1 ? 0 : Int(next() % UInt64(bound))
    }

    /// Fisher–Yates from the front: the first `count` places of a random order.
    package mutating func choose<Element>(_ count: Int, from elements: [Element]) -> [Element] {
        var pool = elements
        let wanted = min(max(0, count), pool.count)
        for place in 0..<wanted { pool.swapAt(place, place + below(pool.count - place)) }
        return Array(pool.prefix(wanted))
    }
}

/// The finaliser of SplitMix64: a bijection that spreads every bit.
@inline(__always)
package func mixed(_ value: UInt64) -> UInt64 {
    var word = value
    word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
    return word ^ word >> 31
}

/// One number out of several, order included.
@inline(__always)
package func mixed(_ first: UInt64, _ second: UInt64, _ third: UInt64 = 0) -> UInt64 {
    mixed(mixed(mixed(first &+ 0x9e37_79b9_7f4a_7c15) ^ second) &+ third)
}

/// What no swarm can beat.
package enum Bounds {
    /// Every segment has to leave the origin once per group (B1): offload ≤ 1 − 1/N.
    package static func copies(viewers: Int) -> Double {
        viewers > 0 ? 1 - 1 / Double(viewers) : 0
    }

    /// All uploads together carry what the origin does not (B2): offload ≤ min(1 − 1/N, Σu/(N·r)).
    /// - Parameters:
    ///   - uplinks: of each viewer that uploads, in bits of payload per second.
    ///   - bitrate: bits per second.
    package static func offload(viewers: Int, uplinks: [Double], bitrate: Double) -> Double {
        guard viewers > 0, bitrate > 0 else { return 0 }
        return min(copies(viewers: viewers), uplinks.reduce(0, +) / (Double(viewers) * bitrate))
    }

    /// The same for viewers of several renditions, of which each has to leave the origin once: 1 − Σ of those in use ÷ Σ
    /// of what is watched; 1 − G/N where all have the same bitrate.
    /// - Parameter bitrates: of each viewer, by which renditions are told apart.
    package static func offload(bitrates: [Double], uplinks: [Double]) -> Double {
        let watched = bitrates.reduce(0, +)
        guard watched > 0 else { return 0 }
        var last: Double?
        var inUse = 0.0
        for rate in bitrates.sorted() where rate != last {
            inUse += rate
            last = rate
        }
        return min(1 - inUse / watched, uplinks.reduce(0, +) / watched)
    }

    /// Handing a segment on chunk by chunk through a tree of uploaders (B5), in seconds.
    package static func chunkedTime(segmentBytes: Double, uplink: Double, viewers: Int, chunkBytes: Double) -> Double {
        var levels = 0
        while 1 << (levels + 1) <= viewers { levels += 1 }
        return segmentBytes / uplink * (1 + Double(levels) * chunkBytes / segmentBytes)
    }
}

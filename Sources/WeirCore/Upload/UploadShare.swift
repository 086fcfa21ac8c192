/// How much of a stream an agent passes on, in eighths: what it tells its peers, who all order themselves by it.
package enum UploadShare {
    package static let whole: UInt8 = 8
    /// An uplink of twice the stream's rate is enough: who reads a segment sends it about once, in half of its duration.
    private static let enough = 2.0

    /// The square, because who is slow delays all that stand behind it, and not only by what it is short of.
    package static func eighths(uplink: Double, streamRate: Double) -> UInt8 {
        guard streamRate > 0 else { return whole }
        let part = min(1, max(0, uplink / (enough * streamRate)))
        return UInt8(part * part * Double(whole))
    }

    /// Told anew only if it is clearly another one, or the whole.
    package static func isNews(_ share: UInt8, after told: UInt8) -> Bool {
        share != told && (share == whole || share + 2 <= told || told + 2 <= share)
    }
}

/// How a low-latency origin offers its media.
package struct LowLatencyMode: Sendable {
    /// Where a part's bytes are.
    package enum Parts: Sendable, CaseIterable {
        /// A file of its own for each part: `part-N.P.m4s`.
        case files
        /// Byte ranges of the segment's file, that can be read while it is still being written.
        case ranges
    }

    /// How an answer that had to wait for its part is sent.
    package enum Delivery: Sendable, CaseIterable {
        /// When the part is complete, with Content-Length.
        case whole
        /// Header at once, then bytes as they are made, in the chunked coding and without a length.
        case chunked
    }

    package var parts: Parts
    package var delivery: Delivery
    /// With `Parts.ranges`: whether a hint states BYTERANGE-LENGTH. Without it the hint is for all the rest of the file.
    package var hintsLength: Bool
    /// Seconds after which a held request gets 503; nil: three target durations.
    package var holdLimit: Double?
    /// Random bytes added to each part, which set the stream's rate.
    package var padding: Int

    package init(
        parts: Parts = .files,
        delivery: Delivery = .whole,
        hintsLength: Bool = true,
        holdLimit: Double? = nil,
        padding: Int = 0
    ) {
        self.parts = parts
        self.delivery = delivery
        self.hintsLength = hintsLength
        self.holdLimit = holdLimit
        self.padding = padding
    }

    /// Bytes that bring the committed recording, whose own part is small, to a rate in Mbit/s.
    package static func padding(rate: Double) -> Int {
        max(0, Int(rate * 1e6 / 8 * LowLatencyContent.partSeconds) - 7_000)
    }
}

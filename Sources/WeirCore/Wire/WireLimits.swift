/// The most that one frame of wire version 1 may say. Both ends refuse more, so these numbers are part of the protocol.
package enum WireLimits {
    /// Bytes behind a frame's length field: header length, header and payload.
    package static let frameBytes = 65_536
    /// Bytes of a whole frame: type, length and what follows.
    package static let wholeFrameBytes = 2 * Varint.maximumBytes + frameBytes
    /// Chunks in one data frame. Fewer per frame let a cancel take effect sooner; more cost less per byte.
    package static let chunksPerFrame = 3
    package static let payloadBytes = chunksPerFrame * Chunk.byteCount
    package static let swarms = 64
    package static let haveRanges = 512
    package static let partialRuns = 512
    package static let digests = 1024
    package static let peers = 64
    /// X9.63 uncompressed P-256 point.
    package static let voucherKeyBytes = 65
    package static let signatureBytes = 80
    package static let hostBytes = 64
    /// Bytes of a segment: 2^32 chunks, so that every chunk number fits 32 bits.
    package static let segmentBytes: Int64 = 1 << 46
}

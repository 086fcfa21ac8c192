import CLibAV

/// Takes AES-128 in CBC with PKCS#7 padding (RFC 8216bis 4.4.4.4) off a segment while it arrives.
final class SegmentCipher {
    private static let block = 16

    private let context: OpaquePointer
    private var vector: [UInt8]
    /// Less than a block, or the last block, which may be padding.
    private var held: [UInt8] = []

    /// Nil when the key is none.
    init?(key: [UInt8], vector: [UInt8]) {
        guard key.count == SegmentCipher.block, vector.count == SegmentCipher.block, let context = av_aes_alloc() else {
            return nil
        }
        self.context = context
        self.vector = vector
        guard av_aes_init(context, key, 128, 1) >= 0 else {
            av_free(UnsafeMutableRawPointer(context))
            return nil
        }
    }

    deinit { av_free(UnsafeMutableRawPointer(context)) }

    /// What can be told of the plain text so far: the last block is kept.
    func add(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        held += bytes
        let whole = max(0, (held.count - 1) / SegmentCipher.block)
        return decrypt(blocks: whole)
    }

    /// The rest, without its padding.
    func finish() -> [UInt8] {
        let plain = decrypt(blocks: held.count / SegmentCipher.block)
        guard let padding = plain.last, (1...SegmentCipher.block).contains(Int(padding)), Int(padding) <= plain.count
        else {
            return plain
        }
        return Array(plain.dropLast(Int(padding)))
    }

    private func decrypt(blocks: Int) -> [UInt8] {
        guard blocks > 0 else { return [] }
        let count = blocks * SegmentCipher.block
        var plain = [UInt8](repeating: 0, count: count)
        held.withUnsafeBufferPointer { source in
            av_aes_crypt(context, &plain, source.baseAddress, Int32(blocks), &vector, 1)
        }
        held.removeFirst(count)
        return plain
    }
}

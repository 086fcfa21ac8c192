import Crypto
package import NIOCore
package import WeirCore

/// Bytes as NIO holds them: what sockets give and take, without a copy on the way.
///
/// A slice shares its storage, so a small one can keep a large receive buffer alive; `stored(followedBy:)` is the one
/// copy that ends that. A `ByteBuffer` allocates powers of two: whole chunks (16 KiB) fit exactly, the shorter last
/// chunk of a segment costs at most a chunk.
package final class BufferPayload: Payload {
    /// Its readable bytes are the payload.
    package let buffer: ByteBuffer

    package init(_ buffer: ByteBuffer) {
        self.buffer = buffer
    }

    package var count: Int { buffer.readableBytes }

    package func slice(_ range: Range<Int>) -> any Payload {
        guard let part = buffer.getSlice(at: buffer.readerIndex + range.lowerBound, length: range.count) else {
            preconditionFailure("A slice lies within its payload")
        }
        return BufferPayload(part)
    }

    package func digest() -> WeirCore.Digest {
        var hasher = SHA256()
        buffer.withUnsafeReadableBytes { hasher.update(bufferPointer: $0) }
        return hasher.finalize().withUnsafeBytes { bytes in
            func word(_ index: Int) -> UInt64 {
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
            }
            return WeirCore.Digest(words: (word(0), word(1), word(2), word(3)))
        }
    }

    package func stored(followedBy others: [any Payload]) -> any Payload {
        let total = others.reduce(count) { $0 + $1.count }
        var storage = ByteBufferAllocator().buffer(capacity: total)
        storage.writeImmutableBuffer(buffer)
        for other in others {
            if let other = other as? BufferPayload {
                storage.writeImmutableBuffer(other.buffer)
            } else {
                storage.writeBytes(other.bytes())
            }
        }
        return BufferPayload(storage)
    }

    package func bytes() -> [UInt8] { Array(buffer.readableBytesView) }
}

extension Payload {
    /// The bytes as a buffer: shared when the payload is one already, else copied.
    package var asBuffer: ByteBuffer { (self as? BufferPayload)?.buffer ?? ByteBuffer(bytes: bytes()) }
}

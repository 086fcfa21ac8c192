<<<<<<< HEAD
internal import Crypto
package import NIOCore
package import WeirCore

/// Bytes from a socket as a payload. Slices share the buffer's storage.
=======
import Crypto
package import NIOCore
package import WeirCore

/// Bytes as NIO holds them: what sockets give and take, without a copy on the way.
///
/// A slice shares its storage, so a small one can keep a large receive buffer alive; `stored(followedBy:)` is the one
/// copy that ends that. A `ByteBuffer` allocates powers of two: whole chunks (16 KiB) fit exactly, the shorter last
/// chunk of a segment costs at most a chunk.
>>>>>>> fd30d9063e003c5360df5f647df7c0a38be3d0aa
package final class BufferPayload: Payload {
    /// Its readable bytes are the payload.
    package let buffer: ByteBuffer

    package init(_ buffer: ByteBuffer) {
        self.buffer = buffer
    }

    package var count: Int { buffer.readableBytes }

    package func slice(_ range: Range<Int>) -> any Payload {
        guard let part = buffer.getSlice(at: buffer.readerIndex + range.lowerBound, length: range.count) else {
<<<<<<< HEAD
            preconditionFailure("a slice lies within its payload")
=======
            preconditionFailure("A slice lies within its payload")
>>>>>>> fd30d9063e003c5360df5f647df7c0a38be3d0aa
        }
        return BufferPayload(part)
    }

    package func digest() -> WeirCore.Digest {
<<<<<<< HEAD
        var hash = SHA256()
        buffer.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
        guard let digest = WeirCore.Digest(Array(hash.finalize())) else { preconditionFailure("SHA-256 has 32 bytes") }
        return digest
=======
        var hasher = SHA256()
        buffer.withUnsafeReadableBytes { hasher.update(bufferPointer: $0) }
        return hasher.finalize().withUnsafeBytes { bytes in
            func word(_ index: Int) -> UInt64 {
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
            }
            return WeirCore.Digest(words: (word(0), word(1), word(2), word(3)))
        }
>>>>>>> fd30d9063e003c5360df5f647df7c0a38be3d0aa
    }

    package func stored(followedBy others: [any Payload]) -> any Payload {
        let total = others.reduce(count) { $0 + $1.count }
<<<<<<< HEAD
        var copy = ByteBufferAllocator().buffer(capacity: total)
        copy.writeImmutableBuffer(buffer)
        for other in others {
            if let other = other as? BufferPayload {
                copy.writeImmutableBuffer(other.buffer)
            } else {
                copy.writeBytes(other.bytes())
            }
        }
        return BufferPayload(copy)
=======
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
>>>>>>> fd30d9063e003c5360df5f647df7c0a38be3d0aa
    }

    package func bytes() -> [UInt8] { Array(buffer.readableBytesView) }
}
<<<<<<< HEAD
=======

extension Payload {
    /// The bytes as a buffer: shared when the payload is one already, else copied.
    package var asBuffer: ByteBuffer { (self as? BufferPayload)?.buffer ?? ByteBuffer(bytes: bytes()) }
}
>>>>>>> fd30d9063e003c5360df5f647df7c0a38be3d0aa

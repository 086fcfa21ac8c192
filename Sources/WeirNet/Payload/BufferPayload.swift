internal import Crypto
package import NIOCore
package import WeirCore

/// Bytes from a socket as a payload. Slices share the buffer's storage.
package final class BufferPayload: Payload {
    /// Its readable bytes are the payload.
    package let buffer: ByteBuffer

    package init(_ buffer: ByteBuffer) {
        self.buffer = buffer
    }

    package var count: Int { buffer.readableBytes }

    package func slice(_ range: Range<Int>) -> any Payload {
        guard let part = buffer.getSlice(at: buffer.readerIndex + range.lowerBound, length: range.count) else {
            preconditionFailure("a slice lies within its payload")
        }
        return BufferPayload(part)
    }

    package func digest() -> WeirCore.Digest {
        var hash = SHA256()
        buffer.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
        guard let digest = WeirCore.Digest(Array(hash.finalize())) else { preconditionFailure("SHA-256 has 32 bytes") }
        return digest
    }

    package func stored(followedBy others: [any Payload]) -> any Payload {
        let total = others.reduce(count) { $0 + $1.count }
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
    }

    package func bytes() -> [UInt8] { Array(buffer.readableBytesView) }
}

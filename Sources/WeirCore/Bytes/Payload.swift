import Crypto

/// Bytes of media that the core moves about but never opens.
///
/// The shell's payload is a `ByteBuffer` or a stored chunk; the simulator's is a description whose digest derives from
/// it, so nothing simulated is stored or hashed. Values are immutable once made.
package protocol Payload: AnyObject, Sendable {
    /// Bytes.
    var count: Int { get }
    /// A part that shares storage. The range lies within `0..<count`.
    func slice(_ range: Range<Int>) -> any Payload
    /// SHA-256 of the bytes.
    func digest() -> Digest
    /// A compact copy of this payload followed by the others, in storage of its own: the one copy that arriving bytes
    /// get, so that a small slice never keeps a large receive buffer alive.
    func stored(followedBy others: [any Payload]) -> any Payload
    /// The bytes themselves, for manifests and keys, which the core does read.
    func bytes() -> [UInt8]
}

extension Payload {
    package func stored() -> any Payload { stored(followedBy: []) }
}

/// Plain bytes as a payload, for tests and for what the core makes itself.
package final class ByteArrayPayload: Payload {
    private let storage: [UInt8]

    package init(_ bytes: [UInt8]) {
        storage = bytes
    }

    package var count: Int { storage.count }
    package func slice(_ range: Range<Int>) -> any Payload { ByteArrayPayload(Array(storage[range])) }
    package func digest() -> Digest { Digest.sha256(storage) }
    package func bytes() -> [UInt8] { storage }

    package func stored(followedBy others: [any Payload]) -> any Payload {
        ByteArrayPayload(others.reduce(into: storage) { $0 += $1.bytes() })
    }
}

extension Digest {
    package static func sha256(_ bytes: [UInt8]) -> Digest {
        guard let digest = Digest(Array(SHA256.hash(data: bytes))) else {
            preconditionFailure("SHA-256 has 32 bytes")
        }
        return digest
    }
}

/// What a voucher's signature covers. The swarm stands in front, so that a statement about a segment of one stream says
/// nothing of another stream's segment with the same name. The handle is left out, because every relay has its own; the
/// leading text keeps a signature for one kind of statement from being read as another.
extension Vouch {
    package func signedBytes(in swarm: SwarmID) -> [UInt8] {
        var writer = ByteWriter(reserving: 96 + digests.count * Digest.byteCount)
        writer.raw(SigningDomain.vouch)
        writer.raw(swarm.bytes)
        writer.statement(of: self)
        return writer.bytes
    }

    /// SHA-256 of `signedBytes`: what a `Signer` signs.
    package func signedDigest(in swarm: SwarmID) -> Digest { Digest.sha256(signedBytes(in: swarm)) }
}

extension RootVouch {
    package func signedBytes(in swarm: SwarmID) -> [UInt8] {
        var writer = ByteWriter(reserving: 160)
        writer.raw(SigningDomain.root)
        writer.raw(swarm.bytes)
        writer.statement(of: self)
        return writer.bytes
    }

    /// SHA-256 of `signedBytes`: what a `Signer` signs.
    package func signedDigest(in swarm: SwarmID) -> Digest { Digest.sha256(signedBytes(in: swarm)) }
}

extension Digest {
    /// The one digest that names a whole segment: of its length and of its digest list, chunk by chunk.
    ///
    /// - Parameter length: bytes of the segment.
    package static func root(of digests: [Digest], length: Int64) -> Digest {
        var writer = ByteWriter(reserving: 32 + digests.count * byteCount)
        writer.raw(SigningDomain.list)
        writer.fixed64(UInt64(bitPattern: length))
        for digest in digests { writer.digest(digest) }
        return sha256(writer.bytes)
    }
}

/// Leading texts that separate what is signed or hashed for one purpose from all others; each ends with a zero byte.
private enum SigningDomain {
    static let vouch: [UInt8] = Array("weir vouch 2".utf8) + [0]
    static let root: [UInt8] = Array("weir root 2".utf8) + [0]
    static let list: [UInt8] = Array("weir list 1".utf8) + [0]
}

// What is known of a segment's bytes, as it stands beside them on the disk. Only the agent that wrote it reads it.
extension ByteWriter {
    mutating func evidence(_ evidence: Evidence, origins: [ChunkMap.Origin]) {
        varint(UInt64(evidence.digests.count))
        for (chunk, known) in evidence.digests.enumerated() {
            byte(evidence.witnesses[chunk].rawValue)
            byte(origins[chunk].rawValue)
            option(known) { $0.digest($1) }
        }
        list(evidence.vouches) { writer, vouch in
            var message = ByteWriter()
            message.fields(of: .digests(vouch))
            writer.blob(message.bytes)
        }
        option(evidence.root) { writer, root in
            var message = ByteWriter()
            message.fields(of: .root(root))
            writer.blob(message.bytes)
        }
    }
}

extension ByteReader {
    /// - Parameter chunks: as many as the segment has.
    mutating func evidence(chunks: Int) throws(CodecError) -> (Evidence, origins: [ChunkMap.Origin]) {
        guard try count(upTo: chunks, eachAtLeast: 3) == chunks else { throw .number }
        var digests: [Digest?] = []
        var witnesses: [Evidence.Witness] = []
        var origins: [ChunkMap.Origin] = []
        for _ in 0..<chunks {
            guard let witness = Evidence.Witness(rawValue: try byte()),
                let origin = ChunkMap.Origin(rawValue: try byte())
            else { throw .number }
            witnesses.append(witness)
            origins.append(origin)
            digests.append(try option { (reader) throws(CodecError) in try reader.digest() })
        }
        let vouches = try list(eachAtLeast: 1) { (reader) throws(CodecError) in
            var inner = ByteReader(try reader.blob())
            guard case .digests(let vouch) = try inner.message(.digests) else { throw CodecError.number }
            return vouch
        }
        let root = try option { (reader) throws(CodecError) in
            var inner = ByteReader(try reader.blob())
            guard case .root(let root) = try inner.message(.root) else { throw CodecError.number }
            return root
        }
        guard remaining == 0 else { throw .trailing }
        return (Evidence(digests: digests, witnesses: witnesses, vouches: vouches, root: root), origins)
    }
}

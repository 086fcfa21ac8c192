extension TrackerPeerID {
    /// The name that an agent has in one swarm at every tracker: `-WR0100-` and 12 base64url characters (RFC 4648 5) of
    /// SHA-256 over its identity and the swarm.
    ///
    /// One per swarm, because some trackers keep each peer id in one swarm only; derived, so that it stays the same over
    /// reconnections and names agents of different swarms unlinkably.
    package static func derive(_ identity: PeerID, in swarm: SwarmID) -> TrackerPeerID {
        let hash = Digest.sha256(identity.digest.bytes + swarm.bytes).bytes
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var bytes = Array("-WR0100-".utf8)
        for group in stride(from: 0, to: 9, by: 3) {
            let bits = UInt32(hash[group]) << 16 | UInt32(hash[group + 1]) << 8 | UInt32(hash[group + 2])
            for shift in [18, 12, 6, 0] as [UInt32] { bytes.append(alphabet[Int(bits >> shift & 63)]) }
        }
        guard let name = TrackerPeerID(bytes) else { preconditionFailure("8 and 12 bytes are 20") }
        return name
    }
}

extension TrackerPeerID {
    static func derive(_ identity: PeerID, swarm: SwarmID) -> TrackerPeerID {
        guard
            let id = TrackerPeerID(
                Array(("-WR0100-" + Digest.sha256(identity.digest.bytes + swarm.bytes).description.prefix(12)).utf8)
            )
        else { preconditionFailure() }
        return id
    }
}

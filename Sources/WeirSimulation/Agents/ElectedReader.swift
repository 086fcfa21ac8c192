import WeirCore

/// Who reads a segment from the origin, as p2p-media-loader 5.x elects it.
extension OnePeerPolicy {
    /// Below this much buffer the player's request goes to HTTP at once. Live: half of what the player has when it plays
    /// as far behind as the list allows; a configured value is a ceiling there.
    var urgentThreshold: Duration {
        guard scenario.isLive else { return scenario.highDemandWindow ?? .seconds(15) }
        let segment = scenario.segmentDuration
        let delay = max(segment, min(segment * (scenario.window - 1), .seconds(60)))
        let playerBuffer = max(segment * 2, delay - segment)
        let threshold = max(segment, min(.seconds(15), playerBuffer * 0.5))
        return min(threshold, scenario.highDemandWindow ?? threshold)
    }

    /// Nobody has the segment or reads it: the elected agent does at once, and each other one shortly before its player's
    /// request would become urgent, in the order of their scores. Alone, everybody reads.
    func readIfElected(_ job: Job) {
        let sequence = job.sequence
        guard job.retryAt <= now, httpRunning < OnePeerPolicy.httpDownloads,
            !peers.contains(where: { $0.held.contains(sequence) || $0.fetching.contains(sequence) })
        else { return }
        let mine = OnePeerPolicy.score(id, sequence)
        let rank = peers.count { peer in
            let theirs = OnePeerPolicy.score(peer.peer, sequence)
            return theirs < mine || theirs == mine && peer.peer < id
        }
        if rank == 0 { return loadFromOrigin(job) }
        guard waiting?.sequence == sequence else { return }
        let lead = fetchTime * (1 + 1 / Double(rank)) + .milliseconds(500)
        if buffer <= urgentThreshold + lead { loadFromOrigin(job) }
    }

    private static func score(_ peer: PeerID, _ sequence: UInt64) -> UInt32 {
        ElectionHash.value(of: peer.digest.bytes + Array("|\(sequence)".utf8))
    }
}

/// p2p-media-loader 5.x: FNV-1a over 32 bits, then the finaliser of MurmurHash3.
package enum ElectionHash {
    package static func value(of bytes: [UInt8]) -> UInt32 {
        var hash = bytes.reduce(UInt32(0x811c_9dc5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        hash = (hash ^ hash >> 16) &* 0x85eb_ca6b
        hash = (hash ^ hash >> 13) &* 0xc2b2_ae35
        return hash ^ hash >> 16
    }
}

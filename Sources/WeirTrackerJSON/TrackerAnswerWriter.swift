package import WeirCore

/// Writes a tracker server's answers one after another. An announce's offers go to several members and differ in their
/// ids and descriptions alone: what comes before and after these is written once.
package struct TrackerAnswerWriter {
    /// Of the offer that was written last.
    private var offer: (swarm: SwarmID, from: TrackerPeerID, claims: PeerClaims?)?
    private var head: [UInt8] = []
    private var tail: [UInt8] = []

    package init() {}

    package mutating func encode(_ answer: TrackerAnswer<RawDescription>) -> [UInt8] {
        if case .offer(let swarm, let from, let id, let sdp, let claims) = answer {
            return encodeOffer(swarm, from, id, sdp, claims)
        }
        var json = JSONWriter(reserving: 1024)
        json.object { json in
            switch answer {
            case .swarm(let swarm, let interval, let complete, let incomplete, let mode):
                json.member("action", "announce")
                json.member("info_hash", bytes: swarm.bytes)
                json.member("interval", interval)
                json.member("complete", complete)
                json.member("incomplete", incomplete)
                if let mode { WeirAddition.write(mode, into: &json) }
            case .answer(let swarm, let peer, let offer, let sdp):
                TrackerAnswerWriter.from(peer, in: swarm, into: &json)
                TrackerAnswerWriter.relay(.answer, offer, sdp, into: &json)
            case .scrape(let counts): TrackerAnswerWriter.files(counts, into: &json)
            case .failure(let swarm, let reason):
                json.member("action", "announce")
                if let swarm { json.member("info_hash", bytes: swarm.bytes) }
                json.member("failure reason", reason)
            case .offer: break
            }
        }
        return json.bytes
    }

    private mutating func encodeOffer(
        _ swarm: SwarmID,
        _ from: TrackerPeerID,
        _ id: OfferID,
        _ sdp: RawDescription,
        _ claims: PeerClaims?
    ) -> [UInt8] {
        if let offer, offer == (swarm, from, claims) {
            var json = JSONWriter(continuing: head[...], reserving: id.bytes.count + sdp.json.count + tail.count + 96)
            TrackerAnswerWriter.relay(.offer, id, sdp, into: &json)
            json.raw(tail[...])
            return json.bytes
        }
        var json = JSONWriter(reserving: sdp.json.count + 512)
        var (headEnd, tailStart) = (0, 0)
        json.object { json in
            TrackerAnswerWriter.from(from, in: swarm, into: &json)
            headEnd = json.bytes.count
            TrackerAnswerWriter.relay(.offer, id, sdp, into: &json)
            tailStart = json.bytes.count
            if let claims { WeirAddition.write(claims, into: &json) }
        }
        offer = (swarm, from, claims)
        head = Array(json.bytes[..<headEnd])
        tail = Array(json.bytes[tailStart...])
        return json.bytes
    }

    private static func from(_ peer: TrackerPeerID, in swarm: SwarmID, into json: inout JSONWriter) {
        json.member("action", "announce")
        json.member("info_hash", bytes: swarm.bytes)
        json.member("peer_id", bytes: peer.bytes)
    }

    private static func relay(
        _ role: SessionDescription.Role,
        _ id: OfferID,
        _ sdp: RawDescription,
        into json: inout JSONWriter
    ) {
        json.member("offer_id", bytes: id.bytes)
        TrackerClientJSON.description(role, sdp, into: &json)
    }

    private static func files(
        _ counts: [(swarm: SwarmID, complete: Int, incomplete: Int)],
        into json: inout JSONWriter
    ) {
        json.member("action", "scrape")
        json.name("files")
        json.object { json in
            for count in counts {
                json.name(bytes: count.swarm.bytes)
                json.object { json in
                    json.member("complete", count.complete)
                    json.member("incomplete", count.incomplete)
                    json.member("downloaded", 0)
                }
            }
        }
    }
}

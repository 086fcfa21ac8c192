internal import FoundationEssentials
package import WeirCore

/// An agent's side of the WebTorrent WebSocket JSON.
package enum TrackerClientJSON {
    /// An offer relayed by a tracker whose id is longer than any in use is dropped rather than echoed.
    static let offerIDLimit = 256
    /// Seconds; used when a tracker names no interval.
    static let usualInterval = 120
    static let intervals = 1...86_400

    package static func encode(_ request: TrackerRequest) -> [UInt8] {
        var json = JSONWriter(reserving: 4096)
        json.object { json in
            json.member("action", "announce")
            switch request {
            case .announce(let announce): fields(of: announce, into: &json)
            case .answer(let swarm, let me, let peer, let offer, let endpoints):
                json.member("info_hash", bytes: swarm.bytes)
                json.member("peer_id", bytes: me.bytes)
                json.member("to_peer_id", bytes: peer.bytes)
                json.member("offer_id", bytes: offer.bytes)
                description("answer", SessionDescription.text(endpoints, role: .answer), into: &json)
            }
        }
        return json.bytes
    }

    private static func fields(of announce: Announce, into json: inout JSONWriter) {
        if let event = announce.event { json.member("event", event.rawValue) }
        json.member("info_hash", bytes: announce.swarm.bytes)
        json.member("peer_id", bytes: announce.me.bytes)
        json.member("numwant", announce.wanted)
        json.member("uploaded", announce.uploaded)
        json.member("downloaded", announce.downloaded)
        json.name("offers")
        json.array { json in
            for offer in announce.offers {
                json.element()
                json.object { json in
                    description("offer", SessionDescription.text(offer.endpoints, role: .offer), into: &json)
                    json.member("offer_id", bytes: offer.id.bytes)
                }
            }
        }
    }

    /// `"offer":{"type":"offer","sdp":…}`, or the same with `answer`.
    static func description(_ role: String, _ sdp: String, into json: inout JSONWriter) {
        json.name(role)
        json.object { json in
            json.member("type", role)
            json.member("sdp", sdp)
        }
    }

    /// - Returns: nil for what an agent has no use for, scrape replies among it, and for what is no message at all.
    package static func decode(_ bytes: [UInt8]) -> TrackerReply? {
        guard let message = TrackerMessageJSON.decode(bytes, with: JSONDecoder()) else { return nil }
        if let reason = message.failure {
            return .failure(swarm: message.hash.flatMap(SwarmID.init), reason: String(reason.prefix(200)))
        }
        guard message.action == "announce", let swarm = message.hash.flatMap(SwarmID.init) else {
            return message.warning.map { .warning(String($0.prefix(200))) }
        }
        if let body = message.offer ?? message.answer {
            guard let peer = message.peer.flatMap({ TrackerPeerID($0.bytes) }), let id = message.offerID,
                id.bytes.count <= offerIDLimit
            else { return nil }
            let endpoints = SessionDescription.endpoints(in: body.sdp)
            let offer = OfferID(id.bytes)
            return message.offer == nil
                ? .answer(swarm: swarm, from: peer, offer: offer, endpoints)
                : .offer(swarm: swarm, from: peer, offer: offer, endpoints)
        }
        guard message.interval != nil || message.complete != nil || message.incomplete != nil else { return nil }
        return .swarm(
            swarm,
            interval: Int(json: message.interval, default: usualInterval, in: intervals),
            complete: Int(json: message.complete, default: 0, in: 0...Int(Int32.max)),
            incomplete: Int(json: message.incomplete, default: 0, in: 0...Int(Int32.max))
        )
    }
}

package import WeirCore

/// An agent's side of the WebTorrent WebSocket JSON.
package enum TrackerClientJSON {
    /// An offer relayed by a tracker whose id is longer than any in use is dropped rather than echoed.
    static let offerIDLimit = 256
    /// Seconds; used when a tracker names no interval.
    static let usualInterval = 120

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
                let text = SessionDescription.text(endpoints, role: .answer)
                description(.answer, RawDescription(quoting: text), into: &json)
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
        if let claims = announce.claims {
            WeirAddition.write(claims, into: &json) { json in
                WeirAddition.write(announce.holdings, announce.receipts, into: &json)
            }
        }
        json.name("offers")
        json.array { json in
            for offer in announce.offers {
                json.element()
                json.object { json in
                    let text = SessionDescription.text(offer.endpoints, role: .offer)
                    description(.offer, RawDescription(quoting: text), into: &json)
                    json.member("offer_id", bytes: offer.id.bytes)
                }
            }
        }
    }

    /// `"offer":{"type":"offer","sdp":…}`, or the same with `answer`.
    static func description(_ role: SessionDescription.Role, _ sdp: RawDescription, into json: inout JSONWriter) {
        json.name(role == .offer ? "offer" : "answer")
        json.object { json in
            json.member("type", role == .offer ? "offer" : "answer")
            json.name("sdp")
            json.raw(sdp.json)
        }
    }

    /// - Returns: nil for what an agent has no use for, scrape replies among it, and for what is no message at all.
    package static func decode(_ bytes: [UInt8]) -> TrackerReply? {
        guard let message = TrackerMessageJSON(bytes, readsDescriptions: true) else { return nil }
        if let reason = message.failure {
            return .failure(swarm: message.hash.flatMap(SwarmID.init), reason: String(reason.prefix(200)))
        }
        guard message.action == "announce", let swarm = message.hash.flatMap(SwarmID.init) else {
            return message.warning.map { .warning(String($0.prefix(200))) }
        }
        if let text = message.description {
            guard let peer = message.peer.flatMap({ TrackerPeerID($0) }), let id = message.offerID,
                id.count <= offerIDLimit
            else { return nil }
            let endpoints = SessionDescription.endpoints(in: text)
            return message.offer == nil
                ? .answer(swarm: swarm, from: peer, offer: OfferID(id), endpoints)
                : .offer(swarm: swarm, from: peer, offer: OfferID(id), endpoints, claims: message.addition.claims)
        }
        guard message.interval != nil || message.complete != nil || message.incomplete != nil else { return nil }
        let addition = message.addition
        return .swarm(
            swarm,
            interval: message.interval ?? usualInterval,
            complete: message.complete ?? 0,
            incomplete: message.incomplete ?? 0,
            mode: addition.mode.map { ChannelMode($0, viewers: addition.viewers, reason: addition.reason) }
        )
    }
}

internal import FoundationEssentials
package import WeirCore

/// A tracker server's side of the WebTorrent WebSocket JSON. Descriptions are SDP texts and pass through unread.
package enum TrackerServerJSON {
    /// Why a client's message cannot be acted on: the reason it is told.
    package struct Refusal: Error, Equatable {
        package var reason: String
        package init(reason: String) { self.reason = reason }
    }

    package static func decode(_ bytes: [UInt8]) throws(Refusal) -> TrackerCall<String> {
        guard let message = TrackerMessageJSON.decode(bytes, with: JSONDecoder()) else {
            throw Refusal(reason: "invalid message")
        }
        switch message.action {
        case "announce": return try announce(message)
        case "scrape": return .scrape(try scrape(message))
        default: throw Refusal(reason: "unknown action")
        }
    }

    private static func announce(_ message: TrackerMessageJSON) throws(Refusal) -> TrackerCall<String> {
        guard let swarm = message.hash.flatMap(SwarmID.init) else { throw Refusal(reason: "invalid info_hash") }
        guard let peer = message.peer.flatMap({ TrackerPeerID($0.bytes) }) else {
            throw Refusal(reason: "invalid peer_id")
        }
        if let answer = message.answer {
            guard let target = message.toPeer.flatMap({ TrackerPeerID($0.bytes) }) else {
                throw Refusal(reason: "invalid to_peer_id")
            }
            let offer = try offerID(message.offerID)
            return .answer(swarm: swarm, from: peer, to: target, offer: offer, answer.sdp)
        }
        // Empty means nothing special, as BEP 3 has it.
        var event: TrackerAnnouncement<String>.Event?
        if let text = message.event, !text.isEmpty, text != "update" {
            event = .init(rawValue: text)
            if event == nil { throw Refusal(reason: "unknown event") }
        }
        var offers: [(id: OfferID, description: String)] = []
        for offer in message.offers ?? [] { offers.append((try offerID(offer.offerID), offer.offer.sdp)) }
        return .announce(
            TrackerAnnouncement(
                swarm: swarm,
                peer: peer,
                event: event,
                isComplete: message.left == 0,
                // Without a number, as many as there are offers for: what two of three field servers do.
                wanted: Int(json: message.wanted, default: offers.count, in: 0...1000),
                offers: offers
            )
        )
    }

    private static func offerID(_ id: TrackerMessageJSON.ByteString?) throws(Refusal) -> OfferID {
        guard let id, id.bytes.count <= TrackerClientJSON.offerIDLimit else {
            throw Refusal(reason: "invalid offer_id")
        }
        return OfferID(id.bytes)
    }

    private static func scrape(_ message: TrackerMessageJSON) throws(Refusal) -> [SwarmID] {
        let hashes: [[UInt8]] =
            switch message.hashes {
            case .one(let hash): [hash]
            case .several(let several): several
            // A list of every swarm there is would tell strangers what is watched.
            case nil: []
            }
        let swarms = hashes.compactMap(SwarmID.init)
        guard swarms.count == hashes.count else { throw Refusal(reason: "invalid info_hash") }
        return swarms
    }

    package static func encode(_ answer: TrackerAnswer<String>) -> [UInt8] {
        var json = JSONWriter(reserving: 1024)
        json.object { json in
            switch answer {
            case .swarm(let swarm, let interval, let complete, let incomplete):
                json.member("action", "announce")
                json.member("info_hash", bytes: swarm.bytes)
                json.member("interval", interval)
                json.member("complete", complete)
                json.member("incomplete", incomplete)
            case .offer(let swarm, let peer, let offer, let sdp):
                relay("offer", sdp, swarm, peer, offer, into: &json)
            case .answer(let swarm, let peer, let offer, let sdp):
                relay("answer", sdp, swarm, peer, offer, into: &json)
            case .scrape(let counts): files(counts, into: &json)
            case .failure(let swarm, let reason):
                json.member("action", "announce")
                if let swarm { json.member("info_hash", bytes: swarm.bytes) }
                json.member("failure reason", reason)
            }
        }
        return json.bytes
    }

    private static func relay(
        _ role: String,
        _ sdp: String,
        _ swarm: SwarmID,
        _ peer: TrackerPeerID,
        _ offer: OfferID,
        into json: inout JSONWriter
    ) {
        json.member("action", "announce")
        json.member("info_hash", bytes: swarm.bytes)
        json.member("peer_id", bytes: peer.bytes)
        json.member("offer_id", bytes: offer.bytes)
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

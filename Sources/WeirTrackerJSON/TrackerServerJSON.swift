package import WeirCore

/// A tracker server's side of the WebTorrent WebSocket JSON. Descriptions pass through unread.
package enum TrackerServerJSON {
    /// Why a client's message cannot be acted on: the reason it is told.
    package struct Refusal: Error, Equatable {
        package var reason: String
        package init(reason: String) { self.reason = reason }
    }

    package static func decode(_ bytes: [UInt8]) throws(Refusal) -> TrackerCall<RawDescription> {
        guard let message = TrackerMessageJSON(bytes, readsDescriptions: false) else {
            throw Refusal(reason: "invalid message")
        }
        switch message.action {
        case "announce": return try announce(message)
        case "scrape": return .scrape(try scrape(message))
        default: throw Refusal(reason: "unknown action")
        }
    }

    private static func announce(_ message: TrackerMessageJSON) throws(Refusal) -> TrackerCall<RawDescription> {
        guard let swarm = message.hash.flatMap(SwarmID.init) else { throw Refusal(reason: "invalid info_hash") }
        guard let peer = message.peer.flatMap({ TrackerPeerID($0) }) else {
            throw Refusal(reason: "invalid peer_id")
        }
        if let answer = message.answer {
            guard let target = message.toPeer.flatMap({ TrackerPeerID($0) }) else {
                throw Refusal(reason: "invalid to_peer_id")
            }
            let offer = try offerID(message.offerID)
            return .answer(swarm: swarm, from: peer, to: target, offer: offer, answer)
        }
        // Empty means nothing special, as BEP 3 has it.
        var event: TrackerAnnouncement<RawDescription>.Event?
        if let text = message.event, !text.isEmpty, text != "update" {
            event = .init(rawValue: text)
            if event == nil { throw Refusal(reason: "unknown event") }
        }
        var offers: [(id: OfferID, description: RawDescription)] = []
        offers.reserveCapacity(message.offers.count)
        for offer in message.offers { offers.append((try offerID(offer.id), offer.description)) }
        return .announce(
            TrackerAnnouncement(
                swarm: swarm,
                peer: peer,
                event: event,
                isComplete: message.isComplete,
                // Without a number, as many as there are offers for: what two of three field servers do.
                wanted: message.wanted ?? offers.count,
                offers: offers,
                claims: message.addition.claims,
                holdings: message.addition.holdings,
                receipts: message.addition.receipts
            )
        )
    }

    private static func offerID(_ id: [UInt8]?) throws(Refusal) -> OfferID {
        guard let id, id.count <= TrackerClientJSON.offerIDLimit else {
            throw Refusal(reason: "invalid offer_id")
        }
        return OfferID(id)
    }

    private static func scrape(_ message: TrackerMessageJSON) throws(Refusal) -> [SwarmID] {
        // A list of every swarm there is would tell strangers what is watched.
        let hashes = message.hash.map { [$0] } ?? message.hashes ?? []
        let swarms = hashes.compactMap(SwarmID.init)
        guard swarms.count == hashes.count else { throw Refusal(reason: "invalid info_hash") }
        return swarms
    }

    package static func encode(_ answer: TrackerAnswer<RawDescription>) -> [UInt8] {
        var writer = TrackerAnswerWriter()
        return writer.encode(answer)
    }
}

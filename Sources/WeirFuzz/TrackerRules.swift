import WeirCore
import WeirTrackerJSON

/// What is read of a tracker's or a client's message is written, and read again, as the same; what is passed on stays
/// as it came.
enum TrackerRules {
    static func check(_ bytes: [UInt8]) throws(Fault) {
        try checkReply(bytes)
        let call: TrackerCall<RawDescription>
        do throws(TrackerServerJSON.Refusal) {
            call = try TrackerServerJSON.decode(bytes)
        } catch {
            return
        }
        switch call {
        case .announce(let announcement): try checkAnnouncement(announcement)
        case .answer(let swarm, let from, _, let offer, let description):
            try checkRelayed(.answer(swarm: swarm, from: from, offer: offer, description), description)
        case .scrape(let swarms):
            let answer = TrackerServerJSON.encode(.scrape(swarms.map { ($0, 1, 2) }))
            try demandEqual(TrackerClientJSON.decode(answer), nil, "reply to a scrape")
        }
    }

    private static func checkAnnouncement(_ announcement: TrackerAnnouncement<RawDescription>) throws(Fault) {
        try demand(announcement.holdings.count <= ClaimLimits.renditions, "too many renditions")
        try demand(announcement.receipts.count <= ClaimLimits.receipts, "too many receipts")
        for offer in announcement.offers {
            try checkRelayed(
                .offer(
                    swarm: announcement.swarm,
                    from: announcement.peer,
                    offer: offer.id,
                    offer.description,
                    claims: announcement.claims
                ),
                offer.description
            )
        }
        // What an agent says of itself survives being said.
        let announce = Announce(
            swarm: announcement.swarm,
            me: announcement.peer,
            event: nil,
            wanted: announcement.wanted,
            uploaded: 0,
            downloaded: 0,
            offers: [],
            claims: announcement.claims,
            holdings: announcement.holdings,
            receipts: announcement.receipts
        )
        guard let again = try? TrackerServerJSON.decode(TrackerClientJSON.encode(.announce(announce))),
            case .announce(let other) = again
        else { throw Fault("an announce of ours is refused") }
        try demandEqual(other.claims, announcement.claims, "claims")
        guard announcement.claims != nil else { return }
        try demandEqual(other.holdings, announcement.holdings, "holdings")
        try demandEqual(other.receipts, announcement.receipts, "receipts")
    }

    /// A client reads what the server passes on, and its description byte for byte.
    private static func checkRelayed(
        _ answer: TrackerAnswer<RawDescription>,
        _ description: RawDescription
    ) throws(Fault) {
        let bytes = TrackerServerJSON.encode(answer)
        try demand(bytes.firstPlace(of: description.json) != nil, "a description that was changed on its way")
        guard let reply = TrackerClientJSON.decode(bytes) else {
            throw Fault("a relayed message that no client reads: \(String(decoding: bytes, as: UTF8.self))")
        }
        // The endpoints are `SessionDescriptionRules`' affair.
        switch (answer, reply) {
        case (
            .offer(let swarm, let peer, let id, _, let claims), .offer(let toSwarm, let from, let other, _, let heard)
        ):
            try demandEqual(heard, claims, "relayed claims")
            try demand(toSwarm == swarm && from == peer && other == id, "names of a relayed offer")
        case (.answer(let swarm, let peer, let id, _), .answer(let toSwarm, let from, let other, _)):
            try demand(toSwarm == swarm && from == peer && other == id, "names of a relayed answer")
        default: throw Fault("a relayed message that became another")
        }
    }

    private static func checkReply(_ bytes: [UInt8]) throws(Fault) {
        switch TrackerClientJSON.decode(bytes) {
        case .swarm(let swarm, let interval, let complete, let incomplete, let mode):
            try demand((1...86_400).contains(interval), "interval \(interval)")
            let written = TrackerServerJSON.encode(
                .swarm(swarm, interval: interval, complete: complete, incomplete: incomplete, mode: mode)
            )
            try demandEqual(
                TrackerClientJSON.decode(written),
                .swarm(swarm, interval: interval, complete: complete, incomplete: incomplete, mode: mode),
                "reply"
            )
        case .failure(_, let text), .warning(let text): try demand(text.count <= 200, "a long reason")
        case .offer, .answer, nil: break
        }
    }
}

extension [UInt8] {
    fileprivate func firstPlace(of part: ArraySlice<UInt8>) -> Int? {
        guard part.count <= count else { return nil }
        return (0...count - part.count).first { self[$0...].starts(with: part) }
    }
}

/// The fields of each input, read in the order `InputEncoding.swift` writes them.
extension ByteReader {
    mutating func input() throws(CodecError) -> Input {
        guard let kind = Input.Kind(rawValue: try byte()) else { throw .number }
        switch kind {
        case .request: return .request(try playerRequest())
        case .delivered: return .delivered(RequestID(try varint()), bytes: try number())
        case .requestClosed: return .requestClosed(RequestID(try varint()))
        case .connectionClosed: return .connectionClosed(ConnectionID(try varint()))
        case .fetchHead:
            let id = FetchID(try varint())
            return .fetchHead(id, FetchHead(status: try number(), fields: try fields(), url: try text()))
        case .fetchBody: return .fetchBody(FetchID(try varint()), ByteArrayPayload(try blob()))
        case .fetchEnded: return .fetchEnded(FetchID(try varint()), try fetchEnd())
        case .linkUp: return try linkUp()
        case .linkMessage: return try linkMessage()
        case .linkGarbage:
            let id = LinkID(try varint())
            let place = Int(try byte())
            guard CodecError.inOrder.indices.contains(place) else { throw .number }
            return .linkGarbage(id, CodecError.inOrder[place])
        case .linkDrained: return .linkDrained(LinkID(try varint()), bytes: try number())
        case .linkDown: return .linkDown(LinkID(try varint()), try linkEnd())
        case .dialFailed: return .dialFailed(DialID(try varint()), try linkEnd())
        case .trackerUp: return .trackerUp(TrackerID(try number()))
        case .trackerReply: return .trackerReply(TrackerID(try number()), try trackerReply())
        case .trackerDown: return .trackerDown(TrackerID(try number()), reason: try text())
        case .open:
            let id = OpenID(try varint())
            return .open(id, StreamRequest(url: try text(), swarmName: try optionalText(), fields: try fields()))
        case .channels: return try channels()
        case .close: return .close(StreamID(try text()))
        case .steering:
            return .steering(
                StreamID(try text()),
                try option { (reader) throws(CodecError) in try reader.steering() }
            )
        case .wallClock: return .wallClock(milliseconds: try whole64())
        case .disk: return .disk(try diskAnswer())
        case .damaged: return .damaged(target: try text(), reason: try text())
        case .timer: return .timer
        case .stop: return .stop
        }
    }

    private mutating func diskAnswer() throws(CodecError) -> DiskAnswer {
        switch try byte() {
        case 0: return .written(DiskFileID(try varint()))
        case 1: return .notWritten(DiskFileID(try varint()), try diskFailure())
        case 2:
            let id = DiskFileID(try varint())
            let chunks: [any Payload] = try list(eachAtLeast: 1) { (reader) throws(CodecError) in
                ByteArrayPayload(try reader.blob())
            }
            return .read(id, chunks: chunks, evidence: try blob())
        case 3: return .unreadable(DiskFileID(try varint()), try diskFailure())
        case 4: return .unusable(try diskFailure())
        default: throw .number
        }
    }

    private mutating func diskFailure() throws(CodecError) -> DiskFailure {
        switch try byte() {
        case 0: return .full
        case 1: return .damaged
        case 2: return .failed(try text())
        default: throw .number
        }
    }

    private mutating func optionalText() throws(CodecError) -> String? {
        try option { (reader) throws(CodecError) in try reader.text() }
    }

    private mutating func playerRequest() throws(CodecError) -> PlayerRequest {
        PlayerRequest(
            id: RequestID(try varint()),
            method: try truth() ? .head : .get,
            target: try text(),
            range: try optionalText(),
            ifRange: try optionalText(),
            userAgent: try text(),
            remoteHost: try text(),
            connection: try option { (reader) throws(CodecError) in ConnectionID(try reader.varint()) },
            authority: try optionalText()
        )
    }

    private mutating func fetchEnd() throws(CodecError) -> FetchEnd {
        switch try byte() {
        case 0: return .complete
        case 1: return .failed(.refused)
        case 2: return .failed(.nameUnknown)
        case 3: return .failed(.connectTimeout)
        case 4: return .failed(.idleTimeout)
        case 5: return .failed(.truncated)
        case 6: return .failed(.tls(try text()))
        case 7: return .failed(.redirect(try text()))
        case 8: return .failed(.malformed(try text()))
        case 9: return .failed(.other(try text()))
        default: throw .number
        }
    }

    private mutating func linkUp() throws(CodecError) -> Input {
        let id = LinkID(try varint())
        let peer = LinkPeer(id: PeerID(try digest()), publicKey: try blob(), address: try address())
        return .linkUp(id, peer, dial: try option { (reader) throws(CodecError) in DialID(try reader.varint()) })
    }

    /// One frame as it came over the link.
    private mutating func linkMessage() throws(CodecError) -> Input {
        let id = LinkID(try varint())
        let frame = try blob()
        guard case .frame(let type, let header, let payload) = FrameCodec.split(frame),
            payload.upperBound == frame.count
        else { throw .truncated }
        let decoded = try FrameCodec.decode(type: type, header: Array(frame[header]), payloadBytes: payload.count)
        guard let message = decoded else { throw .number }
        let media = payload.isEmpty ? nil : ByteArrayPayload(Array(frame[payload]))
        return .linkMessage(id, message, payload: media)
    }

    private mutating func linkEnd() throws(CodecError) -> LinkEnd {
        switch try byte() {
        case 0: return .refused
        case 1: return .timeout
        case 2: return .closedByPeer
        case 3: return .closedHere
        case 4: return .notAuthentic(try text())
        case 5: return .failed(try text())
        default: throw .number
        }
    }

    private mutating func trackerReply() throws(CodecError) -> TrackerReply {
        switch try byte() {
        case 0:
            return .swarm(
                try swarmID(),
                interval: try number(),
                complete: try number(),
                incomplete: try number(),
                mode: try option { (reader) throws(CodecError) in try reader.mode() }
            )
        case 1:
            let (swarm, from, offer, endpoints) = try relayed()
            let claims = try option { (reader) throws(CodecError) in try reader.claims() }
            return .offer(swarm: swarm, from: from, offer: offer, endpoints, claims: claims)
        case 2:
            let (swarm, from, offer, endpoints) = try relayed()
            return .answer(swarm: swarm, from: from, offer: offer, endpoints)
        case 3:
            let swarm = try option { (reader) throws(CodecError) in try reader.swarmID() }
            return .failure(swarm: swarm, reason: try text())
        case 4: return .warning(try text())
        default: throw .number
        }
    }

    private mutating func swarmID() throws(CodecError) -> SwarmID {
        guard let swarm = SwarmID(try raw(SwarmID.byteCount)) else { throw .truncated }
        return swarm
    }

    private mutating func mode() throws(CodecError) -> ChannelMode {
        guard let mode = DeliveryMode(rawValue: try text()) else { throw .number }
        return ChannelMode(mode, viewers: try number(), reason: try text())
    }

    private mutating func relayed() throws(CodecError) -> (SwarmID, TrackerPeerID, OfferID, Endpoints) {
        let swarm = try swarmID()
        guard let from = TrackerPeerID(try raw(TrackerPeerID.byteCount)) else { throw .truncated }
        let offer = OfferID(try blob())
        let addresses = try list(eachAtLeast: 9) { (reader) throws(CodecError) in try reader.address() }
        let identity = try option { (reader) throws(CodecError) in PeerID(try reader.digest()) }
        return (swarm, from, offer, Endpoints(addresses: addresses, identity: identity))
    }

    private mutating func claims() throws(CodecError) -> PeerClaims {
        var claims = PeerClaims()
        claims.viewers = try number()
        claims.uploads = try truth()
        claims.freeUpload = try option { (reader) throws(CodecError) in try reader.number() }
        claims.isDialable = try truth()
        claims.timeslot = try option { (reader) throws(CodecError) in
            let (rendition, number) = (RenditionKey(try reader.fixed64()), try reader.varint())
            switch try reader.byte() {
            case 0: return Timeslot(rendition: rendition, number: number, place: .live(age: try reader.whole64()))
            case 1:
                let place = Timeslot.Place.recorded(position: try reader.whole64(), part: try reader.number())
                return Timeslot(rendition: rendition, number: number, place: place)
            default: throw .number
            }
        }
        return claims
    }

    private mutating func channels() throws(CodecError) -> Input {
        let base = try optionalText().flatMap { try? WebURL(parsing: $0) }
        guard let list = try? ChannelList(parsing: try blob(), base: base) else { throw .number }
        return .channels(list)
    }

    private mutating func steering() throws(CodecError) -> SteeringManifest {
        SteeringManifest(
            version: try number(),
            lifetime: Duration(nanoseconds: try whole64()),
            reloadURI: try optionalText(),
            priority: try list(eachAtLeast: 1) { (reader) throws(CodecError) in try reader.text() },
            clones: try list(eachAtLeast: 6) { (reader) throws(CodecError) in try reader.clone() }
        )
    }

    private mutating func clone() throws(CodecError) -> PathwayClone {
        PathwayClone(
            base: try text(),
            id: try text(),
            host: try optionalText(),
            parameters: try table(),
            variantURIs: try table(),
            renditionURIs: try table()
        )
    }

    private mutating func table() throws(CodecError) -> [String: String] {
        let rows = try list(eachAtLeast: 2) { (reader) throws(CodecError) in (try reader.text(), try reader.text()) }
        return Dictionary(rows) { first, _ in first }
    }
}

/// The fields of each input, in the order they stand in a recording. `InputDecoding.swift` is its mirror.
extension ByteWriter {
    mutating func input(_ input: Input) throws(CodecError) {
        byte(input.kind.rawValue)
        switch input {
        case .request(let request): playerRequest(request)
        case .delivered(let id, let bytes):
            varint(id.value)
            number(bytes)
        case .requestClosed(let id): varint(id.value)
        case .connectionClosed(let id): varint(id.value)
        case .fetchHead(let id, let head):
            varint(id.value)
            number(head.status)
            fields(head.fields)
            text(head.url)
        case .fetchBody(let id, let payload):
            varint(id.value)
            blob(payload.bytes())
        case .fetchEnded(let id, let end):
            varint(id.value)
            fetchEnd(end)
        case .linkUp(let id, let peer, let dial):
            varint(id.value)
            digest(peer.id.digest)
            blob(peer.publicKey)
            address(peer.address)
            option(dial) { $0.varint($1.value) }
        case .linkMessage(let id, let message, let payload):
            varint(id.value)
            let media = payload?.bytes() ?? []
            blob(try FrameCodec.encodeHeader(message, payloadBytes: media.count) + media)
        case .linkGarbage(let id, let error):
            varint(id.value)
            byte(error.recorded)
        case .linkDrained(let id, let bytes):
            varint(id.value)
            number(bytes)
        case .linkDown(let id, let end):
            varint(id.value)
            linkEnd(end)
        case .dialFailed(let id, let end):
            varint(id.value)
            linkEnd(end)
        case .trackerUp(let id): number(id.value)
        case .trackerReply(let id, let reply):
            number(id.value)
            trackerReply(reply)
        case .trackerDown(let id, let reason):
            number(id.value)
            text(reason)
        case .open(let id, let request):
            varint(id.value)
            text(request.url)
            option(request.swarmName) { $0.text($1) }
            fields(request.fields)
        case .channels(let list):
            option(list.base) { $0.text($1.description) }
            blob(list.bytes)
        case .close(let id): text(id.text)
        case .steering(let id, let manifest):
            text(id.text)
            option(manifest) { $0.steering($1) }
        case .wallClock(let milliseconds): whole64(milliseconds)
        case .disk(let answer): diskAnswer(answer)
        case .damaged(let target, let reason):
            text(target)
            text(reason)
        case .timer, .stop: break
        }
    }

    private mutating func diskAnswer(_ answer: DiskAnswer) {
        switch answer {
        case .written(let id):
            byte(0)
            varint(id.value)
        case .notWritten(let id, let failure):
            byte(1)
            varint(id.value)
            diskFailure(failure)
        case .read(let id, let chunks, let evidence):
            byte(2)
            varint(id.value)
            list(chunks) { $0.blob($1.bytes()) }
            blob(evidence)
        case .unreadable(let id, let failure):
            byte(3)
            varint(id.value)
            diskFailure(failure)
        case .unusable(let failure):
            byte(4)
            diskFailure(failure)
        }
    }

    private mutating func diskFailure(_ failure: DiskFailure) {
        switch failure {
        case .full: byte(0)
        case .damaged: byte(1)
        case .failed(let reason): told(2, reason)
        }
    }

    private mutating func playerRequest(_ request: PlayerRequest) {
        varint(request.id.value)
        flag(request.method == .head)
        text(request.target)
        option(request.range) { $0.text($1) }
        option(request.ifRange) { $0.text($1) }
        text(request.userAgent)
        text(request.remoteHost)
        option(request.connection) { $0.varint($1.value) }
        option(request.authority) { $0.text($1) }
    }

    private mutating func fetchEnd(_ end: FetchEnd) {
        switch end {
        case .complete: byte(0)
        case .failed(.refused): byte(1)
        case .failed(.nameUnknown): byte(2)
        case .failed(.connectTimeout): byte(3)
        case .failed(.idleTimeout): byte(4)
        case .failed(.truncated): byte(5)
        case .failed(.tls(let reason)): told(6, reason)
        case .failed(.redirect(let reason)): told(7, reason)
        case .failed(.malformed(let reason)): told(8, reason)
        case .failed(.other(let reason)): told(9, reason)
        }
    }

    private mutating func linkEnd(_ end: LinkEnd) {
        switch end {
        case .refused: byte(0)
        case .timeout: byte(1)
        case .closedByPeer: byte(2)
        case .closedHere: byte(3)
        case .notAuthentic(let reason): told(4, reason)
        case .failed(let reason): told(5, reason)
        }
    }

    private mutating func told(_ kind: UInt8, _ reason: String) {
        byte(kind)
        text(reason)
    }

    private mutating func trackerReply(_ reply: TrackerReply) {
        switch reply {
        case .swarm(let swarm, let interval, let complete, let incomplete, let mode):
            byte(0)
            raw(swarm.bytes)
            number(interval)
            number(complete)
            number(incomplete)
            option(mode) { writer, mode in
                writer.text(mode.mode.rawValue)
                writer.number(mode.viewers)
                writer.text(mode.reason)
            }
        case .offer(let swarm, let from, let offer, let endpoints, let claims):
            byte(1)
            relayed(swarm, from, offer, endpoints)
            option(claims) { $0.claims($1) }
        case .answer(let swarm, let from, let offer, let endpoints):
            byte(2)
            relayed(swarm, from, offer, endpoints)
        case .failure(let swarm, let reason):
            byte(3)
            option(swarm) { $0.raw($1.bytes) }
            text(reason)
        case .warning(let reason): told(4, reason)
        }
    }

    private mutating func relayed(
        _ swarm: SwarmID,
        _ from: TrackerPeerID,
        _ offer: OfferID,
        _ endpoints: Endpoints
    ) {
        raw(swarm.bytes)
        raw(from.bytes)
        blob(offer.bytes)
        list(endpoints.addresses) { $0.address($1) }
        option(endpoints.identity) { $0.digest($1.digest) }
    }

    private mutating func claims(_ claims: PeerClaims) {
        number(claims.viewers)
        flag(claims.uploads)
        option(claims.freeUpload) { $0.number($1) }
        flag(claims.isDialable)
        option(claims.timeslot) { writer, slot in
            writer.fixed64(slot.rendition.value)
            writer.varint(slot.number)
            switch slot.place {
            case .live(let age):
                writer.byte(0)
                writer.whole64(age)
            case .recorded(let position, let part):
                writer.byte(1)
                writer.whole64(position)
                writer.number(part)
            }
        }
    }

    private mutating func steering(_ manifest: SteeringManifest) {
        number(manifest.version)
        whole64(manifest.lifetime.nanoseconds)
        option(manifest.reloadURI) { $0.text($1) }
        list(manifest.priority) { $0.text($1) }
        list(manifest.clones) { writer, clone in
            writer.text(clone.base)
            writer.text(clone.id)
            writer.option(clone.host) { $0.text($1) }
            for table in [clone.parameters, clone.variantURIs, clone.renditionURIs] { writer.table(table) }
        }
    }

    private mutating func table(_ table: [String: String]) {
        list(table.sorted { $0.key < $1.key }) { writer, row in
            writer.text(row.key)
            writer.text(row.value)
        }
    }
}

extension Input {
    /// As recordings number them.
    package enum Kind: UInt8, CaseIterable, Sendable {
        case request, delivered, requestClosed, fetchHead, fetchBody, fetchEnded, linkUp, linkMessage, linkGarbage
        case linkDrained, linkDown, dialFailed, trackerUp, trackerReply, trackerDown, open, channels, close, steering
        case wallClock, timer, stop, connectionClosed, disk, damaged
    }

    package var kind: Kind {
        switch self {
        case .request: .request
        case .delivered: .delivered
        case .requestClosed: .requestClosed
        case .connectionClosed: .connectionClosed
        case .fetchHead: .fetchHead
        case .fetchBody: .fetchBody
        case .fetchEnded: .fetchEnded
        case .linkUp: .linkUp
        case .linkMessage: .linkMessage
        case .linkGarbage: .linkGarbage
        case .linkDrained: .linkDrained
        case .linkDown: .linkDown
        case .dialFailed: .dialFailed
        case .trackerUp: .trackerUp
        case .trackerReply: .trackerReply
        case .trackerDown: .trackerDown
        case .open: .open
        case .channels: .channels
        case .close: .close
        case .steering: .steering
        case .wallClock: .wallClock
        case .timer: .timer
        case .stop: .stop
        case .disk: .disk
        case .damaged: .damaged
        }
    }
}

extension CodecError {
    /// As recordings number them.
    static let inOrder: [CodecError] = [.number, .truncated, .trailing, .tooLarge, .notWeir, .version, .payload]

    var recorded: UInt8 { UInt8(clamping: CodecError.inOrder.firstIndex(of: self) ?? 0) }
}

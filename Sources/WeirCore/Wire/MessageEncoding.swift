/// The fields of each message, in the order they stand on the wire. `MessageDecoding.swift` is its mirror.
extension ByteWriter {
    mutating func fields(of message: Message) {
        switch message {
        case .hello(let hello): fields(hello)
        case .join(let handle, let swarm):
            varint(UInt64(handle))
            raw(swarm.bytes)
        case .leave(let handle): varint(UInt64(handle))
        case .interest(let interest): fields(interest)
        case .have(let have): fields(have)
        case .partial(let partial): fields(partial)
        case .request(let request): fields(request)
        case .digests(let vouch): fields(vouch)
        case .root(let vouch): fields(vouch)
        case .data(let request, let firstChunk):
            varint(UInt64(request))
            varint(UInt64(firstChunk))
        case .cancel(let request, let fromChunk):
            varint(UInt64(request))
            varint(UInt64(fromChunk))
        case .absent(let request, let reason):
            varint(UInt64(request))
            byte(reason.rawValue)
        case .peers(let handle, let hints): fields(handle, hints)
        case .ping(let nonce), .pong(let nonce): fixed64(nonce)
        case .goodbye(let reason): byte(reason.rawValue)
        case .refutation(let refutation):
            fields(refutation.vouch)
            varint(UInt64(refutation.chunk))
            digest(refutation.read)
        }
    }

    private mutating func fields(_ hello: Hello) {
        raw(FrameCodec.magic)
        byte(hello.minimumVersion)
        byte(hello.maximumVersion)
        fixed64(hello.features)
        fixed16(hello.listenPort)
        byte(hello.uploads ? 1 : 0)
        varint(UInt64(hello.swarms.count))
        for swarm in hello.swarms { raw(swarm.bytes) }
    }

    private mutating func fields(_ interest: Interest) {
        varint(UInt64(interest.handle))
        fixed64(interest.rendition.value)
        optional(interest.position)
        optional(interest.newest)
        byte(interest.share)
    }

    private mutating func fields(_ have: Have) {
        varint(UInt64(have.handle))
        fixed64(have.rendition.value)
        varint(UInt64(have.ranges.count))
        for range in have.ranges {
            byte(range.kind.rawValue | range.state.rawValue << 1)
            varint(range.first)
            varint(range.count)
        }
    }

    private mutating func fields(_ partial: Partial) {
        varint(UInt64(partial.handle))
        segment(partial.segment)
        varint(UInt64(partial.runs.count))
        var end: UInt32 = 0
        for run in partial.runs {
            // As gaps, runs out of order cannot even be said.
            varint(UInt64(run.first &- end))
            varint(UInt64(run.count))
            end = run.first &+ run.count
        }
    }

    private mutating func fields(_ request: RunRequest) {
        varint(UInt64(request.request))
        varint(UInt64(request.handle))
        segment(request.segment)
        edition(request.edition)
        varint(UInt64(request.chunks.first))
        varint(UInt64(request.chunks.count))
        byte(request.list == nil ? 0 : 1)
        if let list = request.list { digest(list) }
    }

    private mutating func fields(_ vouch: Vouch) {
        varint(UInt64(vouch.handle))
        statement(of: vouch)
        raw(vouch.voucherKey)
        signature(vouch.signature)
    }

    private mutating func fields(_ vouch: RootVouch) {
        varint(UInt64(vouch.handle))
        statement(of: vouch)
        raw(vouch.voucherKey)
        signature(vouch.signature)
    }

    private mutating func fields(_ handle: UInt32, _ hints: [PeerHint]) {
        varint(UInt64(handle))
        varint(UInt64(hints.count))
        for hint in hints {
            digest(hint.id.digest)
            let host = Array(hint.address.host.utf8)
            varint(UInt64(host.count))
            raw(host)
            fixed16(UInt16(clamping: hint.address.port))
        }
    }

    /// What a voucher signs of its digests, and what stands on the wire between handle and key.
    mutating func statement(of vouch: Vouch) {
        segment(vouch.segment)
        edition(vouch.edition)
        varint(UInt64(vouch.firstChunk))
        varint(UInt64(vouch.digests.count))
        for digest in vouch.digests { self.digest(digest) }
    }

    mutating func statement(of vouch: RootVouch) {
        segment(vouch.segment)
        edition(vouch.edition)
        digest(vouch.root)
    }

    /// Bit 0 of the first byte: the kind. Bit 1: a byte range follows the number.
    mutating func segment(_ id: SegmentID) {
        fixed64(id.rendition.value)
        byte(id.kind.rawValue | (id.range == nil ? 0 : 2))
        varint(id.number)
        if let range = id.range {
            varint(UInt64(bitPattern: range.offset))
            varint(UInt64(bitPattern: range.length))
        }
    }

    mutating func edition(_ edition: Edition) {
        optional(edition.length.map { UInt64(bitPattern: $0) })
        fixed64(edition.validator)
        fixed64(edition.name)
    }

    private mutating func optional(_ value: UInt64?) {
        byte(value == nil ? 0 : 1)
        if let value { varint(value) }
    }

    private mutating func signature(_ bytes: [UInt8]) {
        varint(UInt64(bytes.count))
        raw(bytes)
    }
}

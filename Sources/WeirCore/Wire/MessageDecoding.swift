/// The fields of each message, read in the order `MessageEncoding.swift` writes them. What a field may say at most is
/// checked here where it decides about an allocation, and for the whole message in `MessageRules`.
extension ByteReader {
    mutating func message(_ type: FrameType) throws(CodecError) -> Message {
        switch type {
        case .hello: .hello(try hello())
        case .join: .join(handle: try varint32(), swarm: try swarm())
        case .leave: .leave(handle: try varint32())
        case .interest: .interest(try interest())
        case .have: .have(try have())
        case .partial: .partial(try partial())
        case .request: .request(try request())
        case .digests: .digests(try vouch())
        case .root: .root(try rootVouch())
        case .data: .data(request: try varint32(), firstChunk: try varint32())
        case .cancel: .cancel(request: try varint32(), fromChunk: try varint32())
        case .absent: .absent(request: try varint32(), reason: try value(AbsentReason.init(rawValue:)))
        case .peers: .peers(handle: try varint32(), try peerHints())
        case .ping: .ping(try fixed64())
        case .pong: .pong(try fixed64())
        case .goodbye: .goodbye(try value(GoodbyeReason.init(rawValue:)))
        case .refutation: .refutation(Refutation(vouch: try vouch(), chunk: try varint32(), read: try digest()))
        }
    }

    private mutating func hello() throws(CodecError) -> Hello {
        guard remaining >= FrameCodec.magic.count, try raw(FrameCodec.magic.count) == FrameCodec.magic else {
            throw .notWeir
        }
        let minimum = try byte()
        let maximum = try byte()
        guard minimum >= 1, minimum <= maximum else { throw .number }
        // The bytes behind the versions may mean something else in another version: look before reading on.
        guard minimum <= FrameCodec.version, maximum >= FrameCodec.version else { throw .version }
        let features = try fixed64()
        let port = try fixed16()
        let uploads = try flag()
        var swarms: [SwarmID] = []
        for _ in 0..<(try count(upTo: WireLimits.swarms, eachAtLeast: SwarmID.byteCount)) {
            swarms.append(try swarm())
        }
        return Hello(
            minimumVersion: minimum,
            maximumVersion: maximum,
            features: features,
            listenPort: port,
            uploads: uploads,
            swarms: swarms
        )
    }

    private mutating func interest() throws(CodecError) -> Interest {
        Interest(
            handle: try varint32(),
            rendition: RenditionKey(try fixed64()),
            position: try optional(),
            newest: try optional(),
            share: try byte()
        )
    }

    private mutating func have() throws(CodecError) -> Have {
        var have = Have(handle: try varint32(), rendition: RenditionKey(try fixed64()), ranges: [])
        for _ in 0..<(try count(upTo: WireLimits.haveRanges, eachAtLeast: 3)) {
            let packed = try byte()
            guard let kind = SegmentID.Kind(rawValue: packed & 1), let state = Have.State(rawValue: packed >> 1) else {
                throw .number
            }
            have.ranges.append(.init(kind: kind, first: try varint(), count: try varint(), state: state))
        }
        return have
    }

    private mutating func partial() throws(CodecError) -> Partial {
        var partial = Partial(handle: try varint32(), segment: try segment(), runs: [])
        var end: UInt32 = 0
        for _ in 0..<(try count(upTo: WireLimits.partialRuns, eachAtLeast: 2)) {
            let (first, past) = end.addingReportingOverflow(try varint32())
            let count = try varint32()
            let (next, beyond) = first.addingReportingOverflow(count)
            guard !past, !beyond else { throw .number }
            partial.runs.append(ChunkRun(first: first, count: count))
            end = next
        }
        return partial
    }

    private mutating func request() throws(CodecError) -> RunRequest {
        RunRequest(
            request: try varint32(),
            handle: try varint32(),
            segment: try segment(),
            edition: try edition(),
            chunks: ChunkRun(first: try varint32(), count: try varint32()),
            list: try flag() ? try digest() : nil
        )
    }

    private mutating func vouch() throws(CodecError) -> Vouch {
        let handle = try varint32()
        let segment = try segment()
        let edition = try edition()
        let firstChunk = try varint32()
        var digests: [Digest] = []
        let count = try count(upTo: WireLimits.digests, eachAtLeast: Digest.byteCount)
        digests.reserveCapacity(count)
        for _ in 0..<count { digests.append(try digest()) }
        return Vouch(
            handle: handle,
            segment: segment,
            edition: edition,
            firstChunk: firstChunk,
            digests: digests,
            voucherKey: try raw(WireLimits.voucherKeyBytes),
            signature: try signature()
        )
    }

    private mutating func rootVouch() throws(CodecError) -> RootVouch {
        RootVouch(
            handle: try varint32(),
            segment: try segment(),
            edition: try edition(),
            root: try digest(),
            voucherKey: try raw(WireLimits.voucherKeyBytes),
            signature: try signature()
        )
    }

    private mutating func peerHints() throws(CodecError) -> [PeerHint] {
        var hints: [PeerHint] = []
        for _ in 0..<(try count(upTo: WireLimits.peers, eachAtLeast: Digest.byteCount + 4)) {
            let id = PeerID(try digest())
            let host = try raw(try count(upTo: WireLimits.hostBytes, eachAtLeast: 1))
            // Repaired UTF-8 is no host byte, so `MessageRules` refuses it.
            let address = PeerAddress(host: String(decoding: host, as: UTF8.self), port: Int(try fixed16()))
            hints.append(PeerHint(id: id, address: address))
        }
        return hints
    }

    private mutating func segment() throws(CodecError) -> SegmentID {
        let rendition = RenditionKey(try fixed64())
        let packed = try byte()
        guard packed < 4, let kind = SegmentID.Kind(rawValue: packed & 1) else { throw .number }
        let number = try varint()
        var range: ByteRange?
        if packed & 2 != 0 { range = ByteRange(offset: try signed(), length: try signed()) }
        return SegmentID(rendition: rendition, kind: kind, number: number, range: range)
    }

    private mutating func edition() throws(CodecError) -> Edition {
        let length: Int64? = try flag() ? try signed() : nil
        return Edition(length: length, validator: try fixed64(), name: try fixed64())
    }

    private mutating func swarm() throws(CodecError) -> SwarmID {
        guard let swarm = SwarmID(try raw(SwarmID.byteCount)) else { throw .truncated }
        return swarm
    }

    private mutating func signature() throws(CodecError) -> [UInt8] {
        try raw(try count(upTo: WireLimits.signatureBytes, eachAtLeast: 1))
    }

    /// A varint that fits 63 bits: lengths and offsets are never negative.
    private mutating func signed() throws(CodecError) -> Int64 {
        guard let value = Int64(exactly: try varint()) else { throw .number }
        return value
    }

    private mutating func flag() throws(CodecError) -> Bool {
        switch try byte() {
        case 0: false
        case 1: true
        default: throw .number
        }
    }

    private mutating func optional() throws(CodecError) -> UInt64? {
        try flag() ? try varint() : nil
    }

    private mutating func value<Value>(_ make: (UInt8) -> Value?) throws(CodecError) -> Value {
        guard let value = make(try byte()) else { throw .number }
        return value
    }
}

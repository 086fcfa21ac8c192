/// What a message may say, the same for both directions: a sender that breaks a rule has a bug, a receiver that sees one
/// broken refuses the frame. Sums of two numbers are checked, so that whoever adds them later cannot overflow.
enum MessageRules {
    static func check(_ message: Message, payloadBytes: Int) throws(CodecError) {
        if case .data(_, let firstChunk) = message {
            try checkData(firstChunk: firstChunk, payloadBytes: payloadBytes)
            return
        }
        guard payloadBytes == 0 else { throw .payload }
        switch message {
        case .hello(let hello): try check(hello)
        case .interest(let interest): guard interest.share <= UploadShare.whole else { throw .number }
        case .have(let have): try check(have)
        case .partial(let partial): try check(partial)
        case .request(let request):
            try check(request.segment)
            try check(request.edition)
            // No chunks at all asks for the digests alone.
            if request.chunks != ChunkRun(first: 0, count: 0) { try check(request.chunks) }
        case .digests(let vouch): try check(vouch)
        case .root(let vouch): try check(vouch)
        case .peers(_, let hints): try check(hints)
        case .refutation(let refutation): try check(refutation)
        case .join, .leave, .data, .cancel, .absent, .ping, .pong, .goodbye: break
        }
    }

    private static func checkData(firstChunk: UInt32, payloadBytes: Int) throws(CodecError) {
        guard payloadBytes > 0, payloadBytes <= WireLimits.payloadBytes else { throw .payload }
        let chunks = UInt32(Chunk.count(ofBytes: Int64(payloadBytes)))
        try check(ChunkRun(first: firstChunk, count: chunks))
    }

    private static func check(_ hello: Hello) throws(CodecError) {
        guard hello.minimumVersion >= 1, hello.minimumVersion <= hello.maximumVersion else { throw .number }
        guard hello.swarms.count <= WireLimits.swarms else { throw .tooLarge }
    }

    private static func check(_ have: Have) throws(CodecError) {
        guard have.ranges.count <= WireLimits.haveRanges else { throw .tooLarge }
        for range in have.ranges {
            guard range.count > 0, !range.first.addingReportingOverflow(range.count).overflow else { throw .number }
        }
    }

    private static func check(_ partial: Partial) throws(CodecError) {
        try check(partial.segment)
        guard partial.runs.count <= WireLimits.partialRuns else { throw .tooLarge }
        var end: UInt32 = 0
        for run in partial.runs {
            try check(run)
            guard run.first >= end else { throw .number }
            end = run.first + run.count
        }
    }

    private static func check(_ vouch: Vouch) throws(CodecError) {
        try check(vouch.segment)
        try check(vouch.edition)
        guard vouch.digests.count <= WireLimits.digests else { throw .tooLarge }
        try check(ChunkRun(first: vouch.firstChunk, count: UInt32(vouch.digests.count)))
        try check(voucherKey: vouch.voucherKey, signature: vouch.signature)
    }

    private static func check(_ refutation: Refutation) throws(CodecError) {
        let vouch = refutation.vouch
        try check(vouch)
        guard refutation.chunk >= vouch.firstChunk, Int(refutation.chunk - vouch.firstChunk) < vouch.digests.count
        else {
            throw .number
        }
    }

    private static func check(_ vouch: RootVouch) throws(CodecError) {
        try check(vouch.segment)
        try check(vouch.edition)
        guard vouch.edition.length != nil else { throw .number }
        try check(voucherKey: vouch.voucherKey, signature: vouch.signature)
    }

    private static func check(voucherKey: [UInt8], signature: [UInt8]) throws(CodecError) {
        guard voucherKey.count == WireLimits.voucherKeyBytes else { throw .number }
        guard signature.count <= WireLimits.signatureBytes else { throw .tooLarge }
    }

    private static func check(_ hints: [PeerHint]) throws(CodecError) {
        guard hints.count <= WireLimits.peers else { throw .tooLarge }
        for hint in hints {
            guard hint.address.port > 0, hint.address.port <= Int(UInt16.max) else { throw .number }
            let host = hint.address.host.utf8
            guard !host.isEmpty else { throw .number }
            guard host.count <= WireLimits.hostBytes else { throw .tooLarge }
            guard host.allSatisfy(isHostByte) else { throw .number }
        }
    }

    /// What literal addresses and host names are made of: nothing that could mean something in a log or a URL.
    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private static func check(_ segment: SegmentID) throws(CodecError) {
        guard let range = segment.range else { return }
        guard range.offset >= 0, range.length > 0, range.length <= WireLimits.segmentBytes,
            !range.offset.addingReportingOverflow(range.length).overflow
        else { throw .number }
    }

    private static func check(_ edition: Edition) throws(CodecError) {
        guard let length = edition.length else { return }
        guard length >= 0, length <= WireLimits.segmentBytes else { throw .number }
    }

    private static func check(_ run: ChunkRun) throws(CodecError) {
        guard run.count > 0, !run.first.addingReportingOverflow(run.count).overflow else { throw .number }
    }
}

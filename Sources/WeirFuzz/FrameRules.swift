import WeirCore

/// One value has one encoding: what is decoded is encoded to the very bytes that it came from.
enum FrameRules {
    /// - Parameter bytes: what arrives on a link, frame behind frame.
    static func check(_ bytes: [UInt8]) throws(Fault) {
        try checkFront(bytes)
        var rest = bytes[...]
        while !rest.isEmpty {
            guard case .frame(let type, let header, let payload) = FrameCodec.split(rest) else { return }
            try demand(header.upperBound == payload.lowerBound, "a gap between header and payload")
            try demand(payload.upperBound <= rest.count, "a frame beyond its bytes")
            let body = rest.dropFirst(header.lowerBound).prefix(header.count)
            try checkFrame(type, Array(body), payload.count, whole: Array(rest.prefix(payload.upperBound)))
            rest = rest.dropFirst(payload.upperBound)
        }
    }

    private static func checkFrame(
        _ type: UInt64,
        _ header: [UInt8],
        _ payloadBytes: Int,
        whole: [UInt8]
    ) throws(Fault) {
        // What is refused, and what a later version says, is no fault.
        guard let message = try? FrameCodec.decode(type: type, header: header, payloadBytes: payloadBytes) else {
            return
        }
        let again: [UInt8]
        do throws(CodecError) {
            again = try FrameCodec.encodeHeader(message, payloadBytes: payloadBytes)
        } catch {
            throw Fault("\(message) was decoded and cannot be encoded: \(error)")
        }
        try demandEqual(
            FrameCodec.frameBytes(of: message, payloadBytes: payloadBytes),
            again.count + payloadBytes,
            "size"
        )
        // A later version's hello may say more than is understood.
        if case .hello(let hello) = message, hello.maximumVersion > 1 { return }
        try demand(again == Array(whole.prefix(again.count)), "\(message) has two encodings")
        try demandEqual(again.count + payloadBytes, whole.count, "bytes of \(message)")
        guard let swarm = SwarmID([UInt8](repeating: 7, count: SwarmID.byteCount)) else { return }
        if case .digests(let vouch) = message { _ = vouch.signedDigest(in: swarm) }
        if case .root(let vouch) = message { _ = vouch.signedDigest(in: swarm) }
    }

    /// However the bytes come in, no more than one frame is waited for, and a refusal stays one.
    private static func checkFront(_ bytes: [UInt8]) throws(Fault) {
        let whole = FrameCodec.split(bytes)
        for count in 0..<min(bytes.count, 32) {
            switch FrameCodec.split(bytes.prefix(count)) {
            case .needs(let needed):
                try demand(needed > count, "\(needed) bytes needed where there are \(count)")
                try demand(needed <= WireLimits.wholeFrameBytes, "\(needed) bytes needed")
                if case .frame(_, _, let payload) = whole {
                    try demand(needed <= payload.upperBound, "more than the frame needed")
                }
            case .refused:
                guard case .refused = whole else { throw Fault("refused, until more came: front of \(count) bytes") }
            case .frame: try demandEqual(FrameCodec.split(bytes.prefix(count)), whole, "front of \(count) bytes")
            }
        }
    }
}

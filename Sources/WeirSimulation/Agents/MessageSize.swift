package import WeirCore

/// Bytes of a message's frame on the wire, as wire version 1 encodes it, without encoding it.
package enum MessageSize {
    package static func bytes(of message: Message, payload: Int) -> Int {
        let header = headerBytes(message)
        let length = varint(UInt64(header)) + header + payload
        return 1 + varint(UInt64(length)) + length
    }

    private static func headerBytes(_ message: Message) -> Int {
        switch message {
        case .hello(let hello): 4 + 2 + 8 + 2 + 1 + varint(UInt64(hello.swarms.count)) + 20 * hello.swarms.count
        case .join(let handle, _): varint(UInt64(handle)) + 20
        case .leave(let handle): varint(UInt64(handle))
        case .interest(let interest):
            varint(UInt64(interest.handle)) + 8 + optional(interest.position) + optional(interest.newest) + 1
        case .have(let have):
            have.ranges.reduce(varint(UInt64(have.handle)) + 8 + varint(UInt64(have.ranges.count))) {
                $0 + 1 + varint($1.first) + varint($1.count)
            }
        case .partial(let partial): partialBytes(partial)
        case .request(let run):
            varint(UInt64(run.request)) + varint(UInt64(run.handle)) + segment(run.segment) + edition(run.edition)
                + varint(UInt64(run.chunks.first)) + varint(UInt64(run.chunks.count)) + (run.list == nil ? 1 : 33)
        case .digests(let vouch): vouchBytes(vouch)
        case .refutation(let refutation): vouchBytes(refutation.vouch) + varint(UInt64(refutation.chunk)) + 32
        case .root(let vouch):
            varint(UInt64(vouch.handle)) + segment(vouch.segment) + edition(vouch.edition) + 32
                + vouch.voucherKey.count + varint(UInt64(vouch.signature.count)) + vouch.signature.count
        case .data(let request, let first): varint(UInt64(request)) + varint(UInt64(first))
        case .cancel(let request, let from): varint(UInt64(request)) + varint(UInt64(from))
        case .absent(let request, _): varint(UInt64(request)) + 1
        case .peers(let handle, let hints):
            hints.reduce(varint(UInt64(handle)) + varint(UInt64(hints.count))) { $0 + 35 + $1.address.host.utf8.count }
        case .ping, .pong: 8
        case .goodbye: 1
        }
    }

    private static func vouchBytes(_ vouch: Vouch) -> Int {
        varint(UInt64(vouch.handle)) + segment(vouch.segment) + edition(vouch.edition)
            + varint(UInt64(vouch.firstChunk))
            + varint(UInt64(vouch.digests.count)) + 32 * vouch.digests.count + vouch.voucherKey.count
            + varint(UInt64(vouch.signature.count)) + vouch.signature.count
    }

    private static func partialBytes(_ partial: Partial) -> Int {
        var end: UInt32 = 0
        var bytes = varint(UInt64(partial.handle)) + segment(partial.segment) + varint(UInt64(partial.runs.count))
        for run in partial.runs {
            bytes += varint(UInt64(run.first &- end)) + varint(UInt64(run.count))
            end = run.first &+ run.count
        }
        return bytes
    }

    private static func varint(_ value: UInt64) -> Int { value == 0 ? 1 : (70 - value.leadingZeroBitCount) / 7 }

    private static func optional(_ value: UInt64?) -> Int { value.map { 1 + varint($0) } ?? 1 }

    private static func segment(_ id: SegmentID) -> Int {
        9 + varint(id.number)
            + (id.range.map { varint(UInt64(bitPattern: $0.offset)) + varint(UInt64(bitPattern: $0.length)) } ?? 0)
    }

    private static func edition(_ edition: Edition) -> Int {
        16 + optional(edition.length.map { UInt64(bitPattern: $0) })
    }
}

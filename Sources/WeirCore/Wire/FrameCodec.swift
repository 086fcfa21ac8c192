/// Wire version 1 as bytes: `type length headerLength header payload`, the first three of them varints. `length` counts
/// everything behind itself. The page "Wire protocol" of this module's documentation lists every field.
///
/// The codec sees headers only. A frame's payload stays with the shell, which says how long it is.
package enum FrameCodec {
    /// What hello begins with, so that a stray connection is told from a peer at its first frame.
    static let magic: [UInt8] = Array("WEIR".utf8)
    /// The versions that this agent speaks.
    static let version: UInt8 = 1

    /// Everything of a frame but its payload.
    ///
    /// - Parameter payloadBytes: bytes that the caller will send behind the result; 0 for all but `Message.data`.
    /// - Throws: what the other end's `decode` would refuse too.
    package static func encodeHeader(_ message: Message, payloadBytes: Int = 0) throws(CodecError) -> [UInt8] {
        try MessageRules.check(message, payloadBytes: payloadBytes)
        var header = ByteWriter(reserving: 64)
        header.fields(of: message)
        var lead = ByteWriter()
        lead.varint(UInt64(header.bytes.count))
        let length = lead.bytes.count + header.bytes.count + payloadBytes
        guard length <= WireLimits.frameBytes else { throw .tooLarge }
        var frame = ByteWriter(reserving: header.bytes.count + 8)
        frame.varint(message.frameType.rawValue)
        frame.varint(UInt64(length))
        frame.raw(lead.bytes)
        frame.raw(header.bytes)
        return frame.bytes
    }

    /// Bytes of a whole frame, as a link's shell reports them when they have left; 0 for what cannot be said and so is
    /// never sent.
    package static func frameBytes(of message: Message, payloadBytes: Int = 0) -> Int {
        guard let lead = try? encodeHeader(message, payloadBytes: payloadBytes) else { return 0 }
        return lead.count + payloadBytes
    }

    /// The message that a frame's header says.
    ///
    /// - Returns: nil for a type that this version does not know: skip the frame.
    package static func decode(
        type: UInt64,
        header: [UInt8],
        payloadBytes: Int
    ) throws(CodecError) -> Message? {
        guard let type = FrameType(rawValue: type) else { return nil }
        var reader = ByteReader(header)
        let message = try reader.message(type)
        // A later version's hello may say more, to those who know it.
        let mayContinue = if case .hello(let hello) = message { hello.maximumVersion > version } else { false }
        guard reader.remaining == 0 || mayContinue else { throw .trailing }
        try MessageRules.check(message, payloadBytes: payloadBytes)
        return message
    }

    /// Where the first frame in a stream of bytes lies. Offsets count from the first byte given.
    package enum Split: Hashable, Sendable {
        /// The frame is not whole yet; it takes at least this many bytes in all, never more than
        /// `WireLimits.wholeFrameBytes`.
        case needs(bytes: Int)
        case frame(type: UInt64, header: Range<Int>, payload: Range<Int>)
        /// No frame can begin like this. Nothing after it means anything.
        case refused(CodecError)
    }

    /// Finds the frame at the front of what has arrived. A frame that is too large is refused as soon as its length has
    /// arrived, so a caller who stops at `needs` never holds more than one frame.
    package static func split(_ bytes: some RandomAccessCollection<UInt8>) -> Split {
        var cursor = Cursor(bytes)
        guard let type = cursor.varint() else { return cursor.outcome }
        guard let length = cursor.varint() else { return cursor.outcome }
        guard length > 0, length <= UInt64(WireLimits.frameBytes) else { return .refused(.tooLarge) }
        let bodyStart = cursor.offset
        let end = bodyStart + Int(length)
        guard let headerLength = cursor.varint() else {
            // The header's length must lie inside the frame, whether or not its bytes are here yet.
            if case .needs = cursor.outcome {
                return cursor.offset >= end ? .refused(.truncated) : .needs(bytes: end)
            }
            return cursor.outcome
        }
        guard cursor.offset <= end, headerLength <= UInt64(end - cursor.offset) else { return .refused(.truncated) }
        guard bytes.count >= end else { return .needs(bytes: end) }
        let headerEnd = cursor.offset + Int(headerLength)
        return .frame(type: type, header: cursor.offset..<headerEnd, payload: headerEnd..<end)
    }

    /// Reads varints from bytes that may end anywhere.
    private struct Cursor<Bytes: RandomAccessCollection<UInt8>> {
        let bytes: Bytes
        var index: Bytes.Index
        var offset = 0
        /// Why the last read came to nothing.
        var outcome = Split.needs(bytes: 0)

        init(_ bytes: Bytes) {
            self.bytes = bytes
            index = bytes.startIndex
        }

        mutating func varint() -> UInt64? {
            var value: UInt64 = 0
            for place in 0..<Varint.maximumBytes {
                guard index != bytes.endIndex else {
                    outcome = .needs(bytes: offset + 1)
                    return nil
                }
                let next = bytes[index]
                bytes.formIndex(after: &index)
                offset += 1
                value |= UInt64(next & 0x7f) << UInt64(7 * place)
                if next & 0x80 == 0 {
                    if Varint.isCanonical(last: next, at: place) { return value }
                    break
                }
            }
            outcome = .refused(.number)
            return nil
        }
    }
}

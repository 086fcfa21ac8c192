import Testing
import WeirCore

@Suite("Hostile frames")
struct HostileFrameTests {
    /// A frame's first two numbers and some bytes behind them.
    private func frame(type: UInt64 = 10, length: UInt64, _ rest: [UInt8] = [UInt8](repeating: 0, count: 64)) -> [UInt8]
    {
        var writer = ByteWriter()
        writer.varint(type)
        writer.varint(length)
        writer.raw(rest)
        return writer.bytes
    }

    @Test(
        "F42 Lengths of negative, zero, 2^31, 2^63 and just too much are refused as soon as they are read",
        arguments: [UInt64.max, UInt64(bitPattern: -2), 0, 1 << 31, 1 << 32, 1 << 63, 65_537]
    )
    func lengths(length: UInt64) {
        #expect(FrameCodec.split(frame(length: length, [])) == .refused(.tooLarge))
    }

    @Test(
        "F42 A header cannot be longer than its frame",
        arguments: [UInt64.max, 1 << 63, 1 << 31, 65_536, 64]
    )
    func headerLengths(length: UInt64) {
        var rest = ByteWriter()
        rest.varint(length)
        rest.raw([UInt8](repeating: 0, count: 70))
        #expect(FrameCodec.split(frame(length: 64, rest.bytes)) == .refused(.truncated))
    }

    @Test("F42 Numbers longer than ten bytes, or longer than they need be, are refused")
    func varints() {
        #expect(FrameCodec.split([UInt8](repeating: 0xff, count: 11)) == .refused(.number))
        #expect(FrameCodec.split([UInt8](repeating: 0x80, count: 9) + [0x02]) == .refused(.number))
        #expect(FrameCodec.split([0x8a, 0x00, 0x01, 0x00]) == .refused(.number))
        // The header's length begun, and its frame over.
        #expect(FrameCodec.split([0x0e, 0x01, 0x80]) == .refused(.truncated))
    }

    @Test(
        "F42 Counts and lengths inside messages are refused beyond their limits",
        arguments: [UInt64(65), 1 << 31, 1 << 32, 1 << 63, .max]
    )
    func counts(count: UInt64) {
        var hello = ByteWriter()
        hello.raw(Array("WEIR".utf8) + [1, 1] + [UInt8](repeating: 0, count: 11))
        hello.varint(count)
        hello.raw([UInt8](repeating: 0, count: 2000))
        #expect(throws: CodecError.tooLarge) {
            try FrameCodec.decode(type: 1, header: hello.bytes, payloadBytes: 0)
        }
    }

    @Test("F42 A count whose things are not there is refused before room is made for them")
    func missingThings() {
        var have = ByteWriter()
        have.varint(0)
        have.fixed64(1)
        have.varint(512)
        #expect(throws: CodecError.truncated) { try FrameCodec.decode(type: 5, header: have.bytes, payloadBytes: 0) }
    }

    @Test("F42 Chunk numbers that would overflow when added are refused")
    func overflow() throws {
        func request(_ first: UInt64, _ count: UInt64) throws -> Message? {
            var writer = ByteWriter()
            writer.raw([9, 0] + [UInt8](repeating: 0, count: 10) + [UInt8](repeating: 0, count: 17))
            writer.varint(first)
            writer.varint(count)
            writer.byte(0)
            return try FrameCodec.decode(type: 7, header: writer.bytes, payloadBytes: 0)
        }
        #expect(throws: Never.self) { try request(4, 32) }
        #expect(throws: CodecError.number) { try request(4, 0) }
        #expect(throws: CodecError.number) { try request(1 << 31, 1 << 31) }
        #expect(throws: CodecError.number) { try request(1 << 32, 1) }
        #expect(throws: CodecError.number) { try request(.max, .max) }
    }

    @Test("F54 A hello with another magic, or with no version in common, is refused")
    func hellos() throws {
        func hello(_ magic: String, _ minimum: UInt8, _ maximum: UInt8) throws -> Message? {
            let rest = [UInt8](repeating: 0, count: 12)
            return try FrameCodec.decode(
                type: 1,
                header: Array(magic.utf8) + [minimum, maximum] + rest,
                payloadBytes: 0
            )
        }
        #expect(throws: Never.self) { try hello("WEIR", 1, 1) }
        #expect(throws: Never.self) { try hello("WEIR", 1, 255) }
        #expect(throws: CodecError.notWeir) { try hello("weir", 1, 1) }
        #expect(throws: CodecError.notWeir) { try hello("GET ", 1, 1) }
        // Downgrade to a version that never was, and upgrade to one that is not yet.
        #expect(throws: CodecError.number) { try hello("WEIR", 0, 0) }
        #expect(throws: CodecError.number) { try hello("WEIR", 0, 1) }
        #expect(throws: CodecError.number) { try hello("WEIR", 2, 1) }
        #expect(throws: CodecError.version) { try hello("WEIR", 2, 2) }
        #expect(throws: CodecError.notWeir) { try FrameCodec.decode(type: 1, header: [], payloadBytes: 0) }
    }

    @Test("F30 F54 Mutated frames are refused or read, and never trap", arguments: UInt64(0)..<60)
    func fuzz(seed: UInt64) throws {
        var messages = RandomWireMessages(seed: seed)
        var refused = 0
        for _ in 0..<40 {
            let (message, payload) = messages.next()
            var frame = try FrameCodec.encodeHeader(message, payloadBytes: payload.count) + payload
            for _ in 0..<Int.random(in: 1...4, using: &messages.generator) { mutate(&frame, with: &messages.generator) }
            do throws(CodecError) {
                guard case .frame(let type, let header, let payload) = FrameCodec.split(frame) else { continue }
                let heard = try FrameCodec.decode(
                    type: type,
                    header: Array(frame[header]),
                    payloadBytes: payload.count
                )
                // What is read is something that could have been said.
                guard let heard else { continue }
                #expect(throws: Never.self) { try FrameCodec.encodeHeader(heard, payloadBytes: payload.count) }
            } catch {
                refused += 1
            }
        }
        #expect(refused > 0)
    }

    @Test("F30 Random bytes are never more than one frame's wait", arguments: UInt64(0)..<60)
    func randomBytes(seed: UInt64) {
        var generator = WireTestGenerator(seed: seed)
        let bytes = (0..<64).map { _ in UInt8.random(in: 0...255, using: &generator) }
        if case .needs(let needed) = FrameCodec.split(bytes) { #expect(needed <= WireLimits.wholeFrameBytes) }
        for type in 1...16 as ClosedRange<UInt64> {
            for length in 0...bytes.count {
                _ = try? FrameCodec.decode(type: type, header: Array(bytes[..<length]), payloadBytes: 0)
            }
        }
    }

    private func mutate(_ frame: inout [UInt8], with generator: inout WireTestGenerator) {
        // The front decides most: lengths, counts, types.
        let reach = Bool.random(using: &generator) ? min(frame.count, 24) : frame.count
        guard reach > 0 else { return }
        let place = Int.random(in: 0..<reach, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: frame[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: frame[place] = [0, 0x7f, 0x80, 0xff].randomElement(using: &generator) ?? 0
        case 2: frame.insert(UInt8.random(in: 0...255, using: &generator), at: place)
        case 3: frame.remove(at: place)
        default: frame.removeSubrange(place...)
        }
    }
}

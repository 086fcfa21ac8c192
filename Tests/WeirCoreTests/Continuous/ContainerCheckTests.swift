import Testing
import WeirCore

@Suite("Whether a segment is whole pieces of its container") struct ContainerCheckTests {
    private static let packets: [UInt8] = (0..<50).flatMap { (number: UInt8) -> [UInt8] in
        [0x47] + [UInt8](repeating: number, count: 187)
    }

    private static func box(_ name: String, _ count: Int) -> [UInt8] {
        let size = 8 + count
        return (0..<4).map { UInt8(truncatingIfNeeded: size >> (24 - 8 * $0)) } + Array(name.utf8)
            + [UInt8](repeating: 7, count: count)
    }

    private static let boxes: [UInt8] = box("styp", 16) + box("moof", 300) + box("mdat", 5000)
    /// A box whose size has 64 bits, and one that goes to the end.
    private static let large: [UInt8] = [0, 0, 0, 1] + Array("mdat".utf8) + [0, 0, 0, 0, 0, 0, 0, 20, 1, 2, 3, 4]
    private static let open: [UInt8] =
        box("moof", 30) + [0, 0, 0, 0] + Array("mdat".utf8) + [UInt8](repeating: 1, count: 99)

    /// Added in pieces of random lengths.
    private func verdict(_ bytes: [UInt8], _ suffix: String, seed: UInt64 = 1) -> String? {
        var random = Lot(state: seed)
        var check = ContainerCheck(suffix: suffix)
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(Int(random.next() % 700) + 1)
            check.add(part)
            rest = rest.dropFirst(part.count)
        }
        return check.finish()
    }

    private struct Lot {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
    }

    @Test(
        "Nothing is said against what is whole, in whatever pieces it comes",
        arguments: 1...20 as ClosedRange<UInt64>
    )
    func whole(seed: UInt64) {
        #expect(verdict(Self.packets, "ts", seed: seed) == nil)
        #expect(verdict(Self.boxes, "m4s", seed: seed) == nil)
        #expect(verdict(Self.box("ftyp", 8) + Self.large, "mp4", seed: seed) == nil)
        #expect(verdict(Self.open, "m4s", seed: seed) == nil)
        #expect(verdict([0xFF, 0xF1] + [UInt8](repeating: 9, count: 90), "aac", seed: seed) == nil)
        #expect(verdict(Array("ID3".utf8) + [UInt8](repeating: 9, count: 90), "ts", seed: seed) == nil)
        #expect(verdict(Array("WEBVTT\n\n00:00.000 --> 00:01.000\nx".utf8), "vtt", seed: seed) == nil)
    }

    @Test("What was cut off anywhere within a packet or a box is noticed", arguments: 1...40)
    func cutOff(seed: Int) {
        let packets = 188 * 20 + 1 + seed * 4
        let verdict = self.verdict(Array(Self.packets.prefix(packets)), "ts", seed: UInt64(seed))
        #expect(verdict?.contains("within a packet") == true)
        for count in [30 + seed, 333 + seed * 100] {
            let verdict = self.verdict(Array(Self.boxes.prefix(count)), "m4s", seed: UInt64(seed))
            #expect(verdict?.contains("within a box") == true, "\(count)")
        }
    }

    @Test("Other bytes amid it, at its beginning or instead of it are noticed")
    func otherBytes() {
        var bytes = Self.packets
        bytes[188 * 7] = 0
        #expect(verdict(bytes, "ts") == "no packet begins at byte 1316")
        bytes.remove(at: 400)
        #expect(verdict(bytes, "ts") == "no packet begins at byte 564")
        #expect(verdict([UInt8](repeating: 3, count: 400), "ts") == "it begins like no ts")
        #expect(verdict([UInt8](repeating: 3, count: 400), "m4s") == "it begins like no m4s")
        #expect(verdict([], "ts") == "it is empty")
        #expect(verdict([1, 2], "mp4") == "it is too short")
        #expect(verdict(Self.box("moof", 30), "m4s") == "there are no media in it")
        let small = Self.box("moof", 30) + [0, 0, 0, 4] + Array("mdat".utf8)
        #expect(verdict(small, "m4s") == "a box is smaller than its head")
        #expect(verdict(Self.box("moof", 30) + [0, 0, 1, 4, 1, 2, 3, 4, 5], "m4s") == "what follows a box is none")
    }

    @Test("Random bytes end in a verdict or in none", arguments: 1...50 as ClosedRange<UInt64>)
    func random(seed: UInt64) {
        var lot = Lot(state: seed)
        for start in [[], [0x47], Array(Self.box("moof", 20).prefix(20)), Array(Self.large.prefix(12))] as [[UInt8]] {
            let bytes = start + (0..<2000).map { _ in UInt8(truncatingIfNeeded: lot.next()) }
            _ = verdict(bytes, ["ts", "m4s", "aac"][Int(seed % 3)], seed: seed)
        }
    }
}

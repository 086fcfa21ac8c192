import Testing

@testable import WeirCore

@Suite("Compressed playlists") struct InflateTests {
    private static func bytes(_ lines: [String]) -> [UInt8] {
        let digits = Array(lines.joined().utf8)
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16) ?? 0
        }
    }

    /// Forty segments.
    private static let long =
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n"
        + (7..<47).map { "#EXTINF:2.0,\nsegment-\($0).ts?token=\($0 * 7919 % 1000)\n" }.joined() + "#EXT-X-ENDLIST\n"

    /// By Python's zlib: a code of its own, with an extra field, a name, a comment and a header checksum.
    private static let dynamic = bytes([
        "1f8b081e0000000000030400616263646c6973742e6d33753800636f6d6d656e7400000075d4cd4ac3501086e17d6ea35b53",
        "7266e6fc054482394ac0466c13e80d0417625db4f78f22947c8b7cab03c30bc37916b32be7e9a073b5fb7beb733d75c7d732",
        "f5f3b19b86f7b195fbfc50faa1ab4fe5632ee37369e3ff7c185f5ad9370fd575f9fc5e2eb73aee6fd7a7dbcfd7727934d5ed",
        "26ad8d7ad96ef2da4874db8d6bd6c8e586440ea2269348605d228dae4d36f27d676b944220915fa3983c8902448d9108b883",
        "106e07dede88b703700b045c005c13011700974cc005c11d111710774ac405c43d011700cf91800b80a74cc005c09323e002",
        "e05109b80078f0045c01dc4702ae006e89802b805b43c015c05508b802b8181157107781882b8a13700570c2adc09d85706b",
        "c65d84db803b06c26dc01d22e136e0f699701b707b47b8cdf0a2126ef3785209b705bca976bfeb65ecdf86d354fd024ee571",
        "9207060000",
    ])

    private static let short = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n#EXT-X-ENDLIST\n"
    /// The standard's own code, inside zlib.
    private static let fixed = bytes([
        "780153768d08f1350ee55206d2ba11ba218e41eeae212ea1418e219efe7e564660714f3f372b231dae44bd9262983a573f17",
        "1fcfe0102e000ca91053",
    ])
    /// Not compressed, inside gzip.
    private static let stored = bytes([
        "1f8b0800000000000403013f00c0ff234558544d33550a234558542d582d5441524745544455524154494f4e3a320a234558",
        "54494e463a322c0a612e74730a234558542d582d454e444c4953540a6d22a79c3f000000",
    ])

    @Test("What zlib wrote is read: its own code, the standard's, stored; inside gzip, zlib, or nothing") func reading()
        throws
    {
        #expect(text(try Inflate.gzip(InflateTests.dynamic, limit: 100_000)) == InflateTests.long)
        #expect(text(try Inflate.zlib(InflateTests.fixed, limit: 1000)) == InflateTests.short)
        #expect(text(try Inflate.zlib(Array(InflateTests.fixed[2...]), limit: 1000)) == InflateTests.short)
        #expect(text(try Inflate.gzip(InflateTests.stored, limit: 1000)) == InflateTests.short)
    }

    @Test("F12 No output grows beyond the limit") func limit() {
        #expect(throws: Inflate.Refusal.tooLarge) { try Inflate.gzip(InflateTests.dynamic, limit: 1000) }
        #expect(throws: Inflate.Refusal.tooLarge) { try Inflate.gzip(InflateTests.stored, limit: 10) }
    }

    @Test("F12 Cut and mutated data never traps", arguments: 0..<20 as Range<UInt64>) func mutations(seed: UInt64) {
        var random = PlaylistRandom(seed: seed)
        for data in [InflateTests.dynamic, InflateTests.fixed, InflateTests.stored] {
            for _ in 0..<50 {
                var bytes = data
                if random.chance(30) { bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random))) }
                for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                #expect((try? Inflate.gzip(bytes, limit: 5000)).map { $0.count <= 5000 } ?? true)
                #expect((try? Inflate.zlib(bytes, limit: 5000)).map { $0.count <= 5000 } ?? true)
            }
        }
    }
}

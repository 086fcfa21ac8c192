import Testing
import WeirCore

@Suite("Range header") struct RangeHeaderTests {
    @Test(
        "A range of a known length is read as RFC 9110 14 says",
        arguments: [
            ("bytes=0-", RangeHeader.range(0..<100)), ("bytes=0-0", .range(0..<1)), ("bytes=10-19", .range(10..<20)),
            ("bytes=99-", .range(99..<100)), ("bytes=50-1000", .range(50..<100)), ("bytes=-1", .range(99..<100)),
            ("bytes=-1000", .range(0..<100)), ("BYTES=1-2", .range(1..<3)), (" bytes= 1-2 ", .range(1..<3)),
            ("bytes=0-99999999999999999999999", .range(0..<100)), ("bytes=-99999999999999999999999", .range(0..<100)),
            ("bytes=0-9223372036854775807", .range(0..<100)), ("bytes=100-", .unsatisfiable),
            ("bytes=100-200", .unsatisfiable), ("bytes=99999999999999999999999-", .unsatisfiable),
            ("bytes=-0", .unsatisfiable), ("bytes=5-4", .ignore), ("bytes=0-1,5-6", .ignore), ("bytes=", .ignore),
            ("bytes=-", .ignore), ("bytes", .ignore), ("", .ignore), ("items=0-1", .ignore), ("bytes=a-b", .ignore),
            ("bytes=0x1-2", .ignore), ("bytes=1-2-3", .ignore), ("bytes=--1", .ignore), ("bytes=1 - 2", .ignore),
            ("bytes=+1-2", .ignore), ("bytes=\u{0}-", .ignore),
        ]
    ) func known(field: String, expected: RangeHeader) {
        #expect(RangeHeader.parse(field, length: 100) == expected)
    }

    @Test("Without a field, and while the length is unknown, the whole is answered") func unknown() {
        #expect(RangeHeader.parse(nil, length: 100) == .whole)
        #expect(RangeHeader.parse(nil, length: nil) == .whole)
        #expect(RangeHeader.parse("bytes=0-", length: nil) == .whole)
        #expect(RangeHeader.parse("bytes=5-", length: nil) == .ignore)
        #expect(RangeHeader.parse("bytes=0-5", length: nil) == .ignore)
        #expect(RangeHeader.parse("bytes=-5", length: nil) == .ignore)
    }

    @Test("Nothing of an empty resource is satisfiable but its end") func empty() {
        #expect(RangeHeader.parse("bytes=0-", length: 0) == .unsatisfiable)
        #expect(RangeHeader.parse("bytes=0-5", length: 0) == .unsatisfiable)
        #expect(RangeHeader.parse("bytes=-5", length: 0) == .whole)
    }

    @Test("Random fields never trap and ranges lie within the length", arguments: 0..<20 as Range<UInt64>)
    func random(seed: UInt64) {
        var random = PlaylistRandom(seed: seed)
        let alphabet = Array("0123456789-=, bytes9223372036854775807")
        for _ in 0..<200 {
            let tail = String(
                (0..<Int.random(in: 0...24, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
            )
            let length = Int64.random(in: 0...Int64.max, using: &random)
            if case .range(let range) = RangeHeader.parse("bytes=" + tail, length: length) {
                #expect(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= length)
            }
        }
    }
}

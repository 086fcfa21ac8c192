import Testing
import WeirCore

@Suite("What media are, as one line")
struct MediaReportTests {
    @Test("What was written is read again, whatever is known", arguments: 0..<40 as Range<UInt64>)
    func roundTrip(seed: UInt64) {
        var random = RandomSource(seed: seed)
        func some<T>(_ value: T) -> T? { random.next() % 3 == 0 ? nil : value }
        let codec = ["h264", "aac", "pcm_s16le"][Int(seed % 3)]
        var report = MediaReport(kind: seed % 2 == 0 ? "video" : "audio", codec: codec)
        report.width = some(Int(random.next() % 8000) + 1)
        report.height = some(Int(random.next() % 8000) + 1)
        report.frame_rate = some(Double(random.next() % 120_000 + 1) / 1000)
        report.sample_rate = some(Int(random.next() % 192_000) + 1)
        report.channels = some(Int(random.next() % 16) + 1)
        report.bit_rate = some(Int(random.next() >> 20) + 1)
        report.keyframe_seconds = some(Double(random.next() % 20_000 + 1) / 1000)
        report.language = some("pt-BR")
        #expect(MediaReport(text: report.text) == report)
    }

    @Test(
        "Nonsense is no report, and numbers that mean nothing are left out",
        arguments: [
            "", "video", "text srt - - - - - - - -", "video h264 1 2 3 4 5 6 7", "video h264 1 2 3 4 5 6 7 de x",
            "video \"h264 1 2 3 4 5 6 7 de", "video - 1 2 3 4 5 6 7 de",
        ]
    )
    func nonsense(text: String) {
        #expect(MediaReport(text: text) == nil)
        let odd = MediaReport(text: "video h264 -1 0 nan -5 99999999999999999999 x inf d\"e")
        #expect(odd == MediaReport(kind: "video", codec: "h264"))
    }
}

import Testing

@testable import WeirCore

@Suite("What the own line carries")
struct LineMeterTests {
    /// Chunks to eight peers over an uplink, which sends them one after another, each followed by a ping whose answer takes
    /// the way there and back; as many under way as the meter allows, or eight.
    private static func upload(
        _ meter: inout UplinkMeter,
        chunks: Int,
        rate: Double,
        delay: (_ chunk: Int) -> Duration = { _ in .zero }
    ) -> Instant {
        var now = Instant.start
        var free = Instant.start
        var underWay: [(chunk: Int, sent: Instant, there: Instant)] = []
        var next = 0
        while next < chunks || !underWay.isEmpty {
            let isAllowed = meter.isProved ? underWay.count < 8 : underWay.count * Chunk.byteCount < meter.window
            if next < chunks, isAllowed {
                _ = meter.leaves(underWay: Int64(underWay.count * Chunk.byteCount), at: now)
                free = max(free, now) + .seconds(Double(Chunk.byteCount) / rate)
                underWay.append((next, now, free + delay(next)))
                next += 1
                continue
            }
            guard let place = underWay.indices.min(by: { underWay[$0].there < underWay[$1].there }) else { break }
            let first = underWay.remove(at: place)
            now = max(now, first.there)
            _ = meter.confirms(Int64(Chunk.byteCount), delay: now - first.sent, wasLimiting: next < chunks, at: now)
        }
        return now
    }

    @Test("A slow uplink is known after a few chunks", arguments: [30_000.0, 62_500, 120_000])
    func slow(rate: Double) throws {
        var meter = UplinkMeter()
        let now = Self.upload(&meter, chunks: 12, rate: rate)
        let known = try #require(meter.rate(at: now))
        #expect(known > rate * 0.7 && known < rate * 1.3)
        #expect(!meter.isProved)
        #expect(meter.rate(at: now + UplinkMeter.memory) == nil)
    }

    @Test("A fast uplink is proved by a few chunks, and looked at now and then")
    func fast() {
        var meter = UplinkMeter()
        let now = Self.upload(&meter, chunks: 40, rate: 1_250_000)
        #expect(meter.isProved)
        #expect(meter.rate(at: now) == nil)
        let pings = (0..<80).count { _ in meter.leaves(underWay: 0, at: now) }
        #expect(pings == 80 / UplinkMeter.sparseness)
    }

    @Test("That one peer in three has a narrow downlink says nothing of the own uplink")
    func narrowPeers() {
        var meter = UplinkMeter()
        let now = Self.upload(&meter, chunks: 60, rate: 1_250_000) { $0 % 3 == 0 ? .milliseconds(900) : .zero }
        #expect(meter.rate(at: now) ?? .infinity > 300_000)
    }

    @Test("An uplink that was proved and becomes slow is found out")
    func becomesSlow() throws {
        var meter = UplinkMeter()
        _ = Self.upload(&meter, chunks: 40, rate: 1_250_000)
        let now = Self.upload(&meter, chunks: 40, rate: 60_000)
        let known = try #require(meter.rate(at: now))
        #expect(known > 40_000 && known < 80_000)
    }

    @Test("Who has twice the stream's rate passes on the whole, who has a half of it nothing")
    func shares() {
        #expect(UploadShare.eighths(uplink: 250_000, streamRate: 125_000) == UploadShare.whole)
        #expect(UploadShare.eighths(uplink: 125_000, streamRate: 125_000) == 2)
        #expect(UploadShare.eighths(uplink: 62_500, streamRate: 125_000) == 0)
        #expect(UploadShare.eighths(uplink: 0, streamRate: 125_000) == 0)
        #expect(UploadShare.eighths(uplink: .infinity, streamRate: 125_000) == UploadShare.whole)
        #expect(UploadShare.eighths(uplink: 1, streamRate: 0) == UploadShare.whole)
        #expect(!UploadShare.isNews(7, after: 8) && UploadShare.isNews(6, after: 8) && UploadShare.isNews(8, after: 7))
    }

    @Test("What a line brought is the most of a second, for a quarter of a minute")
    func downlink() throws {
        var meter = DownlinkMeter()
        #expect(meter.rate(at: .start) == nil)
        for step in 0..<50 { meter.note(10_000, at: .start + .milliseconds(100 * step)) }
        let rate = try #require(meter.rate(at: .start + .seconds(5)))
        #expect(rate > 90_000 && rate < 140_000)
        #expect(meter.rate(at: .start + .seconds(15)) != nil)
        #expect(meter.rate(at: .start + .seconds(25)) == nil)
        meter.note(500_000, at: .start + .seconds(1_000_000))
        #expect(meter.rate(at: .start + .seconds(1_000_000)) == 500_000)
    }
}

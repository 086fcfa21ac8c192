import Testing
import WeirCore
import WeirSimulation

@Suite("Simulated content")
struct ContentTests {
    @Test("Joined slices are the direct slice, whatever the cuts", arguments: 1...10 as ClosedRange<UInt64>)
    func joins(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let whole = SimulatedPayload(object: 7, offset: 100, count: 100_000)
        for _ in 0..<50 {
            let first = random.below(50_000)
            let middle = first + 1 + random.below(20_000)
            let last = middle + 1 + random.below(20_000)
            let joined = whole.slice(first..<middle).stored(followedBy: [whole.slice(middle..<last)])
            let direct = whole.slice(first..<last)
            #expect(joined.count == direct.count)
            #expect(joined.digest() == direct.digest())
            let simulated = try #require(joined as? SimulatedPayload)
            #expect(simulated.single?.offset == Int64(100 + first))
        }
    }

    @Test("Different places, objects and tampering give different digests")
    func differences() {
        let base = SimulatedPayload(object: 1, offset: 0, count: 16_384)
        let others = [
            SimulatedPayload(object: 2, offset: 0, count: 16_384),
            SimulatedPayload(object: 1, offset: 16_384, count: 16_384),
            SimulatedPayload(object: 1, offset: 0, count: 16_383),
            base.tampered(5),
        ]
        for other in others { #expect(other.digest() != base.digest()) }
        #expect(base.tampered(5).digest() == base.tampered(5).digest())
        #expect(base.tampered(5).tampered(5).digest() == base.digest())
    }

    @Test("A mixture keeps the order of its pieces and slices across them")
    func mixtures() {
        let one = SimulatedPayload(object: 1, offset: 0, count: 100)
        let two = SimulatedPayload(object: 2, offset: 50, count: 100)
        let mixture = one.stored(followedBy: [two])
        #expect(mixture.count == 200)
        #expect(mixture.slice(0..<100).digest() == one.digest())
        #expect(mixture.slice(100..<200).digest() == two.digest())
        #expect(mixture.slice(50..<150).bytes() == Array(one.bytes()[50...]) + Array(two.bytes()[..<50]))
    }

    @Test("A signature holds for its key and digest alone, and a key names one identity")
    func signatures() {
        let (one, two) = (SimulatedSigner(number: 1), SimulatedSigner(number: 2))
        let digest = SimulatedPayload(object: 1, offset: 0, count: 1).digest()
        let other = SimulatedPayload(object: 1, offset: 1, count: 1).digest()
        let signature = one.sign(digest)
        #expect(one.publicKey.count == 65)
        #expect(two.verify(signature, over: digest, publicKey: one.publicKey))
        #expect(!two.verify(signature, over: other, publicKey: one.publicKey))
        #expect(!two.verify(signature, over: digest, publicKey: two.publicKey))
        #expect(!two.verify([], over: digest, publicKey: one.publicKey))
        #expect(two.identity(ofKey: one.publicKey) == one.id)
        #expect(one.id != two.id)
        #expect(two.identity(ofKey: [4]) == nil)
    }

    @Test("A live list moves with time, and every listed segment is there")
    func liveList() {
        let shape = StreamShape(
            isLive: true,
            bitrate: 1e6,
            segmentDuration: .seconds(2),
            window: 8,
            recordedSegments: 0,
            seed: 3
        )
        for tenths in stride(from: 0, to: 600, by: 7) {
            let now = Instant.start + .milliseconds(tenths * 100)
            let (oldest, newest) = (shape.oldest(at: now), shape.newest(at: now))
            #expect(newest - oldest == 7)
            #expect(shape.listed(newest) <= now)
            #expect(shape.listed(newest + 1) > now)
            #expect(shape.exists(oldest, at: now) && shape.exists(newest, at: now))
            #expect(!shape.exists(newest + 1, at: now))
            let text = String(decoding: shape.playlist(at: now), as: UTF8.self)
            #expect(text.contains("#EXT-X-MEDIA-SEQUENCE:\(oldest)\n"))
            #expect(text.contains("#EXTINF:2.000,\nsegment-\(newest).ts\n"))
            #expect(!text.contains("segment-\(newest + 1).ts"))
        }
    }

    @Test("Segments are rate times duration, give or take 15 %")
    func sizes() {
        let shape = StreamShape(
            isLive: true,
            bitrate: 1e6,
            segmentDuration: .seconds(2),
            window: 8,
            recordedSegments: 0,
            seed: 3
        )
        let sizes = (0..<1000).map { shape.bytes(of: 1000 + UInt64($0)) }
        #expect(sizes.allSatisfy { (212_500...287_500).contains($0) })
        let mean = Double(sizes.reduce(0, +)) / 1000
        #expect(abs(mean - 250_000) < 5000)
        #expect(Set(sizes).count > 900)
    }

    @Test("A recording lists everything and ends")
    func recording() {
        let shape = StreamShape(
            isLive: false,
            bitrate: 1e6,
            segmentDuration: .seconds(2),
            window: 8,
            recordedSegments: 30,
            seed: 3
        )
        let text = String(decoding: shape.playlist(at: .start), as: UTF8.self)
        #expect(text.contains("#EXT-X-PLAYLIST-TYPE:VOD"))
        #expect(text.hasSuffix("#EXT-X-ENDLIST\n"))
        #expect(text.split(separator: "\n").count { $0.hasPrefix("segment-") } == 30)
        #expect(StreamShape.sequence(ofPath: "/live/segment-1029.ts") == 1029)
        #expect(StreamShape.sequence(ofPath: "/live/index.m3u8") == nil)
    }

    @Test("Bounds are what BOUNDS' examples say")
    func bounds() {
        #expect(Bounds.copies(viewers: 2) == 0.5)
        #expect(Bounds.copies(viewers: 4) == 0.75)
        #expect(Bounds.offload(viewers: 30, uplinks: Array(repeating: 5e6, count: 30), bitrate: 1e6) == 1 - 1.0 / 30)
        #expect(Bounds.offload(viewers: 10, uplinks: Array(repeating: 5e5, count: 10), bitrate: 1e6) == 0.5)
        let ratio = Bounds.chunkedTime(segmentBytes: 128, uplink: 1, viewers: 64, chunkBytes: 1) / 128
        #expect(abs(ratio - (1 + 6.0 / 128)) < 1e-9)
    }
}

import Testing
import WeirCore

@Suite("Remuxing: times, records, parameters") struct RemuxTests {
    @Test("A timeline begins where the one before ended, for all tracks by the same shift")
    func timelines() {
        var timeline = MediaTimeline(end: 1_000)
        timeline.begin(at: [95_000, 90_000])
        #expect(timeline.shift == -89_000)
        timeline.note(end: 6_000)
        timeline.note(end: 5_500)
        timeline.begin(at: [10, 40])
        #expect(timeline.shift == 5_990)
    }

    @Test("A counter of 33 bits that wraps, jumps and jitters is one line", arguments: UInt64(1)...20)
    func unwrapping(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var unwrapping = Unwrapping(bits: 33)
        var time = Int64(random.next() >> 32)
        let first = time
        #expect(unwrapping.unwrap(time % (1 << 33)) == time)
        for _ in 0..<1_000 {
            // Up to six hours on, and sometimes a little back.
            time += random.next() % 4 == 0 ? -Int64(random.next() % 90_000) : Int64(random.next() % (1 << 31))
            time = max(first, time)
            #expect(unwrapping.unwrap(time % (1 << 33)) == time)
        }
        #expect(time > 1 << 34)
    }

    @Test("A track that begins behind the wrap stays beside the one that begins before it")
    func anchor() {
        var sound = Unwrapping(bits: 33)
        sound.anchor((1 << 33) - 100)
        #expect(sound.unwrap(50) == (1 << 33) + 50)
        var plain = Unwrapping(bits: 64)
        #expect(plain.unwrap(.max) == .max)
    }

    @Test("Media leave at the speed of the clock, a second ahead; what is late is not made up for by a burst")
    func pace() {
        var pace = MediaPace(lead: .seconds(1), comfortable: .seconds(8))
        #expect(pace.delay(of: .seconds(100), waiting: .zero, at: .start) == .zero)
        #expect(pace.delay(of: .seconds(101), waiting: .zero, at: .start) == .zero)
        #expect(pace.delay(of: .seconds(103), waiting: .zero, at: .start) == .seconds(2))
        let later = Instant.start + .seconds(3)
        #expect(pace.delay(of: .seconds(104), waiting: .zero, at: later) == .zero)
        // Ten seconds late: the clock begins here.
        let late = Instant.start + .seconds(20)
        #expect(pace.delay(of: .seconds(105), waiting: .zero, at: late) == .zero)
        #expect(pace.delay(of: .seconds(108), waiting: .zero, at: late) == .seconds(2))
    }

    @Test("With much media waiting the clock runs a twentieth faster")
    func hurry() {
        var pace = MediaPace(lead: .zero, comfortable: .seconds(8))
        #expect(pace.delay(of: .zero, waiting: .seconds(20), at: .start) == .zero)
        let delay = pace.delay(of: .seconds(10), waiting: .seconds(20), at: .start + .seconds(5))
        #expect(delay == .milliseconds(4_750))
    }

    @Test("A record's head is read back; what no worker writes is none", arguments: RemuxRecord.Kind.allCases)
    func records(kind: RemuxRecord.Kind) {
        for (count, time) in [(0, Int64.min), (77, -1), (RemuxRecord.mostBytes, .max)] {
            let record = RemuxRecord(kind, count: count, time: time)
            #expect(RemuxRecord(head: record.head) == record)
        }
        #expect(RemuxRecord(head: RemuxRecord(kind, count: RemuxRecord.mostBytes + 1, time: 0).head) == nil)
        #expect(RemuxRecord(head: [0x57, 99] + [UInt8](repeating: 0, count: 12)) == nil)
        #expect(RemuxRecord(head: [UInt8](repeating: 0, count: 14)) == nil)
        #expect(RemuxRecord(head: []) == nil)
    }

    @Test("Parameter sets of H.264 and HEVC go in front of a picture with their lengths")
    func parameterSets() throws {
        let avc: [UInt8] = [1, 66, 0, 30, 0xFF, 0xE1, 0, 3, 0x67, 1, 2, 1, 0, 2, 0x68, 9]
        let sets = try #require(ParameterSets(avc: avc))
        #expect(sets.inBand == [0, 0, 0, 3, 0x67, 1, 2, 0, 0, 0, 2, 0x68, 9])
        let hevc = [1] + [UInt8](repeating: 0, count: 20) + [0xFD, 2, 0x20, 0, 1, 0, 2, 7, 8, 0x21, 0, 1, 0, 1, 5]
        #expect(try #require(ParameterSets(hevc: hevc)).inBand == [0, 2, 7, 8, 0, 1, 5])
    }

    @Test("A record that is cut anywhere, or lies, is no parameter set and traps nobody", arguments: UInt64(1)...20)
    func hostileParameterSets(seed: UInt64) {
        let avc: [UInt8] = [1, 66, 0, 30, 0xFF, 0xE1, 0, 3, 0x67, 1, 2, 1, 0, 2, 0x68, 9]
        for count in 0..<avc.count { #expect(ParameterSets(avc: Array(avc.prefix(count))) == nil) }
        var random = RandomSource(seed: seed)
        for _ in 0..<500 {
            let bytes = [1] + (0..<Int(random.next() % 60)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            #expect(ParameterSets(avc: bytes)?.inBand.count ?? 0 <= 4 * bytes.count)
            #expect(ParameterSets(hevc: bytes)?.inBand.count ?? 0 <= 4 * bytes.count)
        }
    }

    @Test("The best picture is chosen, with the default of its sounds")
    func choice() throws {
        let head = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"fr\",URI=\"fr.m3u8\"\n"
        let sounds = head + "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"en\",DEFAULT=YES,URI=\"en.m3u8\"\n"
        let text =
            sounds + "#EXT-X-STREAM-INF:BANDWIDTH=900,CODECS=\"mp4a.40.2\",AUDIO=\"a\"\nsound.m3u8\n"
            + "#EXT-X-STREAM-INF:BANDWIDTH=500,RESOLUTION=640x360,AUDIO=\"a\"\nlow.m3u8\n"
            + "#EXT-X-STREAM-INF:BANDWIDTH=800,CODECS=\"avc1.42e01e,mp4a.40.2\",AUDIO=\"a\"\nhigh.m3u8\n"
            + "#EXT-X-STREAM-INF:BANDWIDTH=800,CODECS=\"avc1.42e01e,mp4a.40.2\",AUDIO=\"a\"\nother.m3u8\n"
        let url = PlaylistFixture.url("text")
        guard case .multivariant(let list) = try HLSPlaylist.parse(Array(text.utf8), url: url, limits: Limits()) else {
            Issue.record("no multivariant playlist")
            return
        }
        let choice = try #require(RenditionChoice(list))
        #expect(choice.main.lastPathPart == "high.m3u8")
        #expect(choice.audio?.lastPathPart == "en.m3u8")
    }
}

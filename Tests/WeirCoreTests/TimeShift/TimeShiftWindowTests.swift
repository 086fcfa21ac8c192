import Testing

@testable import WeirCore

@Suite("The window of what was listed")
struct TimeShiftWindowTests {
    /// An origin whose segments last a random time each, and an agent that reads its list at random moments.
    private struct Origin {
        var random: RandomSource
        var durations: [Duration] = []
        /// When each segment's end was made.
        var ends: [Instant] = []
        let begin = Instant.start + .seconds(1000)

        init(seed: UInt64, count: Int) {
            random = RandomSource(seed: seed)
            var end = begin
            for _ in 0..<count {
                // As declared; what is real differs a little.
                let duration = Duration.milliseconds(1000 + 500 * Int(random.below(9)))
                durations.append(duration)
                end = end + duration + .milliseconds(Int(random.below(9)) - 4)
                ends.append(end)
            }
        }

        /// The list as it is at that moment; nil before its first segment.
        func list(at now: Instant, _ length: Int) throws -> MediaPlaylist? {
            let made = ends.count { $0 <= now }
            guard made > 0 else { return nil }
            let first = max(0, made - length)
            var text = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXT-X-MEDIA-SEQUENCE:\(first)\n"
            for number in first..<made { text += "#EXTINF:\(durations[number].seconds),\n\(number).ts\n" }
            let url = try #require(WebURL("http://o.example/index.m3u8"))
            guard case .media(let list) = try HLSPlaylist.parse(Array(text.utf8), url: url, limits: Limits()) else {
                return nil
            }
            return list
        }
    }

    private func window(seed: UInt64, count: Int = 120) throws -> (TimeShiftWindow, Origin, Instant) {
        var origin = Origin(seed: seed, count: count)
        var window = TimeShiftWindow()
        var now = origin.begin
        let length = 6 + Int(origin.random.below(20))
        while now < (origin.ends.last ?? now) {
            now = now + .milliseconds(500 + Int(origin.random.below(4000)))
            if let list = try origin.list(at: now, length) {
                window.add(list, of: .main, inSubtitles: false, at: now)
            }
        }
        return (window, origin, now)
    }

    @Test("Numbers follow each other, edges never descend and lie within a few seconds of the truth", arguments: 1...40)
    func edges(seed: UInt64) throws {
        let (window, origin, _) = try window(seed: seed)
        #expect(window.entries.count == 120)
        for (index, entry) in window.entries.enumerated() {
            #expect(entry.number == UInt64(index))
            if index > 0 { #expect(entry.edge >= window.entries[index - 1].edge) }
            // A list is read four and a half seconds late at most, and the first copy counts back from there.
            let error = (entry.edge - origin.ends[index]).seconds
            #expect(error > -1 && error < 6, "segment \(index): \(error) s")
        }
    }

    @Test(
        "A moment leads to the segment that was live then, and moments in order to places in order",
        arguments: 1...40
    )
    func places(seed: UInt64) throws {
        let (window, origin, now) = try window(seed: seed)
        var random = RandomSource(seed: seed &* 31)
        var before = 0.0
        let span = (now - origin.begin).nanoseconds
        for moment in (0..<200).map({ _ in Int64(random.below(UInt64(span))) }).sorted() {
            let asked = origin.begin + Duration(nanoseconds: moment)
            let place = try #require(window.place(at: asked))
            let entry = window.entries[place.index]
            #expect(place.offset >= .zero && place.offset <= entry.duration)
            let position = Double(place.index) + place.offset.seconds / entry.duration.seconds
            #expect(position >= before)
            before = position
            guard !place.isClamped, place.index > 0 else { continue }
            #expect(window.entries[place.index - 1].edge <= asked && entry.edge > asked || place.index == 119)
        }
    }

    @Test("What lies outside leads to the nearest end and says so")
    func outside() throws {
        let (window, origin, now) = try window(seed: 3)
        let early = try #require(window.place(at: origin.begin - .seconds(100)))
        #expect(early == .init(index: 0, offset: .zero, isClamped: true))
        let late = try #require(window.place(at: now + .seconds(100)))
        #expect(late.index == 119 && late.isClamped)
        #expect(TimeShiftWindow().place(at: now) == nil)
    }

    @Test("A length is kept to within a segment, and without one what is still there", arguments: 1...10)
    func trimming(seed: UInt64) throws {
        var (window, _, _) = try window(seed: seed)
        var held = window
        window.trim(to: .seconds(60), most: 1000) { _ in false }
        let first = try #require(window.entries.first)
        let last = try #require(window.entries.last)
        let kept = last.edge - first.edge
        #expect(kept < .seconds(60) && kept > .seconds(53) && last.number == 119)
        window.trim(to: .seconds(60), most: 5) { _ in true }
        #expect(window.entries.count == 5)
        held.trim(to: nil, most: 1000) { $0 >= 40 }
        #expect(held.entries.first?.number == 40)
        held.trim(to: nil, most: 1000) { _ in false }
        #expect(held.entries.isEmpty)
    }

    private func list(_ text: String) throws -> MediaPlaylist {
        let url = try #require(WebURL("http://o.example/index.m3u8"))
        guard case .media(let list) = try HLSPlaylist.parse(Array(text.utf8), url: url, limits: Limits()) else {
            throw PlaylistError.malformed(line: 0, reason: "no media playlist")
        }
        return list
    }

    @Test("By the origin's clock: its dates go on from segment to segment, and holes lead to what comes behind them")
    func dates() throws {
        var window = TimeShiftWindow()
        let text = """
            #EXTM3U
            #EXT-X-TARGETDURATION:10
            #EXT-X-MEDIA-SEQUENCE:7
            #EXT-X-PROGRAM-DATE-TIME:2026-01-01T20:00:00.000Z
            #EXTINF:10,
            7.ts
            #EXTINF:10,
            8.ts
            #EXT-X-DISCONTINUITY
            #EXT-X-PROGRAM-DATE-TIME:2026-01-01T21:00:00+01:00
            #EXTINF:10,
            9.ts
            #EXT-X-DISCONTINUITY
            #EXT-X-PROGRAM-DATE-TIME:2026-01-01T20:01:00Z
            #EXTINF:10,
            10.ts

            """
        window.add(try list(text), of: .main, inSubtitles: false, at: .start + .seconds(100))
        func place(_ text: String) -> TimeShiftWindow.Place? {
            WallTime(dateTime: text).flatMap { window.place(atDate: $0) }
        }
        #expect(place("2026-01-01T20:01:03Z") == .init(index: 3, offset: .seconds(3)))
        // Of two that say the same the later one counts.
        #expect(place("2026-01-01T20:00:04Z") == .init(index: 2, offset: .seconds(4)))
        #expect(place("2026-01-01T19:00:00Z") == .init(index: 0, offset: .zero, isClamped: true))
        #expect(place("2026-01-01T20:00:30Z") == .init(index: 3, offset: .zero))
        #expect(place("2026-01-01T22:00:00Z") == .init(index: 3, offset: .seconds(10), isClamped: true))
        #expect(window.entries.map(\.timeline) == [0, 0, 1, 2])
    }

    @Test("A list of hostile length is taken over in one pass, and no more of it is kept than allowed")
    func length() throws {
        // Gone through for each segment this would take minutes.
        let list = try list(Playlists.live(0...99_999))
        var window = TimeShiftWindow()
        window.add(list, of: .main, inSubtitles: false, at: .start + .seconds(100))
        window.trim(to: nil, most: Limits().heldWindowSegments) { _ in true }
        #expect(window.entries.count == 4096 && window.entries.last?.number == 99_999)
    }

    @Test("Before the end of a stream that is over it is media that counts", arguments: 1...10)
    func beforeEnd(seed: UInt64) throws {
        let (window, _, _) = try window(seed: seed)
        for half in 0..<200 {
            let back = Duration.milliseconds(500 * half)
            let place = try #require(window.place(beforeEnd: back))
            #expect(window.rest(from: place) == back)
            #expect(place.offset <= window.entries[place.index].duration)
        }
        #expect(window.place(beforeEnd: .seconds(9000)) == .init(index: 0, offset: .zero, isClamped: true))
    }

    @Test("Numbers that no copy had become gaps; too many of them begin the window anew")
    func missing() throws {
        var window = TimeShiftWindow()
        let now = Instant.start + .seconds(100)
        window.add(try list(Playlists.live(10...12)), of: .main, inSubtitles: false, at: now)
        window.add(try list(Playlists.live(15...16)), of: .main, inSubtitles: false, at: now + .seconds(30))
        #expect(window.entries.map(\.number) == [10, 11, 12, 13, 14, 15, 16])
        #expect(window.entries.map(\.isGap) == [false, false, false, true, true, false, false])
        // The clock went on where the stream stood still.
        #expect(window.entries.last?.edge == now + .seconds(30))
        window.add(try list(Playlists.live(9000...9001)), of: .main, inSubtitles: false, at: now + .seconds(40))
        #expect(window.entries.map(\.number) == [9000, 9001])
    }

    @Test("The budget keeps the newest of all streams, never more than it is", arguments: 1...40)
    func budget(seed: UInt64) {
        var random = RandomSource(seed: seed)
        let pieces = (0..<Int(random.below(200))).map { _ in
            TimeShiftBudget.Piece(
                edge: .start + .seconds(Int(random.below(100))),
                bytes: Int64(random.below(1_000_000))
            )
        }
        let budget = Int64(random.below(50_000_000))
        let (floor, bytes) = TimeShiftBudget.floor(of: pieces, within: budget)
        let kept = pieces.filter { $0.edge >= floor }
        #expect(kept.reduce(0) { $0 + $1.bytes } == bytes && bytes <= budget)
        // One moment more would be too much.
        guard let next = pieces.filter({ $0.edge < floor }).map(\.edge).max() else { return }
        #expect(pieces.filter { $0.edge >= next }.reduce(0) { $0 + $1.bytes } > budget)
    }
}

@Suite("Times that are asked for")
struct TimeShiftTests {
    @Test("Both ways to write a time, and what is neither")
    func reading() {
        #expect(TimeShift("-600") == .beforeLive(.seconds(600)))
        #expect(TimeShift("-1.5") == .beforeLive(.milliseconds(1500)))
        #expect(TimeShift("0") == .beforeLive(.zero))
        #expect(TimeShift("2026-01-01T20:00:00Z") == WallTime(dateTime: "2026-01-01T20:00:00Z").map { .date($0) })
        for text in ["", "600", "-", "-10m", "yesterday", "2026-01-01", "--5", "-1-2"] {
            #expect(TimeShift(text) == nil)
        }
        let query = TimeShift.Query(target: "/s/x/dvr.m3u8?at=2026-01-01T20%3A00%3A00Z&catchup=1")
        #expect(query?.at == TimeShift("2026-01-01T20:00:00Z") && query?.isCatchUp == true)
        #expect(TimeShift.Query(target: "/s/x/dvr.m3u8?at=soon") == nil)
        #expect(TimeShift.Query(target: "/s/x/dvr.m3u8") != nil)
    }

    @Test("A date is read as it was written", arguments: 1...200)
    func dates(seed: UInt64) {
        var random = RandomSource(seed: seed)
        let milliseconds = Int64(random.below(8_000_000_000_000)) - 2_000_000_000_000
        let date = WallTime(milliseconds: milliseconds)
        #expect(WallTime(dateTime: date.dateTime) == date, "\(date.dateTime)")
    }
}

extension RandomSource {
    fileprivate mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }
}

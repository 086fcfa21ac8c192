import FoundationEssentials
import NIOCore
import Testing
import WeirCore

@testable import WeirLab

/// The committed recording.
private let recording =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path + "/Fixtures/media/low-latency"

@Suite("Low-latency schedule")
struct PartScheduleTests {
    private let schedule = PartSchedule(partDuration: 320_000_000, partsPerSegment: 6, window: 12)

    @Test("Parts appear when they are complete, after a full window")
    func clock() {
        #expect(schedule.count(at: 0) == 72)
        #expect(schedule.count(at: 319_999_999) == 72)
        #expect(schedule.count(at: 320_000_000) == 73)
        #expect(schedule.time(of: 72) == 320_000_000)
        #expect(schedule.listed(at: 0) == 0..<12)
        #expect(schedule.listed(at: 1_920_000_000) == 1..<13)
        #expect(schedule.targetDuration == 2)
    }

    @Test(
        "A blocking reload waits for what is about to exist and refuses what is not",
        arguments: [
            (nil, nil, .now), (nil, "0", .refused), ("11", nil, .now), ("12", nil, .part(77)), ("13", nil, .part(83)),
            ("14", nil, .refused), ("11", "5", .now), ("12", "0", .part(72)), ("11", "6", .part(72)),
            ("12", "5", .part(77)), ("13", "3", .part(81)), ("13", "4", .refused), ("x", nil, .refused),
            ("12", "-1", .refused),
            ("99999999999999999999", nil, .refused), ("12", "99999999999999999999", .refused),
        ] as [(String?, String?, PartSchedule.Reload)]
    )
    func reload(msn: String?, part: String?, expected: PartSchedule.Reload) {
        #expect(schedule.reload(msn: msn, part: part, at: 0) == expected)
    }
}

@Suite("Fragmented recording")
struct MovieFragmentsTests {
    private func fragments(padding: Int = 0) async throws -> MovieFragments {
        let file = try #require(await DirectoryContent(recording).resource(path: "/high.mp4"))
        return try MovieFragments(file.bytes, seconds: 0.32, padding: padding)
    }

    @Test("Fragments and initialisation section make up the file, and later rounds differ in their counters alone")
    func rounds() async throws {
        let file = try #require(await DirectoryContent(recording).resource(path: "/high.mp4"))
        let fragments = try await fragments()
        var whole = fragments.initialization
        for index in 0..<fragments.count { whole.writeImmutableBuffer(fragments.fragment(index)) }
        #expect(whole == file.bytes)
        #expect(fragments.count == 24)
        let first = Array(fragments.fragment(3).readableBytesView)
        let later = Array(fragments.fragment(27).readableBytesView)
        #expect(first.count == later.count)
        #expect((1...12).contains(zip(first, later).count { $0 != $1 }))
    }

    @Test("Padding is a box of the stated size, the same each time and another for each part")
    func padding() async throws {
        let plain = try await fragments()
        let padded = try await fragments(padding: 1003)
        #expect(padded.fragment(5).readableBytes == plain.fragment(5).readableBytes + 1003)
        #expect(padded.fragment(5).readableBytes == padded.byteCount(5))
        #expect(padded.fragment(5) == padded.fragment(5))
        #expect(padded.fragment(5) != padded.fragment(29))
    }

    @Test("What is no fragmented MP4 is refused")
    func refused() {
        #expect(throws: LabError.self) { try MovieFragments(ByteBuffer(string: "G@"), seconds: 1) }
        #expect(throws: LabError.self) { try MovieFragments(ByteBuffer(bytes: [0, 0, 0, 99, 1, 2, 3, 4]), seconds: 1) }
        #expect(throws: LabError.self) { try MovieFragments(ByteBuffer(bytes: [0, 0, 0, 8, 1, 2, 3, 4]), seconds: 1) }
    }
}

@Suite("Low-latency origin")
struct LowLatencyOriginTests {
    /// An origin whose packager hangs from the beginning, so that nothing moves while it is looked at.
    private func still(_ mode: LowLatencyMode = LowLatencyMode()) async throws -> LowLatencyContent {
        let content = try await LowLatencyContent(directory: recording, mode: mode)
        content.freeze()
        return content
    }

    private func answer(
        _ content: LowLatencyContent,
        _ path: String,
        _ query: String? = nil,
        range: String? = nil
    ) async throws -> OriginAnswer {
        try await content.answer(OriginRequest(path: path, query: query, range: range))
    }

    private func playlist(_ content: LowLatencyContent, _ query: String? = nil) async throws -> String {
        guard case .resource(let resource) = try await answer(content, "/high/live.m3u8", query) else {
            throw LabError("no playlist")
        }
        return String(buffer: resource.bytes)
    }

    @Test("A playlist has all that low latency needs, and its parts are the segment")
    func wholePlaylist() async throws {
        let content = try await still()
        let text = try await playlist(content)
        let seen = try #require(ViewedParts(text, url: "http://h/high/live.m3u8"))
        #expect(seen.canBlockReload)
        #expect(seen.partTarget == 0.32)
        #expect(seen.skipUntil == 12)
        #expect(seen.targetDuration == 2)
        #expect(seen.segments.count == 12)
        #expect(seen.parts.count % 6 == 0 && seen.parts.count >= 18)
        #expect(
            seen.parts.filter(\.isIndependent).map(\.position.part) == [Int](repeating: 0, count: seen.parts.count / 6)
        )
        #expect(seen.hint?.position == PartPosition(segment: 12, part: 0))
        #expect(seen.hint?.url == "http://h/high/part-12.0.m4s")
        let last = PartPosition(segment: 11, part: 5)
        #expect(seen.reports == ["http://h/low/live.m3u8": last, "http://h/sound/live.m3u8": last])
        #expect(text.contains("#EXT-X-PROGRAM-DATE-TIME:20"))
        var joined = ByteBuffer()
        for part in seen.parts where part.position.segment == 11 {
            let path = String(part.url.dropFirst("http://h".count))
            var bytes = try #require(await content.resource(path: path)).bytes
            #expect(content.published(0, part.position)?.digest == Digest.sha256(Array(bytes.readableBytesView)).bytes)
            joined.writeBuffer(&bytes)
        }
        #expect(joined == content.segment(0, 11))
        let segment = await content.resource(path: "/high/segment-11.m4s")
        #expect(segment?.bytes == joined)
    }

    @Test("Parts as byte ranges cut the segment's file, and the hint states where the next one begins")
    func ranges() async throws {
        let content = try await still(LowLatencyMode(parts: .ranges))
        let seen = try #require(ViewedParts(try await playlist(content), url: "http://h/high/live.m3u8"))
        let last = seen.parts.suffix(6)
        #expect(Set(last.map(\.url)) == ["http://h/high/segment-11.m4s"])
        let segment = content.segment(0, 11)
        var end = 0
        for part in last {
            guard case .part(let range) = RequestedRange(header: part.range, count: segment.readableBytes) else {
                throw LabError("\(part) has no range")
            }
            #expect(range.lowerBound == end)
            end = range.upperBound
            let bytes = segment.getBytes(at: range.lowerBound, length: range.count) ?? []
            #expect(content.published(0, part.position)?.digest == Digest.sha256(bytes).bytes)
        }
        #expect(end == segment.readableBytes)
        #expect(seen.hint?.range?.hasPrefix("bytes=0-") == true)
        let open = try await still(LowLatencyMode(parts: .ranges, hintsLength: false))
        let text = try await playlist(open)
        #expect(text.contains("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"segment-12.m4s\",BYTERANGE-START=0\n"))
    }

    @Test("A delta update leaves out what is older than the Skip Boundary, and no more")
    func skip() async throws {
        let content = try await still()
        let whole = try await playlist(content)
        let delta = try await playlist(content, "_HLS_skip=YES")
        let seen = try #require(ViewedParts(delta, url: "http://h/high/live.m3u8"))
        // 12 s before the end lie six whole segments and a piece of a seventh.
        #expect(seen.skipped == 12 - 7)
        #expect(seen.segments.keys.min() == 5)
        #expect(seen.segments.count == 7)
        #expect(delta.count < whole.count)
        #expect(!whole.contains("EXT-X-SKIP"))
        #expect(!delta.contains("EXT-X-MAP"))
        #expect(whole.hasSuffix(delta.split(separator: "\n").suffix(20).joined(separator: "\n") + "\n"))
    }

    @Test("What cannot be expected is refused at once, what never comes after the hold")
    func refusals() async throws {
        let content = try await still(LowLatencyMode(holdLimit: 0.01))
        func status(_ path: String, _ query: String? = nil) async throws -> Int? {
            guard case .status(let status) = try await answer(content, path, query) else { return nil }
            return status
        }
        #expect(try await status("/high/live.m3u8", "_HLS_msn=14") == 400)
        #expect(try await status("/high/live.m3u8", "_HLS_part=1") == 400)
        #expect(try await status("/high/live.m3u8", "_HLS_msn=12&_HLS_part=0") == 503)
        #expect(try await status("/high/live.m3u8", "_HLS_msn=11&_HLS_part=5") == nil)
        #expect(try await status("/high/part-12.0.m4s") == 503)
        #expect(try await status("/high/part-12.1.m4s") == 404)
        #expect(try await status("/high/part-11.6.m4s") == 404)
        #expect(try await status("/high/part-x.y.m4s") == 404)
        #expect(try await status("/high/segment-13.m4s") == 404)
        #expect(try await status("/other/live.m3u8") == 404)
        #expect(try await status("/live.m3u8") == nil)
    }

    @Test("What is held is answered as soon as it exists", .timeLimit(.minutes(1)))
    func held() async throws {
        let content = try await still()
        async let reloaded = playlist(content, "_HLS_msn=12&_HLS_part=0")
        async let part = answer(content, "/high/part-12.0.m4s")
        content.thaw()
        let seen = try #require(ViewedParts(try await reloaded, url: "http://h/high/live.m3u8"))
        #expect(seen.parts.contains { $0.position == PartPosition(segment: 12, part: 0) })
        guard case .resource(let resource) = try await part else { throw LabError("no part") }
        let published = try #require(content.published(0, PartPosition(segment: 12, part: 0)))
        #expect(Digest.sha256(Array(resource.bytes.readableBytesView)).bytes == published.digest)
        #expect(published.available <= .now)
    }

    @Test("The multivariant playlist has two variants, best first, with the sound apart")
    func multivariant() async throws {
        let content = try await still()
        let path = LowLatencyContent.multivariantPath
        let text = String(buffer: try #require(await content.resource(path: path)).bytes)
        let seen = try #require(ViewedPlaylist(text, url: "http://h/live.m3u8"))
        #expect(seen.variants == ["http://h/high/live.m3u8", "http://h/low/live.m3u8"])
        #expect(text.contains("CODECS=\"avc1.42c00d,mp4a.40.2\",RESOLUTION=320x180,AUDIO=\"sound\"\n"))
        #expect(text.contains("URI=\"sound/live.m3u8\"\n"))
    }

    @Test("The presentation names the same segments")
    func presentation() async throws {
        let content = try await still()
        let text = String(buffer: try #require(await content.resource(path: "/live.mpd")).bytes)
        #expect(text.contains("availabilityTimeOffset=\"1.600\" availabilityTimeComplete=\"false\""))
        #expect(text.contains("media=\"$RepresentationID$/segment-$Number$.m4s\""))
        #expect(text.contains("<Representation id=\"low\""))
        #expect(text.contains("contentType=\"audio\""))
    }
}

@Suite("Low-latency viewer")
struct LowLatencyViewerTests {
    @Test(
        "A viewer has every part bit by bit in every mode, and the origin's log says the same",
        .timeLimit(.minutes(1)),
        arguments: LowLatencyMode.Parts.allCases,
        LowLatencyMode.Delivery.allCases
    )
    func viewed(parts: LowLatencyMode.Parts, delivery: LowLatencyMode.Delivery) async throws {
        let content = try await LowLatencyContent(
            directory: recording,
            mode: LowLatencyMode(parts: parts, delivery: delivery, padding: 50_000)
        )
        let origin = try await LabOrigin.start(content)
        let viewer = LowLatencyViewer(url: origin.url + LowLatencyContent.multivariantPath) { content.published(0, $0) }
        let report = await viewer.run(parts: 8)
        await origin.stop()
        print("low latency, \(parts), \(delivery): \(report.summary)")
        #expect(report.arrivals.count == 8)
        #expect(report.missed == [])
        #expect(report.inexact == [])
        #expect(report.errors == [])
        #expect(report.failedHints == 0)
        #expect(report.deltaUpdates > 0)
        #expect(report.arrivals.contains { $0.isHinted })
        #expect(report.arrivals.allSatisfy { $0.lastByte > 0 })
        if delivery == .chunked {
            #expect(report.arrivals.contains { $0.firstByte < $0.lastByte })
        }
        let media = origin.log.entries.filter { $0.path.hasSuffix(".m4s") && $0.bytes > 0 }
        #expect(media.reduce(0) { $0 + $1.bytes } >= report.bytes)
        #expect(media.allSatisfy { ($0.range != nil) == (parts == .ranges) })
        #expect(origin.log.entries.contains { $0.query?.hasPrefix("_HLS_msn=") == true && $0.begun < $0.time })
    }

    @Test("Without hints parts come when they are listed", .timeLimit(.minutes(1)))
    func listed() async throws {
        let content = try await LowLatencyContent(directory: recording)
        let origin = try await LabOrigin.start(content)
        origin.set(.status(404), prefix: "/low/part-12.1", times: 1)
        let viewer = LowLatencyViewer(
            url: origin.url + LowLatencyContent.multivariantPath,
            variant: 1,
            usesHints: false
        ) {
            content.published(1, $0)
        }
        let report = await viewer.run(parts: 4)
        await origin.stop()
        #expect(report.arrivals.map(\.isExact) == [true, true, true, true])
        #expect(!report.arrivals.contains { $0.isHinted })
        #expect(report.errors.count == 1)
    }

    @Test("The first byte of a segment in progress leaves before the segment is complete", .timeLimit(.minutes(1)))
    func inProgress() async throws {
        let content = try await LowLatencyContent(directory: recording)
        let origin = try await LabOrigin.start(content)
        let number = try await content.nextSegment()
        let read = try await StreamedRead.get("\(origin.url)/high/segment-\(number).m4s")
        await origin.stop()
        #expect(read.bytes == Array(content.segment(0, number).readableBytesView))
        let complete = try #require(content.published(0, PartPosition(segment: number, part: 5))).available
        #expect(read.firstByte < complete)
        #expect(read.lastByte >= complete)
        #expect(read.length == nil)
    }
}

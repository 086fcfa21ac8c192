import FoundationEssentials
package import NIOCore
import Synchronization

/// An endless low-latency stream of two video renditions with sound apart, on a real clock: what a packager with blocking playlist reload
/// makes (draft-pantos-hls-rfc8216bis), and the same segments as low-latency DASH. `LowLatencyManifests` says the paths.
///
/// A request for what is about to exist is held: a playlist with `_HLS_msn`, and the part that is hinted. A segment that
/// is still being made leaves in the chunked coding as its parts are made.
package final class LowLatencyContent: OriginContent {
    package static let multivariantPath = "/live.m3u8"
    package static let presentationPath = "/live.mpd"
    /// Complete segments in the list.
    package static let window = 12
    /// Seconds of a part of the committed recording.
    static let partSeconds = 0.32
    package static let partsPerSegment = 6

    private struct Key: Hashable {
        var rendition: Int
        /// Of the part, or of a segment's first.
        var index: Int
        var isSegment: Bool
    }

    private let recordings: [MovieFragments]
    private let initializations: [OriginResource]
    private let schedule: PartSchedule
    private let manifests: LowLatencyManifests
    private let mode: LowLatencyMode
    private let clock: LowLatencyClock
    private let made = Mutex<[Key: OriginResource]>([:])

    /// The renditions' names: the pictures, best first, then the sound.
    package static let renditions = ["high", "low", "sound"]

    /// - Parameter directory: of an `.mp4` of each rendition, made as `Fixtures/media/low-latency/make` does.
    package init(directory: String, mode: LowLatencyMode = LowLatencyMode()) async throws {
        let files = DirectoryContent(directory)
        var recordings: [MovieFragments] = []
        for name in LowLatencyContent.renditions {
            guard let file = await files.resource(path: "/\(name).mp4") else {
                throw LabError("there is no \(name).mp4 in \(directory)")
            }
            let seconds = LowLatencyContent.partSeconds
            let padding = name == "sound" ? 0 : mode.padding
            recordings.append(try MovieFragments(file.bytes, seconds: seconds, padding: padding))
        }
        self.recordings = recordings
        self.mode = mode
        initializations = recordings.map { OriginResource(bytes: $0.initialization, contentType: "video/mp4") }
        let schedule = PartSchedule(
            partDuration: recordings[0].fragmentDuration,
            partsPerSegment: LowLatencyContent.partsPerSegment,
            window: LowLatencyContent.window
        )
        self.schedule = schedule
        manifests = LowLatencyManifests(
            schedule: schedule,
            renditions: recordings.indices.map { rendition in
                LowLatencyManifests.Rendition(
                    name: LowLatencyContent.renditions[rendition],
                    bandwidth: LowLatencyContent.bandwidth(recordings[rendition]),
                    resolution: [(320, 180), (160, 90), nil][rendition]
                )
            },
            mode: mode,
            started: Date(),
            partBytes: { [recordings] in recordings[$0].byteCount($1) }
        )
        clock = LowLatencyClock()
    }

    /// What was published under a position, or will be. Rendition 0 is the best.
    package func published(_ rendition: Int, _ position: PartPosition) -> PublishedPart? {
        guard recordings.indices.contains(rendition), position.segment >= 0,
            (0..<schedule.partsPerSegment).contains(position.part)
        else { return nil }
        let index = schedule.index(of: position)
        return PublishedPart(
            digest: part(rendition, index).sha256,
            available: clock.instant(of: schedule.time(of: index))
        )
    }

    /// How long a part is.
    package func byteCount(_ rendition: Int, _ position: PartPosition) -> Int {
        recordings[rendition].byteCount(schedule.index(of: position))
    }

    /// The bytes of a segment.
    package func segment(_ rendition: Int, _ number: Int) -> ByteBuffer {
        let first = number * schedule.partsPerSegment
        return (first..<first + schedule.partsPerSegment).reduce(into: ByteBuffer()) { all, index in
            all.writeImmutableBuffer(part(rendition, index).bytes)
        }
    }

    /// The newest part that exists.
    package var newest: PartPosition { schedule.position(of: schedule.count(at: clock.elapsed) - 1) }

    /// Waits for the next segment's first part, so that most of the segment is still to come.
    ///
    /// - Returns: the segment's media sequence number.
    package func nextSegment() async throws -> Int {
        let number = schedule.count(at: clock.elapsed) / schedule.partsPerSegment + 1
        _ = try await clock.wait(until: schedule.time(of: number * schedule.partsPerSegment), limit: holdLimit)
        return number
    }

    /// The packager hangs: nothing new appears, and what is held waits.
    package func freeze() { clock.freeze() }

    /// The packager goes on where it stopped.
    package func thaw() { clock.thaw() }

    package func resource(path: String) async -> OriginResource? {
        guard case .resource(let resource)? = try? await answer(OriginRequest(path: path)) else { return nil }
        return resource
    }

    package func answer(_ request: OriginRequest) async throws -> OriginAnswer {
        switch request.path {
        case LowLatencyContent.multivariantPath: return text(manifests.multivariant, "application/vnd.apple.mpegurl")
        case LowLatencyContent.presentationPath:
            return text(manifests.presentation(at: clock.elapsed), "application/dash+xml")
        default: break
        }
        let names = request.path.split(separator: "/")
        guard names.count == 2, let rendition = LowLatencyContent.renditions.firstIndex(of: String(names[0])) else {
            return .status(404)
        }
        switch names[1] {
        case "live.m3u8": return try await playlist(rendition, request)
        case "init.mp4": return .resource(initializations[rendition])
        default: return try await media(rendition, names[1], request)
        }
    }

    private func playlist(_ rendition: Int, _ request: OriginRequest) async throws -> OriginAnswer {
        let msn = request.parameter("_HLS_msn")
        switch schedule.reload(msn: msn, part: request.parameter("_HLS_part"), at: clock.elapsed) {
        case .refused: return .status(400)
        case .now: break
        case .part(let index):
            guard try await clock.wait(until: schedule.time(of: index), limit: holdLimit) else { return .status(503) }
        }
        // EXT-X-DATERANGE is not used here, so that v2 means the same as YES.
        let skipping = ["YES", "v2"].contains(request.parameter("_HLS_skip"))
        let playlist = manifests.media(rendition, at: clock.elapsed, skipping: skipping)
        return text(playlist, "application/vnd.apple.mpegurl")
    }

    private func media(_ rendition: Int, _ name: Substring, _ request: OriginRequest) async throws -> OriginAnswer {
        guard name.hasSuffix(".m4s"), let dash = name.firstIndex(of: "-") else { return .status(404) }
        let numbers = name[name.index(after: dash)...].dropLast(4).split(separator: ".").map { Int($0) ?? -1 }
        guard numbers.allSatisfy({ (0..<1 << 40).contains($0) }) else { return .status(404) }
        switch (name[..<dash], numbers.count) {
        case ("part", 2) where mode.parts == .files && numbers[1] < schedule.partsPerSegment:
            let index = schedule.index(of: PartPosition(segment: numbers[0], part: numbers[1]))
            return try await answerPart(rendition, index)
        case ("segment", 1): return try await answerSegment(rendition, numbers[0], request)
        default: return .status(404)
        }
    }

    private func answerPart(_ rendition: Int, _ index: Int) async throws -> OriginAnswer {
        let elapsed = clock.elapsed
        let existing = schedule.count(at: elapsed)
        guard index >= schedule.oldest(at: elapsed), index <= existing else { return .status(404) }
        // Made before it is published, so that making it delays nobody.
        let part = part(rendition, index)
        guard index == existing else { return .resource(part) }
        guard mode.delivery == .whole else {
            let pieces = pieces(rendition, index..<index + 1, part.bytes.readerIndex..<part.bytes.writerIndex)
            return growing(pieces, status: 200, fields: [])
        }
        guard try await clock.wait(until: schedule.time(of: index), limit: holdLimit) else { return .status(503) }
        return .resource(part)
    }

    private func answerSegment(_ rendition: Int, _ number: Int, _ request: OriginRequest) async throws -> OriginAnswer {
        let elapsed = clock.elapsed
        let existing = schedule.count(at: elapsed)
        let parts = number * schedule.partsPerSegment..<(number + 1) * schedule.partsPerSegment
        guard parts.lowerBound >= schedule.oldest(at: elapsed), parts.lowerBound <= existing else {
            return .status(404)
        }
        guard existing < parts.upperBound else { return .resource(wholeSegment(rendition, number)) }
        let count = parts.reduce(0) { $0 + recordings[rendition].byteCount($1) }
        switch RequestedRange(header: request.range, count: count) {
        case .unsatisfiable: return .status(416)
        case .whole:
            return growing(pieces(rendition, parts, 0..<count), status: 200, fields: [])
        case .part(let range):
            let pieces = pieces(rendition, parts, range)
            // The length of the whole is not known yet.
            let fields = [("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/*")]
            guard request.range?.hasSuffix("-") != true, mode.delivery == .whole else {
                return growing(pieces, status: 206, fields: fields)
            }
            guard try await clock.wait(until: pieces.last?.time ?? 0, limit: holdLimit) else { return .status(503) }
            return growing(pieces, status: 206, fields: fields, length: range.count)
        }
    }

    private struct Piece: Sendable {
        /// When it exists.
        var time: Int64
        var bytes: ByteBuffer
    }

    /// The bytes of a range, that counts from the first of these parts, cut where they come into being.
    private func pieces(_ rendition: Int, _ parts: Range<Int>, _ range: Range<Int>) -> [Piece] {
        let cuts = mode.delivery == .chunked ? 4 : 1
        var pieces: [Piece] = []
        var start = 0
        for index in parts {
            let part = part(rendition, index).bytes
            for cut in 1...cuts {
                let end = part.readableBytes * cut / cuts
                let begin = part.readableBytes * (cut - 1) / cuts
                let wanted = (start + begin..<start + end).clamped(to: range)
                guard !wanted.isEmpty, let bytes = part.getSlice(at: wanted.lowerBound - start, length: wanted.count)
                else { continue }
                let early = schedule.partDuration * Int64(cuts - cut) / Int64(cuts)
                pieces.append(Piece(time: schedule.time(of: index) - early, bytes: bytes))
            }
            start += part.readableBytes
        }
        return pieces
    }

    private func growing(
        _ pieces: [Piece],
        status: Int,
        fields: [(String, String)],
        length: Int? = nil
    ) -> OriginAnswer {
        let fields = fields + [("Content-Type", "video/mp4"), ("Accept-Ranges", "bytes")]
        return .growing(
            GrowingBody(status: status, fields: fields, length: length) { [clock, holdLimit] number in
                guard pieces.indices.contains(number) else { return nil }
                guard try await clock.wait(until: pieces[number].time, limit: holdLimit) else {
                    throw LabError("the packager hangs")
                }
                return pieces[number].bytes
            }
        )
    }

    /// Seconds that a request is held at most: three target durations.
    private var holdLimit: Double { mode.holdLimit ?? Double(3 * schedule.targetDuration) }

    private func part(_ rendition: Int, _ index: Int) -> OriginResource {
        kept(Key(rendition: rendition, index: index, isSegment: false)) { recordings[rendition].fragment(index) }
    }

    private func wholeSegment(_ rendition: Int, _ number: Int) -> OriginResource {
        let key = Key(rendition: rendition, index: number * schedule.partsPerSegment, isSegment: true)
        return kept(key) { segment(rendition, number) }
    }

    private func kept(_ key: Key, _ make: () -> ByteBuffer) -> OriginResource {
        if let known = made.withLock({ $0[key] }) { return known }
        let resource = OriginResource(bytes: make(), contentType: "video/mp4")
        let oldest = schedule.oldest(at: clock.elapsed)
        made.withLock { made in
            made[key] = resource
            if made.count > 64 { made = made.filter { $0.key.index >= oldest } }
        }
        return resource
    }

    private func text(_ text: String, _ type: String) -> OriginAnswer {
        .resource(OriginResource(bytes: ByteBuffer(string: text), contentType: type, changes: true))
    }

    /// Bit/s of the whole recording, with something to spare for its largest parts.
    private static func bandwidth(_ recording: MovieFragments) -> Int {
        let bytes = (0..<recording.count).reduce(0) { $0 + recording.byteCount($1) }
        let seconds = Double(recording.count) * Double(recording.fragmentDuration) / 1e9
        return Int(Double(bytes) * 8 / seconds * 1.2)
    }
}

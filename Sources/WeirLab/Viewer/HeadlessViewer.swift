import AsyncHTTPClient
import NIOCore
import NIOHTTP1
package import WeirCore

/// A player without picture or sound: reads a playlist, fetches its segments over real HTTP and plays them against the
/// clock, as hls.js or ExoPlayer would: three target durations behind the live edge, one request at a time, a bounded
/// buffer. It plays the best variant and no alternate audio.
package actor HeadlessViewer {
    /// A segment as it arrived.
    package struct Segment: Sendable {
        package var number: Int
        package var url: String
        package var bytes: Int
        package var digest: Digest
        /// Seconds since the viewer started, when it was whole.
        package var time: Double
        /// Seconds from the request to the last byte.
        package var seconds: Double
    }

    package struct Report: Sendable {
        package var segments: [Segment] = []
        package var playback = Playback()
        /// Body bytes of segments and initialisation sections.
        package var mediaBytes: Int64 = 0
        /// Seconds from the start to the first whole segment; nil before.
        package var startup: Double?
        /// One line each, at most a hundred.
        package var errors: [String] = []
    }

    /// Tries of one segment before the viewer skips it.
    private static let tries = 5

    private let url: String
    private let maximumBuffer: Double
    private let started = ContinuousClock.now
    private var current = Report()
    private var nextNumber: Int?
    private var fetchedMaps: Set<String> = []

    /// - Parameter maximumBuffer: seconds beyond which nothing is fetched; 30 is hls.js's default.
    package init(url: String, maximumBuffer: Double = 30) {
        self.url = url
        self.maximumBuffer = maximumBuffer
    }

    /// What happened so far.
    package var report: Report {
        current.playback.advance(to: now)
        return current
    }

    private var now: Double { (ContinuousClock.now - started).seconds }

    /// Plays to the end of the stream, or until the task is cancelled.
    @discardableResult
    package func run() async -> Report {
        do {
            try await play()
        } catch is CancellationError {
        } catch {
            note("\(error)")
        }
        return report
    }

    private func play() async throws {
        var media = url
        while !Task.isCancelled {
            guard let playlist = await load(media) else {
                try await Task.sleep(for: .milliseconds(500))
                continue
            }
            if let variant = playlist.variants.first {
                media = variant
                continue
            }
            let loaded = now
            let changed = try await playParts(of: playlist)
            if playlist.ended {
                current.playback.finish(at: now)
                while current.playback.state != .ended { try await rest(0.1) }
                return
            }
            // RFC 8216 6.3.4: one target duration after a change, half of one without.
            try await rest(loaded + playlist.targetDuration * (changed ? 1 : 0.5) - now)
        }
    }

    /// - Returns: whether the playlist had something new.
    private func playParts(of playlist: ViewedPlaylist) async throws -> Bool {
        for map in playlist.maps where fetchedMaps.insert(map.url + (map.range ?? "")).inserted {
            if let body = await fetch(map.url, range: map.range) { current.mediaBytes += Int64(body.readableBytes) }
        }
        let first = nextNumber ?? firstNumber(of: playlist)
        let fresh = playlist.parts.filter { $0.number >= first }
        for part in fresh {
            while current.playback.buffer + part.seconds > maximumBuffer { try await rest(0.05) }
            try await play(part)
            nextNumber = part.number + 1
        }
        return !fresh.isEmpty
    }

    /// RFC 8216 6.3.3: not closer than three target durations to the end of a live list.
    private func firstNumber(of playlist: ViewedPlaylist) -> Int {
        guard !playlist.ended else { return 0 }
        var distance = 0.0
        for part in playlist.parts.reversed() {
            distance += part.seconds
            if distance >= 3 * playlist.targetDuration { return part.number }
        }
        return 0
    }

    private func play(_ part: ViewedPlaylist.Part) async throws {
        for _ in 0..<HeadlessViewer.tries {
            try Task.checkCancellation()
            let begin = now
            if let body = await fetch(part.url, range: part.range) {
                let end = now
                current.playback.append(part.seconds, at: end)
                current.mediaBytes += Int64(body.readableBytes)
                if current.startup == nil { current.startup = end }
                current.segments.append(
                    Segment(
                        number: part.number,
                        url: part.url,
                        bytes: body.readableBytes,
                        digest: Digest.sha256(Array(body.readableBytesView)),
                        time: end,
                        seconds: end - begin
                    )
                )
                return
            }
            try await rest(0.5)
        }
    }

    private func load(_ url: String) async -> ViewedPlaylist? {
        guard let body = await fetch(url, range: nil) else { return nil }
        let playlist = ViewedPlaylist(String(buffer: body), url: url)
        if playlist == nil { note("no playlist at \(url)") }
        return playlist
    }

    private func fetch(_ url: String, range: String?) async -> ByteBuffer? {
        var request = HTTPClientRequest(url: url)
        if let range { request.headers.add(name: "Range", value: range) }
        do {
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
            guard response.status.code == (range == nil ? 200 : 206) else {
                note("\(response.status.code) from \(url)")
                return nil
            }
            return try await response.body.collect(upTo: 256 << 20)
        } catch {
            if !Task.isCancelled { note("\(error) from \(url)") }
            return nil
        }
    }

    private func rest(_ seconds: Double) async throws {
        if seconds > 0 { try await Task.sleep(for: .seconds(seconds)) }
        current.playback.advance(to: now)
    }

    private func note(_ error: String) {
        if current.errors.count < 100 { current.errors.append(error) }
    }
}

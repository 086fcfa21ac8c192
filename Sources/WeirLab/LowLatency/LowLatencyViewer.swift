import AsyncHTTPClient
import Crypto
import NIOCore
import NIOHTTP1
import NIOPosix

/// A low-latency player without picture or sound: follows a media playlist by blocking reloads, and asks for every part
/// as soon as it is hinted or listed, in order, one at a time. For each part it notes how long after the origin had it the
/// last byte came.
package actor LowLatencyViewer {
    /// What an origin published under a position.
    package typealias Published = @Sendable (PartPosition) -> PublishedPart?

    /// Tries of a part that is listed, before it counts as missed.
    private static let tries = 3
    /// Seconds a request may take: longer than any hold.
    private static let patience: Int64 = 15

    private let url: String
    private let variant: Int
    private let usesHints: Bool
    private let published: Published
    private let client: HTTPClient
    private var current = PartReport()
    /// Parts that are listed, and the one that is hinted.
    private var listed: [PartPosition: ViewedParts.Part] = [:]
    private var hint: ViewedParts.Part?
    private var newest: PartPosition?
    /// Resumed when the playlist brings something new.
    private var waiting: CheckedContinuation<Void, Never>?
    private var news = 0

    /// - Parameters:
    ///   - url: of a media playlist, or of a multivariant one.
    ///   - variant: which of a multivariant playlist's variants, 0 for the best.
    ///   - usesHints: false waits until parts are listed.
    ///   - published: what the parts of that rendition must be.
    package init(url: String, variant: Int = 0, usesHints: Bool = true, published: @escaping Published) {
        self.url = url
        self.variant = variant
        self.usesHints = usesHints
        self.published = published
        var configuration = HTTPClient.Configuration()
        // A held playlist and a held part each keep a connection.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 16
        client = HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
    }

    /// What happened so far.
    package var report: PartReport { current }

    /// Plays until the task is cancelled or so many parts were had or missed.
    @discardableResult
    package func run(parts limit: Int = .max) async -> PartReport {
        if let media = await mediaPlaylist() {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.follow(media) }
                group.addTask { await self.fetchParts(limit) }
                await group.next()
                group.cancelAll()
                // Whoever waits for news sees that it is cancelled.
                self.wake()
            }
        }
        try? await client.shutdown()
        return current
    }

    /// The address of the media playlist that is followed; nil when cancelled before there was one.
    private func mediaPlaylist() async -> String? {
        while !Task.isCancelled {
            if let text = await load(url), let playlist = ViewedPlaylist(text, url: url) {
                guard !playlist.variants.isEmpty else { return url }
                return playlist.variants[min(variant, playlist.variants.count - 1)]
            }
            try? await Task.sleep(for: .milliseconds(200))
        }
        return nil
    }

    private func follow(_ media: String) async {
        var address = media
        while !Task.isCancelled {
            let begin = ContinuousClock.now
            guard let text = await load(address), let playlist = ViewedParts(text, url: media) else {
                address = media
                try? await Task.sleep(for: .milliseconds(200))
                continue
            }
            current.reloads += 1
            if playlist.skipped > 0 { current.deltaUpdates += 1 }
            take(playlist)
            guard playlist.canBlockReload, let next = nextPosition(playlist) else {
                current.note("no low-latency playlist at \(address)")
                address = media
                try? await Task.sleep(until: begin + .seconds(playlist.targetDuration / 2), clock: .continuous)
                continue
            }
            address = media + (media.contains("?") ? "&" : "?") + "_HLS_msn=\(next.segment)&_HLS_part=\(next.part)"
            if playlist.skipUntil != nil { address += "&_HLS_skip=YES" }
        }
    }

    /// The part that the next reload waits for: after the last one in the list.
    private func nextPosition(_ playlist: ViewedParts) -> PartPosition? {
        if let hint = playlist.hint { return hint.position }
        guard let last = playlist.parts.last?.position else { return nil }
        return playlist.segments[last.segment] == nil
            ? PartPosition(segment: last.segment, part: last.part + 1)
            : PartPosition(segment: last.segment + 1, part: 0)
    }

    private func take(_ playlist: ViewedParts) {
        listed = Dictionary(playlist.parts.map { ($0.position, $0) }) { first, _ in first }
        hint = playlist.hint
        newest = playlist.parts.last?.position
        wake()
    }

    private func wake() {
        news += 1
        waiting?.resume()
        waiting = nil
    }

    private func waitForNews(after seen: Int) async {
        guard news == seen, !Task.isCancelled else { return }
        await withCheckedContinuation { waiting = $0 }
    }

    private func fetchParts(_ limit: Int) async {
        var next: PartPosition?
        /// A hint that failed is not tried again before it is listed.
        var failed: PartPosition?
        while !Task.isCancelled, current.arrivals.count + current.missed.count < limit {
            let seen = news
            // At the live edge: what is hinted or listed after the first list.
            guard let position = next ?? firstPosition() else {
                await waitForNews(after: seen)
                continue
            }
            next = position
            if let part = listed[position] {
                if await !fetchListed(part) { current.missed.append(position) }
            } else if usesHints, let hint, hint.position == position, failed != position {
                guard await fetch(hint, isHinted: true) else {
                    if Task.isCancelled { return }
                    failed = position
                    current.failedHints += 1
                    continue
                }
            } else if let newest, position < newest {
                guard let later = later(than: position) else { continue }
                // Either the segment had no further part, or what was wanted has left the list.
                if later.part != 0 || later.segment != position.segment + 1 { current.missed.append(position) }
                next = later
                continue
            } else if let hint, hint.position > position, hint.position.part == 0,
                hint.position.segment == position.segment + 1
            {
                next = hint.position
                continue
            } else {
                await waitForNews(after: seen)
                continue
            }
            next = PartPosition(segment: position.segment, part: position.part + 1)
        }
    }

    private func firstPosition() -> PartPosition? { hint?.position ?? newest }

    /// The oldest listed part after a position.
    private func later(than position: PartPosition) -> PartPosition? { listed.keys.filter { $0 > position }.min() }

    private func fetchListed(_ part: ViewedParts.Part) async -> Bool {
        for attempt in 0..<LowLatencyViewer.tries {
            if await fetch(part, isHinted: false) { return true }
            guard !Task.isCancelled, attempt + 1 < LowLatencyViewer.tries else { return Task.isCancelled }
            try? await Task.sleep(for: .milliseconds(100))
        }
        return false
    }

    /// - Returns: whether the part is there, right or wrong.
    private func fetch(_ part: ViewedParts.Part, isHinted: Bool) async -> Bool {
        var request = HTTPClientRequest(url: part.url)
        if let range = part.range { request.headers.add(name: "Range", value: range) }
        do {
            let response = try await client.execute(request, timeout: .seconds(LowLatencyViewer.patience))
            guard response.status.code == (part.range == nil ? 200 : 206) else {
                current.note("\(response.status.code) from \(part.url) \(part.range ?? "")")
                return false
            }
            var hash = SHA256()
            var bytes = 0
            var first: ContinuousClock.Instant?
            for try await piece in response.body {
                if first == nil { first = .now }
                bytes += piece.readableBytes
                piece.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
            }
            let end = ContinuousClock.now
            record(part, isHinted, bytes, Array(hash.finalize()), first ?? end, end)
            return true
        } catch {
            if !Task.isCancelled { current.note("\(error) from \(part.url)") }
            return false
        }
    }

    private func record(
        _ part: ViewedParts.Part,
        _ isHinted: Bool,
        _ bytes: Int,
        _ digest: [UInt8],
        _ first: ContinuousClock.Instant,
        _ end: ContinuousClock.Instant
    ) {
        guard let published = published(part.position) else {
            current.note("part \(part.position) was never published")
            return
        }
        current.arrivals.append(
            PartReport.Arrival(
                position: part.position,
                bytes: bytes,
                firstByte: (first - published.available).seconds,
                lastByte: (end - published.available).seconds,
                isHinted: isHinted,
                isExact: digest == published.digest
            )
        )
    }

    private func load(_ url: String) async -> String? {
        do {
            let response = try await client.execute(
                HTTPClientRequest(url: url),
                timeout: .seconds(LowLatencyViewer.patience)
            )
            guard response.status == .ok else {
                current.note("\(response.status.code) from \(url)")
                return nil
            }
            return String(buffer: try await response.body.collect(upTo: 1 << 20))
        } catch {
            if !Task.isCancelled { current.note("\(error) from \(url)") }
            return nil
        }
    }
}

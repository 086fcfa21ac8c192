// Time shift: playlists over what was listed and is held (`dvr.m3u8`).
extension Agent {
    /// Of the whole stream: its list if it has but one, else its renditions with a list each.
    mutating func askWindow(_ answer: Answer, of stream: Stream) {
        guard stream.top.mpd == nil else {
            return refuseWindow(answer, "a DASH stream has the window of its own manifest (timeShiftBufferDepth)")
        }
        guard let query = TimeShift.Query(target: answer.request.target) else { return badTime(answer) }
        guard let rendition = windowed(stream).first ?? stream.renditions.first else { return noStream(answer) }
        let isOneList = rendition.manifest === stream.top && query.at == nil
        answer.window = WindowWish(query: query, rendition: isOneList ? rendition : nil)
        askManifest(answer, rendition.manifest, stream, rendition)
    }

    mutating func askWindow(_ answer: Answer, of rendition: Rendition) {
        guard rendition.representation == nil, !rendition.isParts else { return noStream(answer) }
        guard let query = TimeShift.Query(target: answer.request.target) else { return badTime(answer) }
        answer.window = WindowWish(query: query, rendition: rendition)
        askManifest(answer, rendition.manifest, rendition.stream, rendition)
    }

    private mutating func badTime(_ answer: Answer) {
        let text = "at= is seconds before the live edge (-600) or a date with a time (2026-01-01T20:00:00Z)\n"
        end(answer, status: 400, text: text)
    }

    private mutating func refuseWindow(_ answer: Answer, _ why: String) {
        end(answer, status: 404, text: "no time shift here: \(why)\n")
    }

    /// What is held can be watched though the list cannot be had any more; what the origin refuses cannot.
    func outlives(_ failure: ManifestFailure?) -> Bool {
        if case .status(let status) = failure { return status != 401 && !Agent.mayHaveExpired(status) }
        return failure != nil
    }

    // MARK: Windows

    /// The renditions that have a window up to now, the main one first: what players left for another quality has none.
    func windowed(_ stream: Stream) -> [Rendition] {
        let known = stream.renditions.filter { !$0.isParts && !$0.window.entries.isEmpty && $0.lastAsked != nil }
        guard let latest = known.compactMap({ $0.window.entries.last?.edge }).max() else { return [] }
        let current = known.filter { rendition in
            let age = latest - (rendition.window.entries.last?.edge ?? .start)
            return age <= max(.seconds(30), rendition.targetDuration * 3)
        }
        let lastAsked = current.compactMap { $0.lastAsked }.max() ?? .start
        // Of qualities of one track the one that is played; sound beside it is played as well.
        return current.filter { lastAsked - ($0.lastAsked ?? .start) <= idleAfter($0) }
    }

    /// The window; of a recording all of it.
    private func window(of rendition: Rendition) -> TimeShiftWindow {
        guard rendition.window.entries.isEmpty, let list = rendition.playlist else { return rendition.window }
        var window = TimeShiftWindow()
        window.add(list, of: rendition.key, inSubtitles: rendition.isSubtitles, at: now)
        return window
    }

    private func isOver(_ rendition: Rendition) -> Bool {
        guard let playlist = rendition.playlist else { return false }
        let manifest = rendition.manifest
        let isGone = manifest.failures > 0 && manifest.fetchedAt.map { now - $0 >= Agent.staleManifest } ?? true
        return playlist.endList || isGone
    }

    /// Whether a player can have it: listed, held, or offered by a peer.
    private func isThere(_ entry: WindowEntry, _ rendition: Rendition) -> Bool {
        guard !entry.isGap else { return false }
        if let playlist = rendition.playlist, let first = playlist.first, entry.number >= first { return true }
        guard let segment = rendition.media[entry.number] else { return false }
        return segment.isKept || hasPeerOffer(segment)
    }

    /// The place that is asked for, or the nearest one that can be had.
    private func place(
        _ at: TimeShift,
        in window: TimeShiftWindow,
        _ rendition: Rendition
    ) -> TimeShiftWindow.Place? {
        var found: TimeShiftWindow.Place?
        switch at {
        case .beforeLive(let back):
            found = isOver(rendition) ? window.place(beforeEnd: back) : window.place(at: now - back)
        case .date(let date):
            found = window.place(atDate: date)
            if found == nil, let wall = rendition.stream.clock.now { found = window.place(at: now - (wall - date)) }
        }
        guard let place = found, let first = window.entries.firstIndex(where: { isThere($0, rendition) }) else {
            return nil
        }
        return place.index >= first ? place : TimeShiftWindow.Place(index: first, offset: .zero, isClamped: true)
    }

    /// Seconds that are offered, and the bytes of them that are held in memory and on the disk.
    func windowReport(of stream: Stream) -> (seconds: Double, bytes: Int64, diskBytes: Int64) {
        if stream.top.mpd != nil { return manifestWindow(of: stream) }
        guard let main = windowed(stream).first else { return (0, 0, 0) }
        let entries = main.window.entries
        guard let first = entries.first(where: { isThere($0, main) }), let last = entries.last else { return (0, 0, 0) }
        let segments = windowed(stream).flatMap { rendition in
            rendition.window.entries.compactMap { rendition.media[$0.number] }
        }
        return (
            (last.edge - first.begin).seconds,
            segments.reduce(0) { $0 + $1.charged },
            segments.reduce(0) { sum, segment in sum + (segment.disk.flatMap { disk.files[$0.id]?.bytes } ?? 0) }
        )
    }

    /// A DASH stream has the window of its own manifest, of what was played last.
    private func manifestWindow(of stream: Stream) -> (seconds: Double, bytes: Int64, diskBytes: Int64) {
        let played = stream.renditions.filter { $0.lastAsked != nil }
        guard let latest = played.max(by: { ($0.lastAsked ?? .start, $0.key) < ($1.lastAsked ?? .start, $1.key) }),
            let listing = latest.listing, let mpd = stream.top.mpd
        else { return (0, 0, 0) }
        let bytes = played.reduce(Int64(0)) { sum, rendition in
            rendition.media.values.reduce(sum) { $0 + $1.charged }
        }
        let whole = mpd.isDynamic ? nil : mpd.presentationDuration
        return ((whole ?? listing.timeToEnd(from: 0)).seconds, bytes, 0)
    }

    // MARK: Lists

    mutating func deliverWindow(_ wish: WindowWish, _ stream: Stream, to answer: Answer) {
        guard let main = wish.rendition ?? windowed(stream).first ?? stream.renditions.first else {
            return noStream(answer)
        }
        let window = window(of: main)
        guard window.entries.contains(where: { isThere($0, main) }) else {
            return refuseWindow(answer, "nothing of this stream is held yet")
        }
        guard !window.entries.contains(where: { $0.isProtected }) else {
            return refuseWindow(answer, "only players have this stream's keys (DRM)")
        }
        var fields = [
            HeaderField("content-type", "application/vnd.apple.mpegurl"), HeaderField("cache-control", "no-cache"),
            HeaderField("access-control-allow-origin", "*"),
        ]
        let body: [UInt8]
        if let rendition = wish.rendition {
            body = Array(list(window, rendition, wish.query).utf8)
        } else {
            if let at = wish.query.at {
                guard let place = place(at, in: window, main) else {
                    return refuseWindow(answer, "nothing tells where that time is")
                }
                let back = isOver(main) ? window.rest(from: place) : now - moment(of: place, in: window)
                let nearest = place.isClamped ? "; nearest" : ""
                fields.append(HeaderField("weir-time-shift", "-\(DecimalSeconds.text(back))\(nearest)"))
            }
            body = renditions(of: stream, main, wish.query)
        }
        end(answer, status: 200, fields: fields, body: body)
    }

    private func moment(of place: TimeShiftWindow.Place, in window: TimeShiftWindow) -> Instant {
        window.entries[place.index].begin + place.offset
    }

    /// The address of a rendition's list, with where it begins and how late it is told.
    /// - Parameter isMain: sound that is apart begins a segment earlier for who catches up: it is cut where the picture's
    ///   keyframe lies.
    private func address(_ rendition: Rendition, _ query: TimeShift.Query, isMain: Bool = true) -> String {
        let path = LocalPath.renditionWindow(rendition.stream.id, rendition.key).text
        let window = window(of: rendition)
        guard let at = query.at, var place = place(at, in: window, rendition) else { return path }
        if query.isCatchUp, !isMain, place.index > 0 {
            place.index -= 1
            place.offset = place.offset + window.entries[place.index].duration
        }
        let first = "?first=\(window.entries[place.index].number)&offset=\(DecimalSeconds.text(place.offset))"
        guard !query.isCatchUp, !isOver(rendition) else { return path + first }
        return path + first + "&delay=\(DecimalSeconds.text(now - moment(of: place, in: window)))"
    }

    /// Many players begin a live list at its third segment from the end, whatever EXT-X-START says: a list that is told
    /// late ends two segments behind the place that was asked for, and grows from there.
    private static let segmentsBehind = 2

    private mutating func list(
        _ window: TimeShiftWindow,
        _ rendition: Rendition,
        _ query: TimeShift.Query
    ) -> String {
        let entries = window.entries
        let there = entries.firstIndex { isThere($0, rendition) } ?? 0
        let first = min(entries.count - 1, max(there, query.first.map { window.index(atOrAfter: $0) } ?? 0))
        var end = entries.count
        if let delay = query.delay, let place = window.place(at: now - delay) {
            end = min(end, max(first, place.index) + Agent.segmentsBehind + 1)
        }
        let playlist = WindowPlaylist(
            entries: entries[first..<end],
            targetDuration: rendition.targetDuration,
            start: entries[first].number == query.first ? query.offset : nil,
            isOver: isOver(rendition) && end == entries.count,
            firstDate: rendition.stream.clock.now.map { $0 - (now - entries[first].begin) }
        )
        let (stream, key) = (rendition.stream, rendition.key)
        var keys = stream.keys
        var numbers: [WebURL: Int] = [:]
        for entry in entries[first..<end] {
            guard let url = entry.key?.url, numbers[url] == nil else { continue }
            numbers[url] = keys.place(of: url)
        }
        stream.keys = keys
        let held = Set(entries[first..<end].filter { isThere($0, rendition) }.map { $0.number })
        return playlist.text(
            WindowPlaylist.Addresses(
                isThere: { held.contains($0.number) },
                segment: { LocalPath.segment(stream.id, key, number: $0.number, suffix: $0.suffix).text },
                section: { LocalPath.initialisation(stream.id, key, number: $0, suffix: "mp4").text },
                key: { LocalPath.key(stream.id, key, numbers[$0] ?? 0).text }
            )
        )
    }

    private mutating func renditions(of stream: Stream, _ main: Rendition, _ query: TimeShift.Query) -> [UInt8] {
        guard case .multivariant(let list) = stream.top.playlist else {
            let seconds = max(1, main.targetDuration.seconds)
            let rate = max(1, Int(Double(stream.typicalSegmentBytes) * 8 / seconds))
            return Array("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=\(rate)\n\(address(main, query))\n".utf8)
        }
        let offered = windowed(stream)
        let addresses = Dictionary(
            uniqueKeysWithValues: (offered.isEmpty ? stream.renditions : offered).map {
                ($0.key, address($0, query, isMain: $0 === main))
            }
        )
        let bytes = rewrite(list, stream) { addresses[$0] ?? "" }
        return WindowRenditions.kept(in: bytes)
    }
}

/// A multivariant playlist without what has no window.
enum WindowRenditions {
    /// - Parameter bytes: rewritten, with empty addresses for what goes.
    static func kept(in bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var variant: ArraySlice<UInt8>?
        for line in PlaylistLines(bytes) {
            let text = bytes[Int(line.content.start)..<Int(line.content.end)]
            if text.starts(with: "#EXT-X-STREAM-INF".utf8) {
                variant = text
            } else if text.isEmpty {
                variant = nil
            } else if text.first != 0x23 {
                if let variant { result += variant + [ASCII.lineFeed] + text + [ASCII.lineFeed] }
                variant = nil
            } else if !isLeftOut(text) {
                result += text + [ASCII.lineFeed]
            }
        }
        return result
    }

    private static func isLeftOut(_ line: ArraySlice<UInt8>) -> Bool {
        let tags = ["#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-IMAGE-STREAM-INF", "#EXT-X-START"]
        if tags.contains(where: { line.starts(with: $0.utf8) }) { return true }
        return line.starts(with: "#EXT-X-MEDIA:".utf8) && line.text.contains("URI=\"\"")
    }
}

import FoundationEssentials

/// What a low-latency viewer needs of a media playlist. Written apart from the agent's parser, so that neither hides the
/// other's mistakes.
struct ViewedParts {
    struct Part: Equatable {
        var position: PartPosition
        var seconds: Double
        var url: String
        /// The value of a Range header, for byte ranges.
        var range: String?
        var isIndependent = false
    }

    /// In order. Of skipped and of old segments there are none.
    var parts: [Part] = []
    /// EXT-X-PRELOAD-HINT of a part, unless it is one for the open rest of a file.
    var hint: Part?
    /// The media sequence numbers of whole segments in the list, the skipped ones included, and their addresses.
    var segments: [Int: String] = [:]
    /// EXT-X-MAP's URI.
    var initialization: String?
    var targetDuration: Double = 2
    /// EXT-X-PART-INF's PART-TARGET in seconds; nil: not a low-latency playlist.
    var partTarget: Double?
    /// EXT-X-SERVER-CONTROL
    var canBlockReload = false
    var skipUntil: Double?
    /// SKIPPED-SEGMENTS of EXT-X-SKIP.
    var skipped = 0
    /// The address, LAST-MSN and LAST-PART of EXT-X-RENDITION-REPORTs.
    var reports: [String: PartPosition] = [:]

    init?(_ text: String, url base: String) {
        guard text.hasPrefix("#EXTM3U"), let baseURL = URL(string: base) else { return nil }
        func resolve(_ uri: Substring) -> String {
            URL(string: String(uri), relativeTo: baseURL)?.absoluteString ?? String(uri)
        }
        var next = PartPosition(segment: 0, part: 0)
        var lastEnd = 0
        for line in text.split(whereSeparator: \.isNewline) {
            if let value = line.value(of: "#EXT-X-MEDIA-SEQUENCE:") { next.segment = Int(value) ?? 0 }
            if let value = line.value(of: "#EXT-X-TARGETDURATION:") { targetDuration = Double(value) ?? 2 }
            if let value = line.value(of: "#EXT-X-PART-INF:") {
                partTarget = value.attribute("PART-TARGET").flatMap { Double($0) }
            }
            if let value = line.value(of: "#EXT-X-SERVER-CONTROL:") {
                canBlockReload = value.attribute("CAN-BLOCK-RELOAD") == "YES"
                skipUntil = value.attribute("CAN-SKIP-UNTIL").flatMap { Double($0) }
            }
            if let value = line.value(of: "#EXT-X-SKIP:") {
                skipped = value.attribute("SKIPPED-SEGMENTS").flatMap { Int($0) } ?? 0
                next.segment += skipped
            }
            if let value = line.value(of: "#EXT-X-MAP:") { initialization = value.attribute("URI").map(resolve) }
            if let value = line.value(of: "#EXT-X-PART:"), let uri = value.attribute("URI") {
                var part = Part(position: next, seconds: 0, url: resolve(uri))
                part.seconds = value.attribute("DURATION").flatMap { Double($0) } ?? 0
                part.range = value.attribute("BYTERANGE").flatMap { ViewedPlaylist.range($0, &lastEnd) }
                part.isIndependent = value.attribute("INDEPENDENT") == "YES"
                parts.append(part)
                next.part += 1
            }
            if let value = line.value(of: "#EXT-X-PRELOAD-HINT:"), value.attribute("TYPE") == "PART" {
                hint = ViewedParts.hint(value, next, resolve)
            }
            if let value = line.value(of: "#EXT-X-RENDITION-REPORT:"), let uri = value.attribute("URI") {
                reports[resolve(uri)] = PartPosition(
                    segment: value.attribute("LAST-MSN").flatMap { Int($0) } ?? -1,
                    part: value.attribute("LAST-PART").flatMap { Int($0) } ?? -1
                )
            }
            guard !line.hasPrefix("#") else { continue }
            segments[next.segment] = resolve(line)
            next = PartPosition(segment: next.segment + 1, part: 0)
            lastEnd = 0
        }
    }

    private static func hint(
        _ value: Substring,
        _ position: PartPosition,
        _ resolve: (Substring) -> String
    ) -> Part? {
        guard let uri = value.attribute("URI") else { return nil }
        var hint = Part(position: position, seconds: 0, url: resolve(uri))
        guard let start = value.attribute("BYTERANGE-START").flatMap({ Int($0) }) else { return hint }
        guard let length = value.attribute("BYTERANGE-LENGTH").flatMap({ Int($0) }), length > 0 else { return nil }
        hint.range = "bytes=\(start)-\(start + length - 1)"
        return hint
    }
}

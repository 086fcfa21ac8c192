/// A path of the localhost endpoint that has to do with streams: what it means, and its text, both ways.
///
/// A path has one spelling only: anything else (upper case, leading zeros, encoded slashes, `..`) is no path of ours.
package enum LocalPath: Hashable, Sendable {
    /// `/s/{stream}/master.m3u8`
    case master(StreamID)
    /// `/s/{stream}/{rendition}/index.m3u8`
    case index(StreamID, RenditionKey)
    /// `/s/{stream}/{rendition}/{number}.{suffix}`: a media segment by its media sequence number.
    case segment(StreamID, RenditionKey, number: UInt64, suffix: String)
    /// `/s/{stream}/{rendition}/{number}.{part}.{suffix}`: a part of a media segment.
    case part(StreamID, RenditionKey, number: UInt64, part: Int, suffix: String)
    /// `/s/{stream}/{rendition}/i{16 hex}.{suffix}`: an initialisation section by its derived number.
    case initialisation(StreamID, RenditionKey, number: UInt64, suffix: String)
    /// `/s/{stream}/manifest.mpd`
    case presentation(StreamID)
    /// `/s/{stream}/{rendition}/init.{suffix}`: a DASH representation has one.
    case onlyInitialisation(StreamID, RenditionKey, suffix: String)
    /// `/s/{stream}/{rendition}/k{n}.key`: by index into a table that the stream keeps.
    case key(StreamID, RenditionKey, Int)
    /// `/s/{stream}/r{n}`: another resource, by index into a table that the stream keeps.
    case resource(StreamID, Int)
    /// `/s/{stream}/live.{ts, flv, mp4 or mkv}`: the whole stream as one file without an end.
    case continuous(StreamID, ContinuousFormat)
    /// `/s/{stream}/preview.jpg`: a picture of the stream.
    case preview(StreamID)
    /// `/s/{stream}/contact.jpg`: pictures of its time shift window, in rows.
    case contactSheet(StreamID)
    /// `/s/{stream}/dvr.m3u8`: the stream from some time ago on; `TimeShift.Query` says from when.
    case window(StreamID)
    /// `/s/{stream}/{rendition}/dvr.m3u8`
    case renditionWindow(StreamID, RenditionKey)
    /// `/play?url=…`: a manifest's URL, decoded.
    case play(url: String)
    /// `/channels.m3u`: the list of channels with their local addresses.
    case channels
    /// `/c/{slug}`, `/c/{slug}.m3u8` or `.mpd`: a channel of the list. What follows a `?` is as received: players add
    /// their wish for an earlier programme there (`catchup="append"`).
    case channel(slug: String, suffix: String?, query: String?)

    /// Path and, for `play`, query: what a request line or a playlist carries.
    package var text: String {
        switch self {
        case .master(let stream): "/s/\(stream.text)/master.m3u8"
        case .index(let stream, let rendition): "/s/\(stream.text)/\(rendition.padded)/index.m3u8"
        case .segment(let stream, let rendition, let number, let suffix):
            "/s/\(stream.text)/\(rendition.padded)/\(number).\(suffix)"
        case .part(let stream, let rendition, let number, let part, let suffix):
            "/s/\(stream.text)/\(rendition.padded)/\(number).\(part).\(suffix)"
        case .initialisation(let stream, let rendition, let number, let suffix):
            "/s/\(stream.text)/\(rendition.padded)/i\(RenditionKey(number).padded).\(suffix)"
        case .presentation(let stream): "/s/\(stream.text)/manifest.mpd"
        case .continuous(let stream, let format): "/s/\(stream.text)/live.\(format.rawValue)"
        case .preview(let stream): "/s/\(stream.text)/preview.jpg"
        case .contactSheet(let stream): "/s/\(stream.text)/contact.jpg"
        case .window(let stream): "/s/\(stream.text)/dvr.m3u8"
        case .renditionWindow(let stream, let rendition): "/s/\(stream.text)/\(rendition.padded)/dvr.m3u8"
        case .onlyInitialisation(let stream, let rendition, let suffix):
            "/s/\(stream.text)/\(rendition.padded)/init.\(suffix)"
        case .key(let stream, let rendition, let index): "/s/\(stream.text)/\(rendition.padded)/k\(index).key"
        case .resource(let stream, let index): "/s/\(stream.text)/r\(index)"
        case .play(let url): "/play?url=\(PercentEncoding.encode(url))"
        case .channels: "/channels.m3u"
        case .channel(let slug, let suffix, let query):
            "/c/\(slug)" + (suffix.map { ".\($0)" } ?? "") + (query.map { "?\($0)" } ?? "")
        }
    }

    /// Whose resource it is.
    var stream: StreamID? {
        switch self {
        case .master(let id), .index(let id, _), .segment(let id, _, _, _), .part(let id, _, _, _, _),
            .initialisation(let id, _, _, _),
            .key(let id, _, _), .resource(let id, _), .presentation(let id), .onlyInitialisation(let id, _, _),
            .continuous(let id, _), .window(let id), .preview(let id), .contactSheet(let id),
            .renditionWindow(let id, _):
            id
        case .play, .channels, .channel: nil
        }
    }

    /// - Parameter target: of a request line, still percent-encoded. A query is ignored but for `play`'s and a channel's;
    ///   a window's is read by `TimeShift.Query`.
    package init?(target: String) {
        guard target.utf8.first == ASCII.slash, target.utf8.count <= 3 * WebURL.maximumByteCount else { return nil }
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let query = parts.count > 1 ? parts[1] : ""
        let steps = parts[0].split(separator: "/", maxSplits: 5, omittingEmptySubsequences: false).dropFirst()
        switch (steps.first, steps.count) {
        case ("play", 1):
            guard let url = LocalPath.playURL(in: query) else { return nil }
            self = .play(url: url)
        case ("channels.m3u", 1): self = .channels
        case ("c", 2):
            let query = parts.count > 1 ? String(query) : nil
            guard let last = steps.last, let path = LocalPath(channel: last, query: query) else { return nil }
            self = path
        case ("s", 3), ("s", 4):
            guard let path = LocalPath(streamSteps: Array(steps.dropFirst())) else { return nil }
            self = path
        default: return nil
        }
    }

    private init?(channel file: Substring, query: String?) {
        let parts = file.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let slug = parts[0].utf8
        guard (1...ChannelSlugs.mostBytes).contains(slug.count), slug.first != ASCII.minus,
            slug.allSatisfy({ $0.isASCIIDigit || (0x61...0x7A).contains($0) || $0 == ASCII.minus })
        else { return nil }
        let suffix = parts.count > 1 ? String(parts[1]) : nil
        guard suffix.map({ ["m3u8", "mpd"].contains($0) }) ?? true else { return nil }
        self = .channel(slug: String(parts[0]), suffix: suffix, query: query)
    }

    private init?(streamSteps steps: [Substring]) {
        guard let name = steps.first, (1...64).contains(name.utf8.count) else { return nil }
        guard name.utf8.allSatisfy({ $0.isASCIIDigit || (0x61...0x7A).contains($0) }) else { return nil }
        let stream = StreamID(String(name))
        if steps.count == 2 {
            if steps[1] == "master.m3u8" {
                self = .master(stream)
            } else if steps[1] == "manifest.mpd" {
                self = .presentation(stream)
            } else if steps[1] == "preview.jpg" {
                self = .preview(stream)
            } else if steps[1] == "contact.jpg" {
                self = .contactSheet(stream)
            } else if steps[1] == "dvr.m3u8" {
                self = .window(stream)
            } else if steps[1].hasPrefix("live."),
                let format = ContinuousFormat(rawValue: String(steps[1].dropFirst(5)))
            {
                self = .continuous(stream, format)
            } else if steps[1].hasPrefix("r"), let index = LocalPath.index(steps[1].dropFirst()) {
                self = .resource(stream, index)
            } else {
                return nil
            }
            return
        }
        guard let rendition = LocalPath.hexadecimal(steps[1]) else { return nil }
        self.init(stream: stream, rendition: RenditionKey(rendition), file: steps[2])
    }

    private init?(stream: StreamID, rendition: RenditionKey, file: Substring) {
        if file == "index.m3u8" {
            self = .index(stream, rendition)
            return
        }
        if file == "dvr.m3u8" {
            self = .renditionWindow(stream, rendition)
            return
        }
        let parts = file.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count == 3 {
            guard let number = LocalPath.decimal(parts[0]), let part = LocalPath.index(parts[1]),
                SegmentSuffix.kept.contains(String(parts[2]))
            else { return nil }
            self = .part(stream, rendition, number: number, part: part, suffix: String(parts[2]))
            return
        }
        guard parts.count == 2 else { return nil }
        let name = parts[0]
        let suffix = String(parts[1])
        if suffix == "key" {
            guard name.hasPrefix("k"), let index = LocalPath.index(name.dropFirst()) else { return nil }
            self = .key(stream, rendition, index)
            return
        }
        guard SegmentSuffix.accepted.contains(suffix) else { return nil }
        if name == "init" {
            self = .onlyInitialisation(stream, rendition, suffix: suffix)
        } else if name.hasPrefix("i") {
            guard let number = LocalPath.hexadecimal(name.dropFirst()) else { return nil }
            self = .initialisation(stream, rendition, number: number, suffix: suffix)
        } else {
            guard let number = LocalPath.decimal(name) else { return nil }
            self = .segment(stream, rendition, number: number, suffix: suffix)
        }
    }

    /// The value of `url`. Typed by hand it is often not encoded; it then takes everything that follows, `&` included.
    private static func playURL(in query: Substring) -> String? {
        for prefix in ["url=http://", "url=https://"] where query.hasPrefix(prefix) {
            return String(query.dropFirst("url=".count))
        }
        let parameters = query.split(separator: "&")
        guard let parameter = parameters.first(where: { $0.hasPrefix("url=") }) else { return nil }
        guard let url = PercentEncoding.decode(parameter.dropFirst("url=".count)), !url.isEmpty else { return nil }
        return url
    }

    /// Sixteen lower-case digits.
    private static func hexadecimal(_ text: Substring) -> UInt64? {
        guard text.utf8.count == 16 else { return nil }
        var value: UInt64 = 0
        for byte in text.utf8 {
            guard let digit = byte.hexadecimalDigit, byte == byte.lowercasedASCII else { return nil }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    private static func decimal(_ text: Substring) -> UInt64? {
        guard text.utf8.count == 1 || text.utf8.first != ASCII.zero, text.utf8.count <= 20 else { return nil }
        return DecimalText.integer(Array(text.utf8)[...])
    }

    private static func index(_ text: Substring) -> Int? { decimal(text).flatMap { Int(exactly: $0) } }
}

extension RenditionKey {
    /// Sixteen digits, as local paths have it.
    package var padded: String {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(56 - 8 * $0)) }.hexadecimal
    }
}

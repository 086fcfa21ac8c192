/// Why an answer is no playlist that weir can play. The description is one line, for the user.
package enum PlaylistError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It does not begin with `#EXTM3U`. The text says what it seems to be.
    case notHLS(firstBytes: String)
    /// An M3U list of channels, each of which is a stream of its own.
    case channelList
    /// Neither segments nor variants.
    case empty
    case malformed(line: Int, reason: String)
    /// A legal playlist that weir would break.
    case unsupported(String)
    case tooManySegments(limit: Int)
    case tooManyRenditions(limit: Int)
    case tooLarge(limit: Int)

    package var description: String {
        switch self {
        case .notHLS(let text): "not an HLS playlist: it does not begin with #EXTM3U but \(text)"
        case .channelList: "a list of channels, not an HLS playlist: open one of the URLs in it"
        case .empty: "the playlist names neither segments nor variants"
        case .malformed(let line, let reason): "malformed playlist, line \(line): \(reason)"
        case .unsupported(let what): "the playlist uses \(what), which weir does not support yet: play its URL directly"
        case .tooManySegments(let limit): "the playlist has more than \(limit) segments"
        case .tooManyRenditions(let limit): "the playlist has more than \(limit) renditions"
        case .tooLarge(let limit): "the playlist is larger than \(limit) bytes"
        }
    }

    /// Names what came instead of a playlist.
    static func notHLS(_ bytes: [UInt8]) -> PlaylistError {
        let start = bytes.prefix(512).drop { $0.isBlank || $0 == ASCII.lineFeed || $0 == ASCII.carriageReturn }
        let lower = start.map(\.lowercasedASCII)[...].text
        if start.isEmpty { return .notHLS(firstBytes: "is empty") }
        if lower.hasPrefix("<!doctype html") || lower.hasPrefix("<html") {
            return .notHLS(firstBytes: "is an HTML page")
        }
        if lower.contains("<mpd") { return .notHLS(firstBytes: "is a DASH manifest") }
        if start.first == 0x47, bytes.count > 188, bytes[188] == 0x47 {
            return .notHLS(firstBytes: "is an MPEG-TS file")
        }
        if bytes.dropFirst(4).starts(with: "ftyp".utf8) { return .notHLS(firstBytes: "is an MP4 file") }
        let shown = start.prefix(32).map { $0 >= ASCII.space && $0 < ASCII.delete ? $0 : ASCII.dot }
        return .notHLS(firstBytes: "with \"\(shown[...].text)\"")
    }
}

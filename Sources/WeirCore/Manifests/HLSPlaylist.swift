/// An HLS playlist (RFC 8216bis), parsed and ready to be rewritten.
///
/// Lenient where players are lenient, because never being worse than the player alone comes first: unknown tags,
/// comments, byte order marks, blanks, missing or odd durations. Strict where a guess would mix up segments.
package enum HLSPlaylist: Sendable {
    case multivariant(MultivariantPlaylist)
    case media(MediaPlaylist)

    /// Takes time and memory in proportion to the bytes, whatever they are.
    /// - Parameters:
    ///   - url: where the bytes were answered from, after redirects: the base of relative URIs.
    ///   - imported: the variables of the multivariant playlist that names this one, if there is one.
    package static func parse(
        _ bytes: [UInt8],
        url: WebURL,
        limits: Limits,
        importing imported: PlaylistVariables = PlaylistVariables()
    ) throws(PlaylistError) -> HLSPlaylist {
        let limit = min(limits.manifestBytes, Int(Int32.max))
        guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
        guard beginsAsPlaylist(bytes) else { throw PlaylistError.notHLS(bytes) }
        let variables = try PlaylistVariables(of: bytes, url: url, importing: imported, limits: limits)
        let source = PlaylistSource(bytes: bytes, url: url, variables: variables)
        switch kind(of: bytes) {
        case .multivariant: return .multivariant(try MultivariantPlaylistParser.parse(source, limits: limits))
        case .media: return .media(try MediaPlaylistParser.parse(source, limits: limits))
        case nil: throw .empty
        }
    }

    /// Bytes by which media is told from a manifest.
    package static let startCount = 1024

    /// Why the beginning of an answer, `startCount` bytes of it or more, is no manifest's; nil when it may be one.
    package static func refusal(ofStart bytes: [UInt8]) -> PlaylistError? {
        let hasMark = bytes.starts(with: PlaylistLines.byteOrderMark)
        let start = bytes.dropFirst(hasMark ? PlaylistLines.byteOrderMark.count : 0)
            .first { !$0.isBlank && $0 != ASCII.lineFeed && $0 != ASCII.carriageReturn }
        // What is not text in either format: the parsers say what is wrong with anything else.
        let isText = start.map { $0 >= ASCII.space && $0 < ASCII.delete } ?? true
        let isMedia = !isText || start == 0x47 && bytes.count > 188 && bytes[188] == 0x47
        return isMedia ? PlaylistError.notHLS(bytes) : nil
    }

    private static func beginsAsPlaylist(_ bytes: [UInt8]) -> Bool {
        var lines = PlaylistLines(bytes)
        guard let first = lines.next() else { return false }
        let content = bytes[Int(first.content.start)..<Int(first.content.end)]
        guard content.starts(with: "#EXTM3U".utf8) else { return false }
        // Channel lists write attributes behind it.
        return content.count == 7 || content[content.startIndex + 7].isBlank
    }

    /// What a media playlist that this one names may import.
    package var variables: PlaylistVariables {
        switch self {
        case .multivariant(let playlist): playlist.source.variables
        case .media: PlaylistVariables()
        }
    }

    /// The first tag that belongs to one kind only decides.
    private static func kind(of bytes: [UInt8]) -> PlaylistKind? {
        for line in PlaylistLines(bytes) {
            let content = bytes[Int(line.content.start)..<Int(line.content.end)]
            if case .tag(let tag, _) = PlaylistLineKind(content), let kind = tag.kind { return kind }
        }
        return nil
    }
}

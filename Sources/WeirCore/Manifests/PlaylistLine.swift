/// One line of a playlist (RFC 8216bis 4.1).
struct PlaylistLine {
    /// From 1.
    let number: Int
    /// Without the terminator.
    let content: ByteSpan
    /// Index behind the terminator: LF, CRLF, or the end of the text. A lone CR is part of the content.
    let end: Int
}

/// Walks over a playlist's lines.
struct PlaylistLines: Sequence, IteratorProtocol {
    private let bytes: [UInt8]
    private var index: Int
    private var number = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        // A byte order mark may not be there; players that look past it exist, so weir does.
        index = bytes.starts(with: PlaylistLines.byteOrderMark) ? PlaylistLines.byteOrderMark.count : 0
    }

    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    mutating func next() -> PlaylistLine? {
        guard index < bytes.count else { return nil }
        let start = index
        while index < bytes.count, bytes[index] != ASCII.lineFeed { index += 1 }
        var contentEnd = index
        if index < bytes.count { index += 1 }
        if contentEnd > start, bytes[contentEnd - 1] == ASCII.carriageReturn { contentEnd -= 1 }
        number += 1
        return PlaylistLine(number: number, content: ByteSpan(start, contentEnd), end: index)
    }
}

/// The tags that weir reads (RFC 8216bis 4.4). All others pass through untouched.
enum PlaylistTag: String, CaseIterable {
    case endList = "EXT-X-ENDLIST"
    case byteRange = "EXT-X-BYTERANGE"
    case contentSteering = "EXT-X-CONTENT-STEERING"
    case define = "EXT-X-DEFINE"
    case discontinuity = "EXT-X-DISCONTINUITY"
    case discontinuitySequence = "EXT-X-DISCONTINUITY-SEQUENCE"
    case gap = "EXT-X-GAP"
    case iFramesOnly = "EXT-X-I-FRAMES-ONLY"
    case iFrameStream = "EXT-X-I-FRAME-STREAM-INF"
    /// Not of the standard; players exist that draw thumbnails by it.
    case imageStream = "EXT-X-IMAGE-STREAM-INF"
    case key = "EXT-X-KEY"
    case map = "EXT-X-MAP"
    case media = "EXT-X-MEDIA"
    case mediaSequence = "EXT-X-MEDIA-SEQUENCE"
    case part = "EXT-X-PART"
    case partInformation = "EXT-X-PART-INF"
    case playlistType = "EXT-X-PLAYLIST-TYPE"
    case preloadHint = "EXT-X-PRELOAD-HINT"
    case programDateTime = "EXT-X-PROGRAM-DATE-TIME"
    case renditionReport = "EXT-X-RENDITION-REPORT"
    case segment = "EXTINF"
    case serverControl = "EXT-X-SERVER-CONTROL"
    case sessionData = "EXT-X-SESSION-DATA"
    case sessionKey = "EXT-X-SESSION-KEY"
    case skip = "EXT-X-SKIP"
    case start = "EXT-X-START"
    case streamInformation = "EXT-X-STREAM-INF"
    case targetDuration = "EXT-X-TARGETDURATION"
    case version = "EXT-X-VERSION"

    /// By the length of their names: a million lines of a playlist are told apart by a few bytes each, without a string.
    private static let ofLength: [[(name: [UInt8], tag: PlaylistTag)]] = {
        let all = allCases.map { (name: Array($0.rawValue.utf8), tag: $0) }
        let longest = all.reduce(0) { max($0, $1.name.count) }
        return (0...longest).map { length in all.filter { $0.name.count == length } }
    }()

    init?(name: ArraySlice<UInt8>) {
        let candidates = PlaylistTag.ofLength
        guard name.count < candidates.count,
            let found = candidates[name.count].first(where: { $0.name.elementsEqual(name) })
        else { return nil }
        self = found.tag
    }

    /// Which kind of playlist a line with this tag makes; nil when sloppy packagers write it into either.
    var kind: PlaylistKind? {
        switch self {
        case .contentSteering, .iFrameStream, .media, .streamInformation: .multivariant
        case .segment, .targetDuration, .mediaSequence: .media
        default: nil
        }
    }
}

enum PlaylistKind { case multivariant, media }

/// What a line is, without looking into a tag's value.
enum PlaylistLineKind {
    case blank
    case comment
    /// A tag that weir reads, and what follows its colon (empty when it has none).
    case tag(PlaylistTag, value: ArraySlice<UInt8>)
    /// A URI, without blanks around it.
    case uri(ArraySlice<UInt8>)

    init(_ line: ArraySlice<UInt8>) {
        let text = line.trimmingBlanks
        guard let first = text.first else {
            self = .blank
            return
        }
        guard first == ASCII.number else {
            self = .uri(text)
            return
        }
        self = PlaylistLineKind.tag(in: text) ?? .comment
    }

    /// The longest name that weir reads, with some room: a hostile megabyte is not searched for a name's end.
    private static let longestName = 40

    private static func tag(in text: ArraySlice<UInt8>) -> PlaylistLineKind? {
        var index = text.startIndex + 1
        let limit = min(text.endIndex, index + longestName)
        while index < limit, text[index] != ASCII.colon, !text[index].isBlank { index += 1 }
        guard let tag = PlaylistTag(name: text[(text.startIndex + 1)..<index]) else { return nil }
        let hasValue = index < text.endIndex && text[index] == ASCII.colon
        return .tag(tag, value: text[(hasValue ? index + 1 : text.endIndex)...])
    }
}

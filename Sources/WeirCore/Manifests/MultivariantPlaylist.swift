/// A multivariant playlist (RFC 8216bis 4.4.6): the renditions of one stream.
package struct MultivariantPlaylist: Sendable {
    /// What weir can fetch only; a variant of another scheme stays in the text and is not among these.
    package internal(set) var variants: [Variant] = []
    package internal(set) var renditions: [AlternateRendition] = []
    package internal(set) var iFrameStreams: [Variant] = []
    package internal(set) var sessionKeys: [MediaKey] = []
    package internal(set) var sessionData: [SessionData] = []
    package internal(set) var version = 1
    package internal(set) var steering: ContentSteering?
    /// EXT-X-START: it says where players of all renditions start.
    package internal(set) var hasStart = false
    /// Its TIME-OFFSET: from the beginning, or negative from the end of the list. Nil when it cannot be read.
    package internal(set) var startOffset: Duration?

    let source: PlaylistSource
    var edits = PlaylistEdits()

    init(source: PlaylistSource) {
        self.source = source
    }

    /// Where the playlist was answered from.
    package var url: WebURL { source.url }

    /// The same playlist for the player: every line kept byte for byte but for the URIs that weir owns.
    /// - Parameter local: the address to put in place of what is referred to; nil makes its URI absolute instead.
    package func rewritten(_ local: (HLSReference) -> String?) -> [UInt8] {
        edits.apply(to: source, local)
    }
}

/// EXT-X-STREAM-INF or EXT-X-I-FRAME-STREAM-INF.
package struct Variant: Sendable {
    package struct Resolution: Hashable, Sendable {
        package let width: Int
        package let height: Int
    }

    package let url: WebURL
    /// Peak bits per second; 0 when the tag has none.
    package let bandwidth: Int
    package let codecs: String?
    package let resolution: Resolution?
    /// Group ids of the alternates that go with it.
    package let audio: String?
    package let video: String?
    package let subtitles: String?
    /// PATHWAY-ID; `.` when the tag has none.
    package let pathway: String
    /// STABLE-VARIANT-ID
    package let stableID: String?
}

/// EXT-X-CONTENT-STEERING (RFC 8216bis 4.4.6.6), or the ContentSteering element of DASH (ETSI TS 103 998).
package struct ContentSteering: Sendable {
    /// Nil when weir cannot fetch what it says.
    package let server: WebURL?
    /// Where to begin, the best first.
    package let pathways: [String]
    /// `proxyServerURL`: asked instead of the server.
    var proxy: WebURL?
    /// `queryBeforeStart`: nothing is to be played before the server has answered.
    var isAskedFirst = false
}

extension ContentSteering {
    /// Nil when the manifest has none.
    init?(_ root: MPDElement, from url: WebURL) {
        guard let element = root.first("ContentSteering") else { return nil }
        server = url.resolve(element.text.trimmed)
        pathways = (element["defaultServiceLocation"] ?? "").split(separator: " ").map { String($0) }
        proxy = element["proxyServerURL"].flatMap { $0.isEmpty ? nil : url.resolve($0) }
        isAskedFirst = ["true", "1"].contains(element["queryBeforeStart"])
    }
}

/// EXT-X-MEDIA.
package struct AlternateRendition: Sendable {
    package enum Kind: Hashable, Sendable {
        case audio, video, subtitles, closedCaptions
        case other(String)

        init(_ text: String) {
            switch text {
            case "AUDIO": self = .audio
            case "VIDEO": self = .video
            case "SUBTITLES": self = .subtitles
            case "CLOSED-CAPTIONS": self = .closedCaptions
            default: self = .other(text)
            }
        }
    }

    package let type: Kind
    package let groupID: String
    package let name: String
    package let language: String?
    /// DEFAULT=YES
    package let isDefault: Bool
    /// Nil when the media is in the variants themselves, or weir cannot fetch it.
    package let url: WebURL?
    /// STABLE-RENDITION-ID
    package let stableID: String?
}

/// EXT-X-SESSION-DATA.
package struct SessionData: Sendable {
    package let id: String
    package let language: String?
    /// Nil when the data stands in the tag, or weir cannot fetch it.
    package let url: WebURL?
}

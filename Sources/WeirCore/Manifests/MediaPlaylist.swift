/// A media playlist (RFC 8216bis 4.4.3 and 4.4.4): the segments of one rendition.
package struct MediaPlaylist: Sendable {
    package enum Kind: String, Hashable, Sendable {
        case vod = "VOD"
        case event = "EVENT"
    }

    /// At least one second, so that whoever reloads by it never spins.
    package internal(set) var targetDuration: Duration = .seconds(1)
    /// Of the first segment line, whether or not weir can fetch it. At most 2^63 − 1.
    package internal(set) var mediaSequence: UInt64 = 0
    package internal(set) var discontinuitySequence: UInt64 = 0
    package internal(set) var version = 1
    /// Nothing will be added any more.
    package internal(set) var endList = false
    package internal(set) var type: Kind?
    /// In order of their sequence numbers. A segment line that names something weir cannot fetch (`data:`, `file:`) has
    /// its number and its place in `totalDuration`, but is not among these.
    package internal(set) var segments: [MediaSegment] = []
    package internal(set) var maps: [MediaMap] = []
    package internal(set) var keys: [MediaKey] = []
    package internal(set) var totalDuration: Duration = .zero
    package internal(set) var iFramesOnly = false
    /// EXT-X-START: it says itself where players start.
    package internal(set) var hasStart = false
    /// Its TIME-OFFSET: from the beginning, or negative from the end of the list. Nil when it cannot be read.
    package internal(set) var startOffset: Duration?
    package internal(set) var lowLatency = LowLatency()

    let source: PlaylistSource
    var edits = PlaylistEdits()

    init(source: PlaylistSource) {
        self.source = source
    }

    /// Where the playlist was answered from.
    package var url: WebURL { source.url }

    /// The index of the segment with that media sequence number.
    package func index(ofSequence sequence: UInt64) -> Int? {
        var low = 0
        var high = segments.count
        while low < high {
            let middle = (low + high) / 2
            if segments[middle].sequence < sequence { low = middle + 1 } else { high = middle }
        }
        return low < segments.count && segments[low].sequence == sequence ? low : nil
    }

    /// The same playlist for the player: every line kept byte for byte but for the URIs that weir owns.
    /// - Parameter local: the address to put in place of what is referred to; nil makes its URI absolute instead.
    package func rewritten(_ local: (HLSReference) -> String?) -> [UInt8] {
        edits.apply(to: source, local)
    }
}

/// A segment of a media playlist.
package struct MediaSegment: Sendable {
    /// Media sequence number (RFC 8216bis 6.2.1).
    package internal(set) var sequence: UInt64
    /// 0 to 24 hours.
    package let duration: Duration
    /// The part of the resource that is the segment; nil for all of it.
    package let byteRange: ByteRange?
    /// It follows an EXT-X-DISCONTINUITY.
    package let discontinuity: Bool
    /// EXT-X-GAP: there is no media to fetch.
    package let gap: Bool
    /// A key of any kind applies to it.
    package let isEncrypted: Bool
    let uri: PlaylistURI
    let mapIndex: Int32
    let keyIndex: Int32
    let dateTime: ByteSpan?

    package var url: WebURL { uri.url }
    /// Index in `maps` of its initialisation section.
    package var map: Int? { mapIndex < 0 ? nil : Int(mapIndex) }
    /// Index in `keys` of the identity key that applies.
    package var key: Int? { keyIndex < 0 ? nil : Int(keyIndex) }
    /// The text of EXT-X-PROGRAM-DATE-TIME, if this segment has one of its own.
    package var programDateTime: String? { dateTime.map { uri.source.text($0) } }
}

/// An initialisation section: EXT-X-MAP.
package struct MediaMap: Sendable {
    package let byteRange: ByteRange?
    let uri: PlaylistURI
    /// Another section of the playlist has the same path and range.
    var countsQuery = false

    package var url: WebURL { uri.url }
}

/// What an EXT-X-KEY with a method other than NONE says (RFC 8216bis 4.4.4.4).
package struct MediaKey: Sendable {
    /// `AES-128`, `SAMPLE-AES`, …
    package let method: String
    /// `identity` when the tag has none.
    package let format: String
    /// 1 to 16 bytes, when the tag has one that can be read.
    package let initialisationVector: [UInt8]?
    let uri: PlaylistURI?

    /// Where the key is fetched; nil when it is none of weir's business (another format or scheme).
    package var url: WebURL? { uri?.url }
}

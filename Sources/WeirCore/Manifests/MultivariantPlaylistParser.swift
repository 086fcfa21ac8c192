/// Reads a multivariant playlist in one pass over its lines.
struct MultivariantPlaylistParser {
    private var playlist: MultivariantPlaylist
    private let source: PlaylistSource
    private let limit: Int
    /// The EXT-X-STREAM-INF that waits for its URI line.
    private var pending: AttributeList?
    /// Everything that was seen, fetchable or not.
    private var count = 0

    private init(_ source: PlaylistSource, limits: Limits) {
        playlist = MultivariantPlaylist(source: source)
        self.source = source
        limit = limits.renditions
    }

    static func parse(_ source: PlaylistSource, limits: Limits) throws(PlaylistError) -> MultivariantPlaylist {
        var parser = MultivariantPlaylistParser(source, limits: limits)
        for line in PlaylistLines(source.bytes) {
            switch PlaylistLineKind(source.slice(line.content)) {
            case .blank, .comment: break
            case .uri(let uri): parser.addVariant(ByteSpan(uri))
            case .tag(let tag, let value): try parser.read(tag, value, line)
            }
        }
        guard parser.count > 0 else { throw .empty }
        try parser.playlist.edits.checkVariables(in: source)
        parser.playlist.edits.finish()
        return parser.playlist
    }

    private mutating func read(
        _ tag: PlaylistTag,
        _ value: ArraySlice<UInt8>,
        _ line: PlaylistLine
    ) throws(PlaylistError) {
        switch tag {
        case .streamInformation:
            try countRendition()
            pending = AttributeList(value, in: source)
        case .media:
            try countRendition()
            addAlternate(AttributeList(value, in: source))
        case .iFrameStream:
            try countRendition()
            addIFrameStream(AttributeList(value, in: source))
        case .sessionKey: try addSessionKey(AttributeList(value, in: source))
        case .sessionData: try addSessionData(AttributeList(value, in: source))
        case .contentSteering: steer(AttributeList(value, in: source), line)
        case .imageStream:
            // Made absolute: no list of pictures is weir's to share.
            guard let attribute = AttributeList(value, in: source).uri, source.resolves(attribute.value) else { break }
            playlist.edits.addURI(attribute, .imageStream(0))
        case .version: playlist.version = DecimalText.integer(value.trimmingBlanks).map { Int(clamping: $0) } ?? 1
        case .start:
            playlist.hasStart = true
            playlist.startOffset = DecimalText.startOffset(AttributeList(value, in: source))
        case .define: playlist.edits.define(AttributeList(value, in: source), in: source)
        case .segment, .targetDuration, .mediaSequence:
            throw .malformed(line: line.number, reason: "\(tag.rawValue) in a multivariant playlist")
        default: break
        }
    }

    /// The player is not steered: pathways are origins among which weir chooses.
    private mutating func steer(_ list: AttributeList, _ line: PlaylistLine) {
        playlist.edits.add(ByteSpan(Int(line.content.start), line.end), .drop)
        guard playlist.steering == nil else { return }
        playlist.steering = ContentSteering(
            server: list.attribute("SERVER-URI").flatMap { source.resolve($0.value) },
            pathways: list.text("PATHWAY-ID").map { [$0] } ?? []
        )
    }

    private mutating func countRendition() throws(PlaylistError) {
        count += 1
        guard count <= limit else { throw .tooManyRenditions(limit: limit) }
    }

    private mutating func addVariant(_ span: ByteSpan) {
        guard let list = pending else { return }
        pending = nil
        guard let url = source.resolve(span) else { return }
        playlist.edits.add(span, .address(.variant(playlist.variants.count), needsQuotes: false))
        playlist.variants.append(Variant(list, url: url))
    }

    private mutating func addIFrameStream(_ list: AttributeList) {
        guard let attribute = list.uri, let url = source.resolve(attribute.value) else { return }
        playlist.edits.addURI(attribute, .iFrameStream(playlist.iFrameStreams.count))
        playlist.iFrameStreams.append(Variant(list, url: url))
    }

    private mutating func addAlternate(_ list: AttributeList) {
        let attribute = list.uri
        let url = attribute.flatMap { source.resolve($0.value) }
        if let attribute, url != nil {
            playlist.edits.addURI(attribute, .rendition(playlist.renditions.count))
        }
        playlist.renditions.append(
            AlternateRendition(
                type: AlternateRendition.Kind(list.text("TYPE") ?? ""),
                groupID: list.text("GROUP-ID") ?? "",
                name: list.text("NAME") ?? "",
                language: list.text("LANGUAGE"),
                isDefault: list.text("DEFAULT") == "YES",
                url: url,
                stableID: list.text("STABLE-RENDITION-ID")
            )
        )
    }

    private mutating func addSessionKey(_ list: AttributeList) throws(PlaylistError) {
        guard let tag = KeyTag(list, in: source) else { return }
        guard playlist.sessionKeys.count < limit else { throw .tooManyRenditions(limit: limit) }
        if let attribute = tag.replaceable {
            playlist.edits.addURI(attribute, .sessionKey(playlist.sessionKeys.count))
        }
        playlist.sessionKeys.append(tag.key)
    }

    private mutating func addSessionData(_ list: AttributeList) throws(PlaylistError) {
        guard playlist.sessionData.count < limit else { throw .tooManyRenditions(limit: limit) }
        let attribute = list.uri
        let url = attribute.flatMap { source.resolve($0.value) }
        if let attribute, url != nil {
            playlist.edits.addURI(attribute, .sessionData(playlist.sessionData.count))
        }
        let id = list.text("DATA-ID") ?? ""
        playlist.sessionData.append(SessionData(id: id, language: list.text("LANGUAGE"), url: url))
    }
}

extension Variant {
    init(_ list: AttributeList, url: WebURL) {
        self.init(
            url: url,
            bandwidth: list.integer("BANDWIDTH").map { Int(clamping: $0) } ?? 0,
            codecs: list.text("CODECS"),
            resolution: list.bytes("RESOLUTION").flatMap { Resolution($0) },
            audio: list.text("AUDIO"),
            video: list.text("VIDEO"),
            subtitles: list.text("SUBTITLES"),
            pathway: list.text("PATHWAY-ID") ?? Place.defaultPathway,
            stableID: list.text("STABLE-VARIANT-ID")
        )
    }
}

extension Variant.Resolution {
    /// A *decimal-resolution*: `1920x1080`.
    init?(_ text: ArraySlice<UInt8>) {
        guard let cross = text.firstIndex(where: { $0.lowercasedASCII == 0x78 }) else { return nil }
        guard let width = DecimalText.integer(text[..<cross]), let height = DecimalText.integer(text[(cross + 1)...])
        else {
            return nil
        }
        self.init(width: Int(clamping: width), height: Int(clamping: height))
    }
}

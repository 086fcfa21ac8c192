/// Reads a media playlist in one pass over its lines.
struct MediaPlaylistParser {
    private var playlist: MediaPlaylist
    private let source: PlaylistSource
    private let limits: Limits

    /// What tags said about the next segment line.
    private var next = PendingSegment()
    /// Segment lines so far, fetchable or not: the offset of sequence numbers.
    private var ordinal: UInt64 = 0
    private var mapIndex: Int32 = -1
    private var keyIndex: Int32 = -1
    private var isEncrypted = false
    /// The resource of the last segment line with a byte range, and where that range ended.
    private var previousRange: (uri: ByteSpan, end: Int64)?
    private var targetDuration: Duration?
    private var longestSegment = Duration.zero
    private var sawChannel = false

    /// Parts of the coming segment so far, the resource and end of the last part with a range, and where parts and
    /// hints stand.
    private var partIndex = 0
    private var previousPart: (uri: ByteSpan, end: Int64)?
    private var partLines: [ByteSpan] = []

    private struct PendingSegment {
        var duration: Duration?
        var range: ByteRangeTag?
        var rangeLines: [ByteSpan] = []
        var discontinuity = false
        var gap = false
        var dateTime: ByteSpan?
    }

    private init(_ source: PlaylistSource, limits: Limits) {
        playlist = MediaPlaylist(source: source)
        self.source = source
        self.limits = limits
    }

    static func parse(_ source: PlaylistSource, limits: Limits) throws(PlaylistError) -> MediaPlaylist {
        var parser = MediaPlaylistParser(source, limits: limits)
        for line in PlaylistLines(source.bytes) {
            switch PlaylistLineKind(source.slice(line.content)) {
            case .blank, .comment: break
            case .uri(let uri): try parser.addSegment(uri, line: line)
            case .tag(let tag, let value): try parser.read(tag, value, line)
            }
        }
        return try parser.finished()
    }

    private mutating func read(
        _ tag: PlaylistTag,
        _ value: ArraySlice<UInt8>,
        _ line: PlaylistLine
    ) throws(PlaylistError) {
        switch tag {
        case .segment: readDuration(value)
        case .byteRange: try readByteRange(value, line)
        case .discontinuity: next.discontinuity = true
        case .gap: next.gap = true
        case .programDateTime: next.dateTime = ByteSpan(value.trimmingBlanks)
        case .key: try readKey(value)
        case .map: try readMap(value, line)
        case .part: try readPart(value, line)
        case .preloadHint: readHint(value, line)
        case .renditionReport: readReport(value)
        case .partInformation, .serverControl: readServer(AttributeList(value, in: source))
        case .skip:
            // Without the segments that it stands for, everything behind would get a wrong number.
            throw .malformed(line: line.number, reason: "a delta update (EXT-X-SKIP) that was not asked for")
        case .iFrameStream, .media, .streamInformation:
            throw .malformed(line: line.number, reason: "tags of a multivariant playlist among segments")
        default: try readHeader(tag, value, line)
        }
    }

    private mutating func readHeader(
        _ tag: PlaylistTag,
        _ value: ArraySlice<UInt8>,
        _ line: PlaylistLine
    ) throws(PlaylistError) {
        switch tag {
        case .targetDuration: targetDuration = DecimalText.duration(value)
        case .mediaSequence: playlist.mediaSequence = try number(value, tag, line)
        case .discontinuitySequence: playlist.discontinuitySequence = try number(value, tag, line)
        case .version: playlist.version = DecimalText.integer(value.trimmingBlanks).map { Int(clamping: $0) } ?? 1
        case .endList: playlist.endList = true
        case .define: playlist.edits.define(AttributeList(value, in: source), in: source)
        case .playlistType: playlist.type = MediaPlaylist.Kind(rawValue: value.trimmingBlanks.text)
        case .iFramesOnly: playlist.iFramesOnly = true
        case .start:
            playlist.hasStart = true
            playlist.startOffset = DecimalText.startOffset(AttributeList(value, in: source))
        default: break
        }
    }

    /// A number that names segments: when it cannot be read, guessing would mix them up.
    private func number(
        _ value: ArraySlice<UInt8>,
        _ tag: PlaylistTag,
        _ line: PlaylistLine
    ) throws(PlaylistError) -> UInt64 {
        guard let number = DecimalText.integer(value.trimmingBlanks), number <= UInt64(Int64.max) else {
            throw .malformed(line: line.number, reason: "\(tag.rawValue) is no whole number")
        }
        return number
    }

    /// A duration that cannot be read counts as zero: too little buffer is believed rather than too much.
    private mutating func readDuration(_ value: ArraySlice<UInt8>) {
        let end = value.firstIndex(of: ASCII.comma) ?? value.endIndex
        next.duration = DecimalText.duration(value[..<end]) ?? .zero
        if value.starts(with: [ASCII.minus]) { sawChannel = true }
    }

    private mutating func readByteRange(_ value: ArraySlice<UInt8>, _ line: PlaylistLine) throws(PlaylistError) {
        guard let range = ByteRangeTag(value) else {
            throw .malformed(line: line.number, reason: "EXT-X-BYTERANGE must be <length>[@<offset>]")
        }
        next.range = range
        next.rangeLines.append(ByteSpan(Int(line.content.start), line.end))
    }

    private mutating func readKey(_ value: ArraySlice<UInt8>) throws(PlaylistError) {
        guard let tag = KeyTag(AttributeList(value, in: source), in: source) else {
            keyIndex = -1
            isEncrypted = false
            return
        }
        guard playlist.keys.count < limits.playlistSegments else {
            throw .tooManySegments(limit: limits.playlistSegments)
        }
        isEncrypted = true
        let index = playlist.keys.count
        playlist.keys.append(tag.key)
        if tag.key.format == "identity" { keyIndex = Int32(clamping: index) }
        if let attribute = tag.replaceable { playlist.edits.addURI(attribute, .key(index)) }
    }

    private mutating func readMap(_ value: ArraySlice<UInt8>, _ line: PlaylistLine) throws(PlaylistError) {
        guard playlist.maps.count < limits.playlistSegments else {
            throw .tooManySegments(limit: limits.playlistSegments)
        }
        let list = AttributeList(value, in: source)
        guard let attribute = list.uri else {
            throw .malformed(line: line.number, reason: "EXT-X-MAP without a URI")
        }
        var range: ByteRange?
        if let text = list.bytes("BYTERANGE") {
            range = ByteRangeTag(text)?.range(implicitOffset: 0)
            guard range != nil else {
                throw .malformed(line: line.number, reason: "BYTERANGE must be \"<length>@<offset>\"")
            }
        }
        guard let uri = PlaylistURI(attribute.value, in: source) else {
            mapIndex = -1
            return
        }
        let index = playlist.maps.count
        playlist.maps.append(MediaMap(byteRange: range, uri: uri))
        mapIndex = Int32(clamping: index)
        playlist.edits.addURI(attribute, .map(index))
        for removal in list.removals(of: ["BYTERANGE"]) { playlist.edits.add(removal, .consume(.map(index))) }
    }

    /// Sections at one path whose queries differ: tokens do so too, but not within one playlist.
    private mutating func tellMapsApart() {
        struct Path: Hashable {
            var path: String
            var range: ByteRange?
        }
        guard playlist.maps.count > 1,
            playlist.maps.contains(where: { source.slice($0.uri.span).contains(ASCII.question) })
        else { return }
        var queries: [Path: String?] = [:]
        var ambiguous: Set<Path> = []
        let paths = playlist.maps.map { map in
            let url = map.url
            let path = Path(path: url.path, range: map.byteRange)
            if queries.updateValue(queries[path] ?? url.query, forKey: path) != nil, queries[path] != url.query {
                ambiguous.insert(path)
            }
            return path
        }
        for index in paths.indices where ambiguous.contains(paths[index]) { playlist.maps[index].countsQuery = true }
    }

    private mutating func addSegment(_ text: ArraySlice<UInt8>, line: PlaylistLine) throws(PlaylistError) {
        // As players do: a line without EXTINF before it is no segment and has no number.
        guard let duration = next.duration else { return }
        let pending = next
        next = PendingSegment()
        guard ordinal < UInt64(clamping: limits.playlistSegments) else {
            throw .tooManySegments(limit: limits.playlistSegments)
        }
        let sequence = ordinal
        ordinal += 1
        partIndex = 0
        playlist.totalDuration = playlist.totalDuration + duration
        longestSegment = max(longestSegment, duration)
        let span = ByteSpan(text)
        let range = try resolvedRange(pending.range, of: span, line)
        guard let uri = PlaylistURI(span, in: source) else { return }
        let index = playlist.segments.count
        playlist.segments.append(
            MediaSegment(
                sequence: sequence,
                duration: duration,
                byteRange: range,
                discontinuity: pending.discontinuity,
                gap: pending.gap,
                isEncrypted: isEncrypted,
                uri: uri,
                mapIndex: mapIndex,
                keyIndex: keyIndex,
                dateTime: pending.dateTime
            )
        )
        for lineSpan in pending.rangeLines { playlist.edits.add(lineSpan, .consume(.segment(index))) }
        playlist.edits.add(span, .address(.segment(index), needsQuotes: false))
    }

    private mutating func resolvedRange(
        _ tag: ByteRangeTag?,
        of uri: ByteSpan,
        _ line: PlaylistLine
    ) throws(PlaylistError) -> ByteRange? {
        guard let tag else {
            previousRange = nil
            return nil
        }
        var implicitOffset: Int64 = 0
        if tag.offset == nil, let previousRange, source.isSameResource(previousRange.uri, uri) {
            implicitOffset = previousRange.end
        }
        guard let range = tag.range(implicitOffset: implicitOffset) else {
            throw .malformed(line: line.number, reason: "EXT-X-BYTERANGE ends behind 2^63 bytes")
        }
        previousRange = (uri, range.offset + range.length)
        return range
    }

    private mutating func finished() throws(PlaylistError) -> MediaPlaylist {
        if targetDuration == nil, sawChannel { throw .channelList }
        if targetDuration == nil, ordinal == 0, !playlist.endList { throw .empty }
        try playlist.edits.checkVariables(in: source)
        // Without the tag the longest segment says how often there can be news.
        let target = targetDuration.map { min($0, DecimalText.longestDuration) } ?? longestSegment
        playlist.targetDuration = max(target, .seconds(1))
        for index in playlist.segments.indices { playlist.segments[index].sequence += playlist.mediaSequence }
        tellMapsApart()
        finishParts()
        playlist.edits.finish()
        return playlist
    }
}

// MARK: Low latency

extension MediaPlaylistParser {
    private mutating func readServer(_ list: AttributeList) {
        if let target = list.bytes("PART-TARGET").flatMap({ DecimalText.duration($0) }), target > .zero {
            // Whoever waits for parts by it never spins.
            playlist.lowLatency.partTarget = max(target, .milliseconds(50))
        }
        if list.text("CAN-BLOCK-RELOAD") == "YES" { playlist.lowLatency.canBlockReload = true }
        if let until = list.bytes("CAN-SKIP-UNTIL").flatMap({ DecimalText.duration($0) }) {
            playlist.lowLatency.skipUntil = until
        }
        // Local updates do not say which date ranges went.
        for removal in list.removals(of: ["CAN-SKIP-DATERANGES"]) { playlist.edits.add(removal, .drop) }
    }

    private mutating func readPart(_ value: ArraySlice<UInt8>, _ line: PlaylistLine) throws(PlaylistError) {
        partLines.append(ByteSpan(Int(line.content.start), line.end))
        guard playlist.lowLatency.parts.count < limits.playlistSegments, partIndex < MediaPart.most else {
            throw .tooManySegments(limit: limits.playlistSegments)
        }
        let list = AttributeList(value, in: source)
        let index = partIndex
        partIndex += 1
        guard let attribute = list.uri, let uri = PlaylistURI(attribute.value, in: source) else { return }
        let range = try partRange(list, of: attribute.value, line)
        let place = playlist.lowLatency.parts.count
        playlist.lowLatency.parts.append(
            MediaPart(
                sequence: ordinal,
                index: index,
                duration: list.bytes("DURATION").flatMap { DecimalText.duration($0) } ?? .zero,
                byteRange: range,
                gap: list.text("GAP") == "YES",
                hasMap: mapIndex >= 0,
                uri: uri
            )
        )
        playlist.edits.addURI(attribute, .part(place))
        for removal in list.removals(of: ["BYTERANGE"]) { playlist.edits.add(removal, .consume(.part(place))) }
    }

    private mutating func partRange(
        _ list: AttributeList,
        of uri: ByteSpan,
        _ line: PlaylistLine
    ) throws(PlaylistError) -> ByteRange? {
        guard let text = list.bytes("BYTERANGE") else {
            previousPart = nil
            return nil
        }
        var implicitOffset: Int64 = 0
        let tag = ByteRangeTag(text)
        if tag?.offset == nil, let previousPart, source.isSameResource(previousPart.uri, uri) {
            implicitOffset = previousPart.end
        }
        guard let range = tag?.range(implicitOffset: implicitOffset) else {
            throw .malformed(line: line.number, reason: "BYTERANGE must be \"<length>[@<offset>]\"")
        }
        previousPart = (uri, range.offset + range.length)
        return range
    }

    /// A hint of a part of its own is served; of one that is a range without an end it cannot be said where the part
    /// ends, and a player without the hint waits for the list.
    private mutating func readHint(_ value: ArraySlice<UInt8>, _ line: PlaylistLine) {
        let lineSpan = ByteSpan(Int(line.content.start), line.end)
        let list = AttributeList(value, in: source)
        guard list.text("TYPE") != "MAP" else { return readMapHint(list, lineSpan) }
        let length = list.integer("BYTERANGE-LENGTH").flatMap { Int64(exactly: $0) }
        let offset = list.integer("BYTERANGE-START").flatMap { Int64(exactly: $0) }
        let isRange = offset != nil || length != nil || playlist.lowLatency.parts.last?.byteRange != nil
        guard list.text("TYPE") == "PART", playlist.lowLatency.hint == nil, let attribute = list.uri,
            let uri = PlaylistURI(attribute.value, in: source), !isRange || length.map({ $0 > 0 }) ?? false,
            !(offset ?? 0).addingReportingOverflow(length ?? 0).overflow
        else { return playlist.edits.add(lineSpan, .drop) }
        partLines.append(lineSpan)
        playlist.lowLatency.hint = MediaPart(
            sequence: ordinal,
            index: partIndex,
            duration: .zero,
            byteRange: length.map { ByteRange(offset: offset ?? 0, length: $0) },
            gap: false,
            hasMap: mapIndex >= 0,
            uri: uri
        )
        playlist.edits.addURI(attribute, .hint)
        for removal in list.removals(of: ["BYTERANGE-START", "BYTERANGE-LENGTH"]) {
            playlist.edits.add(removal, .consume(.hint))
        }
    }

    /// An initialisation section that EXT-X-MAP will name: the same local address then leads to it. A range without an
    /// end could be another section later.
    private mutating func readMapHint(_ list: AttributeList, _ line: ByteSpan) {
        let length = list.integer("BYTERANGE-LENGTH").flatMap { Int64(exactly: $0) }
        let offset = list.integer("BYTERANGE-START").flatMap { Int64(exactly: $0) }
        guard playlist.lowLatency.mapHint == nil, let attribute = list.uri,
            let uri = PlaylistURI(attribute.value, in: source), offset == nil || length != nil,
            length.map({ $0 > 0 }) ?? true, !(offset ?? 0).addingReportingOverflow(length ?? 0).overflow
        else { return playlist.edits.add(line, .drop) }
        let range = length.map { ByteRange(offset: offset ?? 0, length: $0) }
        playlist.lowLatency.mapHint = MediaMap(byteRange: range, uri: uri)
        playlist.edits.addURI(attribute, .mapHint)
        for removal in list.removals(of: ["BYTERANGE-START", "BYTERANGE-LENGTH"]) {
            playlist.edits.add(removal, .consume(.mapHint))
        }
    }

    private mutating func readReport(_ value: ArraySlice<UInt8>) {
        guard playlist.lowLatency.reports.count < limits.renditions,
            let attribute = AttributeList(value, in: source).uri,
            let uri = PlaylistURI(attribute.value, in: source)
        else { return }
        playlist.edits.addURI(attribute, .report(playlist.lowLatency.reports.count))
        playlist.lowLatency.reports.append(uri)
    }

    /// Sequence numbers are known once the list has been read; parts that cannot be served go.
    private mutating func finishParts() {
        let last = playlist.mediaSequence.addingReportingOverflow(ordinal)
        let isUsable =
            playlist.lowLatency.partTarget != nil && !last.overflow
            && MediaPart.number(sequence: last.partialValue, index: 0) != nil
        guard isUsable else {
            for line in partLines { playlist.edits.add(line, .drop) }
            playlist.lowLatency.parts = []
            playlist.lowLatency.hint = nil
            playlist.lowLatency.partTarget = nil
            return
        }
        for index in playlist.lowLatency.parts.indices {
            playlist.lowLatency.parts[index].sequence += playlist.mediaSequence
        }
        guard var hint = playlist.lowLatency.hint else { return }
        hint.sequence += playlist.mediaSequence
        playlist.lowLatency.hint = hint.lasting(playlist.lowLatency.partTarget ?? .zero)
    }
}

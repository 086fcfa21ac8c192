import WeirCore

/// What a playlist means, apart from how it is written: a line of text per thing in it.
enum PlaylistMeaning {
    /// Of a local address.
    static func name(of reference: HLSReference) -> String {
        switch reference {
        case .variant(let index): "variant/\(index)"
        case .rendition(let index): "rendition/\(index)"
        case .iFrameStream(let index): "i-frames/\(index)"
        case .imageStream(let index): "images/\(index)"
        case .sessionKey(let index): "session-key/\(index)"
        case .sessionData(let index): "session-data/\(index)"
        case .segment(let index): "segment/\(index)"
        case .map(let index): "map/\(index)"
        case .key(let index): "key/\(index)"
        case .part(let index): "part/\(index)"
        case .hint: "hint"
        case .mapHint: "map-hint"
        case .report(let index): "report/\(index)"
        }
    }

    /// - Parameter local: what every address that weir owns is replaced by, before its name; ranges are gone then.
    static func lines(of playlist: MediaPlaylist, local: String? = nil) -> [String] {
        func place(_ reference: HLSReference, _ url: WebURL?, _ range: ByteRange? = nil) -> String {
            guard let url else { return "nowhere" }
            if let local { return local + name(of: reference) }
            return "\(url)\(range.map { " \($0.offset)+\($0.length)" } ?? "")"
        }
        var lines = [
            """
            \(playlist.targetDuration) \(playlist.mediaSequence) \(playlist.discontinuitySequence) \(playlist.version) \
            \(playlist.endList) \(playlist.type.map { $0.rawValue } ?? "") \(playlist.totalDuration) \
            \(playlist.iFramesOnly)
            """
        ]
        for (index, segment) in playlist.segments.enumerated() {
            lines.append(
                """
                segment \(segment.sequence) \(place(.segment(index), segment.url, segment.byteRange)) \
                \(segment.duration) \(segment.discontinuity ? "discontinuity" : "") \(segment.gap ? "gap" : "") \
                \(segment.isEncrypted ? "encrypted" : "") map \(segment.map ?? -1) key \(segment.key ?? -1) \
                at \(segment.programDateTime ?? "")
                """
            )
        }
        for (index, map) in playlist.maps.enumerated() {
            lines.append("map \(place(.map(index), map.url, map.byteRange))")
        }
        for (index, key) in playlist.keys.enumerated() {
            let vector = key.initialisationVector ?? []
            lines.append("key \(key.method) \(key.format) \(vector) \(place(.key(index), key.url))")
        }
        let live = playlist.lowLatency
        lines.append(
            "parts \(text(live.partTarget)) \(live.canBlockReload) \(text(live.skipUntil)) \(playlist.nextPlace)"
        )
        for (index, part) in live.parts.enumerated() {
            lines.append(line(part, place(.part(index), part.url, part.byteRange)))
        }
        if let hint = live.hint { lines.append(line(hint, place(.hint, hint.url, hint.byteRange))) }
        for index in 0..<live.reportCount { lines.append("report \(place(.report(index), live.reportURL(index)))") }
        return lines
    }

    private static func line(_ part: MediaPart, _ place: String) -> String {
        "part \(part.sequence).\(part.index) \(part.duration) \(place) \(part.gap ? "gap" : "")"
    }

    private static func text(_ duration: Duration?) -> String { duration.map { "\($0)" } ?? "none" }

    static func lines(of playlist: MultivariantPlaylist, local: String? = nil) -> [String] {
        func place(_ reference: HLSReference, _ url: WebURL?) -> String {
            url.map { url in local.map { $0 + name(of: reference) } ?? url.description } ?? "nowhere"
        }
        var lines = ["\(playlist.version)"]
        for (index, variant) in playlist.variants.enumerated() {
            lines.append("variant \(place(.variant(index), variant.url)) \(traits(variant))")
        }
        for (index, variant) in playlist.iFrameStreams.enumerated() {
            lines.append("i-frames \(place(.iFrameStream(index), variant.url)) \(traits(variant))")
        }
        for (index, rendition) in playlist.renditions.enumerated() {
            lines.append(
                """
                rendition \(rendition.type) \(rendition.groupID) \(rendition.name) \(rendition.language ?? "-") \
                \(place(.rendition(index), rendition.url))
                """
            )
        }
        for (index, key) in playlist.sessionKeys.enumerated() {
            let vector = key.initialisationVector ?? []
            lines.append("key \(key.method) \(key.format) \(vector) \(place(.sessionKey(index), key.url))")
        }
        for (index, data) in playlist.sessionData.enumerated() {
            lines.append("data \(data.id) \(data.language ?? "-") \(place(.sessionData(index), data.url))")
        }
        return lines
    }

    private static func traits(_ variant: Variant) -> String {
        let size = variant.resolution.map { "\($0.width)x\($0.height)" } ?? ""
        let groups = [variant.audio, variant.video, variant.subtitles].map { $0 ?? "-" }
        return "\(variant.bandwidth) \(variant.codecs ?? "-") \(size) \(groups)"
    }
}

// Names that agents derive on their own from what they read, and agree on: see the glossary of the core's pages.

extension Digest {
    /// Of text as UTF-8.
    static func sha256(_ text: String) -> Digest { sha256(Array(text.utf8)) }
}

extension SwarmID {
    /// - Parameters:
    ///   - url: the manifest as the user gave it.
    ///   - name: replaces what the URL would give; agents with equal names share.
    ///   - kept: query parameters that tell streams apart (`channel`), unlike tokens.
    package static func derive(url: WebURL, name: String?, keepingQueryKeys kept: Set<String> = []) -> SwarmID {
        let text = name.map { "weir1|name|\($0)" } ?? "weir1|\(url.normalisedForSwarm(keepingQueryKeys: kept))"
        guard let id = SwarmID(Array(Digest.sha256(text).bytes.prefix(SwarmID.byteCount))) else {
            preconditionFailure("a digest has more bytes than a swarm id")
        }
        return id
    }
}

extension StreamID {
    /// Ten lower-case base32 characters (RFC 4648) of SHA-256 over the whole URL: stable over restarts, and telling
    /// nothing of a token.
    package static func derive(url: WebURL) -> StreamID {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
        let prefix = Digest.sha256(url.description).prefix
        let characters = (0..<10).map { alphabet[Int(prefix >> UInt64(59 - 5 * $0) & 31)] }
        return StreamID(characters[...].text)
    }
}

extension RenditionKey {
    /// Of a stream that is one media playlist.
    package static let main = RenditionKey(Digest.sha256("rendition|main").prefix)

    /// Of the parts of a rendition, which are segments of their own.
    package var ofParts: RenditionKey { RenditionKey(Digest.sha256("parts|\(padded)").prefix) }

    /// - Parameters:
    ///   - playlist: the rendition's media playlist.
    ///   - multivariant: the playlist that names it. Hosts and queries do not count, and only the path from one to the
    ///     other does, so that CDNs, tokens in a directory name and tokens in a query all come to the same.
    package static func derive(playlist: WebURL, multivariant: WebURL) -> RenditionKey {
        RenditionKey(Digest.sha256("rendition|\(relativePath(of: playlist, from: multivariant))").prefix)
    }

    /// The path that leads from a document's directory to another: `../audio/en.m3u8`.
    static func relativePath(of target: WebURL, from base: WebURL) -> String {
        let baseParts = base.directory.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let targetParts = target.path.split(separator: "/", omittingEmptySubsequences: false)
        var common = 0
        while common < baseParts.count, common < targetParts.count - 1, baseParts[common] == targetParts[common] {
            common += 1
        }
        let up = [Substring](repeating: "..", count: baseParts.count - common)
        return (up + targetParts[common...]).joined(separator: "/")
    }
}

/// The keys of a multivariant playlist's renditions, index by index.
package struct RenditionKeys: Sendable {
    package let variants: [RenditionKey]
    /// Nil for those without a playlist of their own.
    package let renditions: [RenditionKey?]
    package let iFrameStreams: [RenditionKey]
}

extension MultivariantPlaylist {
    /// Derives every key. Playlists whose URLs differ in nothing but the query (`?track=2`) are told apart by what
    /// their tags say of them, because queries differ from viewer to viewer.
    package func renditionKeys() -> RenditionKeys {
        var assigned = KeyAssignment(multivariant: url)
        let variantKeys = variants.map { assigned.key(of: $0.url, traits: "variant|\($0.traits)") }
        let renditionKeys = renditions.map { rendition in
            rendition.url.map { assigned.key(of: $0, traits: rendition.traits) }
        }
        let iFrameKeys = iFrameStreams.map { assigned.key(of: $0.url, traits: "i-frames|\($0.traits)") }
        return RenditionKeys(variants: variantKeys, renditions: renditionKeys, iFrameStreams: iFrameKeys)
    }

    private struct KeyAssignment {
        let multivariant: WebURL
        private var owners: [RenditionKey: WebURL] = [:]

        init(multivariant: WebURL) {
            self.multivariant = multivariant
        }

        mutating func key(of url: WebURL, traits: String) -> RenditionKey {
            let plain = RenditionKey.derive(playlist: url, multivariant: multivariant)
            if isFree(plain, for: url) { return plain }
            let path = RenditionKey.relativePath(of: url, from: multivariant)
            var count = 0
            while true {
                let key = RenditionKey(Digest.sha256("rendition|\(path)|\(traits)|\(count)").prefix)
                if isFree(key, for: url) { return key }
                count += 1
            }
        }

        /// The same path on another host is the same rendition on a second CDN.
        private mutating func isFree(_ key: RenditionKey, for url: WebURL) -> Bool {
            guard let owner = owners[key] else {
                owners[key] = url
                return true
            }
            return owner.query == url.query || owner.originKey != url.originKey
        }
    }
}

extension Variant {
    /// What the tag says, the same for every viewer.
    fileprivate var traits: String {
        let size = resolution.map { "\($0.width)x\($0.height)" } ?? ""
        return "\(bandwidth)|\(size)|\(codecs ?? "")|\(audio ?? "")|\(video ?? "")|\(subtitles ?? "")"
    }
}

extension AlternateRendition {
    fileprivate var traits: String { "\(type)|\(groupID)|\(name)|\(language ?? "")" }
}

extension MediaPlaylist {
    /// What peers can be asked for to get `segments[index]`.
    package func segmentID(at index: Int, of rendition: RenditionKey) -> SegmentID {
        let segment = segments[index]
        return SegmentID(rendition: rendition, number: segment.sequence, range: segment.byteRange)
    }

    /// The same for `maps[index]`.
    package func mapID(at index: Int, of rendition: RenditionKey) -> SegmentID {
        maps[index].id(of: rendition)
    }
}

extension MediaMap {
    /// The number is derived from the resolved path and the range, not from the place in a playlist that slides on.
    package func id(of rendition: RenditionKey) -> SegmentID {
        var text = url.path
        if let byteRange { text += "|\(byteRange.offset)+\(byteRange.length)" }
        let number = Digest.sha256(text).prefix
        return SegmentID(rendition: rendition, kind: .initialisation, number: number, range: byteRange)
    }
}

extension Edition {
    /// Of the URL's last path part.
    package static func nameHash(of url: WebURL) -> UInt64 { Digest.sha256(url.lastPathPart).prefix }

    /// Of the strong ETag, else of Last-Modified (RFC 9110 8.8); 0 when an answer has neither. A weak ETag promises no
    /// equal bytes and counts as none.
    package static func validatorHash(_ fields: [HeaderField]) -> UInt64 {
        if let tag = fields.first(where: { $0.name == "etag" })?.value, tag.utf8.count >= 2, tag.hasPrefix("\""),
            tag.hasSuffix("\"")
        {
            return max(1, Digest.sha256("etag|\(tag)").prefix)
        }
        guard let modified = fields.first(where: { $0.name == "last-modified" })?.value, !modified.isEmpty else {
            return 0
        }
        return max(1, Digest.sha256("last-modified|\(modified)").prefix)
    }
}

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

/// The keys of a multivariant playlist's renditions, index by index. What is one rendition in several pathways has one.
package struct RenditionKeys: Sendable {
    package let variants: [RenditionKey]
    /// Nil for those without a playlist of their own.
    package let renditions: [RenditionKey?]
    package let iFrameStreams: [RenditionKey]
}

extension MultivariantPlaylist {
    /// Derives every key. Playlists whose URLs differ in nothing but the query (`?track=2`) are told apart by what
    /// their tags say of them, because queries differ from viewer to viewer.
    ///
    /// What is one rendition in several pathways is recognised by its stable id, else by what its tag says and its place
    /// among its equals; the pathway whose id sorts first gives the key, so that agents on different pathways agree.
    package func renditionKeys() -> RenditionKeys {
        var assigned = KeyAssignment(multivariant: url)
        let variantKeys = keys(of: variants, prefix: "variant|", &assigned)
        let pathways = pathwayOfGroups()
        var counts: [String: Int] = [:]
        let alternates = renditions.map { rendition -> Listed in
            let pathway = pathways[rendition.group] ?? Place.defaultPathway
            let traits = rendition.stableID.map { "id|\($0)" } ?? rendition.traitsWithoutGroup
            let count = counts["\(pathway)|\(traits)", default: 0]
            counts["\(pathway)|\(traits)"] = count + 1
            return Listed(
                url: rendition.url,
                pathway: pathway,
                likeness: "\(traits)|\(count)",
                traits: rendition.traits
            )
        }
        let renditionKeys = keys(of: alternates, &assigned)
        let iFrameKeys = keys(of: iFrameStreams, prefix: "i-frames|", &assigned)
        return RenditionKeys(variants: variantKeys, renditions: renditionKeys, iFrameStreams: iFrameKeys)
    }

    /// A rendition as one pathway has it.
    private struct Listed {
        var url: WebURL?
        var pathway: String
        /// The same in every pathway.
        var likeness: String
        /// What tells it apart from others at the same path.
        var traits: String
    }

    private func keys(of variants: [Variant], prefix: String, _ assigned: inout KeyAssignment) -> [RenditionKey] {
        var counts: [String: Int] = [:]
        let listed = variants.map { variant -> Listed in
            let likeness = variant.stableID.map { "id|\($0)" } ?? variant.traitsWithoutGroups
            let count = counts["\(variant.pathway)|\(likeness)", default: 0]
            counts["\(variant.pathway)|\(likeness)"] = count + 1
            return Listed(
                url: variant.url,
                pathway: variant.pathway,
                likeness: "\(likeness)|\(count)",
                traits: prefix + variant.traits
            )
        }
        return keys(of: listed, &assigned).map { $0 ?? .main }
    }

    /// - Returns: nil for what has no URL.
    private func keys(of listed: [Listed], _ assigned: inout KeyAssignment) -> [RenditionKey?] {
        var first: [String: Listed] = [:]
        for one in listed where one.url != nil {
            if let known = first[one.likeness], known.pathway <= one.pathway { continue }
            first[one.likeness] = one
        }
        var keys: [String: RenditionKey] = [:]
        return listed.map { one in
            guard one.url != nil, let named = first[one.likeness], let url = named.url else { return nil }
            if let key = keys[one.likeness] { return key }
            let key = assigned.key(of: url, traits: named.traits)
            keys[one.likeness] = key
            return key
        }
    }

    /// Alternates have no pathway of their own but that of the variants that name their group; none when several do.
    func pathwayOfGroups() -> [String: String] {
        var pathways: [String: String] = [:]
        for variant in variants {
            for (type, id) in [("audio", variant.audio), ("video", variant.video), ("subtitles", variant.subtitles)] {
                guard let id else { continue }
                let group = "\(type)|\(id)"
                let known = pathways[group]
                pathways[group] = known == nil || known == variant.pathway ? variant.pathway : Place.defaultPathway
            }
        }
        return pathways
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
    fileprivate var traits: String { "\(traitsWithoutGroups)|\(audio ?? "")|\(video ?? "")|\(subtitles ?? "")" }

    /// The same in every pathway, each of which has groups of its own.
    fileprivate var traitsWithoutGroups: String {
        let size = resolution.map { "\($0.width)x\($0.height)" } ?? ""
        return "\(bandwidth)|\(size)|\(codecs ?? "")"
    }
}

extension AlternateRendition {
    fileprivate var traits: String { "\(type)|\(groupID)|\(name)|\(language ?? "")" }
    fileprivate var traitsWithoutGroup: String { "\(type)|\(name)|\(language ?? "")" }

    /// Its type and group, as variants refer to them.
    var group: String { "\(type)|\(groupID)" }
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
    /// The number is derived from the way from the playlist to it and from the range: not from the place in a playlist
    /// that slides on, nor from a host or a directory that differs from viewer to viewer. Sections of one playlist that
    /// differ in their queries alone are told apart by these.
    package func id(of rendition: RenditionKey) -> SegmentID {
        let url = url
        var text = RenditionKey.relativePath(of: url, from: uri.source.url)
        if countsQuery { text += "?\(url.query ?? "")" }
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

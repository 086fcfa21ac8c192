// The origin's playlists as players get them: with our addresses in place of its own.
extension Agent {
    /// - Parameter address: of a rendition's playlist.
    mutating func rewrite(
        _ list: MultivariantPlaylist,
        _ stream: Stream,
        _ address: (RenditionKey) -> String
    ) -> [UInt8] {
        let keys = list.renditionKeys()
        var resources = stream.resources
        let bytes = list.rewritten { reference in
            func local(_ key: RenditionKey?) -> String? { key.map(address) }
            switch reference {
            case .variant(let index): return local(keys.variants[index])
            case .rendition(let index): return local(keys.renditions[index])
            case .iFrameStream(let index): return local(keys.iFrameStreams[index])
            case .sessionKey(let index):
                // As the media lists' keys are named, so that a player finds what it preloaded.
                guard let url = list.sessionKeys[index].url else { return nil }
                return LocalPath.key(stream.id, .main, stream.keys.place(of: url)).text
            case .sessionData(let index):
                guard let url = list.sessionData[index].url else { return nil }
                return LocalPath.resource(stream.id, resources.place(of: url)).text
            default: return nil
            }
        }
        resources.limit(to: 2 * list.sessionData.count)
        stream.resources = resources
        return bytes
    }

    mutating func rewrite(_ list: MediaPlaylist, _ rendition: Rendition) -> [UInt8] {
        let stream = rendition.stream
        for map in list.maps + [list.lowLatency.mapHint].compactMap({ $0 }) {
            _ = ensureInitialisation(map, in: rendition)
        }
        var keys = stream.keys
        let bytes = list.rewritten { reference in
            switch reference {
            case .segment(let index):
                let entry = list.segments[index]
                let suffix = entry.suffix(inSubtitles: rendition.isSubtitles)
                return LocalPath.segment(stream.id, rendition.key, number: entry.sequence, suffix: suffix).text
            case .map(let index):
                return local(list.maps[index], rendition)
            case .mapHint: return list.lowLatency.mapHint.map { local($0, rendition) }
            case .part(let index): return local(list.lowLatency.parts[index], rendition)
            case .hint: return list.lowLatency.hint.map { local($0, rendition) }
            case .report(let index):
                let path = list.lowLatency.reportURL(index).path
                let other = stream.renditions.first { !$0.isParts && $0.manifest.url.path == path }
                return other.map { LocalPath.index(stream.id, $0.key).text }
            case .key(let index):
                guard let url = list.keys[index].url else { return nil }
                return LocalPath.key(stream.id, rendition.key, keys.place(of: url)).text
            default: return nil
            }
        }
        keys.limit(to: 2 * stream.renditions.reduce(0) { $0 + ($1.playlist?.keys.count ?? 0) })
        stream.keys = keys
        return bytes
    }

    private func local(_ map: MediaMap, _ rendition: Rendition) -> String {
        let (stream, key) = (rendition.stream.id, rendition.key)
        return LocalPath.initialisation(stream, key, number: map.id(of: key).number, suffix: map.suffix).text
    }

    private func local(_ part: MediaPart, _ rendition: Rendition) -> String {
        let (stream, key) = (rendition.stream.id, rendition.key)
        return LocalPath.part(stream, key, number: part.sequence, part: part.index, suffix: part.suffix).text
    }
}

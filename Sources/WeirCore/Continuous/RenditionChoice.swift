/// Which renditions of an HLS stream a continuous output is made of.
package struct RenditionChoice: Sendable, Hashable {
    /// The playlist of the variant.
    package var main: WebURL
    /// The playlist of its sound, where that is apart.
    package var audio: WebURL?

    /// The variant of the highest bandwidth that has a picture, and the default of its group of sounds.
    package init?(_ list: MultivariantPlaylist) {
        let pictured = list.variants.filter { $0.hasPicture }
        let candidates = pictured.isEmpty ? list.variants : pictured
        // The first of equals: further ones are other places of the same.
        guard let best = candidates.map(\.bandwidth).max(), let main = candidates.first(where: { $0.bandwidth == best })
        else { return nil }
        self.main = main.url
        let group = list.renditions.filter { $0.type == .audio && $0.groupID == main.audio }
        // One without an address is in the variant itself.
        let sound = group.first { $0.isDefault } ?? group.first
        audio = sound?.url
        if audio == main.url { audio = nil }
    }
}

extension Variant {
    /// A size, a codec of pictures, or nothing that says otherwise.
    fileprivate var hasPicture: Bool {
        if resolution != nil { return true }
        guard let codecs else { return true }
        let sounds = ["mp4a", "ac-3", "ec-3", "opus", "flac", "alac", "mp3"]
        return codecs.split(separator: ",").contains { codec in
            let name = codec.drop { $0 == " " }.lowercased()
            return !sounds.contains { name.hasPrefix($0) }
        }
    }
}

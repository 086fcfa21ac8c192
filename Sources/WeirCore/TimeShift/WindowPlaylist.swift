/// A media playlist over a part of a time shift window (RFC 8216bis 4.4.3, 4.4.4).
struct WindowPlaylist {
    let entries: ArraySlice<WindowEntry>
    /// Of the origin's list.
    let targetDuration: Duration
    /// Where in the first segment to begin; nil: the player's to choose.
    let start: Duration?
    /// Nothing will be added any more.
    let isOver: Bool
    /// What the first segment's clock shows where the origin does not say.
    let firstDate: WallTime?

    /// What the list says of one segment.
    struct Addresses {
        let isThere: (WindowEntry) -> Bool
        let segment: (WindowEntry) -> String
        let section: (UInt64) -> String
        let key: (WebURL) -> String
    }

    func text(_ addresses: Addresses) -> String {
        var text = head
        var key: WindowEntry.Key?
        var section: UInt64?
        for (place, entry) in entries.enumerated() {
            if entry.startsTimeline { text += "#EXT-X-DISCONTINUITY\n" }
            if entry.key !== key {
                key = entry.key
                text += keyTag(entry.key, addresses)
            }
            if let own = entry.section, own != section {
                section = own
                text += "#EXT-X-MAP:URI=\"\(addresses.section(own))\"\n"
            }
            let date = place == 0 ? entry.date ?? firstDate : entry.hasOwnDate ? entry.date : nil
            if let date { text += "#EXT-X-PROGRAM-DATE-TIME:\(date.dateTime)\n" }
            if !addresses.isThere(entry) { text += "#EXT-X-GAP\n" }
            text += "#EXTINF:\(DecimalSeconds.text(entry.duration)),\n\(addresses.segment(entry))\n"
        }
        return text + (isOver ? "#EXT-X-ENDLIST\n" : "")
    }

    private var head: String {
        let longest = entries.reduce(targetDuration) { max($0, $1.duration) }
        let breaks = entries.first.map { $0.timeline &- ($0.startsTimeline ? 1 : 0) } ?? 0
        var text = "#EXTM3U\n#EXT-X-VERSION:8\n#EXT-X-TARGETDURATION:\(Int(longest.seconds.rounded()))\n"
        text += "#EXT-X-MEDIA-SEQUENCE:\(entries.first?.number ?? 0)\n#EXT-X-DISCONTINUITY-SEQUENCE:\(breaks)\n"
        if let start { text += "#EXT-X-START:TIME-OFFSET=\(DecimalSeconds.text(start)),PRECISE=YES\n" }
        return text
    }

    private func keyTag(_ key: WindowEntry.Key?, _ addresses: Addresses) -> String {
        guard let key else { return "#EXT-X-KEY:METHOD=NONE\n" }
        let vector = key.vector.map { ",IV=0x\($0.hexadecimal)" } ?? ""
        return "#EXT-X-KEY:METHOD=\(key.method),URI=\"\(addresses.key(key.url))\"\(vector)\n"
    }
}

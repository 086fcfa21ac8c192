/// A segment of a live rendition as the time shift window remembers it: all that a playlist of ours needs to name it when
/// the origin's does not any more.
struct WindowEntry {
    /// The key that segments are encrypted with; they share it, because there are many of them.
    final class Key {
        /// `AES-128`, `SAMPLE-AES`, …
        let method: String
        let url: WebURL
        /// As the tag has it; nil: the media sequence number.
        let vector: [UInt8]?

        init(method: String, url: WebURL, vector: [UInt8]?) {
            self.method = method
            self.url = url
            self.vector = vector
        }

        func isSame(as other: Key?) -> Bool {
            method == other?.method && url == other?.url && vector == other?.vector
        }
    }

    /// Media sequence number.
    let number: UInt64
    let duration: Duration
    /// When its end was the live edge, by this agent's clock.
    let edge: Instant
    /// What the origin's clock showed at its beginning, as far as EXT-X-PROGRAM-DATE-TIME says.
    let date: WallTime?
    /// The origin says so at this very segment.
    let hasOwnDate: Bool
    /// It follows an EXT-X-DISCONTINUITY.
    let startsTimeline: Bool
    /// Its discontinuity sequence number.
    let timeline: UInt64
    /// There is no media: EXT-X-GAP, or a number that no copy of the list had.
    let isGap: Bool
    /// Of its local address.
    let suffix: String
    /// The number of its initialisation section, if it has one.
    let section: UInt64?
    let key: Key?
    /// A key that only players can get applies to it.
    let isProtected: Bool

    /// When its beginning was the live edge.
    var begin: Instant { edge - duration }
}

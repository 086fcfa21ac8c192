/// A limit on everything that others can make grow. Reaching one is logged.
package struct Limits: Sendable {
    /// Bytes of a playlist (a day of 2 s segments with long tokens stays below 16 MiB).
    package var manifestBytes = 16 * 1024 * 1024
    /// Segments in one media playlist.
    package var playlistSegments = 200_000
    /// Renditions in one multivariant playlist.
    package var renditions = 256
    /// Segments of one rendition that a time shift window remembers: a day of 2 s segments; and where no window is set,
    /// so that what happens to be held is all there is.
    package var windowSegments = 43_200
    package var heldWindowSegments = 4096
    /// Segments that are in memory at once because peers asked for what lies on the disk.
    package var segmentsReadForPeers = 4
    /// Elements in one DASH manifest (a day of 2 s segments, one element each, in ten renditions).
    package var manifestElements = 500_000
    /// Attributes of one element of a manifest.
    package var manifestAttributes = 128
    /// Elements inside one another in a manifest.
    package var manifestDepth = 64
    /// Representations of all periods of one DASH manifest.
    package var representations = 2048
    /// Operations in one patch of a manifest, and elements that their selectors are compared with.
    package var patchOperations = 4096
    package var patchVisits = 2_000_000
    /// Bytes of one read of a segment index.
    package var indexBytes = 4 * 1024 * 1024
    /// Bytes of a segment that is held whole; a larger one is passed through and not shared.
    package var segmentBytes = 64 * 1024 * 1024
    /// Bytes of a key or another small resource.
    package var resourceBytes = 1024 * 1024
    /// Bytes of a list of channels, and channels in it.
    package var channelListBytes = 64 * 1024 * 1024
    package var channels = 200_000
    package var streams = 64
    /// Players of one stream that are told apart.
    package var playersPerStream = 256
    package var links = 50
    /// Links that the agent opens by itself.
    package var dialledLinks = 20
    package var dials = 8
    /// Links with one line (an IPv4 address, a /64 of IPv6) beyond this machine and the household: a thousand names there
    /// may be one host (F40). Boxes of one household behind one address are few, and see each other at home.
    package var linksPerLine = 4
    /// Dials of strangers that find nobody, at once; later one in two seconds.
    package var vainDials = 64
    package var swarmsPerLink = 64
    /// Requests of one peer that wait at once.
    package var requestsPerLink = 256
    /// Chunks of one peer's requests that wait at once.
    package var chunksPerLink = 2048
    /// Have ranges that are remembered per link and rendition.
    package var haveRangesPerLink = 512
    package var renditionsPerLink = 64
    /// Players' requests open at once.
    package var playerRequests = 2048
    /// Digest batches kept per segment.
    package var vouchesPerSegment = 512
    package var bannedPeers = 4096
    package var knownPeers = 1024

    package init() {}
}

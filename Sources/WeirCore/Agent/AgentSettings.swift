/// What a user can set of an agent's behaviour. Every ceiling of the rules; units are in the types.
///
/// Defaults and their sources stand in the settings table of the program, which is the one place that names flags.
package struct AgentSettings: Sendable {
    /// Below this much buffer a segment may go to the origin at once if the deadline rule's estimate is uncertain.
    package var minimumBuffer: Duration = .seconds(10)
    /// A race that peers alone have not won by then gets its missing chunks from edge or origin.
    package var downloadTimeout: Duration = .seconds(6)
    /// A source whose expected finish falls behind by this much, silent or dripping, loses its runs.
    package var stallTimeout: Duration = .seconds(2)
    /// Never prefetch more media time than this.
    package var maximumBuffer: Duration = .seconds(60)
    /// Bytes that cached segments, buffers in flight and send queues may take together.
    package var cacheBytes: Int = 48 * 1024 * 1024
    /// Bytes per second that all uploads together may use; nil: no cap; 0: no uploads at all.
    package var uploadBytesPerSecond: Int?
    package var integrity: IntegrityLevel = .vouched
    /// Networks whose peers are trusted like our own agents: never audited.
    package var localNetworks: [NetworkPrefix] = []
    /// Base URLs of edges, best first: `http://edge.lan:8080/` serves an origin's `/a/b.ts` as `/a/b.ts`.
    package var edges: [String] = []
    /// Peers to link to without a tracker.
    package var peers: [PeerAddress] = []
    package var trackerCount: Int = 0
    /// The trackers' hosts, in order: a public one may not name private addresses.
    package var trackerHosts: [String] = []
    /// Replaces the swarm that each URL would give.
    package var swarmName: String?
    /// Where other agents can dial this one, best first; empty when it accepts no links.
    package var ownAddresses: [PeerAddress] = []
    /// Streams that anybody may open through `/play?url=`; see `StreamPermission`.
    package var allowedURLPrefixes: [String] = []
    /// Bytes that may be fetched ahead for the channels next to the one that was just opened; 0: none.
    package var zapBudget: Int = 256 * 1024
    /// How long a stream without media requests keeps serving peers; nil: for ever.
    package var seedTime: Duration? = .seconds(600)
    /// How far from the end players of live streams start, where the origin does not say; nil: theirs to choose.
    package var liveOffset: Duration?
    /// How much of a live stream is kept behind its live edge for time shift; zero: what happens to be held.
    package var dvrLength: Duration = .zero
    /// Bytes of the cache, beside `cacheBytes`, that only the time shift window may fill for good.
    package var dvrBytes: Int = 0
    /// Bytes of the disk that the time shift window may fill with what memory has no room for; 0: none.
    package var dvrDiskBytes: Int = 0

    package init() {}
}

/// The least evidence that lets a chunk from a peer reach a player, weakest last.
package enum IntegrityLevel: String, Sendable, CaseIterable {
    /// Nothing from peers is ever used.
    case origin
    /// The publisher's signature over digest lists.
    case signed
    /// The origin's own digest of the whole body.
    case anchored
    /// The statement of an agent that read the bytes from the origin.
    case vouched
}

/// An IP network in CIDR notation (RFC 4632, RFC 4291).
package struct NetworkPrefix: Hashable, Sendable {
    /// 4 or 16 bytes.
    package var address: [UInt8]
    package var length: Int

    package init(address: [UInt8], length: Int) {
        self.address = address
        self.length = length
    }
}

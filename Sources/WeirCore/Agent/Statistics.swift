/// Totals since the agent started: what `/stats` prints, under the names it prints.
// The names are the JSON's, which is what users see.
// swift-format-ignore: AlwaysUseLowerCamelCase
package struct AgentStatistics: Sendable, Encodable, Equatable {
    /// Media bytes that players' sockets took.
    package var delivered_bytes: Int64 = 0
    /// Media payload read from origins, audits included.
    package var origin_bytes: Int64 = 0
    package var edge_bytes: Int64 = 0
    /// Media payload received from peers, waste included.
    package var peer_bytes: Int64 = 0
    package var uploaded_bytes: Int64 = 0
    /// The part of `origin_bytes` that only checked what peers had sent.
    package var audit_bytes: Int64 = 0
    /// Payload received and thrown away: duplicate, late or cancelled.
    package var wasted_bytes: Int64 = 0
    /// Payload from peers that contradicted its digest list.
    package var rejected_bytes: Int64 = 0
    /// 1 − `origin_bytes` ÷ `delivered_bytes`; 0 before anything was delivered.
    package var offload_ratio: Double = 0
    /// The least buffer among active players, in seconds; 0 without one.
    package var buffer_seconds: Double = 0
    /// Times that a player's buffer ran dry for lack of a segment, as inferred from its requests.
    package var stalls: Int = 0
    package var stall_seconds: Double = 0
    /// Links that are up.
    package var peers: Int = 0
    package var banned_peers: Int = 0
    /// Vouchers that two readings of the origin proved wrong.
    package var proved_lies: Int = 0
    /// Bytes drawn from the ledger.
    package var ledger_bytes: Int64 = 0
    /// What the time shift window has on the disk, and what was written there and read again since the start.
    package var dvr_disk_bytes: Int64 = 0
    package var dvr_disk_written_bytes: Int64 = 0
    package var dvr_disk_read_bytes: Int64 = 0
    /// Segments that left memory unwritten, because the disk was too slow, too full or let alone.
    package var dvr_disk_skipped: Int = 0
    /// Files of the window that were not what was written.
    package var dvr_disk_damaged: Int = 0
    /// Times that the disk refused: full, broken, read-only.
    package var dvr_disk_failures: Int = 0
    package var manifest_requests: Int = 0
    /// Of these, DASH manifests of which only what is new was fetched.
    package var manifest_patches: Int = 0
    package var origin_requests: Int = 0
    /// Segments that the media program found damaged, and those of them that other bytes replaced.
    package var damaged_segments: Int = 0
    package var refetched_segments: Int = 0
    /// Who reads a continuous output now; like the following four filled in by the shell.
    package var continuous_readers: Int = 0
    /// Processes that remux now.
    package var media_workers: Int = 0
    /// Workers that died and were replaced.
    package var media_worker_restarts: Int = 0
    /// Segments that a remux left out: missing, cut short or damaged.
    package var media_damaged_segments: Int = 0
    /// Times that a reader of a live output was too slow and went on at the latest keyframe.
    package var continuous_skips: Int = 0
    /// Filled in by the shell; 0 in a simulation.
    package var rss_bytes: Int64 = 0

    package init() {}
}

/// One stream, as `GET /v1/sessions` lists it.
// The names are the JSON's, which is what users see.
// swift-format-ignore: AlwaysUseLowerCamelCase
package struct SessionReport: Sendable, Encodable {
    package var id: String
    /// Without query: tokens stay out of reports.
    package var url: String
    package var path: String
    package var swarm: String
    package var live: Bool
    package var players: Int
    package var buffer_seconds: Double
    package var stalls: Int
    package var peers: Int
    /// Who reads a continuous output of it; filled in by the shell.
    package var continuous_readers = 0
    /// From the beginning of what time shift offers to the live edge, and what of it this agent holds, in memory and on
    /// the disk.
    package var window_seconds = 0.0
    package var window_bytes: Int64 = 0
    package var window_disk_bytes: Int64 = 0
    /// Segments that were found damaged, those of them that other bytes replaced, and what came of the latest.
    package var damaged_segments = 0
    package var refetched_segments = 0
    package var latest_damage: String?
    /// `available`, or why there are none; filled in by the shell.
    package var continuous_outputs = ""
    package var playlists: [PlaylistReport]
    /// The content steering pathway or the base URL's service location in use; left out when the stream has but one.
    package var pathway: String?
    /// `direct`: media come from the servers alone; `p2p`: from peers as far as they reach.
    package var mode: String
    /// Who says so, and why.
    package var mode_reason: String

    package init(
        id: String,
        url: String,
        path: String,
        swarm: String,
        live: Bool,
        players: Int,
        buffer_seconds: Double,
        stalls: Int,
        peers: Int,
        playlists: [PlaylistReport] = [],
        pathway: String? = nil,
        mode: String = DeliveryMode.peers.rawValue,
        mode_reason: String = ""
    ) {
        self.id = id
        self.playlists = playlists
        self.pathway = pathway
        self.mode = mode
        self.mode_reason = mode_reason
        self.url = url
        self.path = path
        self.swarm = swarm
        self.live = live
        self.players = players
        self.buffer_seconds = buffer_seconds
        self.stalls = stalls
        self.peers = peers
    }
}

/// One rendition's playlist, or a representation that was played, as `GET /v1/sessions` lists it.
// The names are the JSON's, which is what users see.
// swift-format-ignore: AlwaysUseLowerCamelCase
package struct PlaylistReport: Sendable, Encodable {
    package var rendition: String
    /// `current`, `ended`, `stale`, `rolled back`, `restarted`, `ahead of its segments` or `failing`.
    package var state: String
    /// Why it is in that state; empty when there is nothing to explain.
    package var reason: String
    /// The first media sequence number listed.
    package var first_segment: UInt64
    package var segments: Int
    package var unchanged_seconds: Double
    /// Who reads it now.
    package var players = 0
    /// What the manifest calls the language of its sound or text; left out when it does not.
    package var language: String?
    /// Its tracks, by one of its segments; filled in by the shell, empty while nobody has asked for the session alone.
    package var media: [MediaReport] = []
}

/// One segment, as `GET /v1/sessions/{id}/segments` lists it.
// The names are the JSON's, which is what users see.
// swift-format-ignore: AlwaysUseLowerCamelCase
package struct SegmentReport: Sendable, Encodable {
    package var rendition: String
    package var number: UInt64
    /// Which part of the segment, from 0; left out for whole segments.
    package var part: Int?
    package var bytes: Int64
    package var origin_bytes: Int64
    package var edge_bytes: Int64
    package var peer_bytes: Int64
    /// Peers that contributed checked chunks.
    package var sources: Int
    /// From the start of its race to its end.
    package var milliseconds: Double
    /// Why bytes came from the origin; empty when none did.
    package var origin_reason: String
    package var state: String

    package init(
        rendition: String,
        number: UInt64,
        part: Int? = nil,
        bytes: Int64,
        origin_bytes: Int64,
        edge_bytes: Int64,
        peer_bytes: Int64,
        sources: Int,
        milliseconds: Double,
        origin_reason: String,
        state: String
    ) {
        self.rendition = rendition
        self.number = number
        self.part = part
        self.bytes = bytes
        self.origin_bytes = origin_bytes
        self.edge_bytes = edge_bytes
        self.peer_bytes = peer_bytes
        self.sources = sources
        self.milliseconds = milliseconds
        self.origin_reason = origin_reason
        self.state = state
    }
}

/// One link, as `GET /v1/peers` lists it.
// The names are the JSON's, which is what users see.
// swift-format-ignore: AlwaysUseLowerCamelCase
package struct PeerReport: Sendable, Encodable {
    package var id: String
    package var address: String
    package var received_bytes: Int64
    package var sent_bytes: Int64
    package var rejected_bytes: Int64
    package var rate_bytes_per_second: Double
    package var round_trip_ms: Double
    package var score: Double
    package var segments_held: Int

    package init(
        id: String,
        address: String,
        received_bytes: Int64,
        sent_bytes: Int64,
        rejected_bytes: Int64,
        rate_bytes_per_second: Double,
        round_trip_ms: Double,
        score: Double,
        segments_held: Int
    ) {
        self.id = id
        self.address = address
        self.received_bytes = received_bytes
        self.sent_bytes = sent_bytes
        self.rejected_bytes = rejected_bytes
        self.rate_bytes_per_second = rate_bytes_per_second
        self.round_trip_ms = round_trip_ms
        self.score = score
        self.segments_held = segments_held
    }
}

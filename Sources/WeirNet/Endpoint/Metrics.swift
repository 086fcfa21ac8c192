import WeirCore

/// An agent's statistics with what the operating system says about the process.
struct ProcessStatistics: Encodable {
    var agent: AgentStatistics
    /// Anonymous resident memory: what counts against the budget, without mapped files.
    var anonymousBytes: Int64

    private enum Keys: String, CodingKey { case anonymousBytes = "rss_anon_bytes" }

    init(_ agent: AgentStatistics, memory: ProcessMemory = .now()) {
        self.agent = agent
        self.agent.rss_bytes = memory.residentBytes
        anonymousBytes = memory.anonymousBytes
    }

    func encode(to encoder: any Encoder) throws {
        try agent.encode(to: encoder)
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(anonymousBytes, forKey: .anonymousBytes)
    }
}

/// The Prometheus text format, version 0.0.4.
enum Metrics {
    private struct Metric {
        var name: String
        var kind: String
        var help: String
        var value: @Sendable (ProcessStatistics) -> Double

        init(_ name: String, _ kind: String, _ help: String, _ value: @escaping @Sendable (ProcessStatistics) -> Double)
        {
            self.name = name
            self.kind = kind
            self.help = help
            self.value = value
        }
    }

    private static let all: [Metric] = [
        Metric("delivered_bytes_total", "counter", "Media bytes that players took.") {
            Double($0.agent.delivered_bytes)
        },
        Metric("origin_bytes_total", "counter", "Media bytes read from origins, audits included.") {
            Double($0.agent.origin_bytes)
        },
        Metric("edge_bytes_total", "counter", "Media bytes read from edges.") { Double($0.agent.edge_bytes) },
        Metric("peer_bytes_total", "counter", "Media bytes received from peers, waste included.") {
            Double($0.agent.peer_bytes)
        },
        Metric("uploaded_bytes_total", "counter", "Media bytes sent to peers.") { Double($0.agent.uploaded_bytes) },
        Metric("audit_bytes_total", "counter", "Origin bytes that only checked what peers had sent.") {
            Double($0.agent.audit_bytes)
        },
        Metric("wasted_bytes_total", "counter", "Media bytes received and thrown away.") {
            Double($0.agent.wasted_bytes)
        },
        Metric("rejected_bytes_total", "counter", "Media bytes from peers that failed their check.") {
            Double($0.agent.rejected_bytes)
        },
        Metric("offload_ratio", "gauge", "1 minus origin bytes by delivered bytes.") { $0.agent.offload_ratio },
        Metric("buffer_seconds", "gauge", "The least buffer among active players.") { $0.agent.buffer_seconds },
        Metric("stalls_total", "counter", "Times that a player ran dry for lack of a segment, as inferred.") {
            Double($0.agent.stalls)
        },
        Metric("stall_seconds_total", "counter", "Seconds that players stood still, as inferred.") {
            $0.agent.stall_seconds
        },
        Metric("peers", "gauge", "Links that are up.") { Double($0.agent.peers) },
        Metric("banned_peers", "gauge", "Peers that are banned.") { Double($0.agent.banned_peers) },
        Metric("proved_lies_total", "counter", "Vouchers that two readings of the origin proved wrong.") {
            Double($0.agent.proved_lies)
        },
        Metric("ledger_bytes", "gauge", "Bytes drawn from the memory budget.") { Double($0.agent.ledger_bytes) },
        Metric("dvr_disk_bytes", "gauge", "What the time shift window has on the disk.") {
            Double($0.agent.dvr_disk_bytes)
        },
        Metric("dvr_disk_written_bytes_total", "counter", "Bytes of the time shift window written to the disk.") {
            Double($0.agent.dvr_disk_written_bytes)
        },
        Metric("dvr_disk_read_bytes_total", "counter", "Bytes of the time shift window read from the disk.") {
            Double($0.agent.dvr_disk_read_bytes)
        },
        Metric("dvr_disk_skipped_total", "counter", "Segments of the window that left memory unwritten.") {
            Double($0.agent.dvr_disk_skipped)
        },
        Metric("dvr_disk_damaged_total", "counter", "Files of the window that were not what was written.") {
            Double($0.agent.dvr_disk_damaged)
        },
        Metric("dvr_disk_failures_total", "counter", "Times that the disk refused the time shift window.") {
            Double($0.agent.dvr_disk_failures)
        },
        Metric("manifest_requests_total", "counter", "Playlists asked from origins.") {
            Double($0.agent.manifest_requests)
        },
        Metric("manifest_patches_total", "counter", "DASH manifests of which only what is new was fetched.") {
            Double($0.agent.manifest_patches)
        },
        Metric("origin_requests_total", "counter", "Requests to origins for media.") {
            Double($0.agent.origin_requests)
        },
        Metric("damaged_segments_total", "counter", "Segments that were found damaged.") {
            Double($0.agent.damaged_segments)
        },
        Metric("refetched_segments_total", "counter", "Damaged segments that other bytes replaced.") {
            Double($0.agent.refetched_segments)
        },
        Metric("continuous_readers", "gauge", "Readers of continuous outputs.") { Double($0.agent.continuous_readers) },
        Metric("media_workers", "gauge", "Processes that remux.") { Double($0.agent.media_workers) },
        Metric("media_worker_restarts_total", "counter", "Remuxing processes that died and were replaced.") {
            Double($0.agent.media_worker_restarts)
        },
        Metric("media_damaged_segments_total", "counter", "Segments that a remux left out.") {
            Double($0.agent.media_damaged_segments)
        },
        Metric("continuous_skips_total", "counter", "Times that a slow reader went on at the latest keyframe.") {
            Double($0.agent.continuous_skips)
        },
        Metric("rss_bytes", "gauge", "Resident memory of the process.") { Double($0.agent.rss_bytes) },
        Metric("rss_anon_bytes", "gauge", "Anonymous resident memory of the process.") { Double($0.anonymousBytes) },
    ]

    static func text(_ statistics: ProcessStatistics) -> String {
        var text = ""
        for metric in all {
            let name = "weir_" + metric.name
            text += "# HELP \(name) \(metric.help)\n# TYPE \(name) \(metric.kind)\n\(name) "
            text += number(metric.value(statistics)) + "\n"
        }
        return text
    }

    private static func number(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && abs(value) < 9e15 ? String(Int64(value)) : "\(value)"
    }
}

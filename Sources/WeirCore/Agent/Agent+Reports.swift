// What the agent tells about itself; none of it decides anything.
extension Agent {
    /// What is drawn from the byte budget now.
    package var ledgerBytes: Int64 { ledger.used }

    package func statistics(at now: Instant) -> AgentStatistics {
        var statistics = totals
        let delivered = Double(totals.delivered_bytes)
        statistics.offload_ratio = delivered > 0 ? 1 - Double(totals.origin_bytes) / delivered : 0
        statistics.buffer_seconds = streams.compactMap { buffer(of: $0, at: now) }.min() ?? 0
        statistics.peers = links.count { $0.isUp }
        statistics.ledger_bytes = ledger.used
        statistics.dvr_disk_bytes = disk.used
        return statistics
    }

    private func buffer(of stream: Stream, at now: Instant) -> Double? {
        stream.players.compactMap { player in
            player.isAside ? nil : player.buffer(at: now, idleAfter: .seconds(30))?.seconds
        }.min()
    }

    package func sessions(at now: Instant) -> [SessionReport] {
        streams.filter { $0.isOpen && !$0.isAhead && !$0.isOver }.map { stream in
            var report = SessionReport(
                id: stream.id.text,
                url: stream.url.withoutQuery.description,
                path: stream.path ?? "",
                swarm: stream.swarm.description,
                live: stream.isLive,
                players: stream.players.count { !$0.isAside && now - $0.lastRequest < .seconds(30) },
                buffer_seconds: buffer(of: stream, at: now) ?? 0,
                stalls: stream.stalls,
                peers: links(of: stream).count,
                playlists: playlistReports(of: stream),
                pathway: pathway(of: stream),
                mode: stream.mode.rawValue,
                mode_reason: stream.modeReason
            )
            report.damaged_segments = stream.damage.found
            report.refetched_segments = stream.damage.replaced
            report.latest_damage = stream.damage.latest
            (report.window_seconds, report.window_bytes, report.window_disk_bytes) = windowReport(of: stream)
            return report
        }
    }

    package func segments(of id: StreamID) -> [SegmentReport] {
        guard let stream = stream(id) else { return [] }
        return stream.finished + stream.racing.map { report($0) }
    }

    /// Numbers of the segments that came to be held last, newest last; of agents of one stream.
    package func lastFinished(_ count: Int) -> [UInt64] {
        streams.flatMap { $0.finished.suffix(count).map { $0.number } }
    }

    func report(_ segment: Segment) -> SegmentReport {
        let begun = segment.raceStart ?? now
        let state =
            switch segment.phase {
            case .absent: "absent"
            case .racing: "racing"
            case .held: "held"
            case .failed(let status): "failed (\(status))"
            }
        return SegmentReport(
            rendition: segment.id.rendition.padded,
            number: segment.rendition.isParts ? segment.id.number >> 16 : segment.id.number,
            part: segment.rendition.isParts ? Int(segment.id.number & 0xFFFF) : nil,
            bytes: segment.length ?? 0,
            origin_bytes: segment.originBytes,
            edge_bytes: segment.edgeBytes,
            peer_bytes: segment.peerBytes,
            sources: segment.contributors.count,
            milliseconds: ((segment.raceEnd ?? now) - begun).milliseconds,
            origin_reason: segment.originReason,
            state: state
        )
    }

    package func peers(at now: Instant) -> [PeerReport] {
        links.filter { $0.isUp }.map { link in
            let held = link.holdings.reduce(0) { min(Int.max - $0, segmentsHeld($1)) + $0 }
            return PeerReport(
                id: link.peer.id.description,
                address: link.peer.address.description,
                received_bytes: link.receivedBytes,
                sent_bytes: link.sentBytes,
                rejected_bytes: link.rejectedBytes,
                rate_bytes_per_second: link.estimate.rate ?? 0,
                round_trip_ms: (link.leastLatency ?? link.estimate.roundTrip ?? .zero).milliseconds,
                score: link.score,
                segments_held: held
            )
        }
    }
}

extension Agent {
    /// Where segments are named by their time each stands for many numbers.
    private func segmentsHeld(_ holdings: Holdings) -> Int {
        let rendition = stream(swarm: holdings.swarm)?.rendition(holdings.rendition)
        guard let table = rendition?.representation?.representation.table, table.isTimed else {
            return holdings.held.count
        }
        let ticks = Int(clamping: max(1, table.longest))
        let count = holdings.held.count
        return count / ticks + (count % ticks > 0 ? 1 : 0)
    }
}

extension Link {
    /// 0…1: the share of what it sent that was good, less for every stall. Orders peers for people; ranking for
    /// requests goes by expected finish.
    var score: Double {
        let good = Double(receivedBytes - rejectedBytes + 16_384) / Double(receivedBytes + 16_384)
        return max(0, good / (1 + 0.1 * Double(stalls)))
    }
}

import CLibAV
package import WeirCore

/// Says what the media of renditions are, by one segment of each: everything is read, nothing is decoded.
package enum ProbeWorker {
    /// From the live end: what viewers have had.
    private static let distance = WeirCore.Duration.seconds(6)
    /// Packets of a segment that are looked at.
    private static let mostPackets = 200_000

    /// - Parameter playlists: of renditions at the agent, in the order in which the answer numbers them.
    /// - Parameter note: takes a line for the log.
    /// - Returns: why nothing could be read of any of them; nil when something could.
    package static func run(_ playlists: [WebURL], isPlain: Bool, note: (String) -> Void) -> String? {
        RecordWriter.answering(isPlain: isPlain) { writer in
            var failures: [String] = []
            for (place, playlist) in playlists.enumerated() {
                do {
                    for track in try tracks(of: playlist) {
                        try writer.write(.block, Array("\(place) \(track.text)\n".utf8), time: 0)
                    }
                } catch let closed as RecordWriter.Closed {
                    throw closed
                } catch {
                    failures.append("\(error)")
                    note("\(playlist.path): \(error)")
                }
            }
            if failures.count == playlists.count, let last = failures.last {
                throw RemuxFault("no rendition can be read: \(last)")
            }
            try writer.write(.end, [], time: 0)
        }
    }

    private static func tracks(of playlist: WebURL) throws -> [MediaReport] {
        try MediaWorker.sources(playlist, distance: distance).flatMap { source in
            source.isGlance = true
            guard let first = try source.peek() else { throw RemuxFault("the stream has no segments") }
            let demuxer = try Demuxer(SegmentBytes(source, from: first) { _ in })
            var counts = try demuxer.tracks().map { TrackCount($0) }
            var packets = 0
            while packets < mostPackets, let packet = try demuxer.read() {
                packets += 1
                let index = packet.pointer.pointee.stream_index
                guard let place = counts.firstIndex(where: { $0.track.index == index }) else { continue }
                counts[place].add(packet)
            }
            return counts.map(\.report)
        }
    }
}

/// What the packets of a track come to.
private struct TrackCount {
    let track: Demuxer.Track
    private var packets = 0
    private var bytes = 0
    private var span: (first: Double, last: Double)?
    private var keys: (count: Int, first: Double, last: Double)?

    init(_ track: Demuxer.Track) { self.track = track }

    mutating func add(_ packet: Packet) {
        packets += 1
        bytes += packet.byteCount
        guard let ticks = packet.presentationTime ?? packet.decodeTime, track.timeBase.den > 0 else { return }
        let time = Double(ticks) * Double(track.timeBase.num) / Double(track.timeBase.den)
        span = (min(span?.first ?? time, time), max(span?.last ?? time, time))
        guard packet.isKey else { return }
        keys = ((keys?.count ?? 0) + 1, keys?.first ?? time, time)
    }

    /// Seconds from one packet to the next; nil with one alone.
    private var spacing: Double? {
        guard let span, packets > 1, span.last > span.first else { return nil }
        return (span.last - span.first) / Double(packets - 1)
    }

    var report: MediaReport {
        let parameters = track.parameters
        var report = MediaReport(kind: parameters.isVideo ? "video" : "audio", codec: parameters.codecName)
        report.language = track.language
        if let spacing { report.bit_rate = Int(exactly: (Double(bytes) * 8 / (spacing * Double(packets))).rounded()) }
        guard parameters.isVideo else {
            report.sample_rate = Int(parameters.pointer.pointee.sample_rate)
            report.channels = Int(weir_channels(parameters.pointer))
            return report
        }
        report.width = Int(parameters.pointer.pointee.width)
        report.height = Int(parameters.pointer.pointee.height)
        let rate = track.frameRate
        let stated = rate.num > 0 && rate.den > 0 ? Double(rate.num) / Double(rate.den) : nil
        report.frame_rate = (stated ?? spacing.map { 1 / $0 }).map { ($0 * 1000).rounded() / 1000 }
        if let keys, keys.count > 1, keys.last > keys.first {
            report.keyframe_seconds = ((keys.last - keys.first) / Double(keys.count - 1) * 1000).rounded() / 1000
        }
        return report
    }
}

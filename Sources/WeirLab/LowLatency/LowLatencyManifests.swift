import FoundationEssentials

/// The manifests of a low-latency stream as text, at any time since its start. Paths:
///
/// - `/live.m3u8`: multivariant playlist; `/live.mpd`: the same for DASH
/// - `/R/live.m3u8`, `/R/init.mp4`, `/R/segment-N.m4s`, `/R/part-N.P.m4s` of a rendition R
struct LowLatencyManifests: Sendable {
    struct Rendition: Sendable {
        var name: String
        /// Bit/s
        var bandwidth: Int
        /// nil for sound.
        var resolution: (width: Int, height: Int)?

        var codecs: String { resolution == nil ? "mp4a.40.2" : "avc1.42c00d" }
    }

    var schedule: PartSchedule
    var renditions: [Rendition]
    var mode: LowLatencyMode
    /// The wall clock at elapsed time 0.
    var started: Date
    /// Bytes of a part of a rendition, for byte ranges.
    var partBytes: @Sendable (_ rendition: Int, _ part: Int) -> Int

    /// Seconds before the end within which a playlist lists parts, and the least Skip Boundary, in target durations.
    private static let partsListed = 3
    private static let skipBoundary = 6

    var multivariant: String {
        var lines = ["#EXTM3U", "#EXT-X-VERSION:9", "#EXT-X-INDEPENDENT-SEGMENTS"]
        let sound = renditions.first { $0.resolution == nil }
        if let sound {
            lines.append(
                "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\",NAME=\"tone\",DEFAULT=YES,AUTOSELECT=YES,"
                    + "URI=\"\(sound.name)/live.m3u8\""
            )
        }
        for rendition in renditions {
            guard let resolution = rendition.resolution else { continue }
            let codecs = ([rendition.codecs] + [sound?.codecs].compactMap { $0 }).joined(separator: ",")
            lines.append(
                "#EXT-X-STREAM-INF:BANDWIDTH=\(rendition.bandwidth + (sound?.bandwidth ?? 0)),CODECS=\"\(codecs)\","
                    + "RESOLUTION=\(resolution.width)x\(resolution.height)" + (sound == nil ? "" : ",AUDIO=\"sound\"")
            )
            lines.append("\(rendition.name)/live.m3u8")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// - Parameter skipping: whether a delta update was asked for.
    func media(_ rendition: Int, at elapsed: Int64, skipping: Bool = false) -> String {
        let listed = schedule.listed(at: elapsed)
        let count = schedule.count(at: elapsed)
        let target = schedule.targetDuration
        let partSeconds = seconds(schedule.partDuration)
        var lines = [
            "#EXTM3U", "#EXT-X-VERSION:9", "#EXT-X-TARGETDURATION:\(target)",
            "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=\((3 * partSeconds).fixed(3)),"
                + "HOLD-BACK=\(3 * target),CAN-SKIP-UNTIL=\(LowLatencyManifests.skipBoundary * target)",
            "#EXT-X-PART-INF:PART-TARGET=\(partSeconds.fixed(3))",
            "#EXT-X-MEDIA-SEQUENCE:\(listed.lowerBound)",
        ]
        let boundary = elapsed - Int64(LowLatencyManifests.skipBoundary * target) * 1_000_000_000
        let skipped =
            skipping ? listed.prefix { schedule.time(of: ($0 + 1) * schedule.partsPerSegment - 1) < boundary } : []
        if skipped.isEmpty {
            lines.append("#EXT-X-MAP:URI=\"init.mp4\"")
        } else {
            // What applies to skipped segments is skipped with them.
            lines.append("#EXT-X-SKIP:SKIPPED-SEGMENTS=\(skipped.count)")
        }
        let oldestPart = elapsed - Int64(LowLatencyManifests.partsListed * target) * 1_000_000_000
        for segment in listed.dropFirst(skipped.count) {
            lines.append("#EXT-X-PROGRAM-DATE-TIME:\(date(of: segment))")
            let parts = segment * schedule.partsPerSegment..<(segment + 1) * schedule.partsPerSegment
            if schedule.time(of: parts.upperBound - 1) >= oldestPart { lines += tags(rendition, parts) }
            lines += ["#EXTINF:\(seconds(schedule.segmentDuration).fixed(5)),", "segment-\(segment).m4s"]
        }
        let unfinished = listed.upperBound * schedule.partsPerSegment..<count
        if !unfinished.isEmpty { lines.append("#EXT-X-PROGRAM-DATE-TIME:\(date(of: listed.upperBound))") }
        lines += tags(rendition, unfinished)
        lines.append(hint(rendition, count))
        let last = schedule.position(of: count - 1)
        for other in renditions.indices where other != rendition {
            lines.append(
                "#EXT-X-RENDITION-REPORT:URI=\"../\(renditions[other].name)/live.m3u8\","
                    + "LAST-MSN=\(last.segment),LAST-PART=\(last.part)"
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Where a part begins in its segment's file.
    func offset(_ rendition: Int, _ part: Int) -> Int {
        (part - part % schedule.partsPerSegment..<part).reduce(0) { $0 + partBytes(rendition, $1) }
    }

    private func tags(_ rendition: Int, _ parts: Range<Int>) -> [String] {
        parts.map { part in
            let position = schedule.position(of: part)
            var tag = "#EXT-X-PART:DURATION=\(seconds(schedule.partDuration).fixed(5))"
            switch mode.parts {
            case .files: tag += ",URI=\"part-\(position).m4s\""
            case .ranges:
                tag += ",URI=\"segment-\(position.segment).m4s\""
                tag += ",BYTERANGE=\"\(partBytes(rendition, part))@\(offset(rendition, part))\""
            }
            // A segment's first picture is its keyframe; every AAC frame stands for itself.
            let isIndependent = position.part == 0 || renditions[rendition].resolution == nil
            return isIndependent ? tag + ",INDEPENDENT=YES" : tag
        }
    }

    private func hint(_ rendition: Int, _ part: Int) -> String {
        let position = schedule.position(of: part)
        guard mode.parts == .ranges else {
            return "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"part-\(position).m4s\""
        }
        let tag =
            "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"segment-\(position.segment).m4s\","
            + "BYTERANGE-START=\(offset(rendition, part))"
        return mode.hintsLength ? tag + ",BYTERANGE-LENGTH=\(partBytes(rendition, part))" : tag
    }

    private func date(of segment: Int) -> String {
        let begin = schedule.time(of: segment * schedule.partsPerSegment) - schedule.partDuration
        return text(started.addingTimeInterval(seconds(begin)))
    }

    private func text(_ date: Date) -> String {
        date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    private func seconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds) / 1e9 }

    /// A dynamic MPD (ISO/IEC 23009-1) whose segments can be asked for one part after their start, and then arrive as
    /// they are made.
    func presentation(at elapsed: Int64) -> String {
        let duration = schedule.segmentDuration / 1_000_000
        let origin = started.addingTimeInterval(-seconds(schedule.segmentDuration) * Double(schedule.window))
        let offset = seconds(schedule.segmentDuration - schedule.partDuration).fixed(3)
        let template =
            "<SegmentTemplate timescale=\"1000\" duration=\"\(duration)\" startNumber=\"0\" "
            + "availabilityTimeOffset=\"\(offset)\" availabilityTimeComplete=\"false\" "
            + "initialization=\"$RepresentationID$/init.mp4\" media=\"$RepresentationID$/segment-$Number$.m4s\"/>"
        let sets = ["video", "audio"].map { kind in
            let own = renditions.filter { ($0.resolution == nil) == (kind == "audio") }.map(representation)
            return """
                    <AdaptationSet contentType="\(kind)" mimeType="\(kind)/mp4" segmentAlignment="true" startWithSAP="1">
                      \(template)
                \(own.joined(separator: "\n"))
                    </AdaptationSet>
                """
        }
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" profiles="urn:mpeg:dash:profile:isoff-live:2011"
              availabilityStartTime="\(text(origin))" publishTime="\(text(started))" minimumUpdatePeriod="PT2S"
              minBufferTime="PT\(seconds(schedule.segmentDuration).fixed(2))S" \
            timeShiftBufferDepth="PT\(seconds(schedule.segmentDuration * Int64(schedule.window)).fixed(2))S">
              <ServiceDescription id="0"><Latency target="2000"/></ServiceDescription>
              <Period id="0" start="PT0S">
            \(sets.joined(separator: "\n"))
              </Period>
              <UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014" \
            value="\(text(started.addingTimeInterval(seconds(elapsed))))"/>
            </MPD>

            """
    }

    private func representation(_ rendition: Rendition) -> String {
        let shape = rendition.resolution.map { " width=\"\($0.width)\" height=\"\($0.height)\"" } ?? ""
        return "      <Representation id=\"\(rendition.name)\" bandwidth=\"\(rendition.bandwidth)\" "
            + "codecs=\"\(rendition.codecs)\"\(shape)/>"
    }
}

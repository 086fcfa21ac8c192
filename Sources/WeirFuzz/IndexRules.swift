import WeirCore

/// Segment indexes end in segments of a sane place and length, or in an error; and a manifest that adopted one means the
/// same to a player.
enum IndexRules {
    /// Two subsegments of two seconds and one of half a second.
    static let sample: [UInt8] =
        [0, 0, 0, 68] + Array("sidx".utf8) + [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 3, 232, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3]
        + [0, 0, 0, 100, 0, 0, 7, 208, 144, 0, 0, 0, 0, 0, 0, 90, 0, 0, 7, 208, 144, 0, 0, 0]
        + [0, 0, 0, 50, 0, 0, 1, 244, 144, 0, 0, 0]

    private static let manifest = """
        <MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet mimeType="video/mp4">\
        <Representation id="v" bandwidth="1"><BaseURL>v.mp4</BaseURL><SegmentBase indexRange="800-899"/>\
        </Representation></AdaptationSet></Period></MPD>
        """

    /// Reads at most; every one of them would be a request to the origin.
    private static let mostReads = 32

    /// - Parameter bytes: what every read of the resource gives.
    static func check(_ bytes: [UInt8]) throws(Fault) {
        var index = SegmentIndexReader(range: ByteRange(offset: 800, length: 100), limits: Limits())
        var reads = 0
        while let missing = index.missing.first, reads < mostReads {
            guard (try? index.add(bytes, at: missing.offset)) != nil else { return }
            reads += 1
        }
        try demand(index.timescale > 0, "a timescale of zero")
        for part in index.subsegments {
            try demand(part.range.length > 0, "an empty subsegment")
            try demand(part.range.offset >= 0, "a subsegment before the resource")
            try demand(!part.range.offset.addingReportingOverflow(part.range.length).overflow, "a range without end")
            try demand(part.ticks > 0, "a subsegment without duration")
        }
        guard index.missing.isEmpty, let origin = ManifestRules.origin,
            var mpd = try? MPD.parse(Array(manifest.utf8), url: origin, limits: Limits())
        else { return }
        for key in mpd.representations.map(\.key) { mpd.adopt(index, for: key) }
        try ManifestRules.check(mpd, "manifest with an index")
    }
}

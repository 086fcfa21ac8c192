import WeirCore

/// The local form of a DASH manifest means the same segments, at local addresses, and keeps all that is not weir's.
enum ManifestRules {
    static let origin = WebURL("https://origin.example/tv/one/manifest.mpd?session=42")
    private static let player = WebURL("http://127.0.0.1:8080/s/abc/manifest.mpd")

    static func check(_ bytes: [UInt8]) throws(Fault) {
        guard let origin else { throw Fault("the address is wrong") }
        // Orderly refusals are no fault.
        guard var mpd = try? MPD.parse(bytes, url: origin, limits: Limits()) else { return }
        let local = try check(mpd, "manifest")
        try demandEqual(XMLOutline(local).items, XMLOutline(bytes).items, "manifest")
        let indexed = mpd.representations.filter { $0.index != nil }.prefix(4)
        guard !indexed.isEmpty else { return }
        for representation in indexed {
            guard let range = representation.index?.range else { continue }
            var index = SegmentIndexReader(range: range, limits: Limits())
            guard (try? index.add(IndexRules.sample, at: range.offset)) != nil else { continue }
            mpd.adopt(index, for: representation.key)
        }
        _ = try check(mpd, "manifest with indexes")
    }

    /// - Returns: the manifest as players get it.
    @discardableResult
    static func check(_ mpd: MPD, _ what: String) throws(Fault) -> [UInt8] {
        guard let player else { throw Fault("the address is wrong") }
        let base = (mpd.hasRemoteParts ? "http://127.0.0.1:8080" : "") + "/s/abc/"
        let bytes = mpd.rewritten { "\(base)\($0.key.padded)/" }
        var limits = Limits()
        limits.manifestBytes = .max
        limits.manifestElements = .max
        let local: MPD
        do throws(MPDError) {
            local = try MPD.parse(bytes, url: player, limits: limits)
        } catch {
            throw Fault("\(what), local, is refused: \(error)")
        }
        try demandEqual(local.locations, [], "places to reload from")
        try demandEqual(head(local), head(mpd), "head of \(what)")
        try demandEqual(local.periods.map(text), mpd.periods.map(text), "periods of \(what)")
        let pairs = zip(local.representations, mpd.representations)
        for (local, original) in pairs { try compare(local, original, what) }
        return bytes
    }

    private static func head(_ mpd: MPD) -> [String] {
        let times = [mpd.availabilityStart, mpd.publishTime].map { $0.map { "\($0.nanoseconds)" } ?? "none" }
        let durations = [
            mpd.minimumUpdatePeriod, mpd.timeShiftBufferDepth, mpd.suggestedPresentationDelay, mpd.maxSegmentDuration,
            mpd.presentationDuration,
        ]
        let timings = mpd.timings.map { timing in
            "\(timing.scheme) \(timing.urls(from: mpd.url).map { $0.description })"
        }
        return ["\(mpd.isDynamic) \(times) \(durations.map { $0.map { "\($0.nanoseconds)" } ?? "none" })"] + timings
    }

    private static func text(_ period: MPDPeriod) -> String {
        """
        \(period.id ?? "none") \(period.start.nanoseconds) \(period.duration.map { "\($0.nanoseconds)" } ?? "none") \
        \(period.representations.count)
        """
    }

    private static func compare(_ local: Representation, _ original: Representation, _ what: String) throws(Fault) {
        let name = "representation \(original.id) of \(what)"
        try demandEqual(traits(local), traits(original), name)
        guard original.isCarried else {
            return try demandEqual(local.bases.map(\.url.description), original.bases.map(\.url.description), name)
        }
        try demandEqual(local.table.lastPlace, original.table.lastPlace, "last segment of \(name)")
        let folder = "/s/abc/\(original.key.padded)"
        for place in places(of: original) {
            // What a template makes too long an address of is not there.
            guard let expected = original.segment(at: place) else { continue }
            guard let found = local.segment(at: place) else { throw Fault("\(name) has no segment at \(place)") }
            try demandEqual(found.name, expected.name, "name of segment \(place) of \(name)")
            try demandEqual(found.span, expected.span, "span of segment \(place) of \(name)")
            try demandEqual(found.duration, expected.duration, "duration of segment \(place) of \(name)")
            // Representations that share an element share its suffix, which nothing hangs on.
            let path = "\(folder)/\(expected.name)."
            try demand(found.url.path.hasPrefix(path), "segment \(place) of \(name) at \(found.url), not \(path)")
            try demand(found.range == nil, "a range of segment \(place) of \(name)")
            try demandEqual(
                original.segment(named: expected.name)?.place,
                place,
                "place of \(expected.name) in \(name)"
            )
        }
        let initialisation = local.initialisation?.url.path.hasPrefix("\(folder)/init.")
        try demandEqual(initialisation, original.initialisation.map { _ in true }, "initialisation of \(name)")
        for time in [nil, WallTime.epoch, WallTime.epoch + .seconds(1 << 31)] as [WallTime?] {
            let window = original.available(at: time)
            if let window { try demand(window.first <= window.last, "\(name) ends before it begins") }
            try demand(window?.first == local.available(at: time)?.first, "\(name) begins elsewhere")
            try demand(window?.last == local.available(at: time)?.last, "\(name) ends elsewhere")
        }
    }

    private static func traits(_ representation: Representation) -> String {
        """
        \(representation.key.padded) \(representation.id) \(representation.bandwidth) \(representation.content) \
        \(representation.mimeType) \(representation.isCarried) \(representation.isOpenEnded) \
        \(representation.availabilityOffset.nanoseconds) \(representation.periodStart.nanoseconds)
        """
    }

    /// Some segments at the beginning, in the middle and at the end.
    private static func places(of representation: Representation) -> [UInt64] {
        guard let last = representation.table.lastPlace else { return [] }
        return (0...min(last, 16)) + [last / 2, last - min(last, 1), last]
    }
}

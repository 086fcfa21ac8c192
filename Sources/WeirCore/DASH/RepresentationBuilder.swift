/// Makes a representation out of what its element and those around it say.
struct RepresentationBuilder {
    let mpd: MPD
    let tree: MPDTree
    let period: MPDPeriod
    let set: MPDElement
    let element: MPDElement
    let inheritance: MPDInheritance
    /// Whether the set has segment sequences, in any of its representations.
    let hasSequences: Bool

    /// How segments are addressed, and everything that follows from it.
    private struct Addressing {
        var media = Representation.Media.none
        var table = SegmentTable(timescale: 1, isTimed: false)
        var section: Representation.Section?
        var offset: UInt64 = 0
        var availabilityOffset = Duration.zero
        var isOpenEnded = false
        var hasLooseEnd = false
        var suffix: String?
    }

    private var id: String { element["id"] ?? "" }
    private var bandwidth: Int { Int(clamping: element.integer("bandwidth") ?? 0) }
    private var mimeType: String { element["mimeType"] ?? set["mimeType"] ?? "" }
    private var base: Representation.BaseChoice { inheritance.bases[0] }

    func build(key: RenditionKey, track: String) throws(MPDError) -> Representation {
        // What is shared with parts of sequences must not be rewritten: the whole set is left to the player.
        let addressing = hasSequences ? Addressing() : try addressing()
        return Representation(
            key: key,
            track: track,
            id: id,
            hasSequences: hasSequences,
            bandwidth: bandwidth,
            content: content,
            mimeType: mimeType,
            bases: inheritance.bases,
            section: addressing.section,
            suffix: addressing.suffix ?? suffix(of: base.url.lastPathPart),
            media: addressing.media,
            table: addressing.table,
            periodStart: period.start,
            offset: addressing.offset,
            availabilityOffset: addressing.availabilityOffset + base.availabilityOffset,
            isDynamic: mpd.isDynamic,
            availabilityStart: mpd.availabilityStart,
            timeShiftBufferDepth: mpd.timeShiftBufferDepth,
            isOpenEnded: addressing.isOpenEnded,
            hasLooseEnd: addressing.hasLooseEnd,
            element: element
        )
    }

    private var content: Representation.Content {
        let type = set["contentType"] ?? String(mimeType.prefix { $0 != "/" })
        switch type {
        case "video": return .video
        case "audio": return .audio
        case "text": return .text
        case "image": return .image
        default:
            let codecs = element["codecs"] ?? set["codecs"] ?? ""
            return codecs.hasPrefix("stpp") || codecs.hasPrefix("wvtt") ? .text : .other
        }
    }

    /// The nearest level that speaks of segments decides how (5.3.9.1).
    private func addressing() throws(MPDError) -> Addressing {
        for level in inheritance.levels.reversed() {
            if level.first("SegmentTemplate") != nil { return try template() }
            if level.first("SegmentList") != nil { return list() }
            if level.first("SegmentBase") != nil { return indexed() }
        }
        return Addressing()
    }

    // MARK: SegmentTemplate

    private func template() throws(MPDError) -> Addressing {
        let elements = inheritance.elements("SegmentTemplate")
        guard let text = MPDInheritance.attribute("media", of: elements) else { return Addressing() }
        guard let template = URLTemplate(text) else { throw .unsupported("the template \(text.prefix(80))") }
        let numbers = SegmentNumbers(elements, period: period)
        var result = Addressing()
        result.offset = numbers.offset
        result.suffix = suffix(of: text)
        result.availabilityOffset = numbers.availabilityOffset
        result.section = try section(elements)
        if let steps = timeline(elements) {
            (result.table, result.isOpenEnded) = numbers.table(
                steps,
                isTimed: template.usesTime && !template.usesNumber
            )
        } else if numbers.ticks != nil {
            (result.table, result.isOpenEnded) = numbers.table(isTimed: template.usesTime && !template.usesNumber)
            result.hasLooseEnd = numbers.last == nil && !result.isOpenEnded
            // Such segments are counted from the period's start, whatever their media time is.
            result.offset = 0
        } else {
            result.table = numbers.single(isTimed: template.usesTime && !template.usesNumber)
        }
        result.media = .template(template)
        if let first = result.table.runs.first {
            let reference = template.expanded(
                representation: id,
                bandwidth: bandwidth,
                number: first.number,
                time: first.time
            )
            guard base.url.resolve(reference[...]) != nil else {
                throw .unsupported("segment addresses that are neither http nor https")
            }
        }
        return result
    }

    private func timeline(_ elements: [MPDElement]) -> [TimelineStep]? {
        for element in elements {
            guard let timeline = element.first("SegmentTimeline") else { continue }
            return timeline.isRemote ? nil : timeline.timeline.map { tree.timelines[$0] }
        }
        return nil
    }

    private func section(_ elements: [MPDElement]) throws(MPDError) -> Representation.Section? {
        for element in elements {
            if let own = element.first("Initialization") {
                let reference = own["sourceURL"].map { Array($0.utf8) }
                let section = Representation.Section(reference: reference, range: own.range("range"))
                return section.url(from: base.url) == nil ? nil : section
            }
            guard let text = element["initialization"] else { continue }
            guard let template = URLTemplate(text) else { throw .unsupported("the template \(text.prefix(80))") }
            let reference = template.expanded(representation: id, bandwidth: bandwidth, number: 0, time: 0)
            guard base.url.resolve(reference[...]) != nil else {
                throw .unsupported("segment addresses that are neither http nor https")
            }
            return Representation.Section(reference: reference, range: nil)
        }
        return nil
    }

    // MARK: SegmentList and SegmentBase

    private func list() -> Addressing {
        let elements = inheritance.elements("SegmentList")
        guard let owner = elements.firstIndex(where: { $0.list.map { !tree.lists[$0].isEmpty } ?? false }),
            let entries = elements[owner].list.map({ tree.lists[$0] })
        else {
            return Addressing()
        }
        var result = Addressing()
        var numbers = SegmentNumbers(elements, period: period)
        // Representations that share a list share its addresses too.
        numbers.first = elements[owner...].lazy.compactMap { $0.integer("startNumber") }.first ?? 1
        result.offset = numbers.offset
        result.availabilityOffset = numbers.availabilityOffset
        result.table = numbers.table(timeline(elements), listed: entries.count)
        result.section = (try? section(elements)) ?? nil
        result.suffix = suffix(of: entries[0].media ?? base.url.lastPathPart)
        // A list that names something else than http is the player's business.
        guard entries.allSatisfy({ $0.media.map { base.url.resolve($0) != nil } ?? true }) else { return result }
        result.media = .list(entries)
        return result
    }

    private func indexed() -> Addressing {
        let elements = inheritance.elements("SegmentBase")
        var result = Addressing()
        let range = MPDInheritance.attribute("indexRange", of: elements).flatMap { ByteRange(inclusive: $0) }
        // WebM has its index in another form.
        guard let range, !mimeType.hasSuffix("webm"), element.first("RepresentationIndex") == nil else { return result }
        result.media = .indexed(range)
        result.section = (try? section(elements)) ?? nil
        // What stands before the index is what decoders need first.
        if result.section == nil, range.offset > 0 {
            let head = ByteRange(offset: 0, length: range.offset)
            result.section = Representation.Section(reference: nil, range: head)
        }
        let numbers = SegmentNumbers(elements, period: period)
        result.offset = numbers.offset
        result.table = SegmentTable(timescale: numbers.timescale, isTimed: false)
        return result
    }

    // MARK: Suffixes

    private func suffix(of name: String) -> String {
        let path = name.prefix { $0 != "?" && $0 != "#" }
        let last = path.split(separator: "/").last ?? ""
        let suffix = last.contains(".") ? String(last.split(separator: ".").last ?? "").lowercased() : ""
        if let known = SegmentSuffix.local(suffix) { return known }
        if mimeType.hasSuffix("webm") { return "webm" }
        if mimeType == "video/mp2t" { return "ts" }
        if mimeType == "image/jpeg" { return "jpg" }
        return mimeType == "text/vtt" ? "vtt" : "m4s"
    }
}

/// What segment elements say of numbers and times, the nearest element first.
struct SegmentNumbers {
    let timescale: UInt64
    let offset: UInt64
    /// Of each segment, when they are equal.
    let ticks: UInt64?
    var first: UInt64
    /// `endNumber`
    let last: UInt64?
    let availabilityOffset: Duration
    /// Nil: the period's end is not known.
    let periodTicks: UInt64?

    init(_ elements: [MPDElement], period: MPDPeriod) {
        func integer(_ name: String) -> UInt64? { elements.lazy.compactMap { $0.integer(name) }.first }
        timescale = max(1, integer("timescale") ?? 1)
        offset = integer("presentationTimeOffset") ?? 0
        ticks = integer("duration").flatMap { $0 > 0 ? $0 : nil }
        first = integer("startNumber") ?? 1
        last = integer("endNumber")
        availabilityOffset = elements.lazy.compactMap { $0.offset("availabilityTimeOffset") }.first ?? .zero
        let timescale = timescale
        periodTicks = period.duration.map { SegmentTable.ticks(of: $0, timescale: timescale) }
    }

    /// - Returns: whether it goes on until the live edge.
    func table(_ steps: [TimelineStep], isTimed: Bool) -> (SegmentTable, isOpenEnded: Bool) {
        var table = SegmentTable(timescale: timescale, isTimed: isTimed)
        var time: UInt64 = 0
        var number = first
        var isOpenEnded = false
        for (index, step) in steps.enumerated() {
            time = min(SegmentTable.greatest, step.time ?? time)
            number = min(SegmentTable.greatest, max(number, step.number ?? number))
            var count = UInt64(clamping: step.repetitions) + (step.repetitions < .max ? 1 : 0)
            if step.repetitions < 0 {
                let next = steps.dropFirst(index + 1).first.flatMap { $0.time }
                let limit = next ?? periodTicks.map { $0 + offset }
                isOpenEnded = limit == nil
                count = SegmentNumbers.count(from: time, to: limit ?? SegmentTable.greatest, each: step.ticks)
            }
            if let last { count = min(count, last >= number ? last - number + 1 : 0) }
            let most = SegmentTable.greatest / max(1, step.ticks)
            count = min(count, most)
            table.append(number: number, time: time, ticks: step.ticks, count: count)
            time = min(SegmentTable.greatest, time + step.ticks * count)
            number = min(SegmentTable.greatest, number + count)
        }
        return (table, isOpenEnded)
    }

    /// Of segments of equal duration, from the period's start to its end.
    func table(isTimed: Bool) -> (SegmentTable, isOpenEnded: Bool) {
        var table = SegmentTable(timescale: timescale, isTimed: isTimed)
        let ticks = ticks ?? 1
        var count = SegmentNumbers.count(from: 0, to: periodTicks ?? SegmentTable.greatest, each: ticks)
        if let last { count = min(count, last >= first ? last - first + 1 : 0) }
        table.append(number: first, time: 0, ticks: ticks, count: count)
        return (table, periodTicks == nil && last == nil)
    }

    /// One segment for the whole period.
    func single(isTimed: Bool) -> SegmentTable {
        var table = SegmentTable(timescale: timescale, isTimed: isTimed)
        table.append(number: first, time: 0, ticks: max(1, periodTicks ?? timescale), count: 1)
        return table
    }

    func table(_ steps: [TimelineStep]?, listed: Int) -> SegmentTable {
        let count = UInt64(clamping: listed)
        guard let steps else {
            var table = SegmentTable(timescale: timescale, isTimed: false)
            let ticks = ticks ?? max(1, (periodTicks ?? timescale) / max(1, count))
            table.append(number: first, time: 0, ticks: ticks, count: count)
            return table
        }
        // Entries are counted, whatever numbers the timeline names.
        let unnumbered = steps.map {
            TimelineStep(time: $0.time, number: nil, ticks: $0.ticks, repetitions: $0.repetitions)
        }
        let whole = self.table(unnumbered, isTimed: false).0
        var table = SegmentTable(timescale: timescale, isTimed: false)
        var rest = count
        for run in whole.runs where rest > 0 {
            table.append(number: run.number, time: run.time, ticks: run.ticks, count: min(rest, run.count))
            rest -= min(rest, run.count)
        }
        // Entries beyond the timeline have their numbers all the same.
        if rest > 0 {
            let last = whole.runs.last
            table.append(number: first + count - rest, time: whole.end, ticks: last?.ticks ?? timescale, count: rest)
        }
        return table
    }

    /// Segments that begin before `end`.
    private static func count(from start: UInt64, to end: UInt64, each ticks: UInt64) -> UInt64 {
        guard end > start, ticks > 0 else { return 0 }
        let (whole, rest) = (end - start).quotientAndRemainder(dividingBy: ticks)
        return whole + (rest > 0 ? 1 : 0)
    }
}

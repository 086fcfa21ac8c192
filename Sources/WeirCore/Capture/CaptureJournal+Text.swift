/// The journal as text: a line for each thing, a word and its values. Lines that nobody knows are passed over.
extension CaptureJournal {
    private static let title = "weir recording 1"

    package var text: String {
        var lines = [
            CaptureJournal.title, "format \(format.rawValue)", "stream \(stream)", "state \(state.rawValue)",
            "begun \(begun.nanoseconds)", "bytes \(bytes)", "blocks \(blocks)",
        ]
        if !reason.isEmpty { lines.append("reason " + String(reason.map { $0.isNewline ? " " : $0 }.prefix(500))) }
        if let point {
            lines.append("point \(point.timeline) \(point.shift) \(point.end)")
            lines += point.places.map { "place \($0.segment)" + ($0.period.map { " \($0.nanoseconds)" } ?? "") }
            lines += point.tracks.map {
                "track \($0.last) \($0.tick.numerator) \($0.tick.denominator) \($0.written)"
            }
        }
        lines += gaps.map { "gap \($0.at)" + ($0.length.map { " \($0)" } ?? "") }
        if moreGaps > 0 { lines.append("gaps-more \(moreGaps)") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Nil when it is none, or a damaged one: what is not whole is not gone on from.
    package init?(text: String) {
        guard text.utf8.count <= CaptureJournal.mostBytes, text.hasSuffix("\n") else { return nil }
        var values: [String: [[Substring]]] = [:]
        let lines = text.split(separator: "\n")
        guard lines.first.map(String.init) == CaptureJournal.title else { return nil }
        for line in lines.dropFirst() {
            let words = line.split(separator: " ")
            guard let key = words.first else { continue }
            values[String(key), default: []].append(Array(words.dropFirst()))
        }
        func word(_ key: String) -> String? { values[key]?.first?.first.map(String.init) }
        guard let format = word("format").flatMap(ContinuousFormat.init(rawValue:)), let stream = word("stream"),
            let state = word("state").flatMap(State.init(rawValue:)),
            let begun = word("begun").flatMap({ Int64($0) }), begun >= 0,
            let bytes = word("bytes").flatMap({ Int64($0) }), bytes >= 0,
            let blocks = word("blocks").flatMap({ Int64($0) }), (0...Int64(Int32.max)).contains(blocks)
        else { return nil }
        self.init(format: format, stream: stream, begun: WallTime(nanoseconds: begun))
        self.state = state
        self.bytes = bytes
        self.blocks = blocks
        reason = values["reason"]?.first?.joined(separator: " ") ?? ""
        for gap in values["gap"] ?? [] {
            guard let at = gap.first.flatMap({ Int64($0) }) else { return nil }
            add(Gap(at: at, length: gap.dropFirst().first.flatMap { Int64($0) }))
        }
        for _ in 0..<min(1_000_000, word("gaps-more").flatMap { Int($0) } ?? 0) { add(Gap(at: 0, length: nil)) }
        guard let head = values["point"]?.first else { return }
        guard let point = Point(head, places: values["place"] ?? [], tracks: values["track"] ?? []) else { return nil }
        self.point = point
    }
}

extension CaptureJournal.Point {
    fileprivate init?(_ head: [Substring], places: [[Substring]], tracks: [[Substring]]) {
        guard head.count == 3, let timeline = UInt64(head[0]), let shift = Int64(head[1]), let end = Int64(head[2]),
            (1...2).contains(places.count), (1...64).contains(tracks.count)
        else { return nil }
        self.init(timeline: timeline, shift: shift, end: end, places: [], tracks: [])
        for words in places {
            guard let segment = words.first.flatMap({ UInt64($0) }) else { return nil }
            let period = words.dropFirst().first.flatMap { Int64($0) }.map { Duration(nanoseconds: $0) }
            self.places.append(.init(segment: segment, period: period))
        }
        for words in tracks {
            guard words.count == 4, let last = Int64(words[0]), let numerator = Int32(words[1]),
                let denominator = Int32(words[2]), numerator > 0, denominator > 0, let written = Int64(words[3])
            else { return nil }
            self.tracks.append(.init(last: last, tick: .init(numerator, denominator), written: written))
        }
    }
}

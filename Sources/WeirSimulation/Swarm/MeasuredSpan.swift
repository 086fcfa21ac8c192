package import WeirCore

/// What a part of a run showed: who was there, and from where they were served.
package struct MeasuredSpan: Sendable, Equatable {
    /// A part of the run to give figures of, in whole seconds.
    package struct Wish: Sendable {
        package var name: String
        package var from: Instant
        package var until: Instant

        package init(name: String, from: Instant, until: Instant) {
            self.name = name
            self.from = from
            self.until = until
        }
    }

    package let name: String
    /// Seconds of the run.
    package let seconds: Range<Int>
    /// Viewers at the ends of its seconds: least and most.
    package let viewers: ClosedRange<Int>
    /// What the tracker said, in order; nil: nothing.
    package let modes: [DeliveryMode?]
    /// Media bytes from the origin ÷ bytes that one viewer got.
    package let copies: Double
    package let offload: Double
    /// The mean bound, each second by how many watched.
    package let bound: Double
    package let stalls: Int

    /// - Returns: nil when the run has no such seconds.
    init?(_ wish: Wish, of timeline: Timeline) {
        let from = Int(wish.from.nanoseconds / 1_000_000_000)
        let until = min(timeline.seconds.count, Int(wish.until.nanoseconds / 1_000_000_000))
        guard from < until else { return nil }
        let part = timeline.seconds[from..<until]
        name = wish.name
        seconds = from..<until
        let watching = part.map(\.watching)
        viewers = (watching.min() ?? 0)...(watching.max() ?? 0)
        var modes: [DeliveryMode?] = []
        for second in part where modes.last != .some(second.mode) { modes.append(second.mode) }
        self.modes = modes
        let delivered = Double(part.reduce(0) { $0 + $1.delivered })
        let origin = Double(part.reduce(0) { $0 + $1.origin })
        let watched = watching.reduce(0, +)
        copies = delivered > 0 ? origin / delivered * Double(watched) / Double(part.count) : 0
        offload = delivered > 0 ? 1 - origin / delivered : 0
        let bounds = part.reduce(0) { $0 + $1.bound * Double($1.watching) }
        bound = watched > 0 ? bounds / Double(watched) : 0
        stalls = part.reduce(0) { $0 + $1.stalls }
    }

    package var line: String {
        let audience =
            viewers.lowerBound == viewers.upperBound
            ? "\(viewers.lowerBound)" : "\(viewers.lowerBound) to \(viewers.upperBound)"
        let said = modes.compactMap { $0?.rawValue }
        func percent(_ value: Double) -> String { "\(DecimalText.format(value * 100, digits: 1)) %" }
        return "\(name) (\(seconds.lowerBound) to \(seconds.upperBound) s): \(audience) viewers, "
            + (said.isEmpty ? "" : said.joined(separator: " then ") + ", ")
            + "\(DecimalText.format(copies, digits: 1)) copies from the origin, offload \(percent(offload))"
            + " (bound \(percent(bound))), \(stalls) stalls"
    }
}

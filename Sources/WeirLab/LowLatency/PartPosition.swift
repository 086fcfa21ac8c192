/// A partial segment's place in a rendition: its parent's media sequence number, and its place there from 0.
package struct PartPosition: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var segment: Int
    package var part: Int

    package init(segment: Int, part: Int) {
        self.segment = segment
        self.part = part
    }

    /// `MSN.PART`
    package var description: String { "\(segment).\(part)" }

    package static func < (left: PartPosition, right: PartPosition) -> Bool {
        (left.segment, left.part) < (right.segment, right.part)
    }
}

/// What an origin made known about a part, for whoever checks what arrived.
package struct PublishedPart: Sendable {
    /// SHA-256 of the part's bytes.
    package var digest: [UInt8]
    /// From then on a request for it can be answered.
    package var available: ContinuousClock.Instant
}

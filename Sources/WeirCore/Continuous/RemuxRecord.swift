/// What the media worker tells the agent over its standard output: a head of 14 bytes and a body each.
package struct RemuxRecord: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// The beginning of the container.
        case header = 1
        /// What a reader may be sent behind the one before.
        case block
        /// The same, and a decoder can begin here.
        case start
        /// A segment was damaged or missing and was left out; why.
        case damage
        /// It cannot go on; why, for the reader.
        case fault
        /// The stream is over.
        case end
        /// How a file is getting on that it writes itself: a `CaptureJournal`.
        case journal
        /// A segment's bytes are no whole media: its local address, a line feed, and why.
        case damagedSegment
    }

    package let kind: Kind
    /// Bytes of the body.
    package let count: Int
    /// Microseconds of the output's time at which what follows begins.
    package let time: Int64

    package static let headCount = 14
    /// Bytes of one body: a fragment of a second of 200 Mbit/s.
    package static let mostBytes = 32 * 1024 * 1024
    private static let mark: UInt8 = 0x57

    package init(_ kind: Kind, count: Int, time: Int64) {
        self.kind = kind
        self.count = count
        self.time = time
    }

    package var head: [UInt8] {
        let length = (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) }
        return [RemuxRecord.mark, kind.rawValue] + length
            + (0..<8).map { UInt8(truncatingIfNeeded: time >> Int64(56 - 8 * $0)) }
    }

    /// Nil when it is nothing that a worker writes.
    package init?(head: [UInt8]) {
        guard head.count == RemuxRecord.headCount, head[0] == RemuxRecord.mark, let kind = Kind(rawValue: head[1])
        else {
            return nil
        }
        let count = head[2..<6].reduce(0) { $0 << 8 | Int($1) }
        guard count <= RemuxRecord.mostBytes else { return nil }
        self.init(kind, count: count, time: head[6..<14].reduce(0) { $0 << 8 | Int64($1) })
    }
}

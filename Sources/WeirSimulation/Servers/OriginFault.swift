package import WeirCore

/// Something that goes wrong at a server for a while.
package struct OriginFault: Sendable {
    package enum Kind: Sendable, Equatable {
        /// Connections open, nothing is answered and running bodies stop, until the end (a stopped process).
        case silent
        /// Answers this status.
        case status(Int)
        /// Bodies that begin in the interval stop at half and never go on.
        case stalledBodies
        /// Connections are refused, open ones reset.
        case refused
        /// The uplink has this rate, in bytes per second.
        case rate(Double)
        /// Bodies are some other bytes of the same length: a lying cache.
        case wrongBytes
    }

    package var kind: Kind
    package var from: Instant
    package var until: Instant

    package init(_ kind: Kind, from: Instant, until: Instant) {
        self.kind = kind
        self.from = from
        self.until = until
    }
}

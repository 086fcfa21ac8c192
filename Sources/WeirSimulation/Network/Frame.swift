package import WeirCore

/// What one end of a connection hands to its transport, delivered whole and in order at the other end.
package struct Frame {
    package enum Content {
        /// A message between two agents.
        case message(Message, payload: (any Payload)?)
        /// The head of an HTTP request.
        case request(Exchange)
        /// Status line and fields of its answer.
        case head(Exchange)
        case body(Exchange, any Payload)
        /// The answer is over; no bytes of its own.
        case end(Exchange)
        /// Nothing but its size.
        case filler
    }

    /// Bytes that it takes in the transport's stream.
    package var byteCount: Int
    package var content: Content

    package init(byteCount: Int, content: Content) {
        self.byteCount = byteCount
        self.content = content
    }
}

/// What the network reports back, to be drained after every event.
package enum Occurrence {
    /// This end may send. `side` is 0 for the end that connected.
    case opened(connection: Int, side: Int)
    /// The connection came to nothing; only the connecting end hears of it.
    case failed(connection: Int, LinkEnd)
    /// A frame arrived at `side`.
    case frame(connection: Int, side: Int, Frame)
    /// The kernel took this many more bytes of what `side` sent.
    case drained(connection: Int, side: Int, bytes: Int)
    /// The connection is gone, as `side` sees it. Not reported to the end that closed it.
    case closed(connection: Int, side: Int, LinkEnd)
}

/// Everything that an agent wants done. Drained in order after every input.
package enum Output: Sendable {
    /// Status line and headers of an answer. The shell adds `Date`, `Connection` and framing.
    case answerHead(RequestID, AnswerHead)
    /// Body bytes that the core made: manifests, errors.
    case answerBytes(RequestID, [UInt8])
    /// Body bytes from a source. Reported back by `Input.delivered` as the socket takes them.
    case answerBody(RequestID, any Payload)
    case answerEnd(RequestID)
    /// Close the player's connection: the promised body cannot be completed.
    case answerAbort(RequestID)

    case fetch(FetchID, FetchRequest)
    /// Stop reading from the fetch's socket until `resumeFetch`; a few buffers may still arrive.
    case pauseFetch(FetchID)
    case resumeFetch(FetchID)
    /// Drop the exchange. Nothing more is reported for it.
    case cancelFetch(FetchID)

    /// Connect to a peer. `expecting`: refuse anybody else at that address.
    case dial(DialID, PeerAddress, expecting: PeerID?)
    case send(LinkID, Message, payload: (any Payload)?)
    /// Close a link after what was sent has left (or at once when it does not leave within a second).
    case closeLink(LinkID, reason: String)

    case openTracker(TrackerID)
    case announce(TrackerID, TrackerRequest)
    case closeTracker(TrackerID)

    /// JSON of a steering server, to be read by the shell and answered by `Input.steering` with the same stream.
    case readSteering(StreamID, [UInt8])

    /// What is to be done with the time shift window's files; only where `dvrDiskBytes` are given.
    case disk(DiskOrder)

    case opened(OpenID, OpenResult)
    case log(LogEvent)
    case stopped
}

package struct AnswerHead: Sendable, Equatable {
    package var status: Int
    package var fields: [HeaderField]
    /// Bytes of body that follow, or nil when unknown: the shell then uses chunked transfer coding, or closes after
    /// the body for HTTP/1.0. Zero for HEAD answers too; a HEAD answer carries its length in `fields`.
    package var bodyLength: Int?

    package init(status: Int, fields: [HeaderField], bodyLength: Int?) {
        self.status = status
        self.fields = fields
        self.bodyLength = bodyLength
    }
}

package struct FetchRequest: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
    }
    /// What it is for: the shell's time-outs, connection choice and logs depend on it.
    package enum Purpose: String, Sendable { case manifest, segment, audit, key, other }

    package var method: Method
    package var url: String
    /// In addition to what the shell always sends (`Host`, `User-Agent`, `Accept-Encoding: identity`).
    package var fields: [HeaderField]
    package var purpose: Purpose
    /// Ask on a connection that carried no other request before: a second opinion must not come from the same cache
    /// node by way of a kept connection.
    package var freshConnection: Bool

    package init(
        method: Method = .get,
        url: String,
        fields: [HeaderField] = [],
        purpose: Purpose,
        freshConnection: Bool = false
    ) {
        self.method = method
        self.url = url
        self.fields = fields
        self.purpose = purpose
        self.freshConnection = freshConnection
    }
}

package enum OpenResult: Sendable, Equatable {
    /// The stream can be played at this path of the local endpoint.
    case ready(StreamID, path: String)
    /// It can't; the text says why and what to do, in one line.
    case failed(OpenFailure, String)
}

package enum OpenFailure: Sendable, Equatable {
    /// The URL is not one weir can fetch.
    case badURL
    /// No answer, or an answer that is no success.
    case unreachable
    /// An answer that is no playlist weir knows.
    case notAManifest
    /// A limit of this agent.
    case refused
}

/// A constant message with metadata, in the manner of swift-log: never a secret, never a whole URL with a query.
package struct LogEvent: Sendable, Equatable {
    package enum Level: String, Sendable, Comparable {
        case debug, info, notice, warning, error
        private var rank: Int {
            switch self {
            case .debug: 0
            case .info: 1
            case .notice: 2
            case .warning: 3
            case .error: 4
            }
        }
        package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
    }

    package var level: Level
    package var message: String
    /// In a fixed order.
    package var metadata: [HeaderField]

    package init(_ level: Level, _ message: String, _ metadata: [(String, String)] = []) {
        self.level = level
        self.message = message
        self.metadata = metadata.map { HeaderField($0.0, $0.1) }
    }
}

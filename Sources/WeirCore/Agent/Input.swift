/// Everything that can happen to an agent. The core is fed one at a time, with the time, and drained of its outputs.
package enum Input: Sendable {
    /// A player's request arrived whole (its headers; players send no bodies).
    case request(PlayerRequest)
    /// The player's socket took this many more body bytes of the answer.
    case delivered(RequestID, bytes: Int)
    /// The player closed its connection or the answer could not be written. Comes at most once, never after the answer
    /// ended normally and everything was delivered.
    case requestClosed(RequestID)
    /// What players asked on is gone; its request, if it had one, was closed before.
    case connectionClosed(ConnectionID)

    /// An origin or edge answered with headers. 1xx answers and redirects never get here.
    case fetchHead(FetchID, FetchHead)
    /// Body bytes, in order. Not yet stored compactly.
    case fetchBody(FetchID, any Payload)
    /// The exchange is over. Nothing follows for this id. Not sent for a fetch that the core cancelled.
    case fetchEnded(FetchID, FetchEnd)

    /// A TLS channel to a peer is up and its key is proved; weir's own handshake message is still to come. `dial` is
    /// set when the agent itself dialled.
    case linkUp(LinkID, LinkPeer, dial: DialID?)
    /// A well-framed message. `payload` belongs to `Message.data`, nil otherwise.
    case linkMessage(LinkID, Message, payload: (any Payload)?)
    /// The peer sent a frame that the codec refuses.
    case linkGarbage(LinkID, CodecError)
    /// This many more frame bytes have left for the kernel.
    case linkDrained(LinkID, bytes: Int)
    /// The link is gone. Nothing follows for this id; also sent for a link that the core closed.
    case linkDown(LinkID, LinkEnd)
    /// A dial came to nothing.
    case dialFailed(DialID, LinkEnd)

    case trackerUp(TrackerID)
    case trackerReply(TrackerID, TrackerReply)
    /// The tracker's socket could not be opened or was lost. The core decides when to try again.
    case trackerDown(TrackerID, reason: String)

    /// Open a stream (the command line, `POST /v1/sessions`, `/play?url=`). Answered by `Output.opened`.
    case open(OpenID, StreamRequest)
    /// A list of channels, the first or a newer one: each becomes a local address.
    case channels(ChannelList)
    /// Close a session: `DELETE /v1/sessions/{id}`.
    case close(StreamID)
    /// What the shell read in the bytes of `Output.readSteering`; nil: no steering manifest.
    case steering(StreamID, SteeringManifest?)
    /// The wall clock, in milliseconds since 1970, whenever the shell thinks of it (once a minute): for
    /// live DASH manifests whose origin does not say what time it is.
    case wallClock(milliseconds: Int64)
    /// What became of the time shift window's files.
    case disk(DiskAnswer)
    /// The media program says of the segment at this local address that its bytes are no whole media.
    case damaged(target: String, reason: String)
    /// `nextDeadline` has come.
    case timer
    /// Say goodbye to everybody and stop; answers with `Output.stopped` once the goodbyes are queued.
    case stop
}

package struct PlayerRequest: Sendable {
    package enum Method: Sendable { case get, head }

    package var id: RequestID
    package var method: Method
    /// Path and query as received, still percent-encoded, beginning with `/`.
    package var target: String
    /// The raw `Range` header, if there was exactly one.
    package var range: String?
    /// The raw `If-Range` header.
    package var ifRange: String?
    package var userAgent: String
    /// The user agent of who looks at one picture and does not watch.
    package static let glance = "weir-glance"
    /// Remote address without port: with the user agent it tells programs apart.
    package var remoteHost: String
    /// What it came on: tells players of one program apart. Nil: each program is one player.
    package var connection: ConnectionID?
    /// What the player calls the endpoint (`127.0.0.1:8090`), for addresses that must be whole.
    package var authority: String?

    package init(
        id: RequestID,
        method: Method,
        target: String,
        range: String? = nil,
        ifRange: String? = nil,
        userAgent: String = "",
        remoteHost: String = "127.0.0.1",
        connection: ConnectionID? = nil,
        authority: String? = nil
    ) {
        self.id = id
        self.method = method
        self.target = target
        self.range = range
        self.ifRange = ifRange
        self.userAgent = userAgent
        self.remoteHost = remoteHost
        self.connection = connection
        self.authority = authority
    }
}

/// A field line of HTTP: the name in lower case, the value as sent with surrounding white space removed.
package struct HeaderField: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

package struct FetchHead: Sendable {
    package var status: Int
    package var fields: [HeaderField]
    /// The URL that answered, after redirects.
    package var url: String

    package init(status: Int, fields: [HeaderField], url: String) {
        self.status = status
        self.fields = fields
        self.url = url
    }

    /// The first value of a field, by its lower-case name.
    package func first(_ name: String) -> String? { fields.first { $0.name == name }?.value }
}

package enum FetchEnd: Sendable, Equatable {
    /// The body ended where the framing said it would (Content-Length reached, last chunk seen, stream closed).
    case complete
    /// It did not; the reason says how, for logs and for what to try next.
    case failed(FetchFailure)
}

package enum FetchFailure: Sendable, Equatable {
    case refused
    case nameUnknown
    case connectTimeout
    /// No byte for the time the fetch allows.
    case idleTimeout
    /// Certificate or handshake; the text names what is wrong.
    case tls(String)
    /// The connection closed inside the headers or before the body was whole.
    case truncated
    /// More redirects than allowed, or one that our rules forbid; the text says which.
    case redirect(String)
    /// Conflicting or malformed HTTP.
    case malformed(String)
    case other(String)
}

/// Who is at the other end of a link, as the TLS handshake proved it.
package struct LinkPeer: Sendable {
    package var id: PeerID
    /// The raw public key (X9.63, 65 bytes for P-256) that `id` is derived from and vouches are checked with.
    package var publicKey: [UInt8]
    package var address: PeerAddress

    package init(id: PeerID, publicKey: [UInt8], address: PeerAddress) {
        self.id = id
        self.publicKey = publicKey
        self.address = address
    }
}

/// Why a link or a dial ended.
package enum LinkEnd: Sendable, Equatable {
    case refused
    case timeout
    case closedByPeer
    case closedHere
    /// TLS or identity: not the peer that was expected.
    case notAuthentic(String)
    case failed(String)
}

/// A manifest URL to play.
package struct StreamRequest: Sendable {
    package var url: String
    /// Overrides the swarm that the URL would give: agents with equal names share.
    package var swarmName: String?
    /// Sent with every request to the stream's servers.
    package var fields: [HeaderField]

    package init(url: String, swarmName: String? = nil, fields: [HeaderField] = []) {
        self.url = url
        self.swarmName = swarmName
        self.fields = fields
    }
}

/// A stream as local URLs name it: stable over restarts, derived from the manifest URL.
package struct StreamID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var text: String
    package init(_ text: String) { self.text = text }
    package static func < (left: Self, right: Self) -> Bool { left.text < right.text }
    package var description: String { text }
}

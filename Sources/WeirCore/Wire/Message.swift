/// What two agents say to each other over a link: wire version 1.
///
/// A *swarm handle* is the sender's own number for a swarm, given in its `hello` or `join`; the receiver looks it up in
/// what that link's other end announced. Chunk numbers count 16 KiB units from the segment's first byte.
package enum Message: Hashable, Sendable {
    /// First message both ways; nothing else is read before it.
    case hello(Hello)
    /// The sender entered a swarm after its hello.
    case join(handle: UInt32, swarm: SwarmID)
    case leave(handle: UInt32)
    /// What the sender plays and knows of, per rendition.
    case interest(Interest)
    /// Whole segments that the sender holds, or is reading from an origin or edge and so promises.
    case have(Have)
    /// Which chunks of a segment the sender holds, while it is still being completed from peers.
    case partial(Partial)
    /// Please send these chunks. Answered by `digests` and `root`, unless the requester names the list that the sender
    /// has, `data`, and at last, if need be, `absent`. A request for
    /// no chunks (first 0, count 0) asks for the digests alone: that is how a receiver learns a segment's length.
    case request(RunRequest)
    /// Digests of consecutive chunks, signed by the agent that read them from the origin.
    case digests(Vouch)
    /// The digest of a segment's whole digest list, signed by the agent that read it from the origin.
    case root(RootVouch)
    /// One or more consecutive chunks; the bytes are the frame's payload.
    case data(request: UInt32, firstChunk: UInt32)
    /// The requester no longer wants the chunks from `fromChunk` on.
    case cancel(request: UInt32, fromChunk: UInt32)
    /// The sender will not send what is left of this request.
    case absent(request: UInt32, reason: AbsentReason)
    /// Addresses of other members of a swarm.
    case peers(handle: UInt32, [PeerHint])
    case ping(UInt64)
    case pong(UInt64)
    case goodbye(GoodbyeReason)
    /// A signed statement that the sender found to be false when it read the origin itself.
    case refutation(Refutation)
}

package struct Hello: Hashable, Sendable {
    package var minimumVersion: UInt8
    package var maximumVersion: UInt8
    /// Bit mask; unknown bits are ignored.
    package var features: UInt64
    /// The TCP port where the sender accepts links, 0 when it does not.
    package var listenPort: UInt16
    /// False for an agent that only receives: it is never elected to fetch for others.
    package var uploads: Bool
    /// Handles are 0, 1, 2… in this order.
    package var swarms: [SwarmID]

    package init(
        minimumVersion: UInt8 = 1,
        maximumVersion: UInt8 = 1,
        features: UInt64 = 0,
        listenPort: UInt16,
        uploads: Bool,
        swarms: [SwarmID]
    ) {
        self.minimumVersion = minimumVersion
        self.maximumVersion = maximumVersion
        self.features = features
        self.listenPort = listenPort
        self.uploads = uploads
        self.swarms = swarms
    }
}

package struct Interest: Hashable, Sendable {
    package var handle: UInt32
    package var rendition: RenditionKey
    /// The media sequence number that the sender's player wants next; nil when nobody plays this rendition.
    package var position: UInt64?
    /// The highest media sequence number in the sender's newest playlist: a push hint for those who have not reloaded.
    package var newest: UInt64?
    /// How much of this rendition the sender can pass on, in eighths; all that its uplink is known not to carry stands
    /// behind the others.
    package var share: UInt8

    package init(
        handle: UInt32,
        rendition: RenditionKey,
        position: UInt64?,
        newest: UInt64?,
        share: UInt8 = UploadShare.whole
    ) {
        self.handle = handle
        self.rendition = rendition
        self.position = position
        self.newest = newest
        self.share = share
    }
}

package struct Have: Hashable, Sendable {
    package enum State: UInt8, Sendable {
        /// Complete and checked.
        case held = 0
        /// Being read from an origin or edge: every chunk is promised.
        case fetching = 1
        /// No longer there, or the fetch came to nothing.
        case gone = 2
        /// Being read by somebody else that the sender heard of: passed on once, so that agents without a link to the
        /// reader do not read it too.
        case underway = 3
    }

    package struct Range: Hashable, Sendable {
        package var kind: SegmentID.Kind
        package var first: UInt64
        /// At least 1.
        package var count: UInt64
        package var state: State

        package init(kind: SegmentID.Kind, first: UInt64, count: UInt64, state: State) {
            self.kind = kind
            self.first = first
            self.count = count
            self.state = state
        }
    }

    package var handle: UInt32
    package var rendition: RenditionKey
    package var ranges: [Range]

    package init(handle: UInt32, rendition: RenditionKey, ranges: [Range]) {
        self.handle = handle
        self.rendition = rendition
        self.ranges = ranges
    }
}

package struct Partial: Hashable, Sendable {
    package var handle: UInt32
    package var segment: SegmentID
    /// Sorted, disjoint: (first chunk, count).
    package var runs: [ChunkRun]

    package init(handle: UInt32, segment: SegmentID, runs: [ChunkRun]) {
        self.handle = handle
        self.segment = segment
        self.runs = runs
    }
}

/// Consecutive chunks.
package struct ChunkRun: Hashable, Sendable {
    package var first: UInt32
    package var count: UInt32

    package init(first: UInt32, count: UInt32) {
        self.first = first
        self.count = count
    }
}

package struct RunRequest: Hashable, Sendable {
    /// Unique among the requester's live requests on this link.
    package var request: UInt32
    package var handle: UInt32
    package var segment: SegmentID
    /// What the requester knows of the bytes it wants. A holder of another edition answers `absent`.
    package var edition: Edition
    package var chunks: ChunkRun
    /// The root of the segment's digest list, once the requester has all of it: a holder of the same list need not send
    /// it, and says by sending a chunk that it is the one that the list means.
    package var list: Digest?

    package init(
        request: UInt32,
        handle: UInt32,
        segment: SegmentID,
        edition: Edition,
        chunks: ChunkRun,
        list: Digest? = nil
    ) {
        self.request = request
        self.handle = handle
        self.segment = segment
        self.edition = edition
        self.chunks = chunks
        self.list = list
    }
}

/// A statement "I read these bytes from the origin", signed with a peer key and relayed unchanged.
package struct Vouch: Hashable, Sendable {
    package var handle: UInt32
    package var segment: SegmentID
    package var edition: Edition
    package var firstChunk: UInt32
    package var digests: [Digest]
    /// X9.63 P-256 public key of the voucher.
    package var voucherKey: [UInt8]
    /// Over `signedBytes`, which leave out the handle.
    package var signature: [UInt8]

    package init(
        handle: UInt32,
        segment: SegmentID,
        edition: Edition,
        firstChunk: UInt32,
        digests: [Digest],
        voucherKey: [UInt8],
        signature: [UInt8]
    ) {
        self.handle = handle
        self.segment = segment
        self.edition = edition
        self.firstChunk = firstChunk
        self.digests = digests
        self.voucherKey = voucherKey
        self.signature = signature
    }
}

package struct RootVouch: Hashable, Sendable {
    package var handle: UInt32
    package var segment: SegmentID
    /// Its length is known.
    package var edition: Edition
    package var root: Digest
    package var voucherKey: [UInt8]
    package var signature: [UInt8]

    package init(
        handle: UInt32,
        segment: SegmentID,
        edition: Edition,
        root: Digest,
        voucherKey: [UInt8],
        signature: [UInt8]
    ) {
        self.handle = handle
        self.segment = segment
        self.edition = edition
        self.root = root
        self.voucherKey = voucherKey
        self.signature = signature
    }
}

/// "This voucher stated a digest that the origin's bytes do not have": whoever hears it compares for itself.
package struct Refutation: Hashable, Sendable {
    /// The statement, unchanged; its handle is the sender's own.
    package var vouch: Vouch
    /// One of the chunks that the statement is about.
    package var chunk: UInt32
    /// What the sender read, twice.
    package var read: Digest

    package init(vouch: Vouch, chunk: UInt32, read: Digest) {
        self.vouch = vouch
        self.chunk = chunk
        self.read = read
    }
}

package enum AbsentReason: UInt8, Sendable {
    case notHeld = 0
    case otherEdition = 1
    /// No upload slot or the cap is reached; try elsewhere for a while.
    case busy = 2
    case unknownSwarm = 3
}

package enum GoodbyeReason: UInt8, Sendable {
    case stopping = 0
    /// The same pair of agents already has a link.
    case duplicateLink = 1
    case tooManyLinks = 2
    case protocolError = 3
    case banned = 4
    case nothingInCommon = 5
}

package struct PeerHint: Hashable, Sendable {
    package var id: PeerID
    package var address: PeerAddress

    package init(id: PeerID, address: PeerAddress) {
        self.id = id
        self.address = address
    }
}

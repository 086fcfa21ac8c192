/// What is asked of a time shift window.
struct WindowWish {
    var query: TimeShift.Query
    /// Its list alone; nil: of the stream.
    var rendition: Rendition?
}

/// One player's request and how far its answer is.
///
/// Life: `waiting → streaming → done`, `waiting → done` (an error, or an answer without body), any → gone (closed).
final class Answer {
    enum Content {
        case manifest(Manifest, Stream)
        case segment(Segment)
        /// Passed through from the origin without being kept.
        case relay(FetchID?)
        case nothing
    }

    let request: PlayerRequest
    let arrived: Instant
    var content: Content
    var player: Player?
    /// It is to be given a time shift window, not the manifest that it waits for.
    var window: WindowWish?
    /// What a playlist's reload asks for.
    var directives: DeliveryDirectives?
    var hasHead = false
    /// The next byte of the segment to send, and one past the last; nil: to the unknown end.
    var offset: Int64 = 0
    var end: Int64?
    /// Body bytes handed to the shell that the socket has not taken yet.
    var outstanding = 0
    var isEnded = false
    /// Body bytes that the socket took.
    var delivered: Int64 = 0
    /// Since when the player's socket has been empty for lack of bytes from us.
    var starvedSince: Instant?
    /// How long it was empty before the bytes that were given last.
    var lastWait = Duration.zero
    /// It is to be led to the stream's manifest rather than given it.
    var leads = false
    /// Where a player is sent whose channel turns out to be nothing that weir can carry.
    var fallback: WebURL?
    /// What is still to be given of the list of channels.
    var channelWriter: ChannelList.Writer?
    /// Set when it is given from the cache no faster than the network would.
    var pace: Pace?

    init(request: PlayerRequest, arrived: Instant, content: Content) {
        self.request = request
        self.arrived = arrived
        starvedSince = arrived
        self.content = content
    }
}

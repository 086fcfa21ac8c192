/// Whoever plays one stream through the endpoint. Its address and user agent are those of its program; which of several
/// players of one program a request comes from, `Agent.player(asking:of:_:)` tells.
///
/// Life: `awake → aside` (it seems to have gone elsewhere) `→ awake` (it goes on), any → forgotten.
final class Player {
    /// Connections that are remembered: programs keep a handful.
    private static let mostConnections = 8

    let host: String
    let userAgent: String
    /// In the order in which it began to read them.
    var playheads: [(rendition: RenditionKey, head: Playhead)] = []
    var lastRequest: Instant
    var stalls = 0
    /// It read a list that lets it choose among bandwidths.
    var isAdaptive = false
    var segmentsAsked = 0
    /// Nothing is fetched ahead for it, and it counts as nobody's player, until it asks again.
    var isAside = false
    /// Where it asked lately and that are open, newest last.
    private var connections: [ConnectionID] = []

    init(host: String, userAgent: String, now: Instant) {
        self.host = host
        self.userAgent = userAgent
        lastRequest = now
    }

    func has(_ connection: ConnectionID) -> Bool { connections.contains(connection) }

    /// False for one that left, and for one that makes a connection for each request, between two of them.
    var isConnected: Bool { !connections.isEmpty }

    func forget(_ connection: ConnectionID) { connections.removeAll { $0 == connection } }

    func note(_ connection: ConnectionID) {
        guard connections.last != connection else { return }
        connections.removeAll { $0 == connection }
        connections.append(connection)
        if connections.count > Player.mostConnections { connections.removeFirst() }
    }

    func place(of rendition: RenditionKey) -> Int? { playheads.firstIndex { $0.rendition == rendition } }

    /// The least buffer over the renditions that it plays together.
    func buffer(at now: Instant, idleAfter: Duration) -> Duration? {
        playheads.filter { now - $0.head.lastRequest < idleAfter && $0.head.hasStarted }
            .map { $0.head.buffer(at: now) }.min()
    }
}

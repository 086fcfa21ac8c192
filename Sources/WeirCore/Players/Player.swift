/// A program that reads the endpoint, told apart by its address and user agent.
final class Player {
    let host: String
    let userAgent: String
    /// In the order in which it began to read them.
    var playheads: [(rendition: RenditionKey, head: Playhead)] = []
    var lastRequest: Instant
    var stalls = 0
    /// It read a list that lets it choose among bandwidths.
    var isAdaptive = false
    var segmentsAsked = 0

    init(host: String, userAgent: String, now: Instant) {
        self.host = host
        self.userAgent = userAgent
        lastRequest = now
    }

    func place(of rendition: RenditionKey) -> Int? { playheads.firstIndex { $0.rendition == rendition } }

    /// The least buffer over the renditions that it plays together.
    func buffer(at now: Instant, idleAfter: Duration) -> Duration? {
        playheads.filter { now - $0.head.lastRequest < idleAfter && $0.head.hasStarted }
            .map { $0.head.buffer(at: now) }.min()
    }
}

import WeirCore

/// One HTTP exchange between an agent and a server, as both ends see it.
package final class Exchange {
    /// waiting → connecting → asked → over; any → over.
    enum State { case waiting, connecting, asked, over }

    let number: Int
    let fetch: FetchID
    let agent: Int
    let server: Int
    let request: FetchRequest
    /// Path of the URL, without authority and query.
    let path: String
    /// The media segment that the path names.
    let sequence: UInt64?
    /// The rendition that it names, where the stream has several.
    let rendition: Int?
    var state = State.waiting
    var connection = -1
    /// Last sign of life, for the client's time-out.
    var touched = Instant.start
    /// Whether it counts for the swarm: hostile agents' own traffic does not.
    var isCounted = true
    /// Set by the server for its answer.
    var head: FetchHead?
    /// Bytes of head and body that the server's kernel still has to take, for its access log.
    var unloggedHead = 0
    var unloggedBody = 0

    init(number: Int, fetch: FetchID, agent: Int, server: Int, request: FetchRequest, path: String) {
        self.number = number
        self.fetch = fetch
        self.agent = agent
        self.server = server
        self.request = request
        self.path = path
        sequence = StreamShape.sequence(ofPath: path)
        rendition = StreamShape.rendition(ofPath: path)
    }

    /// Bytes of a request with the fields that clients send.
    var requestBytes: Int {
        180 + request.url.utf8.count + request.fields.reduce(0) { $0 + $1.name.count + $1.value.count + 4 }
    }
}

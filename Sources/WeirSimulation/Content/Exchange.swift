package import WeirCore

/// One HTTP exchange between an agent and a server, as both ends see it.
package final class Exchange {
    package let fetch: FetchID
    let agent: Int
    let request: FetchRequest
    let server: Int
    /// Path of the URL, without authority and query.
    let path: String

    /// waiting → connecting → asked → answering → over; any → over.
    enum State { case waiting, connecting, asked, answering, over }
    var state = State.waiting
    var connection = -1
    /// Last sign of life, for the client's time-out.
    var touched = Instant.start
    /// Set by the server for its answer.
    var head: FetchHead?
    var end = FetchEnd.complete
    /// Media bytes among the answer's body, 0 for playlists and errors.
    var isMedia = false
    /// Body bytes that the server's kernel still has to take, for its access log.
    var unlogged = 0

    init(fetch: FetchID, agent: Int, request: FetchRequest, server: Int, path: String) {
        self.fetch = fetch
        self.agent = agent
        self.request = request
        self.server = server
        self.path = path
    }
}

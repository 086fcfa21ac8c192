/// What the localhost endpoint accepts.
package struct EndpointSettings: Sendable {
    /// Literal address or host name to listen on.
    package var host = "127.0.0.1"
    /// 0 lets the system choose.
    package var port = 0
    /// Names under which others may reach the endpoint, beside loopback and the listen address (`tv.lan`).
    package var extraHosts: [String] = []
    /// What control calls present as `Authorization: Bearer …`. Empty: they are all refused.
    package var token: String
    /// Seconds a kept connection may wait for its next request.
    package var idleSeconds: Int64 = 60
    /// Bytes that the kernel may hold for one player (SO_SNDBUF; Linux doubles the figure for its own bookkeeping).
    /// Bounded, because what a player's socket drained tells how much it has buffered.
    package var sendBufferBytes: Int32 = 256 * 1024
    /// Body bytes of a control call.
    package var requestBodyBytes = 64 * 1024
    /// Field lines of a request, and their bytes in all.
    package var headerFields = 64
    package var headerBytes = 16 * 1024
    /// Requests that one connection may send ahead of their answers; they are answered one after another.
    package var pipelinedRequests = 16
    /// Open connections; a further one gets 503.
    package var connections = 512

    package init(token: String) {
        self.token = token
    }
}

/// Where a program of the lab runs and what it listens on: this machine, or a host of a `ShapedNetwork`.
package struct LabHost: Sendable {
    /// Where others of its network reach it.
    package let address: String
    private let namespace: NetworkNamespace?

    package static let loopback = LabHost(address: "127.0.0.1", namespace: nil)

    init(address: String, namespace: NetworkNamespace?) {
        self.address = address
        self.namespace = namespace
    }

    /// Does something in the host's network: sockets and children that it makes belong there for ever.
    package func inside<Value>(_ work: () throws -> Value) throws -> Value {
        guard let namespace else { return try work() }
        return try namespace.inside(work)
    }

    /// Waits until somebody listens on a port of this host, five seconds at most.
    ///
    /// - Throws: a `LabError` when nobody does.
    package func waitUntilListening(port: Int) async throws {
        for _ in 0..<100 {
            let isListening = try inside {
                let socket = try BlockingSocket()
                defer { socket.close() }
                return (try? socket.connect(host: address, port: port)) != nil
            }
            if isListening { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw LabError("nobody listens on \(address):\(port)")
    }
}

import WeirCore
import WeirSettings

/// What the program needs of an agent with its event loop and sockets.
protocol RunningAgent: Sendable {
    /// Where players connect to; the port is the bound one.
    var endpoint: PeerAddress { get async }
    func open(url: String, swarm: String?) async -> OpenResult
    /// Says goodbye to peers and closes everything.
    func stop() async
}

/// Starts an agent with what the settings say.
///
/// - Throws: a `Failure` when a port is taken or a file cannot be used.
func startAgent(_ settings: ProgramSettings, token: String) async throws -> any RunningAgent {
    throw Failure(.unavailable, "this build has no agent yet")
}

package import WeirCore

/// Called on the event loop, which is the actor's executor.
extension AgentHost: ControlledAgent {
    nonisolated package func statistics() -> AgentStatistics { assumeIsolated { $0.agent.statistics(at: $0.now) } }
    nonisolated package func sessions() -> [SessionReport] { assumeIsolated { $0.agent.sessions(at: $0.now) } }
    nonisolated package func segments(of stream: StreamID) -> [SegmentReport] {
        assumeIsolated { $0.agent.segments(of: stream) }
    }
    nonisolated package func peers() -> [PeerReport] { assumeIsolated { $0.agent.peers(at: $0.now) } }

    nonisolated package func open(_ request: StreamRequest, then answer: @escaping @Sendable (OpenResult) -> Void) {
        assumeIsolated { $0.startOpening(request, then: answer) }
    }

    nonisolated package func close(_ stream: StreamID) { assumeIsolated { $0.close(stream: stream) } }

    /// The same from anywhere.
    package func currentStatistics() -> AgentStatistics { agent.statistics(at: now) }
}

package import WeirCore

/// Called on the event loop, which is the actor's executor.
extension AgentHost: ControlledAgent {
    nonisolated package func statistics() -> AgentStatistics { assumeIsolated { $0.currentStatistics() } }

    nonisolated package func sessions() -> [SessionReport] {
        assumeIsolated { host in
            var sessions = host.agent.sessions(at: host.now)
            let lack = host.parts.endpoint.continuous?.lack
            for index in sessions.indices {
                sessions[index].continuous_outputs = lack ?? "available"
                let readers = host.parts.endpoint.continuous?.readers(of: sessions[index].id)
                sessions[index].continuous_readers = readers ?? 0
            }
            host.parts.endpoint.probes?.describe(&sessions)
            return sessions
        }
    }

    nonisolated package func lookAtMedia(of session: SessionReport) {
        assumeIsolated { host in
            let endpoint = host.parts.endpoint
            endpoint.probes?.look(at: session, base: endpoint.workerBase)
        }
    }

    nonisolated package func segments(of stream: StreamID) -> [SegmentReport] {
        assumeIsolated { $0.agent.segments(of: stream) }
    }
    nonisolated package func peers() -> [PeerReport] { assumeIsolated { $0.agent.peers(at: $0.now) } }

    nonisolated package func open(_ request: StreamRequest, then answer: @escaping @Sendable (OpenResult) -> Void) {
        assumeIsolated { $0.startOpening(request, then: answer) }
    }

    nonisolated package func close(_ stream: StreamID) { assumeIsolated { $0.close(stream: stream) } }

    nonisolated package var captures: Captures? { parts.endpoint.captures }

    /// Records a stream into a file.
    /// - Parameter onChange: told of every change, on the event loop.
    package func record(
        _ request: CaptureRequest,
        onChange: @escaping @Sendable (CaptureReport) -> Void
    ) throws(Captures.Refusal) {
        _ = try parts.endpoint.captures?.start(request, for: self, onChange: onChange)
    }

    /// The same from anywhere.
    package func currentStatistics() -> AgentStatistics {
        var statistics = agent.statistics(at: now)
        parts.endpoint.continuous?.add(to: &statistics)
        return statistics
    }
}

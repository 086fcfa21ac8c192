package import WeirCore

/// What the control calls see of an agent. Called on the endpoint's event loop.
package protocol ControlledAgent: AnyObject, Sendable {
    func statistics() -> AgentStatistics
    func sessions() -> [SessionReport]
    /// Finds out what a session's media are, for those who ask later.
    func lookAtMedia(of session: SessionReport)
    func segments(of stream: StreamID) -> [SegmentReport]
    func peers() -> [PeerReport]
    /// Answered on the event loop, at once or later.
    func open(_ request: StreamRequest, then answer: @escaping @Sendable (OpenResult) -> Void)
    func close(_ stream: StreamID)
    /// Nil where nothing is recorded.
    var captures: Captures? { get }
}

extension ControlledAgent {
    package var captures: Captures? { nil }
    package func lookAtMedia(of session: SessionReport) {}
}

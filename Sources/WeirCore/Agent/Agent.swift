/// One agent: a value that decides and does nothing else.
///
/// Feed it an `Input` with the time, drain its `Output`s, and call it again at `nextDeadline`. It opens no socket, reads
/// no clock and draws random numbers only from its seed, so the box and the simulator run the very same code.
package struct Agent: ~Copyable {
    package init(settings: AgentSettings, limits: Limits = Limits(), signer: any Signer, seed: UInt64) {
    }

    package mutating func handle(_ input: Input, at now: Instant) {
    }

    /// The next thing to do, in order; nil when there is nothing left.
    package mutating func nextOutput() -> Output? { nil }

    /// When to feed `Input.timer`, if nothing else happens before.
    package var nextDeadline: Instant? { nil }

    package func statistics(at now: Instant) -> AgentStatistics { AgentStatistics() }
    package func sessions(at now: Instant) -> [SessionReport] { [] }
    package func segments(of stream: StreamID) -> [SegmentReport] { [] }
    package func peers(at now: Instant) -> [PeerReport] { [] }
}

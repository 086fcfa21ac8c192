package import WeirCore

/// What decides for one simulated host: the core itself, a baseline, or either with a lie in it.
package protocol Decider: AnyObject {
    func handle(_ input: Input, at now: Instant)
    func nextOutput() -> Output?
    var nextDeadline: Instant? { get }
    func statistics(at now: Instant) -> AgentStatistics
    /// The latest segments, oldest first, as far as it keeps account.
    func segments(at now: Instant) -> [SegmentReport]
    /// Whether it matters to it when bytes leave this link's socket.
    func awaitsDrain(_ link: LinkID) -> Bool
    /// How many segments it came to hold, as far as it counts them, and which they were last, newest last.
    var segmentsFinished: UInt64 { get }
    func lastFinished(_ count: Int) -> [UInt64]
    /// What it says that it draws from its byte budget; nil when it keeps none.
    var ledgerBytes: Int64? { get }
}

extension Decider {
    package func segments(at now: Instant) -> [SegmentReport] { [] }
    package var ledgerBytes: Int64? { nil }
    package func awaitsDrain(_ link: LinkID) -> Bool { true }
    package var segmentsFinished: UInt64 { 0 }
    package func lastFinished(_ count: Int) -> [UInt64] { [] }
}

/// The core that the box runs.
package final class CoreDecider: Decider {
    private var agent: Agent

    package init(settings: AgentSettings, limits: Limits, signer: any Signer, seed: UInt64) {
        agent = Agent(settings: settings, limits: limits, signer: signer, seed: seed)
    }

    package func handle(_ input: Input, at now: Instant) { agent.handle(input, at: now) }
    package func nextOutput() -> Output? { agent.nextOutput() }
    package var nextDeadline: Instant? { agent.nextDeadline }
    package func statistics(at now: Instant) -> AgentStatistics { agent.statistics(at: now) }

    package var ledgerBytes: Int64? { agent.ledgerBytes }
    package func awaitsDrain(_ link: LinkID) -> Bool { agent.awaitsDrain(link) }
    package var segmentsFinished: UInt64 { agent.segmentsFinished }
    package func lastFinished(_ count: Int) -> [UInt64] { agent.lastFinished(count) }

    package func segments(at now: Instant) -> [SegmentReport] {
        agent.sessions(at: now).flatMap { agent.segments(of: StreamID($0.id)) }
    }
}

/// Sends other bytes than those whose digests it passes on (F31). It contributes until it is found out.
package final class PollutingDecider: Decider {
    private let honest: any Decider
    private let tag: UInt64

    package init(_ honest: any Decider, tag: UInt64) {
        self.honest = honest
        self.tag = tag
    }

    package func handle(_ input: Input, at now: Instant) { honest.handle(input, at: now) }
    package var nextDeadline: Instant? { honest.nextDeadline }
    package func statistics(at now: Instant) -> AgentStatistics { honest.statistics(at: now) }

    package func nextOutput() -> Output? {
        guard let output = honest.nextOutput() else { return nil }
        if case .send(let link, .data(let request, let first), let payload?) = output,
            let simulated = payload as? SimulatedPayload
        {
            return .send(link, .data(request: request, firstChunk: first), payload: simulated.tampered(tag))
        }
        return output
    }
}

/// Vouches for wrong bytes: what it reads from the origin is changed before it looks at it (F34). Its own player is fed
/// them too, and does not count.
package final class LyingDecider: Decider {
    private let honest: any Decider
    private let tag: UInt64

    package init(_ honest: any Decider, tag: UInt64) {
        self.honest = honest
        self.tag = tag
    }

    package func handle(_ input: Input, at now: Instant) {
        if case .fetchBody(let fetch, let payload) = input, let simulated = payload as? SimulatedPayload {
            honest.handle(.fetchBody(fetch, simulated.tampered(tag)), at: now)
        } else {
            honest.handle(input, at: now)
        }
    }

    package func nextOutput() -> Output? { honest.nextOutput() }
    package var nextDeadline: Instant? { honest.nextDeadline }
    package func statistics(at now: Instant) -> AgentStatistics { honest.statistics(at: now) }
}

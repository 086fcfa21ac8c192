package import NIOCore
package import WeirCore

/// What talks to trackers. Confined to the agent's event loop; reports by inputs (`trackerUp`, `trackerReply`,
/// `trackerDown`).
package protocol TrackerTransport: AnyObject, Sendable {
    /// Connects to the tracker of that place in the settings' list.
    func open(_ tracker: TrackerID)
    func announce(_ tracker: TrackerID, _ request: TrackerRequest)
    func close(_ tracker: TrackerID)
    /// Lets what was announced leave, for at most a second, and closes everything.
    func shutDown() -> EventLoopFuture<Void>
}

/// No trackers: each one that is opened is down.
package final class NoTrackers: TrackerTransport {
    private let loop: any EventLoop
    private let deliver: @Sendable (Input) -> Void

    package init(loop: any EventLoop, deliver: @escaping @Sendable (Input) -> Void) {
        self.loop = loop
        self.deliver = deliver
    }

    package func open(_ tracker: TrackerID) {
        deliver(.trackerDown(tracker, reason: "this agent talks to no trackers"))
    }

    package func announce(_ tracker: TrackerID, _ request: TrackerRequest) {}
    package func close(_ tracker: TrackerID) {}
    package func shutDown() -> EventLoopFuture<Void> { loop.makeSucceededVoidFuture() }
}

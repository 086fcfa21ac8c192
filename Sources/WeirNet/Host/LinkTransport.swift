package import NIOCore
package import WeirCore

/// What carries links to peers. Confined to the agent's event loop; reports by inputs (`linkUp`, `linkMessage`,
/// `linkGarbage`, `linkDrained`, `linkDown`, `dialFailed`).
package protocol LinkTransport: AnyObject, Sendable {
    /// Where others can dial this agent, best first; empty when it accepts no links.
    var ownAddresses: [PeerAddress] { get }
    func dial(_ dial: DialID, _ address: PeerAddress, expecting: PeerID?)
    func send(_ link: LinkID, _ message: Message, payload: (any Payload)?)
    func close(_ link: LinkID, reason: String)
    /// The core has no more to say for now: hand what was sent to the kernel.
    func flush()
    /// Lets what was sent leave, for at most a second, and closes everything.
    func shutDown() -> EventLoopFuture<Void>
}

/// No links at all: a plain proxy. Every dial fails.
package final class NoLinks: LinkTransport {
    private let loop: any EventLoop
    private let deliver: @Sendable (Input) -> Void

    package init(loop: any EventLoop, deliver: @escaping @Sendable (Input) -> Void) {
        self.loop = loop
        self.deliver = deliver
    }

    package var ownAddresses: [PeerAddress] { [] }

    package func dial(_ dial: DialID, _ address: PeerAddress, expecting: PeerID?) {
        deliver(.dialFailed(dial, .failed("this agent makes no links")))
    }

    package func send(_ link: LinkID, _ message: Message, payload: (any Payload)?) {}
    package func close(_ link: LinkID, reason: String) {}
    package func flush() {}
    package func shutDown() -> EventLoopFuture<Void> { loop.makeSucceededVoidFuture() }
}

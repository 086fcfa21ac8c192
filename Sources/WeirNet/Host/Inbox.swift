import NIOCore
import WeirCore

/// Where inputs wait for the core: those that arrive while its outputs are still being performed, and those that
/// arrive before the host is there.
///
/// Confined to the agent's event loop, which is what makes it Sendable.
final class Inbox: @unchecked Sendable {
    private let loop: any EventLoop
    private var inputs = CircularBuffer<Input>()
    /// Told that there is something, unless it is already taking. Kept alive from its beginning to its end: sockets
    /// and timers are its only other owners.
    private var host: AgentHost?
    private var isClosed = false

    init(loop: any EventLoop) {
        self.loop = loop
    }

    var isEmpty: Bool { inputs.isEmpty }

    func attach(_ host: AgentHost) { self.host = host }

    /// What still comes is thrown away.
    func close() {
        isClosed = true
        inputs.removeAll()
        host = nil
    }

    func put(_ input: Input) {
        loop.preconditionInEventLoop()
        guard !isClosed else { return }
        inputs.append(input)
        host?.assumeIsolated { $0.drain() }
    }

    func take() -> Input? { inputs.popFirst() }
}

import NIOCore
import NIOPosix
import WeirCore
import WeirNet

/// One end of links for a test: a hub on an event loop, and what it delivered.
struct LinkTestAgent {
    let identity: Identity
    let loop: any EventLoop
    let hub: NIOLoopBound<LinkHub>
    let events: LinkTestEvents

    /// - Parameter answersGarbage: say goodbye from within the delivery of `linkGarbage`, as the core does.
    init(
        limits: LinkLimits = LinkLimits(),
        identity: Identity = Identity(),
        answersGarbage: Bool = false
    ) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let events = LinkTestEvents()
        self.identity = identity
        self.loop = loop
        self.events = events
        hub = try await loop.submit {
            let slot = NIOLoopBoundBox.makeEmptyBox(valueType: LinkHub.self, eventLoop: loop)
            let hub = try LinkHub(loop: loop, identity: identity, limits: limits) { input in
                events.yield(input)
                if answersGarbage, case .linkGarbage(let link, _) = input {
                    slot.value?.send(link, .goodbye(.protocolError), payload: nil)
                }
            }
            slot.value = hub
            return NIOLoopBound(hub, eventLoop: loop)
        }.get()
    }

    @discardableResult
    func call<Result: Sendable>(_ action: @escaping @Sendable (LinkHub) throws -> Result) async throws -> Result {
        try await loop.submit { [hub] in try action(hub.value) }.get()
    }

    func listen() async throws -> Int {
        try await loop.flatSubmit { [hub] in hub.value.listen(host: "127.0.0.1", port: 0) }.get()
    }

    func dial(_ port: Int, id: UInt64 = 1, expecting: PeerID? = nil, host: String = "127.0.0.1") async throws {
        try await call { $0.dial(DialID(id), PeerAddress(host: host, port: port), expecting: expecting) }
    }

    func send(_ link: LinkID, _ messages: [Message]) async throws {
        try await call { hub in
            for message in messages { hub.send(link, message, payload: nil) }
            hub.flush()
        }
    }

    func stop() async throws {
        try await call { $0.stop() }
    }
}

/// What a hub delivered, in order, for one reader.
final class LinkTestEvents: Sendable {
    private let stream: AsyncStream<Input>
    private let continuation: AsyncStream<Input>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(of: Input.self) }

    func yield(_ input: Input) { continuation.yield(input) }

    /// The next input that the closure turns into something; those before it are passed over.
    func first<Result: Sendable>(_ match: @Sendable (Input) -> Result?) async throws -> Result {
        for await input in stream {
            if let result = match(input) { return result }
        }
        throw EndOfEvents()
    }

    struct EndOfEvents: Error {}

    func linkUp() async throws -> (link: LinkID, peer: LinkPeer, dial: DialID?) {
        try await first { if case .linkUp(let link, let peer, let dial) = $0 { (link, peer, dial) } else { nil } }
    }

    func message() async throws -> Message {
        try await first { if case .linkMessage(_, let message, _) = $0 { message } else { nil } }
    }

    func garbage() async throws -> CodecError {
        try await first { if case .linkGarbage(_, let error) = $0 { error } else { nil } }
    }

    func linkDown() async throws -> LinkEnd {
        try await first { if case .linkDown(_, let end) = $0 { end } else { nil } }
    }

    func dialFailed() async throws -> LinkEnd {
        try await first { if case .dialFailed(_, let end) = $0 { end } else { nil } }
    }
}

extension Message {
    static let testHello = Message.hello(Hello(listenPort: 0, uploads: true, swarms: []))
}

/// Two agents with a link between them, both hellos said.
struct LinkedPair {
    let left: LinkTestAgent
    let right: LinkTestAgent
    let leftLink: LinkID
    let rightLink: LinkID

    init(limits: LinkLimits = LinkLimits()) async throws {
        left = try await LinkTestAgent(limits: limits)
        right = try await LinkTestAgent(limits: limits)
        try await left.dial(try await right.listen())
        leftLink = try await left.events.linkUp().link
        try await left.send(leftLink, [.testHello])
        rightLink = try await right.events.linkUp().link
        try await right.send(rightLink, [.testHello])
        _ = try await left.events.message()
        _ = try await right.events.message()
    }

    func stop() async throws {
        try await left.stop()
        try await right.stop()
    }
}

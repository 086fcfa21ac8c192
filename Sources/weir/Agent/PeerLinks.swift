import NIOCore
import NIOPosix
import WeirCore
import WeirNet
import WeirSettings

/// The hub of links as the host's link transport, with what the settings say about listening.
///
/// `NIOLoopBound` makes it Sendable: the hub is touched on its loop alone, as `LinkTransport` demands.
final class PeerLinks: LinkTransport {
    let ownAddresses: [PeerAddress]
    private let hub: NIOLoopBound<LinkHub>
    private let loop: any EventLoop

    private init(hub: NIOLoopBound<LinkHub>, loop: any EventLoop, ownAddresses: [PeerAddress]) {
        self.hub = hub
        self.loop = loop
        self.ownAddresses = ownAddresses
    }

    /// - Throws: a `Failure` when the swarm port cannot be listened on.
    static func start(
        loop: any EventLoop,
        identity: Identity,
        settings: ProgramSettings,
        deliver: @escaping @Sendable (Input) -> Void
    ) async throws -> PeerLinks {
        let hub = try await loop.submit {
            NIOLoopBound(try LinkHub(loop: loop, identity: identity, deliver: deliver), eventLoop: loop)
        }.get()
        guard let wanted = settings.swarmPort else { return PeerLinks(hub: hub, loop: loop, ownAddresses: []) }
        let host = settings.swarmAddress
        do {
            let port = try await loop.flatSubmit { hub.value.listen(host: host, port: wanted) }.get()
            return PeerLinks(hub: hub, loop: loop, ownAddresses: addresses(boundTo: host, port: port))
        } catch let error as IOError {
            let place = PeerAddress(host: host, port: wanted)
            throw Failure(
                .cannotCreate,
                "cannot listen for peers on \(place): \(error.listenReason); choose another with --swarm-port (0 takes a free "
                    + "one) or --swarm-address"
            )
        }
    }

    /// Where others can dial: the bound address, or every address of the host when it is bound to all of them.
    private static func addresses(boundTo host: String, port: Int) -> [PeerAddress] {
        guard host == "0.0.0.0" || host == "::" else { return [PeerAddress(host: host, port: port)] }
        let all = ((try? System.enumerateDevices()) ?? []).compactMap(\.address?.ipAddress)
        let reachable = all.filter { ($0.contains(":") ? host == "::" : true) && !$0.hasPrefix("fe80:") }
        // Loopback last: it serves agents on this very host, and nobody else.
        let ranked = reachable.filter { !isLoopback($0) } + reachable.filter(isLoopback)
        return ranked.map { PeerAddress(host: $0, port: port) }
    }

    private static func isLoopback(_ address: String) -> Bool { address == "::1" || address.hasPrefix("127.") }

    func dial(_ dial: DialID, _ address: PeerAddress, expecting: PeerID?) {
        hub.value.dial(dial, address, expecting: expecting)
    }

    func send(_ link: LinkID, _ message: Message, payload: (any Payload)?) {
        hub.value.send(link, message, payload: payload)
    }

    func close(_ link: LinkID, reason: String) { hub.value.close(link, reason: reason) }
    func flush() { hub.value.flush() }

    func shutDown() -> EventLoopFuture<Void> {
        hub.value.stop()
        return loop.makeSucceededVoidFuture()
    }
}

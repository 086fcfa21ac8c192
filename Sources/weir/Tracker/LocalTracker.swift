import NIOCore
import NIOPosix
import WeirCore
import WeirNet

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A tracker in this process, on an event loop of its own.
final class LocalTracker: Sendable {
    /// Where it listens; the port is the bound one.
    let address: PeerAddress
    private let server: NIOLoopBound<TrackerServer>
    private let loop: any EventLoop

    private init(address: PeerAddress, server: NIOLoopBound<TrackerServer>, loop: any EventLoop) {
        self.address = address
        self.server = server
        self.loop = loop
    }

    /// - Throws: a `Failure` when the address cannot be listened on.
    static func start(
        listen place: PeerAddress,
        settings: TrackerServerSettings = TrackerServerSettings()
    ) async throws -> LocalTracker {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let server = try await loop.submit {
            NIOLoopBound(TrackerServer(loop: loop, settings: settings), eventLoop: loop)
        }.get()
        do {
            let port = try await loop.flatSubmit { server.value.listen(host: place.host, port: place.port) }.get()
            return LocalTracker(address: PeerAddress(host: place.host, port: port), server: server, loop: loop)
        } catch let error as IOError {
            throw Failure(
                .cannotCreate,
                "cannot listen on \(place): \(error.listenReason); choose another place with --listen (port 0 takes a free one)"
            )
        }
    }

    func stop() async {
        try? await loop.submit { [server] in server.value.stop() }.get()
    }
}

extension IOError {
    /// Why a socket could not be listened on, for people.
    var listenReason: String {
        switch errnoCode {
        case EADDRINUSE: "the port is in use"
        case EADDRNOTAVAIL: "this machine does not have that address"
        case EACCES: "the system does not permit that port"
        default: "error \(errnoCode)"
        }
    }
}

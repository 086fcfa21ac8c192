import NIOCore
import WeirCore
import WeirLab
import WeirSimulation

/// Where the real half of a scene happens: hosts that listen and that connections are made from.
struct SceneWorld: Sendable {
    /// One per host, in its order.
    let listeners: [BlockingSocket]
    let addresses: [PeerAddress]
    /// A socket that belongs to this host.
    let socket: @Sendable (_ host: Int) throws -> BlockingSocket
    private let end: @Sendable () async -> Void

    /// Hosts in network namespaces: the kernel's own TCP over shaped and delayed packets.
    static func namespaces(_ scene: MicroScene, congestion: String?) async throws -> SceneWorld {
        let network = try await ShapedNetwork.start(
            scene.hosts.map { .init(uplink: $0.uplink, downlink: $0.downlink, roundTrip: $0.roundTrip) },
            roundTrip: scene.roundTrip,
            queue: MicroScene.queueSeconds
        )
        var listeners: [BlockingSocket] = []
        var addresses: [PeerAddress] = []
        do {
            for host in scene.hosts.indices {
                let listener = try network.socket(at: host, congestion: congestion)
                listeners.append(listener)
                let port = try listener.listen(host: network.address(of: host), port: 0)
                addresses.append(PeerAddress(host: network.address(of: host), port: port))
            }
        } catch {
            for listener in listeners { listener.close() }
            network.stop()
            throw error
        }
        return SceneWorld(
            listeners: listeners,
            addresses: addresses,
            socket: { try network.socket(at: $0, congestion: congestion) },
            end: { network.stop() }
        )
    }

    /// Hosts on loopback, each behind a relay with its uplink's rate and half of the round trip: for who may not make
    /// namespaces. A relay ends the connection half-way: slow start does not see the round trip.
    static func relays(_ scene: MicroScene) async throws -> SceneWorld {
        var listeners: [BlockingSocket] = []
        var relays: [Relay] = []
        for host in scene.hosts {
            let listener = try BlockingSocket()
            listeners.append(listener)
            let port = try listener.listen(host: "127.0.0.1", port: 0)
            // The relay counts payload alone: what headers take is taken from the rate.
            let rate = host.uplink * 125_000 * 1448 / 1500
            let link = Impairment(
                bytesPerSecond: rate,
                delay: .microseconds(Int64(scene.roundTrip * 500_000)),
                queueBytes: Int(rate * MicroScene.queueSeconds)
            )
            relays.append(try await Relay.start(to: PeerAddress(host: "127.0.0.1", port: port), link))
        }
        return SceneWorld(
            listeners: listeners,
            addresses: relays.map(\.address),
            socket: { _ in try BlockingSocket() },
            end: { [relays] in for relay in relays { await relay.stop() } }
        )
    }

    func stop() async {
        for listener in listeners {
            listener.shutDown()
            listener.close()
        }
        await end()
    }
}

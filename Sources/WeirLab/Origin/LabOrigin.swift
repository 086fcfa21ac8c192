import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
package import WeirCore

/// An HTTP/1.1 origin on loopback with Range, ETag and digests, an access log of its own, and faults on command.
package final class LabOrigin: Sendable {
    package var log: AccessLog { shared.log }
    /// Where it listens.
    package let address: PeerAddress
    private let shared: OriginShared
    private let serving: Task<Void, Never>

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    package var url: String { "http://\(address)" }

    private init(address: PeerAddress, shared: OriginShared, serving: Task<Void, Never>) {
        self.address = address
        self.shared = shared
        self.serving = serving
    }

    /// - Parameter port: 0 takes any free one.
    package static func start(
        _ content: any OriginContent,
        digests: OriginDigests = [],
        port: Int = 0
    ) async throws -> LabOrigin {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .bind(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    return try OriginConnection.Channel(wrappingChannelSynchronously: channel)
                }
            }
        let shared = OriginShared(content: content, digests: digests)
        let bound = PeerAddress(host: "127.0.0.1", port: server.channel.localAddress?.port ?? 0)
        let serving = Task { await serve(server, shared) }
        return LabOrigin(address: bound, shared: shared, serving: serving)
    }

    /// From now on, or for the next `times` requests, paths with this prefix get the fault; nil heals them.
    package func set(_ fault: OriginFault?, prefix: String = "/", times: Int = .max) {
        shared.faults.withLock { faults in
            faults.removeAll { $0.prefix == prefix }
            if let fault { faults.append(OriginShared.Rule(prefix: prefix, fault: fault, remaining: times)) }
        }
    }

    /// Closes the listener and every connection.
    package func stop() async {
        serving.cancel()
        await serving.value
    }

    private static func serve(
        _ server: NIOAsyncChannel<OriginConnection.Channel, Never>,
        _ shared: OriginShared
    ) async {
        try? await server.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                var number = 0
                for try await channel in connections {
                    let connection = OriginConnection(channel: channel, number: number, shared: shared)
                    number += 1
                    group.addTask { await connection.run() }
                }
            }
        }
    }
}

/// What all connections of an origin share.
final class OriginShared: Sendable {
    struct Rule: Sendable {
        var prefix: String
        var fault: OriginFault
        var remaining: Int
    }

    let content: any OriginContent
    let digests: OriginDigests
    let log = AccessLog()
    let faults = Mutex<[Rule]>([])

    init(content: any OriginContent, digests: OriginDigests) {
        self.content = content
        self.digests = digests
    }

    /// The fault of the longest prefix that matches; counts it as used.
    func takeFault(path: String) -> OriginFault? {
        faults.withLock { faults in
            let matching = faults.indices.filter { path.hasPrefix(faults[$0].prefix) && faults[$0].remaining > 0 }
            guard let index = matching.max(by: { faults[$0].prefix.utf8.count < faults[$1].prefix.utf8.count }) else {
                return nil
            }
            if faults[index].remaining < .max { faults[index].remaining -= 1 }
            return faults[index].fault
        }
    }
}

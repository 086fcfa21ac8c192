import NIOCore
import NIOPosix

/// A TCP port of 127.0.0.1 for a program that cannot choose its own and say which.
package enum FreePort {
    /// Another program may take it before it is used; then that use fails and says so.
    package static func find() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port ?? 0
        try await channel.close()
        return port
    }
}

import NIOCore
import WeirCore

/// Which connections a request may use.
struct OriginConnections: Hashable, Sendable {
    /// One that carried no other request before.
    var fresh: Bool
    /// Only to public addresses, whatever a name resolves to.
    var publicOnly: Bool

    /// Looks at a new connection before anything of HTTP is sent on it.
    func check(_ channel: any Channel) throws {
        guard publicOnly, let address = channel.remoteAddress?.ipAddress else { return }
        let scope = NetworkScope(host: address)
        guard scope == .publicNetwork else {
            throw ConnectionRefusal(reason: "a redirect to a name that stands for \(scope.noun)")
        }
    }
}

/// A connection that our rules forbid.
struct ConnectionRefusal: Error {
    let reason: String
}

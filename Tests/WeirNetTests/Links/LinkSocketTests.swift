import Glibc
import Testing
import WeirCore
import WeirNet

@Suite("Links' sockets", .timeLimit(.minutes(1)))
struct LinkSocketTests {
    @Test("The kernel takes little of a link beyond what it has sent, at both ends")
    func unsentLimit() async throws {
        let left = try await LinkTestAgent()
        let right = try await LinkTestAgent()
        let port = try await right.listen()
        try await left.dial(port)
        _ = try await left.events.linkUp()
        let dialledFrom = try await right.events.linkUp().peer.address.port
        for (local, remote) in [(dialledFrom, port), (port, dialledFrom)] {
            let descriptor = try #require(TCPSocket.descriptor(local: local, remote: remote))
            let limit = try #require(TCPSocket.unsentLimit(of: descriptor))
            #expect((16 * 1024...32 * 1024).contains(limit))
        }
        try await left.stop()
        try await right.stop()
    }

    @Test("A link with a small limit on what is unsent delivers everything in order")
    func delivery() async throws {
        var limits = LinkLimits()
        limits.unsentBytes = 1
        let pair = try await LinkedPair(limits: limits)
        let pings = (0..<200).map { Message.ping($0) }
        try await pair.left.send(pair.leftLink, pings)
        for ping in pings { #expect(try await pair.right.events.message() == ping) }
        try await pair.stop()
    }
}

/// This process's IPv4 sockets, as the kernel has them.
private enum TCPSocket {
    static func descriptor(local: Int, remote: Int) -> CInt? {
        (3..<4096).first { port($0, of: getsockname) == local && port($0, of: getpeername) == remote }
    }

    /// TCP_NOTSENT_LOWAT (25 in linux/tcp.h).
    static func unsentLimit(of descriptor: CInt) -> CInt? {
        var value: CInt = -1
        var length = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(descriptor, CInt(IPPROTO_TCP), 25, &value, &length) == 0 ? value : nil
    }

    private typealias AddressCall = (CInt, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt

    private static func port(_ descriptor: CInt, of call: AddressCall) -> Int? {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { call(descriptor, $0, &length) }
        }
        guard result == 0, address.sin_family == sa_family_t(AF_INET) else { return nil }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

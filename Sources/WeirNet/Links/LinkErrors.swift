internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import WeirCore

extension LinkEnd {
    /// What an error of the channel means for a link.
    init(_ error: any Error, expecting: PeerID? = nil) {
        switch error {
        case let error as NIOSSLError: self.init(error, expecting: expecting)
        case let error as IOError: self.init(code: error.errnoCode)
        case let error as ChannelError: self.init(error)
        case let error as NIOConnectionError: self.init(error)
        default: self = .failed("\(error)")
        }
    }

    private init(_ error: NIOSSLError, expecting: PeerID?) {
        switch error {
        case .uncleanShutdown: self = .closedByPeer
        case .handshakeFailed(let cause):
            let text = "\(cause)"
            if text.contains("CERTIFICATE_VERIFY_FAILED") {
                self = .notAuthentic(expecting == nil ? "its key is not acceptable" : "another key than expected")
            } else {
                self = .notAuthentic("the TLS handshake failed")
            }
        default: self = .failed("TLS: \(error)")
        }
    }

    private init(_ error: ChannelError) {
        switch error {
        case .connectTimeout: self = .timeout
        case .alreadyClosed, .ioOnClosedChannel, .eof, .inputClosed, .outputClosed: self = .closedByPeer
        default: self = .failed("\(error)")
        }
    }

    /// A connection attempt by name: no address at all, or the last of the addresses that were tried.
    private init(_ error: NIOConnectionError) {
        if let last = error.connectionErrors.last {
            self.init(last.error)
        } else {
            self = .failed("no address for \(error.host)")
        }
    }

    private init(code: CInt) {
        switch code {
        case ECONNREFUSED: self = .refused
        case ETIMEDOUT: self = .timeout
        case ECONNRESET, EPIPE: self = .closedByPeer
        default: self = .failed(String(cString: strerror(code)))
        }
    }
}

extension PeerAddress {
    /// A socket's address. IPv4 inside IPv6 (RFC 4291 2.5.5.2) is written as IPv4, so that one host has one name.
    init(_ address: SocketAddress?) {
        var host = address?.ipAddress ?? ""
        if host.hasPrefix("::ffff:"), host.contains(".") { host.removeFirst("::ffff:".count) }
        self.init(host: host, port: address?.port ?? 0)
    }
}

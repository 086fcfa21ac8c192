import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import WeirCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension FetchFailure {
    /// What a library's error means for the core: what to try next depends on it.
    init(_ error: any Error) {
        switch error {
        case let error as HTTPClientError: self.init(client: error)
        case let error as NIOConnectionError: self.init(connection: error)
        case let error as IOError: self.init(errno: error.errnoCode)
        case let error as HTTPParserError:
            self = error == .invalidEOFState ? .truncated : .malformed("\(error)")
        case ChannelError.connectTimeout: self = .connectTimeout
        case is ChannelError: self = .truncated
        case NIOSSLError.uncleanShutdown: self = .truncated
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: self = .tls(Self.tlsText(error))
        case is SocketAddressError, is SocketAddressError.UnknownHost: self = .nameUnknown
        case let error as ConnectionRefusal: self = .redirect(error.reason)
        default: self.init(other: error)
        }
    }

    private init(client error: HTTPClientError) {
        switch error {
        case .connectTimeout, .getConnectionFromPoolTimeout: self = .connectTimeout
        case .tlsHandshakeTimeout: self = .tls("the handshake took too long")
        case .remoteConnectionClosed, .uncleanShutdown: self = .truncated
        case .readTimeout, .deadlineExceeded: self = .idleTimeout
        case .invalidURL, .emptyHost, .emptyScheme: self = .other("not a URL that can be fetched")
        default: self = .other(error.shortDescription)
        }
    }

    private init(connection error: NIOConnectionError) {
        guard let first = error.connectionErrors.first else {
            self = error.dnsAError != nil || error.dnsAAAAError != nil ? .nameUnknown : .connectTimeout
            return
        }
        // Several addresses were tried; a refusal says most, because somebody answered.
        let failures = error.connectionErrors.map { FetchFailure($0.error) }
        self = failures.contains(.refused) ? .refused : FetchFailure(first.error)
    }

    private init(errno code: CInt) {
        switch code {
        case ECONNREFUSED: self = .refused
        case ETIMEDOUT: self = .connectTimeout
        case ECONNRESET, EPIPE: self = .truncated
        case ENETUNREACH, EHOSTUNREACH: self = .other("no route to the host")
        case EMFILE, ENFILE: self = .other("no file descriptor is free")
        default: self = .other("system error \(code)")
        }
    }

    private init(other error: any Error) {
        switch error {
        case let error as NIOHTTP2Errors.StreamError: self = FetchFailure(error.baseError)
        // Too short and too long look alike here; in both cases the bytes that came are good.
        case is NIOHTTP2Errors.ContentLengthViolated: self = .truncated
        case is NIOHTTP2Errors.StreamClosed, is NIOHTTP2Errors.IOOnClosedConnection, is NIOHTTP2Errors.NoSuchStream:
            self = .truncated
        case is any NIOHTTP2Error: self = .malformed("HTTP/2: \(type(of: error))")
        default: self = .other("\(type(of: error))")
        }
    }

    /// The certificate failed its check; the library does not tell why.
    static let notTrusted = "the certificate is not trusted"

    private static func tlsText(_ error: any Error) -> String {
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") { return notTrusted }
        if let error = error as? NIOSSLExtraError, error == .failedToValidateHostname {
            return "the certificate is for another host name"
        }
        if text.contains("WRONG_VERSION_NUMBER") { return "the other end does not speak TLS" }
        // The library names the place in its own source besides; the reason is a word in capitals.
        let reason = text.firstRange(of: "OPENSSL_internal:").map { text[$0.upperBound...].prefix { $0 != " " } }
        return "handshake failed: \(reason ?? text.prefix(100))"
    }
}

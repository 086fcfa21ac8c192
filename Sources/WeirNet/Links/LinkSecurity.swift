internal import NIOCore
internal import NIOSSL
internal import WeirCore

/// TLS 1.3 between two agents, each of which shows a self-signed certificate and proves that it owns the key in it.
struct LinkSecurity {
    private let own: PeerID
    private let server: NIOSSLContext
    private let client: NIOSSLContext

    init(identity: Identity) throws {
        own = identity.id
        let certificate = try NIOSSLCertificate(bytes: identity.certificate(), format: .der)
        let key = try NIOSSLPrivateKey(bytes: identity.privateKeyBytes, format: .der)
        var asServer = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(certificate)],
            privateKey: .privateKey(key)
        )
        LinkSecurity.restrict(&asServer)
        var asClient = TLSConfiguration.makeClientConfiguration()
        asClient.certificateChain = [.certificate(certificate)]
        asClient.privateKey = .privateKey(key)
        LinkSecurity.restrict(&asClient)
        server = try NIOSSLContext(configuration: asServer)
        client = try NIOSSLContext(configuration: asClient)
    }

    private static func restrict(_ configuration: inout TLSConfiguration) {
        configuration.minimumTLSVersion = .tlsv13
        configuration.maximumTLSVersion = .tlsv13
        // Both ends must say so: a server asks for a certificate only then, and a client would otherwise still compare
        // a host name after our own check. The check itself is the callback's.
        configuration.certificateVerification = .noHostnameVerification
        // No authority is trusted, and loading the system's would cost megabytes.
        configuration.trustRoots = .certificates([])
        configuration.shutdownTimeout = .seconds(1)
    }

    func serverHandler() -> NIOSSLServerHandler {
        NIOSSLServerHandler(context: server, customVerificationCallback: verification(expecting: nil))
    }

    func clientHandler(expecting: PeerID?) throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(
            context: client,
            serverHostname: nil,
            customVerificationCallback: verification(expecting: expecting)
        )
    }

    /// Looks at the leaf alone. It only answers: the TLS handler must not be entered again from here.
    private func verification(expecting: PeerID?) -> NIOSSLCustomVerificationCallback {
        { [own] certificates, promise in
            guard let leaf = certificates.first, let owner = Identity.owner(of: leaf), owner.id != own,
                expecting == nil || expecting == owner.id
            else {
                promise.succeed(.failed)
                return
            }
            promise.succeed(.certificateVerified)
        }
    }
}

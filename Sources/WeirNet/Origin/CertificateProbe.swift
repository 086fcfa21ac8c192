import NIOCore
import NIOPosix
import NIOSSL
import WeirCore

/// Looks at a certificate that was refused, to say why in words that help (F13): TLS libraries only say "failed".
///
/// The probe makes a handshake of its own that always fails, sends no request, and gives up after two seconds.
enum CertificateProbe {
    static func explain(host: String, port: Int, on loop: any EventLoop) -> EventLoopFuture<String> {
        let answer = loop.makePromise(of: String.self)
        let isName = (try? SocketAddress(ipAddress: host, port: port)) == nil
        let connection = ClientBootstrap(group: loop)
            .connectTimeout(.seconds(2))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let context = try NIOSSLContext(configuration: .makeClientConfiguration())
                    let handler = try NIOSSLClientHandler(
                        context: context,
                        serverHostname: isName ? host : nil,
                        customVerificationCallback: { chain, verified in
                            answer.succeed(reason(chain.first, unixSeconds: WallClock.milliseconds() / 1000))
                            verified.succeed(.failed)
                        }
                    )
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .connect(host: host, port: port)
        let limit = loop.scheduleTask(in: .seconds(2)) { answer.succeed(FetchFailure.notTrusted) }
        connection.whenFailure { _ in answer.succeed(FetchFailure.notTrusted) }
        answer.futureResult.whenComplete { _ in
            limit.cancel()
            connection.whenSuccess { $0.close(promise: nil) }
        }
        return answer.futureResult
    }

    private static func reason(_ leaf: NIOSSLCertificate?, unixSeconds now: Int64) -> String {
        guard let leaf else { return FetchFailure.notTrusted }
        return reason(notBefore: Int64(leaf.notValidBefore), notAfter: Int64(leaf.notValidAfter), now: now)
    }

    /// All in seconds since 1970.
    static func reason(notBefore: Int64, notAfter: Int64, now: Int64) -> String {
        if notAfter < now { return "the certificate expired on \(HTTPDate.format(notAfter))" }
        if notBefore > now {
            return "the certificate is valid from \(HTTPDate.format(notBefore)) on: is this machine's clock right?"
        }
        return "the certificate is self-signed, or its issuer is not trusted by this machine"
    }
}

package import NIOCore
import WeirCore

/// How the agent talks to origins and edges.
package struct OriginSettings: Sendable {
    /// Name lookup, TCP and TLS handshakes together. A black hole (no answer to SYN) is found by then.
    package var connectTimeout: TimeAmount = .seconds(5)
    /// Longest silence in an exchange whose answer is small and needed at once: manifests, keys.
    package var manifestIdleTimeout: TimeAmount = .seconds(10)
    /// Longest silence in an exchange that carries media. The core's deadline rule usually gives up far earlier.
    package var segmentIdleTimeout: TimeAmount = .seconds(15)
    /// PEM files of certificate authorities that are trusted beside the system's.
    package var extraTrustRoots: [String] = []
    /// Addresses that stand for host names, instead of what DNS says.
    package var hostAddresses: [String: String] = [:]
    /// Sent unless the core gives another.
    package var userAgent = "weir/0.1"
    /// HTTP/1.1 connections to one host. Fetches beyond it wait; the core asks for far fewer.
    package var connectionsPerHost = 64

    package init() {}

    func idleTimeout(for purpose: FetchRequest.Purpose) -> TimeAmount {
        switch purpose {
        case .manifest, .key, .other: manifestIdleTimeout
        case .segment, .audit: segmentIdleTimeout
        }
    }
}

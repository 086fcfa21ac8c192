import AsyncHTTPClient
import NIOCore
package import WeirCore

/// An `http://HOST:PORT/PATH` of this machine, taken apart.
package struct WebAddress: Sendable {
    package let address: PeerAddress
    package let path: String

    package init(_ url: String) throws(LabError) {
        guard let parsed = try? WebURL(parsing: url) else { throw LabError("not a URL: \(url)") }
        let authority = url.dropFirst("http://".count).prefix { $0 != "/" }
        guard let colon = authority.lastIndex(of: ":"), let port = Int(authority[authority.index(after: colon)...])
        else { throw LabError("a URL without port: \(parsed)") }
        address = PeerAddress(host: String(authority[..<colon]), port: port)
        path = String(url.dropFirst("http://".count + authority.count))
    }

    /// What a GET of it answers, at most 1 MiB.
    package func body() async throws -> [UInt8] {
        let response = try await HTTPClient.shared.execute(
            HTTPClientRequest(url: "http://\(address)\(path)"),
            timeout: .seconds(10)
        )
        return Array(try await response.body.collect(upTo: 1 << 20).readableBytesView)
    }

    /// The paths of the segments that a media playlist under this address lists, in order.
    package func listedPaths() async throws -> [String] {
        let text = String(decoding: try await body(), as: UTF8.self)
        let folder = String(path[...(path.lastIndex(of: "/") ?? path.startIndex)])
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            line.hasPrefix("http://") || line.hasPrefix("/") ? String(line) : folder + String(line)
        }
    }
}

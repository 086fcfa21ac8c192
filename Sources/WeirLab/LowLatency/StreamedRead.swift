import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// A body that was read as it came, with the times of its bytes.
package struct StreamedRead: Sendable {
    package var bytes: [UInt8]
    /// Content-Length, if it was stated.
    package var length: Int?
    package var firstByte: ContinuousClock.Instant
    package var lastByte: ContinuousClock.Instant

    /// - Throws: a `LabError` when the answer is not 200 or empty, and what the HTTP client throws.
    package static func get(_ url: String) async throws -> StreamedRead {
        let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(30))
        guard response.status == .ok else { throw LabError("\(url) answered \(response.status.code)") }
        var bytes: [UInt8] = []
        var first: ContinuousClock.Instant?
        for try await piece in response.body {
            if first == nil { first = .now }
            bytes += piece.readableBytesView
        }
        guard let first else { throw LabError("\(url) is empty") }
        let length = response.headers.first(name: "content-length").flatMap { Int($0) }
        return StreamedRead(bytes: bytes, length: length, firstByte: first, lastByte: .now)
    }
}

import Crypto
package import NIOCore
import WeirCore

/// What a lab origin serves: a path becomes bytes, or nothing (404).
package protocol OriginContent: Sendable {
    /// - Parameter path: without query, beginning with `/`, as received.
    func resource(path: String) async -> OriginResource?

    /// For content that looks at more than the path, or whose bytes are still being made. It may take its time.
    ///
    /// - Throws: `CancellationError` when the origin stops; the connection is closed without an answer.
    func answer(_ request: OriginRequest) async throws -> OriginAnswer
}

extension OriginContent {
    package func answer(_ request: OriginRequest) async throws -> OriginAnswer {
        await resource(path: request.path).map { .resource($0) } ?? .status(404)
    }
}

/// A GET or HEAD as an origin's content sees it.
package struct OriginRequest: Sendable {
    /// Without query, beginning with `/`, as received.
    package var path: String
    /// Behind the question mark, as received.
    package var query: String?
    /// The Range header as received.
    package var range: String?

    /// The value of a query parameter, percent-encoding left as it is.
    package func parameter(_ name: String) -> String? {
        query?.split(separator: "&").first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
    }
}

/// What content answers to a request.
package enum OriginAnswer: Sendable {
    /// Bytes that are there; the origin picks the range that was asked.
    case resource(OriginResource)
    /// A status without content.
    case status(Int)
    /// Bytes that are being made.
    case growing(GrowingBody)
}

/// A body that leaves piece by piece as it is made.
package struct GrowingBody: Sendable {
    /// 200 or 206
    package var status: Int
    package var fields: [(String, String)]
    /// Content-Length, where it is known and stated; otherwise the body has the chunked coding.
    package var length: Int?
    /// Waits for a piece, by its number from 0; nil after the last. Throwing cuts the connection.
    package var piece: @Sendable (_ number: Int) async throws -> ByteBuffer?
}

/// The bytes of one path.
package struct OriginResource: Sendable {
    package var bytes: ByteBuffer
    package var contentType: String
    /// Playlists of live streams change: they carry no validator and are not to be stored.
    package var changes: Bool
    /// Of the whole; made once, because every range of a segment states them. Empty for what changes.
    private(set) var sha256: [UInt8] = []
    fileprivate var md5: [UInt8] = []

    package init(bytes: ByteBuffer, contentType: String, changes: Bool = false) {
        self.bytes = bytes
        self.contentType = contentType
        self.changes = changes
        guard !changes else { return }
        let all = Array(bytes.readableBytesView)
        sha256 = Array(SHA256.hash(data: all))
        md5 = Array(Insecure.MD5.hash(data: all))
    }

    /// The usual media types of HLS (RFC 8216 4, RFC 3555), by the path's suffix.
    static func contentType(ofPath path: String) -> String {
        switch path.split(separator: ".").last {
        case "m3u8": "application/vnd.apple.mpegurl"
        case "ts": "video/mp2t"
        case "mp4", "m4s": "video/mp4"
        case "aac": "audio/aac"
        case "vtt": "text/vtt"
        default: "application/octet-stream"
        }
    }
}

/// Which digests of the whole body an origin states beside it.
package struct OriginDigests: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// `Content-MD5` (RFC 1864), with 200 answers alone.
    package static let contentMD5 = OriginDigests(rawValue: 1)
    /// `Repr-Digest: sha-256=:…:` (RFC 9530).
    package static let reprDigest = OriginDigests(rawValue: 2)
    /// An `ETag` that is the MD5 of the body, as object stores make it. Otherwise the ETag is opaque.
    package static let entityTagMD5 = OriginDigests(rawValue: 4)
    /// No ETag at all.
    package static let noEntityTag = OriginDigests(rawValue: 8)

    func fields(for resource: OriginResource, status: Int) -> [(String, String)] {
        guard !resource.changes else { return [("Cache-Control", "no-store")] }
        var fields: [(String, String)] = []
        if contains(.entityTagMD5) {
            fields.append(("ETag", "\"\(resource.md5.hexadecimal)\""))
        } else if !contains(.noEntityTag) {
            fields.append(("ETag", "\"lab-\(resource.sha256.prefix(10).hexadecimal)\""))
        }
        if contains(.contentMD5), status == 200 {
            fields.append(("Content-MD5", base64(resource.md5)))
        }
        if contains(.reprDigest) { fields.append(("Repr-Digest", "sha-256=:\(base64(resource.sha256)):")) }
        return fields
    }
}

/// RFC 4648 section 4.
func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let part = bytes[start..<min(start + 3, bytes.count)]
        let word = part.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - part.count))
        for place in 0..<4 {
            let digit = alphabet[Int(word >> UInt32(18 - 6 * place)) & 63]
            text.append(place <= part.count ? digit : UInt8(ascii: "="))
        }
    }
    return String(decoding: text, as: UTF8.self)
}

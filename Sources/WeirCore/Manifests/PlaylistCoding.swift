/// The coding of a playlist's body (RFC 9110 8.4). Weir asks for none, and reads what servers send all the same.
enum PlaylistCoding {
    static func decoded(_ bytes: [UInt8], _ head: FetchHead, limits: Limits) throws(PlaylistError) -> [UInt8] {
        let coding = head.first("content-encoding")?.lowercased() ?? ""
        do throws(Inflate.Refusal) {
            // Stored compressed and sent without a word about it, too.
            if Inflate.isGzip(bytes) { return try Inflate.gzip(bytes, limit: limits.manifestBytes) }
            if coding == "deflate" { return try Inflate.zlib(bytes, limit: limits.manifestBytes) }
        } catch {
            switch error {
            case .tooLarge: throw .tooLarge(limit: limits.manifestBytes)
            case .malformed: throw .notHLS(firstBytes: "is compressed and damaged")
            }
        }
        guard ["", "identity", "gzip", "x-gzip"].contains(coding) else {
            throw .notHLS(firstBytes: "comes in the coding \"\(coding.prefix(20))\", which was not asked for")
        }
        return bytes
    }

    /// Whether a body is not what it would be without its coding.
    static func isCoded(_ head: FetchHead) -> Bool {
        guard let coding = head.first("content-encoding")?.lowercased() else { return false }
        return !coding.isEmpty && coding != "identity"
    }
}

/// Error pages that servers send with the status and the type of media.
enum ErrorPage {
    /// As many bytes of a body as it takes to tell.
    static let byteCount = 64

    /// No media begins like this.
    static func isLikely(_ bytes: [UInt8]) -> Bool {
        let start = bytes[...].drop { $0.isBlank || $0 == ASCII.lineFeed || $0 == ASCII.carriageReturn }
        let lower = start.map(\.lowercasedASCII)
        return ["<!doctype html", "<html", "<?xml version"].contains { lower.starts(with: $0.utf8) }
    }
}

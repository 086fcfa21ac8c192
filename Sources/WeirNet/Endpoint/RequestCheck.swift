import NIOHTTP1

/// Why a request is not answered as asked.
struct RequestRefusal: Error, Equatable {
    let status: Int
    let error: String
    let hint: String
}

/// Reads a request head as strictly as RFC 9112 allows, so that nobody in front of the endpoint can have read it
/// differently (F78, request smuggling).
struct RequestCheck {
    /// Path and query, beginning with `/`.
    let target: String
    /// From the `Host` field or an absolute target; nil for HTTP/1.0 without one.
    let authority: String?

    init(_ head: HTTPRequestHead) throws(RequestRefusal) {
        try Self.checkFraming(head)
        let hosts = head.headers["host"]
        guard hosts.count <= 1 else { throw Self.bad("more than one Host field") }
        var authority = hosts.first
        if authority == nil, head.version.minor > 0 { throw Self.bad("no Host field") }
        if head.uri.hasPrefix("/") {
            target = head.uri
        } else if let absolute = Self.absolute(head.uri) {
            (authority, target) = absolute
        } else {
            throw Self.bad("the request target does not begin with /")
        }
        guard target.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw Self.bad("the target is not percent-encoded")
        }
        self.authority = authority
    }

    private static func checkFraming(_ head: HTTPRequestHead) throws(RequestRefusal) {
        let lengths = head.headers["content-length"]
        let codings = head.headers["transfer-encoding"]
        if !codings.isEmpty {
            guard lengths.isEmpty else { throw bad("Content-Length beside Transfer-Encoding") }
            guard head.version.minor > 0 else { throw bad("Transfer-Encoding in HTTP/1.0") }
            guard codings.count == 1, codings[0].lowercased() == "chunked" else {
                throw bad("a Transfer-Encoding other than chunked")
            }
        }
        guard lengths.count <= 1 else { throw bad("more than one Content-Length") }
        if let length = lengths.first {
            guard !length.isEmpty, length.utf8.count < 19, length.utf8.allSatisfy({ (48...57).contains($0) }) else {
                throw bad("Content-Length is no number")
            }
        }
    }

    /// `http://authority/path`: servers must accept the form that proxies get (RFC 9112 3.2.2).
    private static func absolute(_ uri: String) -> (String, String)? {
        guard uri.lowercased().hasPrefix("http://") else { return nil }
        let rest = uri.dropFirst("http://".count)
        guard let slash = rest.firstIndex(of: "/") else { return (String(rest), "/") }
        return (String(rest[..<slash]), String(rest[slash...]))
    }

    private static func bad(_ reason: String) -> RequestRefusal {
        RequestRefusal(status: 400, error: "bad request: \(reason)", hint: "Send one well-formed HTTP/1.1 request.")
    }
}

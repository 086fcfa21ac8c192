/// An absolute `http` or `https` URL (RFC 3986), ready to be sent in a request line.
///
/// Scheme and host are in lower case, the default port is left out of the text, dot segments are removed and the
/// fragment is dropped, as none of these changes what is fetched. Percent-encoding is kept byte for byte; a character
/// that may not stand in a URL (a space, a non-ASCII letter) is percent-encoded as UTF-8.
package struct WebURL: Hashable, Sendable, CustomStringConvertible {
    package enum Scheme: String, Hashable, Sendable {
        case http
        case https

        package var defaultPort: Int { self == .http ? 80 : 443 }
    }

    package let scheme: Scheme
    /// In lower case. An IPv6 literal stands here without its brackets.
    package let host: String
    /// The port that is connected to, 1…65,535.
    package let port: Int
    /// Begins with `/`.
    package let path: String
    /// Without the `?`; nil when there is none.
    package let query: String?

    /// Bytes. Longer URLs are refused: no server takes them.
    package static let maximumByteCount = 8192

    init(scheme: Scheme, host: String, port: Int, path: String, query: String?) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
        self.query = query
    }

    package init?(_ text: String) {
        guard let url = try? WebURL(parsing: text) else { return nil }
        self = url
    }

    /// The whole URL.
    package var description: String {
        let base = "\(scheme.rawValue)://\(authority)\(path)"
        guard let query else { return base }
        return "\(base)?\(query)"
    }

    /// Host and, unless it is the scheme's default, port: the value of a `Host` field (RFC 9110 7.2).
    package var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == scheme.defaultPort ? name : "\(name):\(port)"
    }

    /// What may be logged or shown: queries often carry tokens.
    package var withoutQuery: WebURL { WebURL(scheme: scheme, host: host, port: port, path: path, query: nil) }

    /// The part of the path behind its last `/`; empty for a directory.
    package var lastPathPart: String {
        path.utf8.lastIndex(of: ASCII.slash).map { String(path[path.utf8.index(after: $0)...]) } ?? path
    }

    /// The path up to and including its last `/`.
    package var directory: String {
        path.utf8.lastIndex(of: ASCII.slash).map { String(path[...$0]) } ?? "/"
    }

    /// `scheme://host:port` (RFC 6454), the same for every URL that one server answers.
    package var originKey: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return "\(scheme.rawValue)://\(name):\(port)"
    }

    /// What agents that play the same stream agree on, whatever their scheme, tokens and session ids: host, path and
    /// only the named query parameters, sorted.
    package func normalisedForSwarm(keepingQueryKeys kept: Set<String> = []) -> String {
        guard let query, !kept.isEmpty else { return authority + path }
        let parameters = query.split(separator: "&").filter { parameter in
            kept.contains(String(parameter.prefix { $0 != "=" }))
        }
        guard !parameters.isEmpty else { return authority + path }
        return "\(authority)\(path)?\(parameters.sorted().joined(separator: "&"))"
    }
}

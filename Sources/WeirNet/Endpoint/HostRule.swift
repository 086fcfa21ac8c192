/// Decides by which names the endpoint may be called (F79).
///
/// A page of a foreign site can make a browser resolve the site's name to 127.0.0.1 (DNS rebinding) and then read what
/// the endpoint answers. It cannot make the browser send another `Host` than that name, so only names that are ours
/// pass. Address literals are safe: they cannot be rebound.
struct HostRule {
    let extraHosts: Set<String>
    /// The host the endpoint was told to listen on, lower case, without brackets.
    let listenHost: String
    let port: Int

    init(extraHosts: [String], listenHost: String, port: Int) {
        self.extraHosts = Set(extraHosts.map { $0.lowercased() })
        self.listenHost = Self.unbracketed(listenHost.lowercased())
        self.port = port
    }

    /// - Parameters:
    ///   - authority: the `Host` field, or the authority of an absolute target.
    ///   - localAddress: the connection's own address, for an endpoint that listens on all of them.
    func accepts(authority: String, localAddress: String?) -> Bool {
        guard let (host, port) = Self.split(authority.lowercased()) else { return false }
        guard (port ?? 80) == self.port else { return extraHosts.contains(authority.lowercased()) }
        if host == "localhost" || host == "::1" || host == listenHost || host == localAddress { return true }
        return Self.isLoopback4(host) || extraHosts.contains(host)
    }

    /// Whether a page of this `Origin` (RFC 6454) is one of our own.
    func accepts(origin: String, localAddress: String?) -> Bool {
        let text = origin.lowercased()
        for scheme in ["http://", "https://"] where text.hasPrefix(scheme) {
            return accepts(authority: String(text.dropFirst(scheme.count)), localAddress: localAddress)
        }
        return false
    }

    private static func split(_ authority: String) -> (host: String, port: Int?)? {
        var host = Substring(authority)
        var port: Int?
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            let digits = authority[authority.index(after: colon)...]
            guard !digits.isEmpty, digits.utf8.count <= 5, digits.utf8.allSatisfy({ (48...57).contains($0) }),
                let number = Int(digits)
            else { return nil }
            port = number
            host = authority[..<colon]
        }
        let bare = unbracketed(String(host))
        guard !bare.isEmpty, host.hasPrefix("[") == bare.contains(":") else { return nil }
        return (bare, port)
    }

    private static func unbracketed(_ host: String) -> String {
        host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }

    /// 127.0.0.0/8, in the one form that has no second reading: four decimal numbers.
    private static func isLoopback4(_ host: String) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "127" else { return false }
        return parts.allSatisfy { part in
            part.utf8.count <= 3 && part.utf8.allSatisfy { (48...57).contains($0) }
                && (Int(part).map { $0 < 256 } ?? false)
        }
    }
}

extension WebURL {
    /// The same resource at an edge: the edge's base path followed by the origin's path, the query kept.
    func atEdge(_ edge: WebURL) -> WebURL {
        let base = edge.path.hasSuffix("/") ? String(edge.path.dropLast()) : edge.path
        return WebURL(scheme: edge.scheme, host: edge.host, port: edge.port, path: base + path, query: query)
    }
}

extension NetworkPrefix {
    /// The network that an address counts as when trust is given by network: /24 of IPv4, /48 of IPv6.
    static func enclosing(_ host: String) -> String { name(of: host, bytes: 3, sixthBytes: 6) }

    /// What one subscriber's line has, however many names speak behind it: an address of IPv4, a /64 of IPv6.
    static func line(of host: String) -> String { name(of: host, bytes: 4, sixthBytes: 8) }

    private static func name(of host: String, bytes: Int, sixthBytes: Int) -> String {
        let count = host.contains(":") ? sixthBytes : bytes
        guard let prefix = NetworkPrefix("\(host)/\(8 * count)") else { return host }
        return prefix.address.prefix(count).map { UInt8($0) }.hexadecimal
    }
}

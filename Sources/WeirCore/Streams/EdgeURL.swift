extension WebURL {
    /// The same resource at an edge: the edge's base path followed by the origin's path, the query kept.
    func atEdge(_ edge: WebURL) -> WebURL {
        let base = edge.path.hasSuffix("/") ? String(edge.path.dropLast()) : edge.path
        return WebURL(scheme: edge.scheme, host: edge.host, port: edge.port, path: base + path, query: query)
    }
}

extension NetworkPrefix {
    /// The network that an address counts as when trust is given by network: /24 of IPv4, /48 of IPv6.
    static func enclosing(_ host: String) -> String {
        let isSixth = host.contains(":")
        guard let prefix = NetworkPrefix("\(host)/\(isSixth ? 48 : 24)") else { return host }
        return prefix.address.prefix(isSixth ? 6 : 3).map { UInt8($0) }.hexadecimal
    }
}

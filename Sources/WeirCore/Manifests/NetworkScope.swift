/// How far a host can be reached from, which decides who may send us there.
package enum NetworkScope: Hashable, Sendable {
    /// This machine. Also the unspecified address, which Linux connects to itself.
    case loopback
    /// This link (RFC 3927, RFC 4291 2.5.6), where clouds keep their metadata services; multicast and broadcast too.
    case linkLocal
    /// This site: RFC 1918, RFC 4193, carrier-grade NAT (RFC 6598), benchmarking (RFC 2544), reserved (240.0.0.0/4).
    case privateNetwork
    case publicNetwork
    /// A name: its scope is known when it has been resolved.
    case name

    /// - Parameter host: a literal address, with or without brackets, or a name.
    package init(host: String) {
        if let address = IPAddress(host) {
            self.init(address)
            return
        }
        var name = host.lowercased()[...]
        if name.hasSuffix(".") { name = name.dropLast() }
        self = name == "localhost" || name.hasSuffix(".localhost") ? .loopback : .name
    }

    package init(_ address: IPAddress) {
        let plain = address.unmapped
        self = NetworkScope.table.first { $0.prefix.contains(plain) }?.scope ?? .publicNetwork
    }

    /// Whether something at this scope may send us to `target`: never to a narrower one. An unresolved name counts as
    /// public when it names others; as a target it has to be asked about again once it is resolved.
    package func mayName(_ target: NetworkScope) -> Bool {
        target == .name || target.width >= width
    }

    /// Order of widening: loopback, link, private, public.
    var width: Int {
        switch self {
        case .loopback: 0
        case .linkLocal: 1
        case .privateNetwork: 2
        case .publicNetwork, .name: 3
        }
    }

    package var noun: String {
        switch self {
        case .loopback: "this machine"
        case .linkLocal: "a link-local address"
        case .privateNetwork: "a private address"
        case .publicNetwork: "a public address"
        case .name: "a host name"
        }
    }

    private static let table: [(prefix: NetworkPrefix, scope: NetworkScope)] = {
        let rows: [(String, NetworkScope)] = [
            ("127.0.0.0/8", .loopback), ("0.0.0.0/8", .loopback), ("::1", .loopback), ("::", .loopback),
            ("169.254.0.0/16", .linkLocal), ("224.0.0.0/4", .linkLocal), ("255.255.255.255", .linkLocal),
            ("fe80::/10", .linkLocal), ("ff00::/8", .linkLocal),
            ("10.0.0.0/8", .privateNetwork), ("172.16.0.0/12", .privateNetwork), ("192.168.0.0/16", .privateNetwork),
            ("100.64.0.0/10", .privateNetwork), ("198.18.0.0/15", .privateNetwork), ("240.0.0.0/4", .privateNetwork),
            ("fc00::/7", .privateNetwork), ("fec0::/10", .privateNetwork),
            // IPv4-compatible addresses (RFC 4291 2.5.5.1, deprecated) mean nothing public.
            ("::/96", .loopback),
        ]
        return rows.compactMap { text, scope in NetworkPrefix(text).map { ($0, scope) } }
    }()
}

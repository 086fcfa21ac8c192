package import WeirCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Reading `HOST:PORT` and CIDR texts.
package enum AddressText {
    /// `127.0.0.1:8090`, `[::1]:8090`, `box.lan:8090`; with a default host also `:8090` or `8090`.
    package static func hostAndPort(_ text: String, defaultHost: String? = nil) -> PeerAddress? {
        var host = ""
        var portText = Substring(text)
        if text.hasPrefix("[") {
            guard let bracket = text.firstIndex(of: "]") else { return nil }
            host = String(text[text.index(after: text.startIndex)..<bracket])
            guard NetworkPrefix.bytes(ofAddress: host)?.count == 16 else { return nil }
            portText = text[text.index(after: bracket)...]
            guard portText.first == ":" else { return nil }
            portText = portText.dropFirst()
        } else if let colon = text.lastIndex(of: ":") {
            host = String(text[..<colon])
            // Which colon ends an IPv6 address cannot be told without brackets.
            guard !host.contains(":") else { return nil }
            portText = text[text.index(after: colon)...]
        }
        if host.isEmpty, let defaultHost { host = defaultHost }
        guard isHost(host), let port = port(portText) else { return nil }
        return PeerAddress(host: host, port: port)
    }

    /// 0…65535, digits only.
    static func port(_ text: some StringProtocol) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 5, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        guard let port = Int(text), port <= 65_535 else { return nil }
        return port
    }

    /// `192.168.0.0/16`, `fd00::/8`; a bare address means that host alone.
    static func network(_ text: String) -> NetworkPrefix? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = NetworkPrefix.bytes(ofAddress: String(parts[0])) else { return nil }
        guard parts.count == 2 else { return NetworkPrefix(address: address, length: address.count * 8) }
        guard let length = port(parts[1]), length <= address.count * 8 else { return nil }
        return NetworkPrefix(address: address, length: length)
    }

    /// The host of a URL with an authority (RFC 3986 3.2.2), without brackets; empty when it has none.
    static func host(ofURL url: String) -> String {
        var slashes = 0
        let rest = url.drop { character in
            if character == "/" { slashes += 1 }
            return slashes < 2 || character == "/"
        }
        let authority = rest.prefix { !"/?#".contains($0) }
        let place = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        if place.first == "[" { return String(place.dropFirst().prefix { $0 != "]" }) }
        return String(place.prefix { $0 != ":" })
    }

    private static func isHost(_ text: String) -> Bool {
        if NetworkPrefix.bytes(ofAddress: text) != nil { return true }
        return !text.isEmpty && text.utf8.count <= 253
            && text.utf8.allSatisfy { byte in
                (byte >= 48 && byte <= 57) || (byte | 32 >= 97 && byte | 32 <= 122) || byte == 45 || byte == 46
                    || byte == 95
            }
    }
}

extension NetworkPrefix {
    /// The 4 or 16 bytes of a literal address.
    package static func bytes(ofAddress text: String) -> [UInt8]? {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if inet_pton(family, text, &bytes) == 1 { return bytes }
        }
        return nil
    }
}

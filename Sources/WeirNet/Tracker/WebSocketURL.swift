/// The address of a WebSocket server (RFC 6455 3): `ws://host[:port]/path` or `wss://…`.
package struct WebSocketURL: Equatable, Sendable {
    package var isSecure: Bool
    /// A name or a literal address, IPv6 without its brackets.
    package var host: String
    package var port: Int
    /// Path and query, beginning with `/`.
    package var target: String

    /// - Returns: nil when the text is no such address. User names and fragments are refused.
    package init?(_ text: String) {
        let lowered = text.lowercased()
        let scheme = lowered.hasPrefix("ws://") ? "ws://" : lowered.hasPrefix("wss://") ? "wss://" : nil
        guard let scheme, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        isSecure = scheme == "wss://"
        let rest = text.dropFirst(scheme.count)
        guard !rest.contains("#") else { return nil }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let authority = rest[..<end]
        let path = rest[end...]
        target = path.hasPrefix("/") ? String(path) : "/" + path
        guard !authority.contains("@") else { return nil }
        var portText: Substring?
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { return nil }
            host = String(authority[..<close].dropFirst())
            let after = authority[authority.index(after: close)...]
            guard after.isEmpty || after.hasPrefix(":") else { return nil }
            portText = after.isEmpty ? nil : after.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = String(authority[..<colon])
            portText = authority[authority.index(after: colon)...]
        } else {
            host = String(authority)
        }
        guard !host.isEmpty else { return nil }
        guard let portText else {
            port = isSecure ? 443 : 80
            return
        }
        guard let number = UInt16(portText), number > 0 else { return nil }
        port = Int(number)
    }

    /// The `Host` field.
    var hostField: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }
}

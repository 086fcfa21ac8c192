#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How far an address reaches, narrowest first (RFC 6890 names the blocks).
///
/// A name counts as global unless its form says otherwise: what it resolves to is not looked up here.
enum AddressScope: Int, Comparable {
    case loopback, linkLocal, site, global

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// - Parameter host: a literal address, in brackets or not, or a name.
    init(host: String) {
        let name = host.lowercased().filter { $0 != "[" && $0 != "]" }
        if let bytes = Self.bytes(of: name, family: AF_INET, count: 4) {
            self.init(v4: bytes)
        } else if let bytes = Self.bytes(of: name, family: AF_INET6, count: 16) {
            self.init(v6: bytes)
        } else if name == "localhost" || name.hasSuffix(".localhost") {
            self = .loopback
        } else if Self.isNumeric(name) {
            // `127.1`, `0x7f000001`, `2130706433`: the system's resolver reads them as addresses, nobody needs them.
            self = .loopback
        } else if !name.contains(".") || [".local", ".lan", ".internal", ".home.arpa"].contains(where: name.hasSuffix) {
            self = .site
        } else {
            self = .global
        }
    }

    private static func bytes(of text: String, family: CInt, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }

    private static func isNumeric(_ name: String) -> Bool {
        guard let last = name.split(separator: ".").last else { return false }
        return last.utf8.allSatisfy { (48...57).contains($0) } || last.hasPrefix("0x")
    }

    private init(v4 bytes: [UInt8]) {
        switch (bytes[0], bytes[1]) {
        case (127, _), (0, _): self = .loopback
        case (169, 254): self = .linkLocal
        case (10, _), (192, 168), (172, 16...31), (100, 64...127): self = .site
        default: self = .global
        }
    }

    private init(v6 bytes: [UInt8]) {
        if bytes[0..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xff, bytes[11] == 0xff {
            self.init(v4: Array(bytes[12...]))
        } else if bytes[0..<15].allSatisfy({ $0 == 0 }) {
            self = .loopback
        } else if bytes[0] == 0xfe, bytes[1] & 0xc0 == 0x80 {
            self = .linkLocal
        } else if bytes[0] & 0xfe == 0xfc {
            self = .site
        } else {
            self = .global
        }
    }
}

/// Why a text is no URL that weir can fetch, in words for the user who typed it.
package enum WebURLRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    case empty
    case notAbsolute
    case scheme(String)
    case controlCharacter
    case tooLong
    case noHost
    case host(String)
    case port
    case userInformation

    package var description: String {
        switch self {
        case .empty: "the URL is empty"
        case .notAbsolute: "the URL must be whole and begin with http:// or https://"
        case .scheme(let name): "weir fetches http:// and https:// URLs only, not \(name):"
        case .controlCharacter: "the URL contains a control character or a line break"
        case .tooLong: "the URL is longer than \(WebURL.maximumByteCount) bytes"
        case .noHost: "the URL names no host"
        case .host(let name): "\"\(name)\" is not a valid host name or address"
        case .port: "the URL's port must be a number from 1 to 65535"
        case .userInformation: "a user name or password inside the URL is not supported"
        }
    }
}

extension WebURL {
    /// - Parameter text: an absolute URL; blanks around it are ignored.
    package init(parsing text: String) throws(WebURLRefusal) {
        try self.init(parsing: Array(text.utf8)[...])
    }

    init(parsing bytes: ArraySlice<UInt8>) throws(WebURLRefusal) {
        let text = bytes.trimmingBlanks
        guard !text.isEmpty else { throw .empty }
        guard text.count <= WebURL.maximumByteCount else { throw .tooLong }
        guard !text.contains(where: { $0.isASCIIControl }) else { throw .controlCharacter }
        guard let colon = WebURL.schemeEnd(text) else { throw .notAbsolute }
        let name = text[..<colon].map(\.lowercasedASCII)[...].text
        guard let scheme = Scheme(rawValue: name) else {
            // `host:8080/path` looks like a scheme; say what is missing instead of naming a "scheme".
            throw text[(colon + 1)...].first?.isASCIIDigit == true ? .notAbsolute : .scheme(String(name.prefix(20)))
        }
        try self.init(scheme: scheme, hierarchy: text[(colon + 1)...])
    }

    /// - Parameter hierarchy: what follows the scheme's colon: `//authority/path?query#fragment`.
    init(scheme: Scheme, hierarchy: ArraySlice<UInt8>) throws(WebURLRefusal) {
        guard hierarchy.starts(with: [ASCII.slash, ASCII.slash]) else { throw .notAbsolute }
        let rest = hierarchy.dropFirst(2)
        let end = rest.firstIndex { $0 == ASCII.slash || $0 == ASCII.question || $0 == ASCII.number } ?? rest.endIndex
        let (host, port) = try WebURL.hostAndPort(rest[..<end], scheme: scheme)
        let (path, query) = WebURL.pathAndQuery(rest[end...])
        self.init(
            scheme: scheme,
            host: host,
            port: port,
            path: WebURL.removingDotSegments(path.isEmpty ? [ASCII.slash] : path[...])[...].text,
            query: query
        )
        guard byteCount <= WebURL.maximumByteCount else { throw .tooLong }
    }

    /// The index of the colon behind a scheme (RFC 3986 3.1); nil when the text has none.
    static func schemeEnd(_ text: ArraySlice<UInt8>) -> Int? {
        guard text.first?.isASCIILetter == true else { return nil }
        for index in text.indices {
            let byte = text[index]
            if byte == ASCII.colon { return index }
            guard byte.isASCIIAlphanumeric || byte == ASCII.plus || byte == ASCII.minus || byte == ASCII.dot else {
                return nil
            }
        }
        return nil
    }

    /// Cuts off the fragment, splits at the first `?` and encodes what may not stand in a URL.
    static func pathAndQuery(_ text: ArraySlice<UInt8>) -> (path: [UInt8], query: String?) {
        let end = text.firstIndex(of: ASCII.number) ?? text.endIndex
        let question = text[..<end].firstIndex(of: ASCII.question)
        var path: [UInt8] = []
        for byte in text[..<(question ?? end)] {
            PercentEncoding.append(byte, to: &path, keeping: PercentEncoding.isPathByte)
        }
        guard let question else { return (path, nil) }
        var query: [UInt8] = []
        for byte in text[(question + 1)..<end] {
            PercentEncoding.append(byte, to: &query, keeping: PercentEncoding.isQueryByte)
        }
        return (path, query[...].text)
    }

    /// Bytes of `description`, near enough and never less.
    var byteCount: Int { host.utf8.count + path.utf8.count + (query?.utf8.count ?? 0) + 20 }

    private static func hostAndPort(
        _ authority: ArraySlice<UInt8>,
        scheme: Scheme
    ) throws(WebURLRefusal) -> (String, Int) {
        guard !authority.contains(ASCII.at) else { throw .userInformation }
        var hostEnd = authority.firstIndex(of: ASCII.colon) ?? authority.endIndex
        if authority.first == ASCII.leftBracket {
            guard let bracket = authority.firstIndex(of: ASCII.rightBracket) else { throw .host(authority.text) }
            hostEnd = bracket + 1
        }
        let host = try checkedHost(authority[..<hostEnd])
        let rest = authority[hostEnd...]
        guard let colon = rest.first else { return (host, scheme.defaultPort) }
        guard colon == ASCII.colon else { throw .host(authority.text) }
        if rest.count == 1 { return (host, scheme.defaultPort) }
        guard let port = DecimalText.integer(rest.dropFirst()), (1...65_535).contains(port) else { throw .port }
        return (host, Int(port))
    }

    private static func checkedHost(_ bytes: ArraySlice<UInt8>) throws(WebURLRefusal) -> String {
        let text = bytes.map(\.lowercasedASCII)[...].text
        guard !bytes.isEmpty else { throw .noHost }
        if bytes.first == ASCII.leftBracket {
            let inner = String(text.dropFirst().dropLast())
            guard let address = IPAddress(inner), address.bytes.count == 16, !inner.contains("%") else {
                throw .host(text)
            }
            return inner
        }
        guard bytes.count <= 253, bytes.allSatisfy({ $0.isASCIIAlphanumeric || "-._~".utf8.contains($0) }) else {
            throw .host(String(text.prefix(80)))
        }
        // Resolvers read `127.1`, `0x7f000001` and `2130706433` as addresses; only the plain form may be one, so that
        // nobody hides a private address in another spelling (WHATWG URL, "ends in a number").
        if endsInNumber(text), IPAddress(text) == nil { throw .host(text) }
        guard !text.hasPrefix("."), !text.contains("..") else { throw .host(text) }
        return text
    }

    private static func endsInNumber(_ host: String) -> Bool {
        guard let last = host.split(separator: ".").last else { return false }
        if last.utf8.allSatisfy(\.isASCIIDigit) { return true }
        return last.hasPrefix("0x") && last.dropFirst(2).utf8.allSatisfy { $0.hexadecimalDigit != nil }
    }
}

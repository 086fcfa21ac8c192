import WeirCore

/// URLs, references and local paths are read, written and read again as the same; ranges lie within what they are of.
enum AddressRules {
    private static let base = WebURL("https://origin.example:8443/a/b/c.m3u8?t=1")

    /// - Parameter bytes: texts, one per line; each is tried as everything.
    static func check(_ bytes: [UInt8]) throws(Fault) {
        for line in bytes.split(separator: 0x0A, maxSplits: 15, omittingEmptySubsequences: false) {
            let text = String(decoding: line, as: UTF8.self)
            if let url = WebURL(text) { try check(url, "URL \(text)") }
            if let url = base?.resolve(text) { try check(url, "reference \(text)") }
            try checkPath(text)
            try checkRange(text)
            try checkDirectives(text)
            try demandEqual(PercentEncoding.decode(PercentEncoding.encode(text)), text, "percent-encoded text")
            if let address = IPLiteral(text) { try demandEqual(IPLiteral(address.description), address, "address") }
            if let base {
                var rule = RedirectRule(origin: base)
                if case .follow(let url) = rule.follow(status: 302, location: text) { try check(url, "redirect") }
            }
        }
    }

    private static func check(_ url: WebURL, _ what: String) throws(Fault) {
        let text = url.description
        try demandEqual(WebURL(text), url, what)
        try demand(text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "\(what) has bytes that no URL has")
        try demand(url.path.hasPrefix("/"), "\(what) has a path that is none")
        try demandEqual(url.directory + url.lastPathPart, url.path, "path of \(what)")
        try demandEqual(url.resolve(""), url, "\(what), resolved by nothing")
        try demandEqual(url.resolve(text), url, "\(what), resolved by itself")
        try demandEqual(base?.resolve(text), url, "\(what), resolved elsewhere")
        try demand((1...65_535).contains(url.port), "port of \(what)")
        try demandEqual(WebURL("\(url.scheme.rawValue)://\(url.authority)/")?.host, url.host, "host of \(what)")
    }

    private static func checkPath(_ text: String) throws(Fault) {
        guard let path = LocalPath(target: text) else { return }
        try demandEqual(LocalPath(target: path.text), path, "local path")
        if case .play = path { return }
        // One spelling only.
        try demandEqual(String(text.prefix { $0 != "?" }), path.text, "spelling")
    }

    private static func checkRange(_ text: String) throws(Fault) {
        for length in [nil, 0, 1, 1000, Int64.max] as [Int64?] {
            guard case .range(let range) = RangeHeader.parse(text, length: length) else { continue }
            guard let length else { throw Fault("a range of what has no known length: \(text)") }
            try demand(range.lowerBound >= 0 && range.upperBound <= length && !range.isEmpty, "range \(range)")
        }
    }

    private static func checkDirectives(_ text: String) throws(Fault) {
        guard var directives = DeliveryDirectives(target: text), let base else { return }
        let url = directives.added(to: base)
        try check(url, "reload")
        // A part alone says nothing.
        if directives.sequence == nil { directives.part = nil }
        try demandEqual(DeliveryDirectives(target: "\(url.path)?\(url.query ?? "")"), directives, "directives")
    }
}

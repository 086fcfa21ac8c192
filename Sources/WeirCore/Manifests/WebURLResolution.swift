/// Reference resolution (RFC 3986 5.2).
extension WebURL {
    /// What a reference inside a document from this URL points to.
    ///
    /// Nil for other schemes than http and https (`data:`, `file:`, `skd:`), for control characters, for a broken
    /// authority and for what gets too long.
    package func resolve(_ reference: String) -> WebURL? {
        resolve(Array(reference.utf8)[...])
    }

    /// The same for bytes as a manifest has them; they need not be UTF-8.
    func resolve(_ reference: ArraySlice<UInt8>) -> WebURL? {
        let text = reference.trimmingBlanks
        guard text.count <= WebURL.maximumByteCount, !text.contains(where: { $0.isASCIIControl }) else { return nil }
        if WebURL.schemeEnd(text) != nil { return try? WebURL(parsing: text) }
        if text.starts(with: [ASCII.slash, ASCII.slash]) { return try? WebURL(scheme: scheme, hierarchy: text) }
        let (path, query) = WebURL.pathAndQuery(text)
        if path.isEmpty { return replacing(path: self.path, query: query ?? self.query) }
        let whole = path.first == ASCII.slash ? path : Array(directory.utf8) + path
        return replacing(path: WebURL.removingDotSegments(whole[...])[...].text, query: query)
    }

    /// Whether `resolve` gives a URL, without making one in the usual case: a playlist of 200,000 lines asks.
    func resolves(_ reference: ArraySlice<UInt8>) -> Bool {
        let text = reference.trimmingBlanks
        let mayGrowTooLong = text.count * 3 + byteCount > WebURL.maximumByteCount
        if mayGrowTooLong || WebURL.schemeEnd(text) != nil || text.starts(with: [ASCII.slash, ASCII.slash]) {
            return resolve(text) != nil
        }
        return !text.contains { $0.isASCIIControl }
    }

    private func replacing(path: String, query: String?) -> WebURL? {
        let url = WebURL(scheme: scheme, host: host, port: port, path: path, query: query)
        return url.byteCount <= WebURL.maximumByteCount ? url : nil
    }

    /// RFC 3986 5.2.4, in one pass. The path begins with `/`.
    static func removingDotSegments(_ path: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(path.count)
        var index = path.startIndex
        while index < path.endIndex {
            let start = index + 1
            let end = path[start...].firstIndex(of: ASCII.slash) ?? path.endIndex
            let part = path[start..<end]
            let isParent = part.count == 2 && part.allSatisfy { $0 == ASCII.dot }
            if isParent {
                let last = result.lastIndex(of: ASCII.slash) ?? 0
                result.removeSubrange(last...)
            }
            if isParent || part.elementsEqual([ASCII.dot]) {
                // A dot segment at the end names a directory.
                if end == path.endIndex { result.append(ASCII.slash) }
            } else {
                result.append(ASCII.slash)
                result += part
            }
            index = end
        }
        return result
    }
}

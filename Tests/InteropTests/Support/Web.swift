import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Testing
import WeirCore

/// Plain HTTP requests of tests.
enum Web {
    static func get(
        _ url: String,
        _ fields: [(String, String)] = [],
        within seconds: Int64 = 30
    ) async throws -> (status: Int, body: [UInt8]) {
        var request = HTTPClientRequest(url: url)
        for (name, value) in fields { request.headers.add(name: name, value: value) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(seconds))
        let body = try await response.body.collect(upTo: 256 << 20)
        return (Int(response.status.code), Array(body.readableBytesView))
    }
}

/// Everything that a playlist names, in its order: written apart from the agent's parser.
struct PlaylistLinks {
    struct Link: Equatable {
        var uri: String
        /// EXT-X-BYTERANGE, or BYTERANGE of EXT-X-MAP
        var range: Range<Int>?
    }

    var links: [Link] = []

    init(_ text: String) {
        var pending: Range<Int>?
        var end = 0
        for line in text.split(whereSeparator: \.isNewline) {
            if line.hasPrefix("#EXT-X-BYTERANGE:") {
                let numbers = line.dropFirst("#EXT-X-BYTERANGE:".count).split(separator: "@").compactMap { Int($0) }
                let offset = numbers.count > 1 ? numbers[1] : end
                end = offset + (numbers.first ?? 0)
                pending = offset..<end
            } else if line.hasPrefix("#") {
                guard let start = line.firstRange(of: "URI=\"")?.upperBound else { continue }
                let uri = String(line[start...].prefix { $0 != "\"" })
                var part: Range<Int>?
                if let mark = line.firstRange(of: "BYTERANGE=\"") {
                    let numbers = line[mark.upperBound...].prefix { $0 != "\"" }.split(separator: "@")
                        .compactMap { Int($0) }
                    if numbers.count == 2 { part = numbers[1]..<numbers[1] + numbers[0] }
                }
                links.append(Link(uri: uri, range: part))
            } else {
                links.append(Link(uri: String(line), range: pending))
                pending = nil
            }
        }
    }

    /// Walks a stream through an agent and on the origin's disk side by side.
    ///
    /// - Returns: how many bodies were compared.
    static func compare(local url: String, file path: String) async throws -> Int {
        let answer = try await Web.get(url)
        #expect(answer.status == 200, "\(url)")
        let local = PlaylistLinks(String(decoding: answer.body, as: UTF8.self)).links
        let original = PlaylistLinks(readText(path)).links
        try #require(local.count == original.count, "\(url) names \(local.count) of \(original.count) resources")
        let folder = path.prefix(through: path.lastIndex(of: "/") ?? path.startIndex)
        var compared = 0
        for (mine, theirs) in zip(local, original) {
            let address = try #require(URL(string: mine.uri, relativeTo: URL(string: url))?.absoluteString)
            if theirs.uri.hasSuffix(".m3u8") {
                compared += try await compare(local: address, file: folder + theirs.uri)
                continue
            }
            var expected = try readBytes(folder + theirs.uri)
            if let range = theirs.range { expected = Array(expected[range]) }
            let body = try await Web.get(address)
            #expect(body.status == 200, "\(address)")
            #expect(Digest.sha256(body.body) == Digest.sha256(expected), "\(theirs.uri) at \(address)")
            compared += 1
        }
        return compared
    }
}

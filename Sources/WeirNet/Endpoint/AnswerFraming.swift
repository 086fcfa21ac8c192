import NIOHTTP1
import WeirCore

/// How one answer is put on the wire (RFC 9112 6): what its head says and how its body is delimited.
struct AnswerFraming {
    enum Body: Equatable {
        /// Exactly this many bytes are still to come.
        case counted(Int)
        case chunked
        /// The end of the connection ends the body: HTTP/1.0 with an unknown length.
        case untilClose
        /// Whatever comes is dropped: HEAD, 204, 304.
        case none
    }

    private(set) var body: Body
    /// Whether the connection takes another request afterwards.
    private(set) var keepAlive: Bool
    let head: String

    /// - Parameters:
    ///   - version10: the request was HTTP/1.0.
    ///   - keepAlive: what the request asked for.
    ///   - date: the `Date` field's value.
    init(_ answer: AnswerHead, method: HTTPMethod, version10: Bool, keepAlive: Bool, date: String) {
        let bodiless = answer.status == 204 || answer.status == 304 || answer.status < 200
        if method == .HEAD || bodiless {
            body = .none
        } else if let length = answer.bodyLength {
            body = .counted(max(0, length))
        } else {
            body = version10 ? .untilClose : .chunked
        }
        self.keepAlive = keepAlive && body != .untilClose
        head = Self.text(
            answer,
            body: body,
            bodiless: bodiless,
            version10: version10,
            keepAlive: self.keepAlive,
            date: date
        )
    }

    /// Accounts for body bytes of the core.
    /// - Returns: how many of them go out: what exceeds the promised length does not.
    mutating func take(_ count: Int) -> Int {
        switch body {
        case .counted(let rest):
            let taken = min(rest, count)
            body = .counted(rest - taken)
            return taken
        case .chunked, .untilClose: return count
        case .none: return 0
        }
    }

    /// Whether the body may end here; if not, only closing the connection tells the player the truth.
    var mayEnd: Bool {
        if case .counted(let rest) = body { rest == 0 } else { true }
    }

    private static func text(
        _ answer: AnswerHead,
        body: Body,
        bodiless: Bool,
        version10: Bool,
        keepAlive: Bool,
        date: String
    ) -> String {
        let status = HTTPResponseStatus(statusCode: answer.status)
        var text = "HTTP/1.1 \(answer.status) \(status.reasonPhrase)\r\ndate: \(date)\r\n"
        var hasLength = bodiless
        for field in answer.fields where isClean(field) {
            switch field.name.lowercased() {
            case "date", "connection", "transfer-encoding", "keep-alive": continue
            case "content-length":
                // Only a HEAD answer's length comes from the core; otherwise framing decides.
                guard body == .none, !bodiless else { continue }
                hasLength = true
            default: break
            }
            text += "\(field.name): \(field.value)\r\n"
        }
        switch body {
        case .counted(let length): text += "content-length: \(length)\r\n"
        case .chunked: text += "transfer-encoding: chunked\r\n"
        case .untilClose: break
        case .none:
            if !hasLength, let length = answer.bodyLength, length > 0 { text += "content-length: \(length)\r\n" }
        }
        if !keepAlive { text += "connection: close\r\n" } else if version10 { text += "connection: keep-alive\r\n" }
        return text + "\r\n"
    }

    /// Values can stem from an origin: one with a line break would be a header of its own (F21).
    private static func isClean(_ field: HeaderField) -> Bool {
        !field.name.isEmpty
            && field.name.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: ":") }
            && field.value.utf8.allSatisfy { $0 >= 32 && $0 != 127 || $0 == 9 }
    }
}

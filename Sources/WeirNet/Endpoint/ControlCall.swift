import WeirCore

/// One call of the control API.
struct ControlCall {
    var method: String
    /// Path and query.
    var target: String
    var body: [UInt8]
    /// What the caller calls us: the base of the URLs that it is told.
    var authority: String?
    var authorization: String?
    var origin: String?
    var localAddress: String?

    var path: String { String(target.prefix { $0 != "?" }) }
}

/// The answer to a control call.
struct ControlAnswer {
    var status: Int
    var fields: [HeaderField]
    var body: [UInt8]

    init(status: Int, json body: [UInt8], allow: String? = nil) {
        self.status = status
        self.body = body
        fields = [HeaderField("content-type", "application/json"), HeaderField("cache-control", "no-store")]
        if let allow { fields.append(HeaderField("allow", allow)) }
    }

    init(text: String, type: String) {
        status = 200
        body = Array(text.utf8)
        fields = [HeaderField("content-type", type), HeaderField("cache-control", "no-store")]
    }

    static func error(_ status: Int, _ error: String, hint: String, allow: String? = nil) -> ControlAnswer {
        ControlAnswer(status: status, json: JSONText.error(error, hint: hint), allow: allow)
    }
}

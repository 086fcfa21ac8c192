import WeirCore

/// What is read of a session description is written, and read again, as the same.
enum SessionDescriptionRules {
    static func check(_ bytes: [UInt8]) throws(Fault) {
        let endpoints = SessionDescription.endpoints(in: String(decoding: bytes, as: UTF8.self))
        try demand(endpoints.addresses.count <= SessionDescription.candidateLimit, "too many candidates")
        for address in endpoints.addresses {
            try demandEqual(IPLiteral(address.host)?.description, address.host, "host")
            try demand((1...65_535).contains(address.port), "port \(address.port)")
        }
        for role in [SessionDescription.Role.offer, .answer] {
            let text = SessionDescription.text(endpoints, role: role)
            try demand(!text.utf8.contains { $0 > 0x7E }, "a description that is not ASCII")
            try demandEqual(SessionDescription.endpoints(in: text), endpoints, "endpoints")
        }
    }
}

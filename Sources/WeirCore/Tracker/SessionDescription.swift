/// Endpoints inside an SDP (RFC 8866) for a WebRTC data channel (RFC 8841), because trackers of the field rebuild offers
/// as `{type, sdp}` and drop everything else.
///
/// Addresses travel as passive TCP candidates (RFC 6544). The fingerprint is of the SubjectPublicKeyInfo and not of a
/// certificate; the attribute `weir` says so, and a fingerprint without it is a browser's and no identity of ours.
package enum SessionDescription {
    package enum Role: Sendable { case offer, answer }

    /// The most of each that is read; more is ignored.
    package static let candidateLimit = 32
    package static let byteLimit = 64 * 1024

    // MARK: Writing

    package static func text(_ endpoints: Endpoints, role: Role) -> String {
        // What ICE asks for but TLS over TCP never uses; from the key, so that nothing random needs to be kept.
        let credential = endpoints.identity.map { $0.digest.description } ?? String(repeating: "0", count: 64)
        var lines = [
            "v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0",
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0", "a=mid:0",
            "a=ice-ufrag:\(credential.prefix(8))", "a=ice-pwd:\(credential.suffix(32))",
            "a=setup:\(role == .offer ? "actpass" : "passive")", "a=sctp-port:5000", "a=max-message-size:65536",
            "a=weir:1",
        ]
        if let identity = endpoints.identity { lines.append("a=fingerprint:sha-256 \(fingerprint(identity))") }
        for (index, address) in endpoints.addresses.prefix(candidateLimit).enumerated() {
            // Type preference 90, as browsers give TCP; direction preference 4, passive (RFC 6544 4.2); then the order.
            let priority = 90 << 24 | (4 << 13 | (8191 - index)) << 8 | 255
            lines.append(
                "a=candidate:\(index + 1) 1 tcp \(priority) \(address.host) \(address.port) typ host tcptype passive"
            )
        }
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    private static func fingerprint(_ identity: PeerID) -> String {
        identity.digest.bytes.map { [$0].hexadecimal.uppercased() }.joined(separator: ":")
    }

    // MARK: Reading

    /// What an SDP from anybody says. Lines that make no sense are passed over; an SDP without anything of use gives
    /// endpoints without anything in them.
    package static func endpoints(in text: String) -> Endpoints {
        var candidates: [(priority: UInt32, address: PeerAddress)] = []
        var identity: PeerID?
        var isOurs = false
        let bytes = text.utf8.prefix(byteLimit)
        for line in bytes.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            guard let (name, value) = attribute(line) else { continue }
            switch name {
            case "weir": isOurs = true
            case "fingerprint": identity = identity ?? PeerID(fingerprint: value)
            case "candidate" where candidates.count < candidateLimit:
                if let candidate = candidate(value), !candidates.contains(where: { $0.address == candidate.address }) {
                    candidates.append(candidate)
                }
            default: break
            }
        }
        // Equal priorities keep their order: sorting by place, too, makes it certain.
        let ranked = candidates.enumerated().sorted {
            $0.element.priority != $1.element.priority
                ? $0.element.priority > $1.element.priority : $0.offset < $1.offset
        }
        return Endpoints(addresses: ranked.map(\.element.address), identity: isOurs ? identity : nil)
    }

    /// `a=name:value`.
    private static func attribute(_ line: Substring.UTF8View) -> (name: String, value: Substring.UTF8View)? {
        guard line.starts(with: "a=".utf8) else { return nil }
        let rest = line.dropFirst(2)
        guard let colon = rest.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        return (String(decoding: rest[..<colon], as: UTF8.self), rest[rest.index(after: colon)...])
    }

    /// RFC 8839 5.1 with RFC 6544's `tcptype`: foundation, component, transport, priority, address, port, `typ` and a
    /// type, then pairs of names and values.
    private static func candidate(_ value: Substring.UTF8View) -> (priority: UInt32, address: PeerAddress)? {
        let words = value.split(separator: UInt8(ascii: " "), maxSplits: 63).map { String(decoding: $0, as: UTF8.self) }
        guard words.count >= 10, words[1] == "1", words[2].lowercased() == "tcp", words[6] == "typ",
            let priority = UInt32(words[3]), let host = IPLiteral(words[4]), let port = UInt16(words[5]), port > 0
        else { return nil }
        let isPassive = stride(from: 8, to: words.count - 1, by: 2).contains {
            words[$0] == "tcptype" && words[$0 + 1] == "passive"
        }
        return isPassive ? (priority, PeerAddress(host: host.description, port: Int(port))) : nil
    }
}

extension PeerID {
    /// `sha-256 AA:BB:…` (RFC 8122 5).
    init?(fingerprint value: some Collection<UInt8>) {
        let words = value.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        guard words.count == 2, words[0].lowercased() == "sha-256" else { return nil }
        let parts = words[1].utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        let bytes = parts.prefix(Digest.byteCount + 1).compactMap { part -> UInt8? in
            guard part.count == 2, part.first != UInt8(ascii: "+"), part.first != UInt8(ascii: "-") else { return nil }
            return UInt8(String(decoding: part, as: UTF8.self), radix: 16)
        }
        guard parts.count == Digest.byteCount, let digest = Digest(bytes) else { return nil }
        self.init(digest)
    }
}

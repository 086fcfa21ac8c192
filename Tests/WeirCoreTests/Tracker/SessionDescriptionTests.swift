import Testing
import WeirCore

@Suite("Endpoints in an SDP")
struct SessionDescriptionTests {
    private static let identity = PeerID(Digest(0..<32)!)
    private static let endpoints = Endpoints(
        addresses: [PeerAddress(host: "192.0.2.1", port: 4001), PeerAddress(host: "2001:db8::1", port: 65535)],
        identity: identity
    )

    @Test("What is written is read back", arguments: [SessionDescription.Role.offer, .answer])
    func roundTrip(role: SessionDescription.Role) {
        let text = SessionDescription.text(Self.endpoints, role: role)
        #expect(SessionDescription.endpoints(in: text) == Self.endpoints)
        let nobody = Endpoints(addresses: [], identity: nil)
        #expect(SessionDescription.endpoints(in: SessionDescription.text(nobody, role: role)) == nobody)
    }

    @Test("It has the lines that a data channel's SDP must have, each ended as RFC 8866 asks")
    func shape() {
        let text = SessionDescription.text(Self.endpoints, role: .offer)
        #expect(text.hasSuffix("\r\n"))
        let lines = text.split(separator: "\r\n").map(String.init)
        #expect(lines.starts(with: ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0"]))
        for line in [
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=setup:actpass", "a=mid:0", "a=sctp-port:5000",
            "a=candidate:1 1 tcp 1520435199 192.0.2.1 4001 typ host tcptype passive",
            "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B"
                + ":1C:1D:1E:1F",
        ] {
            #expect(lines.contains(line))
        }
        #expect(lines.allSatisfy { $0.dropFirst().first == "=" })
    }

    @Test("A browser's SDP has no identity of ours and nowhere to dial")
    func browser() {
        let text = """
            v=0\r
            o=mozilla...THIS_IS_SDPARTA-99.0 4861 0 IN IP4 0.0.0.0\r
            m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r
            a=fingerprint:sha-256 \(Array(repeating: "AB", count: 32).joined(separator: ":"))\r
            a=candidate:0 1 UDP 2122252543 5c8f-1.local 50000 typ host\r
            a=candidate:1 1 TCP 2105458943 192.0.2.9 9 typ host tcptype active\r
            """
        #expect(SessionDescription.endpoints(in: text) == Endpoints(addresses: [], identity: nil))
    }

    @Test("Better candidates come first, equal ones once, whatever their order and line ends")
    func order() {
        let text = """
            a=candidate:1 1 tcp 100 192.0.2.1 1 typ host tcptype passive
            a=candidate:2 1 TCP 200 192.0.2.2 2 typ srflx raddr 10.0.0.1 rport 9 tcptype passive generation 0
            a=candidate:3 1 tcp 300 ::ffff:192.0.2.1 1 typ host tcptype passive
            a=candidate:4 1 tcp 100 192.0.2.3 3 typ host tcptype passive
            """
        let hosts = SessionDescription.endpoints(in: text).addresses.map(\.host)
        #expect(hosts == ["192.0.2.2", "192.0.2.1", "192.0.2.3"])
    }

    @Test(
        "F55 Candidates that name no literal address, or no port, are passed over",
        arguments: [
            "a=candidate:1 1 tcp 100 evil.example 1 typ host tcptype passive",
            "a=candidate:1 1 tcp 100 192.0.2.1 0 typ host tcptype passive",
            "a=candidate:1 1 tcp 100 192.0.2.1 65536 typ host tcptype passive",
            "a=candidate:1 1 tcp 100 192.0.2.1 -1 typ host tcptype passive",
            "a=candidate:1 1 tcp 99999999999999999999 192.0.2.1 1 typ host tcptype passive",
            "a=candidate:1 1 tcp 100 192.0.2.1 1 typ host tcptype active",
            "a=candidate:1 1 udp 100 192.0.2.1 1 typ host tcptype passive",
            "a=candidate:1 2 tcp 100 192.0.2.1 1 typ host tcptype passive",
            "a=candidate:1 1 tcp 100 192.0.2.1 1 typ host tcptype", "a=candidate:", "a=candidate", "a=", "a", "",
            "a=candidate:1 1 tcp 100 192.0.2.1%eth0 1 typ host tcptype passive", "a=weir:1\r\na=fingerprint:sha-256 ",
            "a=weir:1\r\na=fingerprint:sha-256 AA:BB", "a=weir:1\r\na=fingerprint:sha-1 AA",
        ]
    )
    func hostile(line: String) {
        #expect(SessionDescription.endpoints(in: line) == Endpoints(addresses: [], identity: nil))
    }

    @Test("F55 A million candidates are 32")
    func many() {
        let lines = (0..<20_000).map {
            "a=candidate:1 1 tcp \($0) 192.0.2.\($0 % 250) \(1 + $0 % 60_000) typ host tcptype passive"
        }
        #expect(SessionDescription.endpoints(in: lines.joined(separator: "\r\n")).addresses.count == 32)
    }

    @Test("F55 Mutated SDPs never trap and never name anything but addresses", arguments: UInt64(0)..<40)
    func fuzz(seed: UInt64) {
        var generator = WireTestGenerator(seed: seed)
        for _ in 0..<40 {
            var text = Array(SessionDescription.text(Self.endpoints, role: .offer).utf8)
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let place = Int.random(in: 0..<text.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: text[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: text.remove(at: place)
                case 2: text.insert(contentsOf: text[place...].prefix(40), at: place)
                default: text.removeSubrange(place..<min(text.count, place + 20))
                }
            }
            let found = SessionDescription.endpoints(in: String(decoding: text, as: UTF8.self))
            #expect(found.addresses.count <= 32)
            #expect(found.addresses.allSatisfy { IPLiteral($0.host) != nil && (1...65535).contains($0.port) })
        }
    }

    @Test(
        "Literal addresses have one spelling",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
            ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ]
    )
    func literals(text: String, canonical: String) {
        #expect(IPLiteral(text)?.description == canonical)
    }

    @Test(
        "What is no literal address is none",
        arguments: [
            "", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.-4", "+1.2.3.4", ":", ":::", "1:2",
            "1::2::3",
            "12345::", "::g", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "fe80::1%lo", "[::1]", "a.b.c.d", "::1.2.3",
            "1.2.3.4::", " 1.2.3.4", "::+1",
        ]
    )
    func noLiterals(text: String) {
        #expect(IPLiteral(text) == nil)
    }

    @Test("An agent's name at a tracker follows from its key and the swarm")
    func names() throws {
        let swarm = try #require(SwarmID(Array(0..<20)))
        let name = TrackerPeerID.derive(Self.identity, in: swarm)
        #expect(String(decoding: name.bytes, as: UTF8.self) == "-WR0100-xLc2zFSx9CTx")
        let other = try #require(SwarmID(Array(1..<21)))
        #expect(TrackerPeerID.derive(Self.identity, in: other) != name)
    }
}

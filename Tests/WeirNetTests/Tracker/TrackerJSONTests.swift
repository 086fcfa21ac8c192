import Testing
import WeirCore
import WeirNet
import WeirTrackerJSON

@Suite("Tracker JSON")
struct TrackerJSONTests {
    private static let swarm = SwarmID(Array("wziFoizJPqsH8SnxvNiC".utf8))!
    private static let me = TrackerPeerID(Array("-WR0100-abcdefghijkl".utf8))!
    private static let other = TrackerPeerID(Array("-PM0500-ABCDEFGHIJKL".utf8))!
    /// Twenty bytes of the kind that older browsers draw: zero, quote, backslash, CR LF, high ones.
    private static let wildID: [UInt8] = [
        0, 34, 92, 13, 10, 31, 127, 128, 160, 195, 169, 255, 1, 2, 3, 4, 101, 204, 129, 9,
    ]
    private static let wildText =
        #"\u0000\"\\\r\n\u001f"# + "\u{7f}\u{80}\u{a0}\u{c3}\u{a9}\u{ff}" + #"\u0001\u0002\u0003\u0004e"#
        + "\u{cc}\u{81}" + #"\t"#

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    private func reply(_ text: String) -> TrackerReply? { TrackerClientJSON.decode(Array(text.utf8)) }

    @Test("An announce says what the protocol asks, in the usual order")
    func announce() {
        let empty = Announce(
            swarm: Self.swarm,
            me: Self.me,
            event: .started,
            wanted: 5,
            uploaded: 7,
            downloaded: 8,
            offers: []
        )
        #expect(
            text(TrackerClientJSON.encode(.announce(empty)))
                == #"{"action":"announce","event":"started","info_hash":"wziFoizJPqsH8SnxvNiC","#
                + #""peer_id":"-WR0100-abcdefghijkl","numwant":5,"uploaded":7,"downloaded":8,"offers":[]}"#
        )
        var silent = empty
        silent.event = nil
        #expect(!text(TrackerClientJSON.encode(.announce(silent))).contains("event"))
    }

    @Test("Offers and answers carry their endpoints as an SDP and their id byte for byte")
    func offers() throws {
        let endpoints = Endpoints(
            addresses: [PeerAddress(host: "192.0.2.1", port: 4001)],
            identity: PeerID(Digest(0..<32)!)
        )
        let sdp = SessionDescription.text(endpoints, role: .offer).replacing("\r\n", with: #"\r\n"#)
        let announce = Announce(
            swarm: Self.swarm,
            me: Self.me,
            event: nil,
            wanted: 1,
            uploaded: 0,
            downloaded: 0,
            offers: [Offer(id: OfferID(Self.wildID), endpoints: endpoints)]
        )
        #expect(
            text(TrackerClientJSON.encode(.announce(announce))).hasSuffix(
                #""offers":[{"offer":{"type":"offer","sdp":"\#(sdp)"},"offer_id":"\#(Self.wildText)"}]}"#
            )
        )
        let answer = TrackerRequest.answer(
            swarm: Self.swarm,
            me: Self.me,
            to: Self.other,
            offer: OfferID(Self.wildID),
            sdp: endpoints
        )
        let answerSDP = SessionDescription.text(endpoints, role: .answer).replacing("\r\n", with: #"\r\n"#)
        #expect(
            text(TrackerClientJSON.encode(answer))
                == #"{"action":"announce","info_hash":"wziFoizJPqsH8SnxvNiC","peer_id":"-WR0100-abcdefghijkl","#
                + #""to_peer_id":"-PM0500-ABCDEFGHIJKL","offer_id":"\#(Self.wildText)","#
                + #""answer":{"type":"answer","sdp":"\#(answerSDP)"}}"#
        )
    }

    @Test("Replies of the field's trackers are understood, extra members and all")
    func replies() {
        #expect(
            reply(
                #"{"action":"announce","info_hash":"wziFoizJPqsH8SnxvNiC","interval":120,"complete":1,"incomplete":2}"#
            )
                == .swarm(Self.swarm, interval: 120, complete: 1, incomplete: 2)
        )
        let endpoints = Endpoints(addresses: [PeerAddress(host: "192.0.2.1", port: 9)], identity: nil)
        let sdp = #"v=0\r\na=candidate:1 1 tcp 5 192.0.2.1 9 typ host tcptype passive\r\n"#
        let head = #"{"action":"announce","info_hash":"wziFoizJPqsH8SnxvNiC","peer_id":"-PM0500-ABCDEFGHIJKL","#
        #expect(
            reply(head + #""offer_id":"\#(Self.wildText)","offer":{"type":"offer","sdp":"\#(sdp)"}}"#)
                == .offer(swarm: Self.swarm, from: Self.other, offer: OfferID(Self.wildID), endpoints)
        )
        #expect(
            reply(head + #""event":null,"numwant":5,"offer_id":"x","answer":{"type":"answer","sdp":"\#(sdp)"}}"#)
                == .answer(swarm: Self.swarm, from: Self.other, offer: OfferID([120]), endpoints)
        )
        #expect(
            reply(#"{"failure reason":"no","info_hash":"wziFoizJPqsH8SnxvNiC"}"#)
                == .failure(swarm: Self.swarm, reason: "no")
        )
        #expect(reply(#"{"failure reason":"no"}"#) == .failure(swarm: nil, reason: "no"))
        #expect(reply(#"{"warning message":"slow down"}"#) == .warning("slow down"))
        #expect(reply(#"{"action":"scrape","files":{}}"#) == nil)
    }

    @Test(
        "F73 Intervals of nothing, of ages and of no number at all stay between a second and a day",
        arguments: [
            ("0", 1), ("-5", 1), ("2147483648", 86_400), ("1e300", 86_400), ("0.5", 1), ("30", 30), ("null", 120),
        ]
    )
    func intervals(text: String, expected: Int) {
        #expect(
            reply(#"{"action":"announce","info_hash":"wziFoizJPqsH8SnxvNiC","interval":\#(text),"complete":1}"#)
                == .swarm(Self.swarm, interval: expected, complete: 1, incomplete: 0)
        )
    }

    @Test(
        "F69 Garbage from a tracker says nothing",
        arguments: [
            "", "{", "[]", "null", "0", #""text""#, "{}", #"{"action":5}"#, #"{"action":"announce"}"#,
            #"{"action":"announce","info_hash":"short","interval":5}"#,
            #"{"action":"announce","info_hash":"wziFoizJPqsH8SnxvNi€","interval":5}"#,
            #"{"action":"announce","info_hash":"wziFoizJPqsH8SnxvNiC"}"#,
            #"{"action":"announce","info_hash":"wziFoizJPqsH8SnxvNiC","peer_id":"x","offer_id":"x","offer":{"sdp":""}}"#,
            #"{"action":"announce","info_hash":"wziFoizJPqsH8SnxvNiC","offer":{"type":"offer"}}"#,
            #"{"action":"announce","info_hash":"wziFoizJPqsH8SnxvNiC","interval":1e400}"#,
            String(repeating: "[", count: 60_000),
            #"{"action":"announce","interval":{"a":"# + String(repeating: "[", count: 60_000),
        ]
    )
    func garbage(text: String) {
        #expect(reply(text) == nil)
    }

    @Test("F69 Mutated replies never trap", arguments: UInt64(0)..<20)
    func fuzz(seed: UInt64) {
        let original = Array(
            (#"{"action":"announce","info_hash":"wziFoizJPqsH8SnxvNiC","peer_id":"-PM0500-ABCDEFGHIJKL","offer_id":""#
                + Self.wildText + #"","offer":{"type":"offer","sdp":"v=0"},"interval":20}"#).utf8
        )
        var state = seed
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<100 {
            var bytes = original
            for _ in 0..<(1 + random(4)) { bytes[random(bytes.count)] = UInt8(random(256)) }
            _ = TrackerClientJSON.decode(bytes)
            _ = try? TrackerServerJSON.decode(bytes)
        }
    }

    @Test("A server relays descriptions and ids as they came")
    func relay() throws {
        let sdp = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\na=extmap:\"\\ \u{1F4E1}\r\n"
        let bytes = TrackerServerJSON.encode(
            .offer(
                swarm: Self.swarm,
                from: Self.other,
                offer: OfferID(Self.wildID),
                RawDescription(quoting: sdp),
                claims: nil
            )
        )
        #expect(
            text(bytes)
                == #"{"action":"announce","info_hash":"wziFoizJPqsH8SnxvNiC","peer_id":"-PM0500-ABCDEFGHIJKL","#
                + #""offer_id":"\#(Self.wildText)","offer":{"type":"offer","sdp":"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n"#
                + #"a=extmap:\"\\ "# + "\u{1F4E1}" + #"\r\n"}}"#
        )
    }

    @Test("Offers written one after another are what each would be alone")
    func consecutive() throws {
        var writer = TrackerAnswerWriter()
        var claims = PeerClaims()
        claims.timeslot = Timeslot(rendition: RenditionKey(0xA0), number: 7, place: .live(age: 12))
        var wild = [UInt8](repeating: 0, count: SwarmID.byteCount)
        for byte in wild.indices { wild[byte] = UInt8(byte * 13) }
        let strange = try #require(SwarmID(wild))
        let offers: [(SwarmID, TrackerPeerID, PeerClaims?)] = [
            (Self.swarm, Self.other, claims), (Self.swarm, Self.other, claims), (Self.swarm, Self.other, nil),
            (Self.swarm, Self.other, nil), (strange, Self.other, nil), (strange, Self.other, claims),
            (strange, Self.other, claims), (Self.swarm, Self.other, claims),
        ]
        for (number, (swarm, from, claims)) in offers.enumerated() {
            let id = OfferID(Self.wildID + [UInt8(number)])
            let description = RawDescription(quoting: "v=0\r\n\(number)")
            let answer = TrackerAnswer.offer(swarm: swarm, from: from, offer: id, description, claims: claims)
            let bytes = writer.encode(answer)
            #expect(bytes == TrackerServerJSON.encode(answer))
            guard case .offer(let heard, _, let other, _, let said) = TrackerClientJSON.decode(bytes) else {
                Issue.record("no client reads \(text(bytes))")
                continue
            }
            #expect(heard == swarm && other == id && said == claims)
        }
    }

    @Test(
        "A server tells a client what is wrong with its message",
        arguments: [
            ("garbage", "invalid message"), ("{}", "unknown action"), (#"{"action":"dance"}"#, "unknown action"),
            (#"{"action":"announce","info_hash":"x"}"#, "invalid info_hash"),
            (#"{"action":"announce","info_hash":"wziFoizJPqsH8SnxvNiC","peer_id":"x"}"#, "invalid peer_id"),
            (
                #"{"action":"announce","info_hash":"wziFoizJPqsH8SnxvNiC","peer_id":"-PM0500-ABCDEFGHIJKL","event":"x"}"#,
                "unknown event"
            ),
            (
                #"{"action":"announce","info_hash":"wziFoizJPqsH8SnxvNiC","peer_id":"-PM0500-ABCDEFGHIJKL","answer":{"sdp":""}}"#,
                "invalid to_peer_id"
            ),
            (#"{"action":"scrape","info_hash":["x"]}"#, "invalid info_hash"),
        ]
    )
    func refusals(text: String, reason: String) {
        #expect(throws: TrackerServerJSON.Refusal(reason: reason)) { try TrackerServerJSON.decode(Array(text.utf8)) }
    }

    @Test(
        "Addresses of trackers",
        arguments: [
            ("ws://tracker.example", false, "tracker.example", 80, "/"),
            ("WSS://tracker.example/announce?key=1", true, "tracker.example", 443, "/announce?key=1"),
            ("ws://[::1]:8000", false, "::1", 8000, "/"), ("ws://a:1?x", false, "a", 1, "/?x"),
        ]
    )
    func urls(text: String, isSecure: Bool, host: String, port: Int, target: String) throws {
        let url = try #require(WebSocketURL(text))
        #expect(url.isSecure == isSecure)
        #expect(url.host == host)
        #expect(url.port == port)
        #expect(url.target == target)
    }

    @Test(
        "What is no WebSocket address is refused",
        arguments: [
            "", "http://a", "ws://", "ws://a:0", "ws://a:65536", "ws://a:x", "ws://u@a", "ws://a#b", "ws://a b",
            "ws://[::1",
            "ws://[::1]x", "ws://a\r\nHost: b",
        ]
    )
    func noURLs(text: String) {
        #expect(WebSocketURL(text) == nil)
    }
}

import Testing
import WeirCore
import WeirTrackerJSON

@Suite("What weir adds to tracker JSON")
struct WeirAdditionTests {
    private static let swarm = SwarmID(Array("wziFoizJPqsH8SnxvNiC".utf8))!
    private static let me = TrackerPeerID(Array("-WR0100-abcdefghijkl".utf8))!
    private static let other = TrackerPeerID(Array("-PM0500-\"\\\u{7f}AAAAAAAAA".utf8))!

    private static func claims(_ place: Timeslot.Place?) -> PeerClaims {
        var claims = PeerClaims()
        claims.viewers = 3
        claims.uploads = false
        claims.freeUpload = 123_456
        claims.isDialable = true
        claims.timeslot = place.map { Timeslot(rendition: RenditionKey(.max), number: .max, place: $0) }
        return claims
    }

    private func announce(_ claims: PeerClaims?, _ holdings: [HeldParts] = [], _ receipts: [Receipt] = []) -> Announce {
        Announce(
            swarm: Self.swarm,
            me: Self.me,
            event: nil,
            wanted: 1,
            uploaded: 0,
            downloaded: 0,
            offers: [Offer(id: OfferID([120]), endpoints: Endpoints(addresses: [], identity: nil))],
            claims: claims,
            holdings: holdings,
            receipts: receipts
        )
    }

    private func decoded(_ bytes: [UInt8]) throws -> TrackerAnnouncement<RawDescription> {
        guard case .announce(let announcement) = try TrackerServerJSON.decode(bytes) else { throw Unexpected() }
        return announcement
    }

    private struct Unexpected: Error {}

    @Test(
        "What an agent says of itself arrives, and is passed on with its offers",
        arguments: [nil, .live(age: 4100), .recorded(position: 3_600_000, part: 63)] as [Timeslot.Place?]
    )
    func claims(place: Timeslot.Place?) throws {
        let claims = Self.claims(place)
        let holdings = [HeldParts(rendition: RenditionKey(1), parts: 1 << 63 | 1)]
        let receipts = [Receipt(sender: Self.other, good: 4096, bad: 3)]
        let said = try decoded(TrackerClientJSON.encode(.announce(announce(claims, holdings, receipts))))
        #expect(said.claims == claims)
        #expect(said.holdings == holdings)
        #expect(said.receipts == receipts)
        let relayed = TrackerServerJSON.encode(
            .offer(
                swarm: said.swarm,
                from: said.peer,
                offer: said.offers[0].id,
                said.offers[0].description,
                claims: said.claims
            )
        )
        guard case .offer(Self.swarm, Self.me, OfferID([120]), _, claims)? = TrackerClientJSON.decode(relayed) else {
            Issue.record("not the offer: \(String(decoding: relayed, as: UTF8.self))")
            return
        }
    }

    @Test("A channel's mode arrives with its reason", arguments: [DeliveryMode.direct, .peers])
    func mode(mode: DeliveryMode) {
        let word = ChannelMode(mode, viewers: 5, reason: "5 viewers, \"only\" 4")
        let reply = TrackerServerJSON.encode(
            .swarm(Self.swarm, interval: 20, complete: 0, incomplete: 5, mode: word)
        )
        #expect(
            TrackerClientJSON.decode(reply) == .swarm(Self.swarm, interval: 20, complete: 0, incomplete: 5, mode: word)
        )
    }

    @Test(
        "What others mean by the name is passed over",
        arguments: [
            "null", "5", "\"weir\"", "[]", "[[[]]]", "{}", #"{"uploads":"yes"}"#, #"{"uploads":true,"slot":{}}"#,
            #"{"slot":{"rendition":"xyz","number":1,"age":1}}"#, #"{"slot":{"rendition":"1","number":-1,"age":1}}"#,
            #"{"slot":{"rendition":"1","number":18446744073709551616,"age":1}}"#,
            #"{"slot":{"rendition":"1","number":1,"position":5}}"#, #"{"holds":[["1"]]}"#,
            #"{"holds":[["1","2","3"]]}"#,
            #"{"receipts":[["short",1,1]]}"#, #"{"uploads":true,"free":1e999}"#, #"{"new":{"deep":[{}]}}"#,
        ]
    )
    func foreign(text: String) throws {
        let message =
            #"{"action":"announce","info_hash":"wziFoizJPqsH8SnxvNiC","peer_id":"-WR0100-abcdefghijkl","weir":"#
            + text + #","numwant":7}"#
        let said = try decoded(Array(message.utf8))
        #expect(said.claims == nil && said.holdings.isEmpty && said.receipts.isEmpty)
        #expect(said.wanted == 7)
    }

    @Test("F73 Numbers beyond sense go to the nearest bound")
    func bounds() throws {
        let message =
            #"{"action":"announce","info_hash":"wziFoizJPqsH8SnxvNiC","peer_id":"-WR0100-abcdefghijkl","weir":"#
            + #"{"viewers":1e18,"uploads":true,"free":-1,"slot":{"rendition":"1","number":1,"position":1e17,"part":99}}}"#
        let claims = try decoded(Array(message.utf8)).claims
        #expect(claims?.viewers == Int(Int32.max) && claims?.freeUpload == 0)
        #expect(claims?.timeslot?.place == .recorded(position: 1 << 48, part: 63))
    }

    @Test("F47 Lists are read up to their limits")
    func lists() throws {
        let holdings = (0..<50).map { HeldParts(rendition: RenditionKey(UInt64($0)), parts: 1) }
        let receipts = (0..<50).map { Receipt(sender: Self.other, good: $0, bad: 0) }
        let said = try decoded(TrackerClientJSON.encode(.announce(announce(PeerClaims(), holdings, receipts))))
        #expect(said.holdings == Array(holdings.prefix(ClaimLimits.renditions)))
        #expect(said.receipts == Array(receipts.prefix(ClaimLimits.receipts)))
    }

    @Test(
        "F57 JSON that is none, or nests without end, is refused",
        arguments: [
            "", " ", "{", "}", "{}x", "{} {}", "[]", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{,}"#, #"{a:1}"#,
            #"{"a":01}"#, #"{"a":1.}"#, #"{"a":.5}"#, #"{"a":+1}"#, #"{"a":1e}"#, #"{"a":-}"#, #"{"a":NaN}"#,
            #"{"a":tru}"#, #"{"a":"\x"}"#, #"{"a":"\u12"}"#, #"{"a":"\u12G4"}"#, "{\"a\":\"\n\"}", #"{"a":"#,
            #"{"a":"b"#,
            #"{"a":"b\"#, "{\"a\":" + String(repeating: "[", count: 17) + String(repeating: "]", count: 17) + "}",
            String(repeating: #"{"a":"#, count: 10_000),
        ]
    )
    func malformed(text: String) {
        #expect(throws: TrackerServerJSON.Refusal(reason: "invalid message")) {
            try TrackerServerJSON.decode(Array(text.utf8))
        }
    }

    @Test("Text that is no UTF-8 is refused even in a binary message")
    func invalidUTF8() {
        #expect(throws: TrackerServerJSON.Refusal(reason: "invalid message")) {
            try TrackerServerJSON.decode(Array(#"{"action":""#.utf8) + [0xFF] + Array(#""}"#.utf8))
        }
    }

    @Test("Blanks, escapes and big numbers are read as RFC 8259 has them")
    func grammar() throws {
        let message =
            " {\t\"action\" :\r\n \"annou\\u006ece\" , \"info_hash\":\"\\u0077ziFoizJPqsH8SnxvNiC\",\"peer_id\":"
            + "\"-WR0100-abcdefghijkl\",\"numwant\":1.2E1,\"x\":[1,-0.5e-3,{\"y\":[true,false,null,\"\\ud83d\\ude00\"]}]} \n"
        let said = try decoded(Array(message.utf8))
        #expect(said.swarm == Self.swarm && said.wanted == 12)
    }
}

import Testing
import WeirCore

@Suite("Narrow lines")
struct NarrowLineTests {
    private static let url = "http://o.example/film/index.m3u8"

    @Test("Nothing is asked for ahead of a player until its first segment is whole")
    func start() throws {
        let probe = AgentProbe()
        let path = probe.open(Self.url, Playlists.live(0...5))
        let reader = probe.linkPeer(7, host: "10.9.0.7")
        let ranges = [4, 5].map { Have.Range(kind: .media, first: $0, count: 1, state: .held) }
        probe.say(reader, .have(Have(handle: 0, rendition: .main, ranges: ranges)))
        probe.say(reader, .interest(Interest(handle: 0, rendition: .main, position: 3, newest: 5)))
        _ = probe.ask(path.replacingIndex(with: "3.ts"))
        let fetch = try #require(probe.fetches("3.ts").last)
        func asked() -> [UInt64] {
            probe.told(reader).compactMap { message in
                guard case .request(let request) = message, request.segment.kind == .media else { return nil }
                return request.segment.number
            }.filter { $0 > 3 }
        }
        probe.head(fetch.id, 200, [("content-length", "400000")], url: Self.url)
        for _ in 0..<5 {
            // As over a line of 100 kB/s.
            probe.body(fetch.id, [UInt8](repeating: 7, count: 60_000))
            probe.wait(.milliseconds(600))
            #expect(asked().isEmpty)
        }
        probe.body(fetch.id, [UInt8](repeating: 7, count: 100_000))
        probe.end(fetch.id)
        probe.wait(.milliseconds(50))
        #expect(!asked().isEmpty)
    }

    @Test("A peer that says that it can pass on nothing is elected after all others, and hears a ping when it is met")
    func share() throws {
        let probe = AgentProbe()
        _ = probe.open(Self.url, Playlists.live(0...5))
        let slow = probe.linkPeer(7, host: "10.9.0.7")
        #expect(probe.told(slow).contains { if case .ping = $0 { true } else { false } })
        let segment = SegmentID(rendition: .main, number: 5)
        let peers = (1...20).map { Election.Candidate(peer: TestSigner(UInt8($0)).id, share: $0 == 7 ? 0 : 8) }
        let ranks = peers.map { own in
            Election.rank(of: own, among: peers.filter { $0.peer != own.peer }, for: segment)
        }
        #expect(ranks[6] == 19)
    }
}

import Testing
import WeirCore

@Suite("Standing requests")
struct StandingRequestTests {
    private static let url = "http://o.example/film/index.m3u8"
    private static let chunkCount = 24

    private let probe = AgentProbe()
    private let reader: LinkID
    private let others: [LinkID]

    /// A player at segment 3 of a live stream, and four peers that play it, too: the first one reads segments 4 and 5.
    init() {
        let path = probe.open(Self.url, Playlists.live(0...5))
        reader = probe.linkPeer(7, host: "10.9.0.7")
        others = [
            probe.linkPeer(8, host: "10.9.0.8"), probe.linkPeer(9, host: "10.9.0.9"),
            probe.linkPeer(10, host: "10.9.0.10"),
        ]
        let fetching = [4, 5].map { Have.Range(kind: .media, first: $0, count: 1, state: .fetching) }
        probe.say(reader, .have(Have(handle: 0, rendition: .main, ranges: fetching)))
        for link in [reader] + others {
            probe.say(link, .interest(Interest(handle: 0, rendition: .main, position: 3, newest: 5)))
        }
        _ = probe.ask(path.replacingIndex(with: "3.ts"))
        if let start = probe.fetches("3.ts").last {
            probe.wait(.milliseconds(40))
            probe.head(start.id, 200, [("content-length", "400000")], url: Self.url)
            probe.wait(.milliseconds(40))
            probe.body(start.id, [UInt8](repeating: 7, count: 400_000))
            probe.end(start.id)
        }
        probe.wait(.milliseconds(50))
    }

    private func requests(_ link: LinkID, _ number: UInt64) -> [RunRequest] {
        probe.told(link).compactMap { message in
            guard case .request(let request) = message, request.segment.number == number else { return nil }
            return request
        }
    }

    private func chunks(_ link: LinkID, _ number: UInt64) -> [Int] {
        requests(link, number).flatMap { Int($0.chunks.first)..<Int($0.chunks.first) + Int($0.chunks.count) }
    }

    /// The reader states what all chunks of a segment are, and so how long it is.
    private func vouch(_ number: UInt64) {
        guard let query = requests(reader, number).first(where: { $0.chunks.count == 0 }) else {
            Issue.record("nobody asked how long segment \(number) is")
            return
        }
        var swarm: SwarmID?
        for message in probe.told(reader) {
            if case .hello(let hello) = message { swarm = hello.swarms.first }
        }
        guard let swarm else { return }
        let signer = TestSigner(7)
        var edition = query.edition
        edition.length = Int64(Self.chunkCount * Chunk.byteCount)
        var vouch = Vouch(
            handle: 0,
            segment: query.segment,
            edition: edition,
            firstChunk: 0,
            digests: (0..<Self.chunkCount).map { Digest.sha256([UInt8(number), UInt8($0)]) },
            voucherKey: signer.publicKey,
            signature: []
        )
        vouch.signature = signer.sign(vouch.signedDigest(in: swarm))
        probe.say(reader, .digests(vouch))
        probe.wait(.milliseconds(20))
    }

    @Test("A fresh segment is asked for before anybody has it, each chunk of one peer")
    func trees() {
        vouch(5)
        let asked = ([reader] + others).flatMap { chunks($0, 5) }
        #expect(asked.sorted() == Array(0..<Self.chunkCount))
        #expect(!chunks(reader, 5).isEmpty)
        #expect(others.count { !chunks($0, 5).isEmpty } > 1)
    }

    @Test("F36: who takes standing requests and sends nothing loses them, and is asked for nothing in advance any more")
    func mute() {
        vouch(5)
        let before = chunks(reader, 5).count
        let mute = others.filter { requests($0, 5).count > 1 }
        #expect(!mute.isEmpty)
        let held = Have.Range(kind: .media, first: 5, count: 1, state: .held)
        probe.say(reader, .have(Have(handle: 0, rendition: .main, ranges: [held])))
        for _ in 0..<4 {
            probe.wait(.milliseconds(300))
            probe.say(reader, .interest(Interest(handle: 0, rendition: .main, position: 3, newest: 5)))
        }
        for link in mute {
            let cancelled = probe.told(link).count { if case .cancel = $0 { true } else { false } }
            #expect(cancelled == requests(link, 5).count)
        }
        // The one that says that it has it is asked instead.
        #expect(chunks(reader, 5).count > before)
        vouch(4)
        for link in mute { #expect(chunks(link, 4).isEmpty) }
        #expect(!chunks(reader, 4).isEmpty)
    }
}

import FoundationEssentials
import Testing

@testable import WeirCore

@Suite("Damaged segments")
struct DamageTests {
    typealias Source = Presentations
    private let whole = Presentations.bytes(1, count: 50_000)
    private var truncated: [UInt8] { Array(whole.prefix(30_000)) }

    /// An agent that has segment 1 of two servers' stream from the first.
    private func probe(bases: String = BaseURLTests.twoBases, fields: [(String, String)] = []) -> (AgentProbe, String) {
        let probe = AgentProbe()
        let path = probe.open(Source.url, Source.text(Source.counted, before: bases))
        let target = Source.local(path, "1.m4s")
        let segment = probe.ask(target)
        let asked = probe.fetches("1.m4s")[0].id
        probe.head(asked, 200, [("content-length", "30000")] + fields)
        probe.body(asked, truncated)
        probe.end(asked)
        probe.drain(segment)
        #expect(probe.received(segment) == truncated)
        return (probe, target)
    }

    private func session(_ probe: AgentProbe) -> SessionReport { probe.agent.sessions(at: probe.now)[0] }

    @Test("A damaged segment is fetched again from the other server, whoever asks next, and then given")
    func otherServer() {
        let (probe, target) = probe()
        probe.feed(.damaged(target: target, reason: "it is cut off within a box"))
        #expect(probe.fetches("/x/1.m4s").count == 1 && probe.fetches("/y/1.m4s").count == 1)
        let next = probe.ask(target)
        probe.answer(probe.fetches("/y/1.m4s")[0].id, body: whole)
        probe.drain(next)
        #expect(probe.received(next) == whole)
        #expect(session(probe).damaged_segments == 1 && session(probe).refetched_segments == 1)
        #expect(session(probe).latest_damage == "segment 1: it is cut off within a box; it was replaced")
        #expect(probe.agent.statistics(at: probe.now).refetched_segments == 1)
        // Who read the old copy may say so late; nothing begins anew.
        probe.feed(.damaged(target: "/s/none/0123456789abcdef/1.m4s", reason: "x"))
        probe.feed(.damaged(target: "nonsense", reason: "x"))
        probe.wait(.seconds(5))
        #expect(probe.fetches("1.m4s").count == 2)
    }

    @Test("What a player has begun to read it gets to its end; then the segment is fetched again")
    func whileRead() {
        let (probe, target) = probe()
        let reader = probe.ask(target)
        probe.feed(.damaged(target: target, reason: "x"))
        #expect(probe.fetches("/y/1.m4s").isEmpty)
        probe.drain(reader)
        #expect(probe.received(reader) == truncated && !probe.isAborted(reader))
        #expect(probe.fetches("/y/1.m4s").count == 1)
    }

    @Test("The same bytes from another source prove that they are the stream's: they stay, whatever is said of them")
    func sameAgain() {
        let (probe, target) = probe()
        probe.feed(.damaged(target: target, reason: "x"))
        probe.answer(probe.fetches("/y/1.m4s")[0].id, body: truncated)
        for _ in 0..<5 {
            probe.feed(.damaged(target: target, reason: "x"))
            probe.wait(.seconds(5))
        }
        #expect(probe.fetches("1.m4s").count == 2)
        #expect(session(probe).damaged_segments == 1 && session(probe).refetched_segments == 0)
        #expect(session(probe).latest_damage?.hasSuffix("it is left as it is: another source has the same") == true)
        let later = probe.ask(target)
        #expect(probe.received(later) == truncated)
    }

    @Test("With one server it is read once more; a stream that is always like that is soon left alone")
    func oneServer() {
        let probe = AgentProbe()
        let path = probe.open(Source.url, Source.text(Source.counted))
        for number in 1...8 {
            let target = Source.local(path, "\(number).m4s")
            let segment = probe.ask(target)
            for time in 0..<2 {
                let fetches = probe.fetches("/\(number).m4s")
                guard fetches.count > time else { continue }
                probe.answer(fetches[time].id, body: Source.bytes(number, count: 20_000))
                probe.drain(segment)
                probe.feed(.damaged(target: target, reason: "x"))
            }
        }
        #expect(probe.fetches(".m4s").count == 8 + 3)
        #expect(session(probe).damaged_segments == 8 && session(probe).refetched_segments == 0)
    }

    @Test("Other bytes that are damaged as well are fetched again, but not for ever")
    func bounded() {
        let (probe, target) = probe()
        for time in 0..<10 {
            probe.feed(.damaged(target: target, reason: "x"))
            for fetch in probe.fetches("1.m4s").dropFirst(time + 1).prefix(1) {
                probe.answer(fetch.id, body: Source.bytes(time + 5, count: 20_000 + time))
            }
            probe.wait(.seconds(1))
        }
        #expect(probe.fetches("1.m4s").count <= 4)
    }

    @Test("What the origin itself vouches for by a digest of the whole is not fetched again")
    func anchored() {
        let digest = Digest.sha256(truncated).bytes
        let (probe, target) = probe(fields: [("repr-digest", "sha-256=:\(Data(digest).base64EncodedString()):")])
        probe.feed(.damaged(target: target, reason: "x"))
        probe.wait(.seconds(2))
        #expect(probe.fetches("1.m4s").count == 1)
        #expect(session(probe).latest_damage?.contains("the origin's own digest") == true)
    }

    @Test("Of HLS the other pathway's list is read for it")
    func pathways() {
        let probe = AgentProbe()
        let list = Array(Playlists.live(1...4, target: 2, end: true).utf8)
        let master =
            "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,PATHWAY-ID=\"A\"\nhttp://a.example/x/v.m3u8\n"
            + "#EXT-X-STREAM-INF:BANDWIDTH=1,PATHWAY-ID=\"B\"\nhttp://b.example/y/v.m3u8\n"
        let path = probe.open("http://o.example/master.m3u8", master)
        let index = probe.text(probe.ask(path)).split(separator: "\n").first { $0.hasPrefix("/s/") } ?? ""
        _ = probe.ask(String(index))
        probe.answer(probe.fetches("/x/v.m3u8")[0].id, body: list, url: "http://a.example/x/v.m3u8")
        let target = String(index).replacingIndex(with: "1.ts")
        let segment = probe.ask(target)
        probe.answer(probe.fetches("/x/1.ts")[0].id, body: truncated)
        probe.drain(segment)
        probe.feed(.damaged(target: target, reason: "x"))
        #expect(probe.fetches("/y/v.m3u8").count == 1 && probe.fetches("1.ts").count == 1)
        guard let beside = probe.fetches("/y/v.m3u8").first else { return }
        probe.answer(beside.id, body: list, url: "http://b.example/y/v.m3u8")
        probe.wait(.seconds(2))
        #expect(probe.fetches("/y/1.ts").count == 1 && probe.fetches("/x/1.ts").count == 1)
        guard let again = probe.fetches("/y/1.ts").first else { return }
        probe.answer(again.id, body: whole)
        #expect(probe.received(probe.ask(target)) == whole)
    }

    @Test("A copy that came from a peer is fetched from the origin, and not offered any more")
    func fromPeers() {
        let world = AgentWorld()
        let origin = LiveOrigin(world)
        let agents = [world.add(), world.add()]
        let paths = agents.map { world.open($0, LiveOrigin.url) }
        world.link(0, 1)
        let first = world.get(0, paths[0].replacingIndex(with: "3.ts"))
        world.run(.seconds(1))
        #expect(world.body(first, is: origin.body(3)))
        // Whoever starts reads from the origin.
        world.get(1, paths[1].replacingIndex(with: "2.ts"))
        world.run(.seconds(1))
        let second = world.get(1, paths[1].replacingIndex(with: "3.ts"))
        world.run(.seconds(1))
        #expect(world.body(second, is: origin.body(3)))
        #expect(world.agents[1].agent.statistics(at: world.now).peer_bytes >= 40_000)
        let before = world.log.filter { $0.agent == 1 && $0.url.hasSuffix("/3.ts") && $0.method == "GET" }.count
        world.feed(1, .damaged(target: paths[1].replacingIndex(with: "3.ts"), reason: "x"))
        world.run(.seconds(1))
        let after = world.log.filter { $0.agent == 1 && $0.url.hasSuffix("/3.ts") && $0.method == "GET" }.count
        #expect(after == before + 1)
        #expect(world.agents[1].agent.sessions(at: world.now)[0].damaged_segments == 1)
        let segment = world.agents[1].agent.streams[0].renditions[0].media[3]
        #expect(segment?.isHeld == true && segment?.announced == nil)
    }
}

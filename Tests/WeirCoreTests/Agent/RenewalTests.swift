import Testing
import WeirCore

/// Expired addresses, and servers that others redirect to.
@Suite("Expired addresses")
struct RenewalTests {
    private let master = "http://o.example/master.m3u8"

    private func masterText(_ token: Int) -> String {
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv/list.m3u8?t=\(token)\n"
    }

    private func list(_ token: Int) -> String {
        Playlists.live(0...9, target: 4, end: true) { "\($0).ts?t=\(token)" }
    }

    /// Answers what is asked as an origin whose tokens up to `expired` are refused; its lists carry `newest`.
    private func serve(_ probe: AgentProbe, expired: Int, newest: Int, status: Int = 403, _ done: inout Set<FetchID>) {
        for _ in 0..<10 {
            for fetch in probe.fetches() where !probe.isCancelled(fetch.id) && done.insert(fetch.id).inserted {
                let url = fetch.request.url
                let token = url.split(separator: "=").last.flatMap { Int($0) } ?? .max
                if url.hasPrefix(master) {
                    probe.answer(fetch.id, body: Array(masterText(newest).utf8), url: master)
                } else if token <= expired {
                    probe.answer(fetch.id, status, body: [], url: url)
                } else if url.contains("list") {
                    probe.answer(fetch.id, body: Array(list(token).utf8), url: url)
                } else {
                    probe.answer(fetch.id, body: [UInt8](repeating: UInt8(token), count: 1000), url: url)
                }
            }
        }
    }

    private func open(_ probe: AgentProbe, _ done: inout Set<FetchID>) -> String {
        let path = probe.open(master, masterText(1))
        done.insert(probe.fetches()[0].id)
        let index =
            probe.text(probe.ask(path)).split(separator: "\n").last { $0.hasPrefix("/s/") }.map { String($0) } ?? ""
        _ = probe.ask(index)
        serve(probe, expired: 0, newest: 1, &done)
        return index
    }

    @Test(
        "F08 A segment's 403 or 410 costs one reload of the lists, and the player gets the segment",
        arguments: [403, 410]
    )
    func segment(status: Int) {
        let probe = AgentProbe()
        var done: Set<FetchID> = []
        let index = open(probe, &done)
        probe.wait(.seconds(10))
        let request = probe.ask(index.replacingIndex(with: "3.ts"))
        let before = probe.fetches().count
        serve(probe, expired: 1, newest: 2, status: status, &done)
        #expect(probe.status(request) == 200 && probe.received(request).first == 2)
        #expect(
            probe.fetches().dropFirst(before).map(\.request.url) == [
                master, "http://o.example/v/list.m3u8?t=2", "http://o.example/v/3.ts?t=2",
            ]
        )
        // The next expiry is met as well.
        probe.wait(.seconds(60))
        let later = probe.ask(index.replacingIndex(with: "5.ts"))
        serve(probe, expired: 2, newest: 3, status: status, &done)
        #expect(probe.received(later).first == 3)
    }

    @Test("F08 An expired playlist is asked again at the address of a new multivariant list") func playlist() {
        let probe = AgentProbe()
        var done: Set<FetchID> = []
        let index = open(probe, &done)
        probe.wait(.seconds(60))
        let request = probe.ask(index)
        serve(probe, expired: 1, newest: 2, &done)
        #expect(probe.status(request) == 200)
        #expect(probe.fetches("list.m3u8?t=2").count == 1)
    }

    @Test("F08 What stays refused is told the player with its own status, and no player makes it an endless retry")
    func hopeless() {
        for target in ["3.ts", "index.m3u8"] {
            let probe = AgentProbe()
            var done: Set<FetchID> = []
            let index = open(probe, &done)
            probe.wait(.seconds(60))
            let before = probe.fetches().count
            for second in 0..<40 {
                let request = probe.ask(index.replacingIndex(with: target))
                serve(probe, expired: 1, newest: 1, &done)
                #expect(probe.status(request) == 403, "\(target) after \(3 * second) s")
                probe.wait(.seconds(3))
            }
            // One for each of the player's own, and a few reloads with growing pauses.
            #expect(probe.fetches().count - before <= 40 + 5 * 3, "\(target)")
        }
    }

    @Test("F08 A media playlist that stands alone mints its segments' new addresses itself") func alone() {
        let probe = AgentProbe()
        let url = "http://o.example/list.m3u8"
        let path = probe.open(url, list(1))
        probe.wait(.seconds(20))
        let request = probe.ask(path.replacingIndex(with: "3.ts"))
        probe.answer(probe.fetches("3.ts?t=1")[0].id, 403, body: [])
        #expect(probe.status(request) == nil)
        probe.answer(probe.fetches("list.m3u8")[1].id, body: Array(list(2).utf8), url: url)
        probe.answer(probe.fetches("3.ts?t=2")[0].id, body: [7])
        #expect(probe.received(request) == [7])
    }

    @Test("When the new lists can't be had, the first status stands") func noLists() {
        let probe = AgentProbe()
        var done: Set<FetchID> = []
        let index = open(probe, &done)
        probe.wait(.seconds(10))
        let request = probe.ask(index.replacingIndex(with: "3.ts"))
        probe.answer(probe.fetches("3.ts?t=1")[0].id, 410, body: [])
        probe.end(probe.fetches("master.m3u8")[1].id, .failed(.refused))
        #expect(probe.status(request) == 410)
        probe.wait(.seconds(1))
        let silent = probe.ask(index.replacingIndex(with: "4.ts"))
        probe.answer(probe.fetches("4.ts?t=1")[0].id, 410, body: [])
        probe.wait(.seconds(8))
        #expect(probe.status(silent) == 410 || probe.status(silent) == 504)
    }

    @Test("Keys of a recording are fetched at their new addresses, too") func keys() {
        let probe = AgentProbe()
        let url = "http://o.example/list.m3u8"
        func text(_ token: Int) -> String {
            list(token).replacing(
                "#EXTINF",
                with: "#EXT-X-KEY:METHOD=AES-128,URI=\"k?t=\(token)\"\n#EXTINF",
                maxReplacements: 1
            )
        }
        let path = probe.open(url, text(1))
        let key =
            probe.text(probe.ask(path)).split(separator: "\"").first { $0.hasSuffix(".key") }.map { String($0) } ?? ""
        probe.wait(.seconds(20))
        _ = probe.ask(path.replacingIndex(with: "3.ts"))
        probe.answer(probe.fetches("3.ts?t=1")[0].id, 403, body: [])
        probe.answer(probe.fetches("list.m3u8")[1].id, body: Array(text(2).utf8), url: url)
        _ = probe.ask(key)
        #expect(probe.fetches("/k?t=2").count == 1)
    }

    @Test("What redirects is asked each time; when it is down, the server that it led to last time") func redirect() {
        let probe = AgentProbe()
        let url = "http://balancer.example/live.m3u8"
        let node = "http://node7.example/s/live.m3u8"
        let path = probe.open(url, Playlists.live(0...3), answeredBy: node)
        _ = probe.ask(path)
        probe.wait(.seconds(2))
        let first = probe.ask(path)
        #expect(probe.fetches().last?.request.url == url)
        probe.end(probe.fetches(url)[1].id, .failed(.refused))
        #expect(probe.status(first) == nil)
        #expect(probe.fetches().last?.request.url == node)
        probe.answer(probe.fetches(node)[0].id, body: Array(Playlists.live(1...4).utf8), url: node)
        #expect(probe.text(first).contains("/4.ts"))
        _ = probe.ask(path.replacingIndex(with: "4.ts"))
        #expect(probe.fetches().last?.request.url == "http://node7.example/s/4.ts")
        // Both down: told once, the last list stands in.
        probe.wait(.seconds(2))
        let second = probe.ask(path)
        probe.end(probe.fetches(url)[2].id, .failed(.refused))
        probe.end(probe.fetches(node)[1].id, .failed(.refused))
        #expect(probe.text(second).contains("/4.ts"))
        #expect(probe.fetches(node).count == 2 && probe.fetches(url).count == 3)
    }
}

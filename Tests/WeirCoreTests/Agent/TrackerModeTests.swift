import Testing

@testable import WeirCore

@Suite("What an agent tells trackers, and how it obeys them")
struct TrackerModeTests {
    private let url = "http://o.example/film/index.m3u8"
    private let vod = Playlists.live(0...9, target: 4, end: true, type: "VOD")
    private let segment = [UInt8](repeating: 7, count: 200_000)

    private func settings(trackers: Int = 1) -> AgentSettings {
        var settings = AgentSettings()
        settings.trackerCount = trackers
        settings.trackerHosts = (0..<trackers).map { "tracker\($0).example" }
        settings.ownAddresses = [PeerAddress(host: "203.0.113.7", port: 4000)]
        return settings
    }

    private func announces(_ probe: AgentProbe) -> [Announce] {
        probe.outputs.compactMap { if case .announce(_, .announce(let announce)) = $0 { announce } else { nil } }
    }

    private func reply(_ swarm: SwarmID, _ mode: DeliveryMode?, tracker: Int = 0, interval: Int = 5) -> Input {
        let word = mode.map { ChannelMode($0, viewers: 3, reason: "3 viewers") }
        return .trackerReply(
            TrackerID(tracker),
            .swarm(swarm, interval: interval, complete: 0, incomplete: 3, mode: word)
        )
    }

    /// An agent in its swarm, with one peer that holds the whole film.
    private func started(trackers: Int = 1) -> (probe: AgentProbe, path: String, link: LinkID, swarm: SwarmID) {
        let probe = AgentProbe(settings(trackers: trackers))
        let path = probe.open(url, vod)
        for tracker in 0..<trackers { probe.feed(.trackerUp(TrackerID(tracker))) }
        let link = probe.linkPeer(7, host: "198.51.100.7")
        let all = Have.Range(kind: .media, first: 0, count: 10, state: .held)
        probe.say(link, .have(Have(handle: 0, rendition: .main, ranges: [all])))
        return (probe, path, link, announces(probe)[0].swarm)
    }

    private func play(_ probe: AgentProbe, _ path: String, _ number: Int) {
        let asked = probe.ask(path.replacingIndex(with: "\(number).ts"))
        if let fetch = probe.fetches("/\(number).ts").last { probe.answer(fetch.id, body: segment) }
        probe.drain(asked)
    }

    private func requests(_ probe: AgentProbe, _ link: LinkID) -> Int {
        probe.told(link).count { if case .request = $0 { true } else { false } }
    }

    private func mode(_ probe: AgentProbe) -> String { probe.agent.sessions(at: probe.now)[0].mode }

    @Test("Announces say who watches, where, what is held, what may be uploaded, and whether others can dial")
    func claims() {
        var settings = settings()
        settings.uploadBytesPerSecond = 500_000
        let probe = AgentProbe(settings)
        let path = probe.open(url, vod)
        probe.feed(.trackerUp(TrackerID(0)))
        let first = announces(probe)[0]
        #expect(first.claims?.viewers == 0 && first.claims?.timeslot == nil && first.claims?.isDialable == false)
        _ = probe.linkPeer(7, host: "198.51.100.7")
        play(probe, path, 5)
        probe.feed(reply(first.swarm, nil))
        probe.wait(.seconds(6))
        let claims = announces(probe).last?.claims
        #expect(claims?.viewers == 1 && claims?.uploads == true && claims?.freeUpload == 500_000)
        #expect(claims?.isDialable == true)
        #expect(claims?.timeslot?.place == .recorded(position: 24_000, part: 38))
        #expect(claims?.timeslot?.number == 6)
        #expect(announces(probe).last?.holdings == [HeldParts(rendition: .main, parts: 1 << 32)])
    }

    @Test("P17 Who uploads nothing says so, and lists nothing")
    func leech() {
        var settings = settings()
        settings.uploadBytesPerSecond = 0
        let probe = AgentProbe(settings)
        let path = probe.open(url, vod)
        play(probe, path, 5)
        probe.feed(.trackerUp(TrackerID(0)))
        #expect(announces(probe).last?.claims?.uploads == false)
        #expect(announces(probe).last?.holdings == [])
    }

    /// Of 100 to 105, two seconds each, the player has asked 102.
    private func liveAge(_ list: String) -> Int64? {
        let probe = AgentProbe(settings())
        let path = probe.open("http://o.example/live.m3u8", list)
        play(probe, path, 102)
        probe.wait(.seconds(3))
        probe.feed(.trackerUp(TrackerID(0)))
        let slot = announces(probe).last?.claims?.timeslot
        #expect(slot?.number == 103)
        guard case .live(let age)? = slot?.place else { return nil }
        return age
    }

    @Test("On live the place is the time to the edge and since it moved, whoever has watched for how long")
    func liveSlot() {
        #expect(liveAge(Playlists.live(100...105)) == 9000)
    }

    @Test(
        "H13 A stream's own clock counts where media are missing, in either form of its zone",
        arguments: ["Z", "+00:00", "+0000", "-0130"]
    )
    func dated(zone: String) {
        var list = Playlists.live(100...105)
        for (name, time) in [("102.ts", "09:00:00"), ("105.ts", "09:01:00.5")] {
            list.replace(
                "#EXTINF:2.0,\n\(name)",
                with: "#EXT-X-PROGRAM-DATE-TIME:2026-11-28T\(time)\(zone)\n#EXTINF:2.0,\n\(name)"
            )
        }
        // 103 begins at 09:00:02, the edge is at 09:01:02.5, and three seconds have passed.
        #expect(liveAge(list) == 63_500)
    }

    @Test(
        "A clock that cannot be told or runs backwards is passed over",
        arguments: ["yesterday", "2026-11-28T09:00:01Z"]
    )
    func undated(text: String) {
        let list = Playlists.live(100...105)
            .replacing(
                "#EXTINF:2.0,\n102.ts",
                with: "#EXT-X-PROGRAM-DATE-TIME:2026-11-28T09:00:30Z\n#EXTINF:2.0,\n102.ts"
            )
            .replacing("#EXTINF:2.0,\n105.ts", with: "#EXT-X-PROGRAM-DATE-TIME:\(text)\n#EXTINF:2.0,\n105.ts")
        #expect(liveAge(list) == 9000)
    }

    @Test("P20 By peers without a word; directly on a tracker's, without a request to any peer; and back")
    func obeys() {
        let (probe, path, link, swarm) = started()
        #expect(mode(probe) == "p2p")
        probe.feed(reply(swarm, .direct))
        #expect(mode(probe) == "direct")
        #expect(probe.agent.sessions(at: probe.now)[0].mode_reason == "the tracker: 3 viewers")
        for number in 0..<3 {
            play(probe, path, number)
            #expect(probe.fetches("/\(number).ts").count == 1)
        }
        probe.wait(.seconds(3))
        #expect(requests(probe, link) == 0)
        // Nothing ahead of the player either.
        #expect(probe.fetches("/3.ts").isEmpty)
        probe.feed(reply(swarm, .peers))
        #expect(mode(probe) == "p2p")
        probe.wait(.milliseconds(50))
        #expect(requests(probe, link) > 0)
        #expect(probe.fetches("/3.ts").isEmpty)
        #expect(probe.messages("servers alone").count == 1 && probe.messages("peers as well").count == 1)
    }

    @Test("P20 Races under way when the mode changes end as they began")
    func races() {
        let (probe, path, link, swarm) = started()
        play(probe, path, 0)
        probe.wait(.milliseconds(50))
        let before = requests(probe, link)
        #expect(before > 0)
        probe.feed(reply(swarm, .direct))
        probe.wait(.milliseconds(500))
        let cancels = probe.told(link).count { if case .cancel = $0 { true } else { false } }
        #expect(cancels == 0)
        // What no race had begun for is read from the origin, and only when it is asked for.
        play(probe, path, 8)
        #expect(probe.fetches("/8.ts").count == 1)
        #expect(probe.fetches("/9.ts").isEmpty)
    }

    @Test("F71 Of two trackers one that says p2p decides; F68 a word outlives its tracker for three intervals")
    func words() {
        let (probe, _, _, swarm) = started(trackers: 2)
        probe.feed(reply(swarm, .direct, tracker: 0, interval: 20))
        #expect(mode(probe) == "direct")
        probe.feed(reply(swarm, .peers, tracker: 1, interval: 20))
        #expect(mode(probe) == "p2p")
        probe.feed(reply(swarm, .direct, tracker: 1, interval: 20))
        #expect(mode(probe) == "direct")
        for tracker in 0..<2 { probe.feed(.trackerDown(TrackerID(tracker), reason: "gone")) }
        probe.wait(.seconds(50))
        #expect(mode(probe) == "direct")
        probe.wait(.seconds(20))
        #expect(mode(probe) == "p2p")
        // A tracker that has no word on it takes its word back.
        probe.feed(reply(swarm, .direct, tracker: 0, interval: 20))
        probe.feed(reply(swarm, nil, tracker: 0, interval: 20))
        #expect(mode(probe) == "p2p")
    }

    @Test("The most promising are dialled first; what was seen of a peer outweighs what it claims")
    func dialOrder() {
        let probe = AgentProbe(settings())
        probe.open(url, vod)
        probe.feed(.trackerUp(TrackerID(0)))
        let swarm = announces(probe)[0].swarm
        func offer(_ index: UInt8, _ change: (inout PeerClaims) -> Void) {
            var claims = PeerClaims()
            change(&claims)
            let address = PeerAddress(host: "198.51.100.\(index)", port: 4100)
            let endpoints = Endpoints(addresses: [address], identity: TestSigner(index).id)
            let name = TrackerPeerID([UInt8](repeating: index, count: 20))!
            probe.feed(
                .trackerReply(
                    TrackerID(0),
                    .offer(swarm: swarm, from: name, offer: OfferID([1]), endpoints, claims: claims)
                )
            )
        }
        // Eight dials at once: these are under way, the rest wait.
        for index in 20..<28 as Range<UInt8> { offer(index) { _ in } }
        func dials() -> [(id: DialID, host: String)] {
            probe.outputs.compactMap { if case .dial(let id, let address, _) = $0 { (id, address.host) } else { nil } }
        }
        #expect(dials().count == 8)
        offer(30) { $0.uploads = false }
        offer(31) { $0.freeUpload = 0 }
        offer(32) { $0.freeUpload = 5_000_000 }
        probe.agent.acquaintances.note(TestSigner(33).id, worth: 20, at: probe.now, limit: 10)
        offer(33) { $0.uploads = false }
        probe.agent.acquaintances.note(TestSigner(34).id, worth: -20, at: probe.now, limit: 10)
        offer(34) { $0.freeUpload = 5_000_000 }
        for (id, _) in dials() { probe.feed(.dialFailed(id, .refused)) }
        probe.wait(.milliseconds(600))
        #expect(dials().dropFirst(8).prefix(5).map { $0.host.suffix(2) } == ["33", "32", "31", "30", "34"])
    }
}

import Testing
import WeirCore

@Suite("Trackers and dials")
struct TrackerTests {
    let url = "http://o.example/film/index.m3u8"
    private let vod = Playlists.live(0...9, target: 4, end: true, type: "VOD")

    private func settings() -> AgentSettings {
        var settings = AgentSettings()
        settings.trackerCount = 1
        settings.seedTime = nil
        settings.trackerHosts = ["tracker.example"]
        settings.ownAddresses = [PeerAddress(host: "203.0.113.7", port: 4000)]
        return settings
    }

    private func announces(_ probe: AgentProbe) -> [Announce] {
        probe.outputs.compactMap { if case .announce(_, .announce(let announce)) = $0 { announce } else { nil } }
    }

    private func dials(_ probe: AgentProbe) -> [(id: DialID, address: PeerAddress)] {
        probe.outputs.compactMap { if case .dial(let id, let address, _) = $0 { (id, address) } else { nil } }
    }

    private func opens(_ probe: AgentProbe) -> Int {
        probe.outputs.count { if case .openTracker = $0 { true } else { false } }
    }

    @Test("Opening a stream opens the tracker and announces with offers; closing it says stopped")
    func announce() {
        let probe = AgentProbe(settings())
        probe.open(url, vod)
        #expect(opens(probe) == 1)
        probe.feed(.trackerUp(TrackerID(0)))
        let first = announces(probe).first
        #expect(first?.event == .started && first?.offers.count == 5 && first?.wanted == 5)
        #expect(first?.offers.first?.endpoints.addresses == [PeerAddress(host: "203.0.113.7", port: 4000)])
        #expect(Set(first?.offers.map { $0.id } ?? []).count == 5)
        probe.feed(.close(StreamID(probe.agent.sessions(at: probe.now)[0].id)))
        #expect(announces(probe).last?.event == .stopped && announces(probe).last?.offers.isEmpty == true)
        probe.wait(.seconds(1000))
        #expect(announces(probe).count == 2)
    }

    @Test("F73: intervals are clamped to 5 s … 1 h", arguments: [(0, 5), (-7, 5), (Int.max, 3600), (60, 60)])
    func interval(said: Int, meant: Int) {
        let probe = AgentProbe(settings())
        probe.open(url, vod)
        probe.feed(.trackerUp(TrackerID(0)))
        let swarm = announces(probe)[0].swarm
        probe.feed(.trackerReply(TrackerID(0), .swarm(swarm, interval: said, complete: 1, incomplete: 0)))
        probe.wait(.seconds(meant) - .milliseconds(200))
        #expect(announces(probe).count == 1)
        probe.wait(.milliseconds(400))
        #expect(announces(probe).count == 2)
    }

    @Test("While links are lacking it searches sooner, but less and less often")
    func eager() {
        let probe = AgentProbe(settings())
        probe.open(url, vod)
        probe.feed(.trackerUp(TrackerID(0)))
        let swarm = announces(probe)[0].swarm
        let reply = Input.trackerReply(TrackerID(0), .swarm(swarm, interval: 120, complete: 0, incomplete: .max))
        probe.feed(reply)
        probe.wait(.seconds(6))
        #expect(announces(probe).count == 2)
        for _ in 0..<3600 {
            probe.wait(.seconds(1))
            if announces(probe).count % 3 == 0 { probe.feed(reply) }
        }
        // An hour: thirty by the interval; eagerly it would be 720.
        #expect((25...60).contains(announces(probe).count))
    }

    @Test("F72: a tracker that is down is tried again after growing pauses, differently by each agent")
    func backOff() {
        var seconds: Set<Int64> = []
        for seed in 0..<20 {
            let probe = AgentProbe(settings(), seed: UInt64(seed))
            probe.open(url, vod)
            var gaps: [Duration] = []
            var last = probe.now
            for _ in 0..<9 {
                let count = opens(probe)
                probe.feed(.trackerDown(TrackerID(0), reason: "refused"))
                while opens(probe) == count { probe.wait(.milliseconds(100)) }
                gaps.append(probe.now - last)
                last = probe.now
            }
            #expect(gaps[0] >= .seconds(1) && gaps[0] <= .milliseconds(1700))
            #expect(gaps[8] >= .seconds(60) && gaps[8] <= .milliseconds(90_200))
            seconds.insert(gaps[8].nanoseconds / 1_000_000_000)
        }
        #expect(seconds.count > 5)
    }

    @Test("F72: a tracker that accepts and hangs up is not connected to every second")
    func flapping() {
        let probe = AgentProbe(settings())
        probe.open(url, vod)
        for _ in 0..<600 {
            probe.wait(.seconds(1))
            let last = probe.outputs.last {
                switch $0 {
                case .openTracker, .announce: true
                default: false
                }
            }
            switch last {
            case .openTracker: probe.feed(.trackerUp(TrackerID(0)))
            case .announce: probe.feed(.trackerDown(TrackerID(0), reason: "closed"))
            default: break
            }
        }
        #expect(opens(probe) < 30)
    }

    @Test("Without a stream a lost tracker is left alone until one is opened")
    func noStreams() {
        let probe = AgentProbe(settings())
        probe.open(url, vod)
        probe.feed(.trackerUp(TrackerID(0)))
        probe.feed(.close(StreamID(probe.agent.sessions(at: probe.now)[0].id)))
        probe.feed(.trackerDown(TrackerID(0), reason: "closed"))
        probe.wait(.seconds(600))
        #expect(opens(probe) == 1)
        probe.open(url, vod)
        probe.wait(.seconds(100))
        #expect(opens(probe) == 2)
    }

    private func offer(_ index: UInt8, _ hosts: [String], _ swarm: SwarmID) -> Input {
        let endpoints = Endpoints(
            addresses: hosts.map { PeerAddress(host: $0, port: 4100) },
            identity: TestSigner(index).id
        )
        let from = TrackerPeerID(Array(repeating: index, count: 20))!
        return .trackerReply(TrackerID(0), .offer(swarm: swarm, from: from, offer: OfferID([1]), endpoints))
    }

    @Test("F48 F69: an offer is dialled and answered; our own, a browser's and narrower addresses are not dialled")
    func offers() {
        let probe = AgentProbe(settings())
        probe.open(url, vod)
        probe.feed(.trackerUp(TrackerID(0)))
        let swarm = announces(probe)[0].swarm
        probe.feed(offer(9, ["198.51.100.9"], swarm))
        #expect(dials(probe).map { $0.address.host } == ["198.51.100.9"])
        #expect(probe.outputs.contains { if case .announce(_, .answer) = $0 { true } else { false } })
        probe.feed(offer(1, ["198.51.100.10"], swarm))
        for host in ["127.0.0.1", "10.0.0.4", "192.168.1.1", "169.254.169.254", "::1", "fe80::1", "0.0.0.0"] {
            probe.feed(offer(10, [host], swarm))
        }
        let browser = Endpoints(addresses: [PeerAddress(host: "198.51.100.11", port: 1)], identity: nil)
        probe.feed(
            .trackerReply(
                TrackerID(0),
                .offer(swarm: swarm, from: TrackerPeerID(Array(repeating: 3, count: 20))!, offer: OfferID([]), browser)
            )
        )
        #expect(dials(probe).count == 1)
    }

    @Test("F69: a flood of peers costs bounded dials and memory")
    func flood() {
        let probe = AgentProbe(settings())
        probe.open(url, vod)
        probe.feed(.trackerUp(TrackerID(0)))
        let swarm = announces(probe)[0].swarm
        for index in 0..<2000 {
            let endpoints = Endpoints(
                addresses: [PeerAddress(host: "198.51.\(index / 250).\(index % 250 + 1)", port: 4100)],
                identity: PeerID(Digest.sha256([UInt8(index % 256), UInt8(index / 256)]))
            )
            let from = TrackerPeerID(Array(Digest.sha256([UInt8(index % 256), UInt8(index / 256)]).bytes.prefix(20)))!
            probe.feed(.trackerReply(TrackerID(0), .offer(swarm: swarm, from: from, offer: OfferID([]), endpoints)))
        }
        #expect(dials(probe).count <= Limits().dials)
    }

    @Test("A permanent peer is dialled for ever with growing pauses, even with all other links in place")
    func permanent() {
        var settings = AgentSettings()
        settings.peers = [PeerAddress(host: "192.0.2.1", port: 4000)]
        let probe = AgentProbe(settings)
        probe.open(url, vod)
        for index in 0..<20 { _ = probe.linkPeer(UInt8(index) + 10, host: "10.2.0.\(index)") }
        var failed = 0
        for _ in 0..<1200 {
            probe.wait(.milliseconds(500))
            let all = dials(probe)
            while failed < all.count {
                probe.feed(.dialFailed(all[failed].id, .refused))
                failed += 1
            }
        }
        // Ten minutes with pauses of up to a minute.
        #expect((10...22).contains(dials(probe).count))
    }

    @Test("A stranger is forgotten after five failures")
    func stranger() {
        let probe = AgentProbe(settings())
        probe.open(url, vod)
        probe.feed(.trackerUp(TrackerID(0)))
        probe.feed(offer(9, ["198.51.100.9"], announces(probe)[0].swarm))
        var failed = 0
        for _ in 0..<1200 {
            probe.wait(.milliseconds(500))
            let all = dials(probe)
            while failed < all.count {
                probe.feed(.dialFailed(all[failed].id, .refused))
                failed += 1
            }
        }
        #expect(dials(probe).count == 5)
    }

    @Test("With all links in place known addresses wake nobody")
    func idleDials() {
        let probe = AgentProbe(settings())
        probe.open(url, vod)
        probe.feed(.trackerUp(TrackerID(0)))
        for index in 0..<20 { _ = probe.linkPeer(UInt8(index) + 10, host: "10.2.0.\(index)") }
        probe.feed(offer(9, ["198.51.100.9"], announces(probe)[0].swarm))
        #expect(dials(probe).isEmpty)
        let before = probe.timersFed
        for _ in 0..<60 {
            probe.wait(.seconds(1))
            for index in 0..<20 { probe.say(LinkID(UInt64(index) + 110), .ping(1)) }
        }
        #expect(probe.timersFed - before <= 5 * 60)
        // A link is lost: now there is room.
        probe.feed(.linkDown(LinkID(110), .closedByPeer))
        probe.wait(.seconds(2))
        #expect(dials(probe).map { $0.address.host } == ["198.51.100.9"])
    }

    @Test("Links beyond the limit are turned away; of two links between a pair one stays")
    func links() {
        var limits = Limits()
        limits.links = 3
        let probe = AgentProbe(limits: limits)
        probe.open(url, vod)
        for index in 0..<5 { _ = probe.linkPeer(UInt8(index) + 10) }
        #expect(probe.statistics.peers == 3)
        // Each dials the other at the same time.
        var settings = AgentSettings()
        settings.peers = [PeerAddress(host: "10.9.0.1", port: 1)]
        let twice = AgentProbe(settings)
        twice.open(url, vod)
        twice.wait(.milliseconds(10))
        let first = twice.linkPeer(9)
        let other = TestSigner(9)
        let peer = LinkPeer(id: other.id, publicKey: other.publicKey, address: PeerAddress(host: "10.9.0.1", port: 1))
        twice.feed(.linkUp(LinkID(900), peer, dial: dials(twice).first?.id))
        twice.say(LinkID(900), .hello(Hello(listenPort: 1, uploads: true, swarms: [])))
        #expect(twice.statistics.peers == 1)
        _ = first
    }

    @Test("After seed_time without a player the stream leaves its swarm; a player that comes back joins it again")
    func seedTime() {
        var settings = settings()
        settings.seedTime = .seconds(60)
        let probe = AgentProbe(settings)
        let path = probe.open(url, vod)
        probe.feed(.trackerUp(TrackerID(0)))
        let link = probe.linkPeer(7)
        func joins() -> Int { probe.told(link).count { if case .join = $0 { true } else { false } } }
        func leaves() -> Int { probe.told(link).count { if case .leave = $0 { true } else { false } } }
        for _ in 0..<80 {
            probe.wait(.seconds(1))
            probe.say(link, .ping(1))
        }
        #expect(leaves() == 1)
        #expect(announces(probe).last?.event == .stopped)
        let count = announces(probe).count
        for _ in 0..<300 {
            probe.wait(.seconds(1))
            probe.say(link, .ping(1))
        }
        #expect(announces(probe).count == count)
        #expect(leaves() == 1)
        _ = probe.ask(path.replacingIndex(with: "0.ts"))
        #expect(joins() == 1)
        #expect(announces(probe).last?.event == .started)
        #expect(probe.agent.sessions(at: probe.now)[0].peers == 1)
    }

    @Test("A stream without any link also leaves its trackers after seed_time")
    func seedTimeAlone() {
        var settings = settings()
        settings.seedTime = .seconds(60)
        let probe = AgentProbe(settings)
        probe.open(url, vod)
        probe.feed(.trackerUp(TrackerID(0)))
        probe.wait(.seconds(80))
        #expect(announces(probe).last?.event == .stopped)
    }
}

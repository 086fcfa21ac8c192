import NIOCore
import NIOPosix
import Testing
import WeirCore
import WeirNet

/// An agent's tracker connections for a test.
private struct TestHub {
    let loop: any EventLoop
    let hub: NIOLoopBound<TrackerHub>
    let events = LinkTestEvents()

    init(_ urls: [String], limits: TrackerHub.Limits = .init()) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let events = events
        self.loop = loop
        hub = try await loop.submit {
            NIOLoopBound(
                TrackerHub(loop: loop, urls: urls, limits: limits) { events.yield($0) },
                eventLoop: loop
            )
        }.get()
    }

    func call(_ action: @escaping @Sendable (TrackerHub) -> Void) async throws {
        try await loop.submit { [hub] in action(hub.value) }.get()
    }

    func open(_ tracker: Int = 0) async throws {
        try await call { $0.open(TrackerID(tracker)) }
        _ = try await events.first { if case .trackerUp(TrackerID(tracker)) = $0 { 1 } else { nil } }
    }

    func reply() async throws -> TrackerReply {
        try await events.first { if case .trackerReply(_, let reply) = $0 { reply } else { nil } }
    }

    func down() async throws -> String {
        try await events.first { if case .trackerDown(_, let reason) = $0 { reason } else { nil } }
    }
}

@Suite("Tracker client", .timeLimit(.minutes(1)))
struct TrackerHubTests {
    private static func announce(
        _ peer: Int,
        swarm: UInt8,
        offers: [Offer] = [],
        event: Announce.Event? = .started
    ) -> TrackerRequest {
        .announce(
            Announce(
                swarm: SwarmID([UInt8](repeating: swarm, count: 20))!,
                me: name(peer, swarm),
                event: event,
                wanted: offers.count,
                uploaded: 0,
                downloaded: 0,
                offers: offers
            )
        )
    }

    private static func name(_ peer: Int, _ swarm: UInt8) -> TrackerPeerID {
        TrackerPeerID.derive(
            PeerID(.sha256([UInt8(peer)])),
            in: SwarmID([UInt8](repeating: swarm, count: 20))!
        )
    }

    private static func endpoints(_ peer: Int) -> Endpoints {
        Endpoints(
            addresses: [PeerAddress(host: "192.0.2.\(peer)", port: 4000 + peer)],
            identity: PeerID(.sha256([UInt8(peer)]))
        )
    }

    @Test("Agents of two swarms meet at one tracker, each only its own")
    func meeting() async throws {
        let tracker = try await TestTracker()
        var hubs: [TestHub] = []
        for _ in 0..<4 { hubs.append(try await TestHub(["ws://127.0.0.1:\(tracker.port)/announce"])) }
        for hub in hubs { try await hub.open() }
        // 0, 1 and 2 in swarm 200; 0 and 3 in swarm 13, all of whose bytes are carriage returns.
        for peer in 0..<3 {
            try await hubs[peer].call { $0.announce(TrackerID(0), Self.announce(peer, swarm: 200)) }
            _ = try await hubs[peer].reply()
        }
        try await hubs[0].call { $0.announce(TrackerID(0), Self.announce(0, swarm: 13)) }
        _ = try await hubs[0].reply()
        let offer = Offer(id: OfferID([0, 255, 34]), endpoints: Self.endpoints(3))
        try await hubs[3].call { $0.announce(TrackerID(0), Self.announce(3, swarm: 13, offers: [offer, offer])) }
        let thirteen = try #require(SwarmID([UInt8](repeating: 13, count: 20)))
        #expect(try await hubs[3].reply() == .swarm(thirteen, interval: 20, complete: 0, incomplete: 2))
        #expect(
            try await hubs[0].reply()
                == .offer(swarm: thirteen, from: Self.name(3, 13), offer: offer.id, Self.endpoints(3))
        )
        try await hubs[0].call {
            $0.announce(
                TrackerID(0),
                .answer(
                    swarm: thirteen,
                    me: Self.name(0, 13),
                    to: Self.name(3, 13),
                    offer: offer.id,
                    sdp: Self.endpoints(0)
                )
            )
        }
        #expect(
            try await hubs[3].reply()
                == .answer(swarm: thirteen, from: Self.name(0, 13), offer: offer.id, Self.endpoints(0))
        )
        #expect(try await tracker.statistics().peers == 5)
        // The others heard nothing of it: what they hear next is their own next announce.
        for peer in 1..<3 {
            try await hubs[peer].call { $0.announce(TrackerID(0), Self.announce(peer, swarm: 200, event: nil)) }
            guard case .swarm(_, _, _, 3, _) = try await hubs[peer].reply() else { throw Unexpected() }
        }
        for hub in hubs { try await hub.call { $0.close(TrackerID(0)) } }
        try await tracker.stop()
    }

    @Test("F68 A tracker that is not there, or goes away, is reported once and can be tried again")
    func absence() async throws {
        let tracker = try await TestTracker()
        let url = "ws://127.0.0.1:\(tracker.port)"
        let hub = try await TestHub([url])
        try await hub.open()
        try await tracker.stop()
        #expect(try await hub.down() == "closed by the other end")
        try await hub.call { $0.open(TrackerID(0)) }
        #expect(try await hub.down() == "connection refused")
    }

    @Test("What speaks no WebSocket is reported with the reason")
    func noTrackers() async throws {
        let silent = try await SilentServer()
        var limits = TrackerHub.Limits()
        limits.upgrade = .milliseconds(200)
        let hub = try await TestHub(
            ["http://a", "ws://127.0.0.1:\(silent.port)", "wss://127.0.0.1:\(silent.port)"],
            limits: limits
        )
        try await hub.call { $0.open(TrackerID(0)) }
        #expect(try await hub.down() == "no ws:// or wss:// address")
        try await hub.call { $0.open(TrackerID(7)) }
        #expect(try await hub.down() == "no ws:// or wss:// address")
        try await hub.call { $0.open(TrackerID(1)) }
        #expect(try await hub.down() == "no answer")
        try await hub.call { $0.open(TrackerID(2)) }
        #expect(try await hub.down() == "no answer")
        try await silent.stop()
    }

    @Test("An HTTP server that does not upgrade is no tracker")
    func plainHTTP() async throws {
        let server = try await SilentServer(answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi\n")
        let hub = try await TestHub(["ws://127.0.0.1:\(server.port)"])
        try await hub.call { $0.open(TrackerID(0)) }
        #expect(try await hub.down() == "it speaks HTTP but no WebSocket there")
        try await server.stop()
    }

    @Test("Nothing is reported of a connection that was closed here")
    func closing() async throws {
        let tracker = try await TestTracker()
        let hub = try await TestHub(["ws://127.0.0.1:\(tracker.port)"])
        try await hub.open()
        try await hub.call { hub in
            hub.announce(TrackerID(0), Self.announce(1, swarm: 1))
            hub.close(TrackerID(0))
            hub.announce(TrackerID(0), Self.announce(1, swarm: 1))
            hub.open(TrackerID(0))
        }
        let next = try await hub.events.first { input -> Bool? in
            if case .trackerUp = input { true } else if case .trackerDown = input { false } else { nil }
        }
        #expect(next)
        try await tracker.stop()
    }

    @Test("F69 A tracker that says garbage does no harm, and what it says between is heard")
    func garbage() async throws {
        let garbage = [
            "{", "[]", String(repeating: "[", count: 60_000), #"{"action":"announce","info_hash":"x"}"#,
            #"{"failure reason":5}"#,
        ]
        let tracker = try await HostileTracker(
            messages: garbage + [
                #"{"action":"announce","info_hash":"wziFoizJPqsH8SnxvNiC","interval":2147483648,"complete":-1}"#
            ]
        )
        let hub = try await TestHub(["ws://127.0.0.1:\(tracker.port)"])
        try await hub.open()
        let swarm = try #require(SwarmID(Array("wziFoizJPqsH8SnxvNiC".utf8)))
        #expect(try await hub.reply() == .swarm(swarm, interval: 86_400, complete: 0, incomplete: 0))
        try await tracker.stop()
        _ = try await hub.down()
    }

    @Test("F69 A tracker whose message is too large is left")
    func tooLarge() async throws {
        let tracker = try await HostileTracker(messages: [String(repeating: " ", count: 70_000)])
        let hub = try await TestHub(["ws://127.0.0.1:\(tracker.port)"])
        try await hub.call { $0.open(TrackerID(0)) }
        let reason = try await hub.down()
        #expect(reason == "a message is too large")
        try await tracker.stop()
    }
}

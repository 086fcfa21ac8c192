import Testing
import WeirCore

@Suite("Tracker server's decisions")
struct TrackerServerStateTests {
    private typealias State = TrackerServerState<Endpoints>

    private static func swarm(_ number: UInt8) -> SwarmID { SwarmID([UInt8](repeating: number, count: 20))! }
    private static func name(_ number: Int) -> TrackerPeerID {
        TrackerPeerID(Array("-WR0100-".utf8) + Array("\(100_000_000_000 + number)".utf8))!
    }

    private static func announce(
        _ peer: Int,
        in swarm: UInt8 = 1,
        offers: Int = 0,
        wanted: Int? = nil,
        event: Announce.Event? = nil
    ) -> TrackerCall<Endpoints> {
        let endpoints = Endpoints(addresses: [PeerAddress(host: "192.0.2.1", port: 1 + peer)], identity: nil)
        return TrackerCall(
            .announce(
                Announce(
                    swarm: Self.swarm(swarm),
                    me: name(peer),
                    event: event,
                    wanted: wanted ?? offers,
                    uploaded: 0,
                    downloaded: 0,
                    offers: (0..<offers).map { Offer(id: OfferID([UInt8($0)]), endpoints: endpoints) }
                )
            )
        )
    }

    private func drain(_ state: inout State) -> [(socket: TrackerSocket, reply: TrackerReply?)] {
        var outputs: [(socket: TrackerSocket, reply: TrackerReply?)] = []
        while let (socket, answer) = state.nextOutput() { outputs.append((socket, answer.reply)) }
        return outputs
    }

    /// Members 0..<count, each on the socket of its number.
    private func populated(_ count: Int, settings: TrackerServerSettings = .exact, seed: UInt64 = 1) -> State {
        var state = State(settings: settings, seed: seed)
        for peer in 0..<count {
            state.opened(TrackerSocket(UInt64(peer)), host: "192.0.2.\(peer)")
            state.handle(Self.announce(peer, event: .started), from: TrackerSocket(UInt64(peer)), at: .start)
        }
        _ = drain(&state)
        return state
    }

    @Test("An announce is answered with the interval and the counts, its own included")
    func counts() {
        var state = populated(3)
        state.handle(Self.announce(0), from: TrackerSocket(0), at: .start)
        let outputs = drain(&state)
        #expect(outputs.count == 1)
        #expect(outputs.first?.socket == TrackerSocket(0))
        #expect(outputs.first?.reply == .swarm(Self.swarm(1), interval: 20, complete: 0, incomplete: 3))
    }

    @Test(
        "Offers go to as many others as wanted, offered and there, each to another one",
        arguments: [(5, 5, 5, 4), (30, 5, 5, 5), (30, 10, 3, 3), (30, 2, 50, 2), (100, 40, 40, 20), (1, 5, 5, 0)]
    )
    func offers(members: Int, offers: Int, wanted: Int, expected: Int) {
        for seed in UInt64(0)..<10 {
            var state = populated(members, seed: seed)
            state.handle(Self.announce(0, offers: offers, wanted: wanted), from: TrackerSocket(0), at: .start)
            let relayed = drain(&state).dropFirst()
            #expect(relayed.count == expected)
            #expect(Set(relayed.map(\.socket)).count == expected)
            #expect(!relayed.contains { $0.socket == TrackerSocket(0) })
            for (index, output) in relayed.enumerated() {
                guard case .offer(Self.swarm(1), Self.name(0), OfferID([UInt8(index)]), _, nil)? = output.reply else {
                    Issue.record("not the offer: \(output)")
                    continue
                }
            }
        }
    }

    @Test("Everybody is chosen now and then, and equal seeds choose equally")
    func fairness() {
        var first = populated(50, seed: 7)
        var second = populated(50, seed: 7)
        var chosen: Set<TrackerSocket> = []
        for _ in 0..<100 {
            first.handle(Self.announce(0, offers: 5), from: TrackerSocket(0), at: .start)
            second.handle(Self.announce(0, offers: 5), from: TrackerSocket(0), at: .start)
            let sockets = drain(&first).dropFirst().map(\.socket)
            #expect(sockets == drain(&second).dropFirst().map(\.socket))
            chosen.formUnion(sockets)
        }
        #expect(chosen.count == 49)
    }

    @Test("An answer goes to the one it names, and only from one who is there")
    func answers() {
        var state = populated(2)
        let endpoints = Endpoints(addresses: [PeerAddress(host: "192.0.2.9", port: 9)], identity: nil)
        func answer(from peer: Int, to other: Int) -> TrackerCall<Endpoints> {
            TrackerCall(
                .answer(
                    swarm: Self.swarm(1),
                    me: Self.name(peer),
                    to: Self.name(other),
                    offer: OfferID([0, 255]),
                    sdp: endpoints
                )
            )
        }
        state.handle(answer(from: 1, to: 0), from: TrackerSocket(1), at: .start)
        var outputs = drain(&state)
        #expect(outputs.map(\.socket) == [TrackerSocket(0)])
        #expect(
            outputs.first?.reply
                == .answer(swarm: Self.swarm(1), from: Self.name(1), offer: OfferID([0, 255]), endpoints)
        )
        // To one who has left: nobody hears anything.
        state.handle(answer(from: 1, to: 77), from: TrackerSocket(1), at: .start)
        #expect(drain(&state).isEmpty)
        // In somebody else's name: refused, and not relayed.
        state.handle(answer(from: 0, to: 1), from: TrackerSocket(1), at: .start)
        outputs = drain(&state)
        #expect(outputs.map(\.socket) == [TrackerSocket(1)])
        guard case .failure? = outputs.first?.reply else {
            Issue.record("not refused")
            return
        }
    }

    @Test("Stopped, closed and silent members are gone")
    func leaving() {
        var state = populated(4)
        state.handle(Self.announce(0, event: .stopped), from: TrackerSocket(0), at: .start)
        #expect(drain(&state).isEmpty)
        #expect(state.statistics.peers == 3)
        state.closed(TrackerSocket(1))
        #expect(state.statistics.peers == 2)
        state.handle(Self.announce(2), from: TrackerSocket(2), at: .start + .seconds(30))
        var now = Instant.start
        while let deadline = state.nextDeadline, deadline < .start + .seconds(65) {
            now = deadline
            state.expire(at: now)
        }
        #expect(state.statistics.peers == 1)
        while let deadline = state.nextDeadline { state.expire(at: deadline) }
        #expect(state.statistics.peers == 0)
        #expect(state.statistics.swarms == 0)
        // A later announce begins anew.
        state.handle(Self.announce(3), from: TrackerSocket(3), at: now + .seconds(500))
        #expect(state.statistics.peers == 1)
        #expect(state.nextDeadline != nil)
    }

    @Test("A name in use is not given away, but its host and time free it")
    func names() {
        var state = populated(1)
        state.opened(TrackerSocket(50), host: "198.51.100.1")
        state.opened(TrackerSocket(51), host: "192.0.2.0")
        state.handle(Self.announce(0), from: TrackerSocket(50), at: .start + .seconds(1))
        guard case .failure? = drain(&state).first?.reply else {
            Issue.record("given away")
            return
        }
        state.handle(Self.announce(0), from: TrackerSocket(51), at: .start + .seconds(1))
        guard case .swarm? = drain(&state).first?.reply else {
            Issue.record("a reconnection is refused")
            return
        }
        // The old socket's end does not end the new registration.
        state.closed(TrackerSocket(0))
        #expect(state.statistics.peers == 1)
        state.handle(Self.announce(0), from: TrackerSocket(50), at: .start + .seconds(22))
        guard case .swarm? = drain(&state).first?.reply else {
            Issue.record("an abandoned name is not freed")
            return
        }
        #expect(state.statistics.peers == 1)
    }

    @Test("A connection has one name in a swarm, and a limited number of swarms")
    func limits() {
        var settings = TrackerServerSettings.exact
        settings.swarmsPerSocket = 3
        settings.peers = 5
        settings.swarms = 4
        var state = State(settings: settings, seed: 1)
        state.opened(TrackerSocket(1), host: "a")
        for peer in 0..<10 { state.handle(Self.announce(peer), from: TrackerSocket(1), at: .start) }
        #expect(state.statistics.peers == 1)
        for swarm in 2..<10 as Range<UInt8> {
            state.handle(Self.announce(1, in: swarm), from: TrackerSocket(1), at: .start)
        }
        #expect(state.statistics.peers == 3)
        state.opened(TrackerSocket(2), host: "b")
        for swarm in 20..<30 as Range<UInt8> {
            state.handle(Self.announce(2, in: swarm), from: TrackerSocket(2), at: .start)
        }
        #expect(state.statistics.swarms == 4)
        for socket in 3..<20 as Range<UInt64> {
            state.opened(TrackerSocket(socket), host: "c")
            state.handle(Self.announce(Int(socket) + 100), from: TrackerSocket(socket), at: .start)
        }
        #expect(state.statistics.peers == 5)
        let refusals = drain(&state).filter { if case .failure? = $0.reply { true } else { false } }
        #expect(refusals.count == 6 + 9 + 16)
    }

    @Test("Swarms are apart from each other")
    func swarms() {
        var state = populated(3)
        state.opened(TrackerSocket(9), host: "a")
        state.handle(Self.announce(9, in: 2, offers: 5), from: TrackerSocket(9), at: .start)
        let outputs = drain(&state)
        #expect(outputs.map(\.reply) == [.swarm(Self.swarm(2), interval: 20, complete: 0, incomplete: 1)])
    }
}

extension TrackerServerSettings {
    /// Tells everybody the same interval.
    static var exact: TrackerServerSettings {
        var settings = TrackerServerSettings()
        settings.intervalJitter = 0
        return settings
    }
}

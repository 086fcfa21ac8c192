import Testing
import WeirCore
import WeirSimulation

/// A network without agents: frames of a given size are sent, and their arrivals timed.
private final class Bench {
    let queue = EventQueue()
    let network: Network
    /// (connection, seconds) of each arrived frame, in order.
    var arrivals: [(connection: Int, seconds: Double, bytes: Int)] = []
    var closed: [(connection: Int, side: Int)] = []
    var failed: [(connection: Int, end: LinkEnd)] = []
    var onOpen: (Int) -> Void = { _ in }
    var onFrame: (Int, Frame) -> Void = { _, _ in }

    init(roundTrip: Duration) {
        network = Network(queue: queue, roundTrips: (roundTrip, roundTrip))
    }

    func host(up: Double, down: Double, queue: Duration = .milliseconds(250)) -> Int {
        network.addHost(HostSettings(uplink: up * 125_000, downlink: down * 125_000, queue: queue))
    }

    func run(until end: Duration = .seconds(1000)) {
        drain()
        while let event = queue.next(until: .start + end) {
            _ = network.handle(event)
            drain()
        }
    }

    private func drain() {
        while let occurrence = network.nextOccurrence() {
            switch occurrence {
            case .opened(let connection, let side): if side == 0 { onOpen(connection) }
            case .frame(let connection, _, let frame):
                arrivals.append((connection, Double(queue.now.nanoseconds) / 1e9, frame.byteCount))
                onFrame(connection, frame)
            case .closed(let connection, let side, _): closed.append((connection, side))
            case .failed(let connection, let end): failed.append((connection, end))
            case .drained: break
            }
        }
    }

    func send(_ bytes: Int, on connection: Int, side: Int = 0, pieces: Int = 16 * 1024) {
        var rest = bytes
        while rest > 0 {
            network.send(Frame(byteCount: min(pieces, rest), content: .filler), on: connection, side: side)
            rest -= pieces
        }
    }
}

/// Payload bytes per second on a link of so many Mbit/s.
private func goodput(_ megabits: Double) -> Double { megabits * 125_000 * 1448 / 1500 }

@Suite("Transport model")
struct NetworkTests {
    @Test("A connection opens after its handshakes' round trips", arguments: [1, 2])
    func handshake(count: Int) {
        let bench = Bench(roundTrip: .milliseconds(100))
        let (one, two) = (bench.host(up: 5, down: 20), bench.host(up: 5, down: 20))
        var opened = 0.0
        bench.onOpen = { _ in opened = Double(bench.queue.now.nanoseconds) / 1e9 }
        _ = bench.network.connect(from: one, to: two, handshakes: count)
        bench.run()
        #expect(opened == 0.1 * Double(count))
    }

    @Test("Slow start doubles the initial window each round trip", arguments: [1, 2, 3, 4, 5])
    func slowStart(windows: Int) throws {
        let bench = Bench(roundTrip: .milliseconds(100))
        let (one, two) = (bench.host(up: 1000, down: 1000), bench.host(up: 1000, down: 1000))
        bench.onOpen = { bench.send(14480 * ((1 << windows) - 1), on: $0) }
        _ = bench.network.connect(from: one, to: two, handshakes: 1)
        bench.run()
        let last = try #require(bench.arrivals.last).seconds
        // Handshake, then window k arrives k − ½ round trips later, plus what its serialisation takes.
        let expected = 0.1 + 0.1 * (Double(windows) - 0.5)
        #expect(last >= expected && last < expected + 0.012)
    }

    @Test("A long flow runs at its uplink's rate", arguments: [1.0, 5.0, 20.0], [20, 80])
    func rate(megabits: Double, roundTrip: Int) throws {
        let bench = Bench(roundTrip: .milliseconds(roundTrip))
        let (one, two) = (bench.host(up: megabits, down: 100), bench.host(up: 5, down: 100))
        let bytes = Int(goodput(megabits) * 20)
        bench.onOpen = { bench.send(bytes, on: $0) }
        _ = bench.network.connect(from: one, to: two, handshakes: 1)
        bench.run()
        let last = try #require(bench.arrivals.last).seconds
        #expect(last > 20 && last < 20.9)
    }

    @Test("Flows share an uplink evenly", arguments: [2, 3, 5])
    func sharing(flows: Int) throws {
        let bench = Bench(roundTrip: .milliseconds(40))
        let sender = bench.host(up: 5, down: 20)
        let bytes = 1_000_000
        bench.onOpen = { bench.send(bytes, on: $0) }
        for _ in 0..<flows {
            _ = bench.network.connect(from: sender, to: bench.host(up: 5, down: 20), handshakes: 1)
        }
        bench.run()
        let expected = Double(bytes * flows) / goodput(5)
        for flow in 0..<flows {
            let last = try #require(bench.arrivals.last { $0.connection == flow }).seconds
            #expect(last > expected * 0.95 && last < expected * 1.1)
        }
    }

    @Test("Flows into a slow downlink share it, and what overflows is sent again, all of it in order")
    func overflow() throws {
        let bench = Bench(roundTrip: .milliseconds(40))
        let receiver = bench.host(up: 5, down: 10, queue: .milliseconds(100))
        bench.onOpen = { bench.send(4_000_000, on: $0) }
        for _ in 0..<2 {
            _ = bench.network.connect(from: bench.host(up: 1000, down: 1000), to: receiver, handshakes: 1)
        }
        bench.run()
        for flow in 0..<2 {
            #expect(bench.arrivals.reduce(0) { $0 + ($1.connection == flow ? $1.bytes : 0) } == 4_000_000)
        }
        let last = try #require(bench.arrivals.last).seconds
        let least = 8_000_000 / goodput(10)
        #expect(last > least && last < least * 1.15)
        #expect(bench.network.lostBytes(at: receiver) > 0)
    }

    @Test("A message waits for the backlog of the downlink it joins")
    func queueing() throws {
        let bench = Bench(roundTrip: .milliseconds(20))
        let receiver = bench.host(up: 5, down: 1, queue: .seconds(10))
        let bulk = bench.network.connect(from: bench.host(up: 1000, down: 1000), to: receiver, handshakes: 1)
        let small = bench.network.connect(from: bench.host(up: 1000, down: 1000), to: receiver, handshakes: 2)
        // The bulk's first window leaves after 20 ms, the small message's bytes after 40 ms.
        bench.onOpen = { connection in bench.send(connection == bulk ? 14480 : 100, on: connection) }
        bench.run()
        let arrival = try #require(bench.arrivals.first { $0.connection == small }).seconds
        let free = 0.03 + 15_000 / 125_000.0
        #expect(arrival > free && arrival < free + 0.005)
    }

    @Test("An upload's acknowledgements slow a download through the same host only a little")
    func acknowledgements() throws {
        let bench = Bench(roundTrip: .milliseconds(40))
        let (home, far, peer) = (
            bench.host(up: 5, down: 20), bench.host(up: 1000, down: 1000), bench.host(up: 5, down: 20)
        )
        let download = bench.network.connect(from: far, to: home, handshakes: 1)
        _ = bench.network.connect(from: home, to: peer, handshakes: 1)
        bench.onOpen = { bench.send($0 == download ? 4_000_000 : 1_200_000, on: $0) }
        bench.run()
        let last = try #require(bench.arrivals.last { $0.connection == download }).seconds
        #expect(last > 4_000_000 / goodput(20) && last < 4_000_000 / goodput(20) * 1.4)
    }

    @Test("Forwarding piece by piece costs one piece a hop, forwarding whole costs the whole (B5)")
    func relay() throws {
        func seconds(pieces: Int) throws -> Double {
            let bench = Bench(roundTrip: .milliseconds(2))
            let hosts = (0..<4).map { _ in bench.host(up: 8, down: 100) }
            let total = 1_000_000
            var links: [Int] = []
            for hop in 0..<3 {
                links.append(bench.network.connect(from: hosts[hop], to: hosts[hop + 1], handshakes: 1))
            }
            bench.onOpen = { if $0 == 0 { bench.send(total, on: 0, pieces: pieces) } }
            bench.onFrame = { connection, frame in
                if connection < 2 { bench.network.send(frame, on: connection + 1, side: 0) }
            }
            bench.run()
            return try #require(bench.arrivals.last).seconds
        }
        let whole = 1_000_000 / goodput(8)
        let chunked = try seconds(pieces: 16 * 1024)
        #expect(chunked > whole && chunked < whole + 3 * 0.034)
        let forwarded = try seconds(pieces: 1_000_000)
        #expect(forwarded > 3 * whole && forwarded < 3.1 * whole)
    }

    @Test("A closed connection delivers what was sent, an aborted one drops it")
    func closing() {
        for abort in [false, true] {
            let bench = Bench(roundTrip: .milliseconds(20))
            let (one, two) = (bench.host(up: 5, down: 20), bench.host(up: 5, down: 20))
            bench.onOpen = {
                bench.send(100_000, on: $0)
                bench.network.close($0, side: 0, abort: abort)
            }
            _ = bench.network.connect(from: one, to: two, handshakes: 1)
            bench.run()
            #expect(bench.arrivals.reduce(0) { $0 + $1.bytes } == (abort ? 0 : 100_000))
            #expect(bench.closed.count == 1)
        }
    }

    @Test("A killed host's peers hear of it, those of a host without power do not")
    func killing() {
        for silently in [false, true] {
            let bench = Bench(roundTrip: .milliseconds(20))
            let (one, two) = (bench.host(up: 5, down: 20), bench.host(up: 5, down: 20))
            bench.onOpen = { bench.send(1_000_000, on: $0) }
            _ = bench.network.connect(from: one, to: two, handshakes: 1)
            bench.run(until: .seconds(1))
            #expect(!bench.arrivals.isEmpty)
            bench.network.kill(one, silently: silently)
            let before = bench.arrivals.count
            bench.run(until: .seconds(30))
            #expect(bench.arrivals.count <= before + 2)
            #expect(bench.closed.count == (silently ? 0 : 1))
        }
    }

    @Test("Connecting to a host that refuses or is dead fails")
    func failing() {
        let bench = Bench(roundTrip: .milliseconds(20))
        let (one, two, three) = (bench.host(up: 5, down: 20), bench.host(up: 5, down: 20), bench.host(up: 5, down: 20))
        bench.network.refuse(two, true)
        bench.network.kill(three, silently: true)
        _ = bench.network.connect(from: one, to: two, handshakes: 1)
        _ = bench.network.connect(from: one, to: three, handshakes: 1)
        bench.run()
        #expect(bench.failed.map(\.connection) == [0, 1])
        #expect(bench.failed.map(\.end) == [.refused, .timeout])
    }

    @Test("A reader that pauses stops the sender after a window")
    func pausing() {
        let bench = Bench(roundTrip: .milliseconds(20))
        let (one, two) = (bench.host(up: 100, down: 100), bench.host(up: 100, down: 100))
        bench.onOpen = {
            bench.network.setPaused(true, on: $0, side: 1)
            bench.send(8_000_000, on: $0)
        }
        let connection = bench.network.connect(from: one, to: two, handshakes: 1)
        bench.run(until: .seconds(10))
        #expect(bench.arrivals.isEmpty)
        #expect(bench.network.unaccepted(on: connection, side: 0) > 4_000_000)
        bench.network.setPaused(false, on: connection, side: 1)
        bench.run(until: .seconds(20))
        #expect(bench.arrivals.reduce(0) { $0 + $1.bytes } == 8_000_000)
    }

    @Test("The same traffic gives the same digest")
    func determinism() {
        func digest() -> EventDigest {
            let bench = Bench(roundTrip: .milliseconds(40))
            let receiver = bench.host(up: 5, down: 10)
            bench.onOpen = { bench.send(500_000, on: $0) }
            for _ in 0..<4 {
                _ = bench.network.connect(from: bench.host(up: 50, down: 50), to: receiver, handshakes: 1)
            }
            bench.run()
            return bench.queue.digest
        }
        #expect(digest() == digest())
    }
}

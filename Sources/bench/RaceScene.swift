import ArgumentParser
import WeirCore
import WeirLab
import WeirNet

/// Five sources behind relays and the agent that races them.
final class RaceScene {
    enum Sources: String, ExpressibleByArgument, CaseIterable {
        case http, mixed
    }

    /// In the playlist; those that are asked lie apart, so that each request is a seek.
    static let segments = 19
    private static let asked = [0, 6, 12, 18]

    private let kind: Sources
    private let bound: (Double) -> Double
    private var relays: [Relay] = []
    private var peers: [AgentProcess] = []
    private var agent: AgentProcess?
    private let files: VODFiles

    private init(_ kind: Sources, _ files: VODFiles, bound: @escaping (Double) -> Double) {
        self.kind = kind
        self.files = files
        self.bound = bound
    }

    static func start(
        _ kind: Sources,
        _ nginx: NginxOrigin,
        _ files: VODFiles,
        rates: [Double],
        roundTrip: Int
    ) async throws -> RaceScene {
        let sources = rates.map { RaceBound.Source(rate: $0, roundTrip: Double(roundTrip) / 1000) }
        let scene = RaceScene(kind, files) { RaceBound.seconds(bytes: $0, sources: sources) }
        do {
            try await scene.start(nginx, rates, roundTrip: roundTrip)
        } catch {
            await scene.stop()
            throw error
        }
        return scene
    }

    private func start(_ nginx: NginxOrigin, _ rates: [Double], roundTrip: Int) async throws {
        var targets = [PeerAddress](repeating: nginx.address, count: rates.count)
        if kind == .mixed {
            for place in 2..<rates.count { targets[place] = try await startPeer(nginx) }
        }
        for (rate, target) in zip(rates, targets) {
            let link = Impairment.link(bytesPerSecond: rate, roundTripMilliseconds: roundTrip)
            relays.append(try await Relay.start(to: target, link))
        }
        let edges = kind == .http ? Array(relays.dropFirst()) : [relays[1]]
        let links = kind == .http ? [] : Array(relays.dropFirst(2))
        agent = try await play(
            "http://\(relays[0].address)",
            edges.flatMap { ["--edge", "http://\($0.address)"] } + links.flatMap { ["--peer", "\($0.address)"] }
        )
        guard let agent, !links.isEmpty else { return }
        for _ in 0..<100 where try await agent.statistics().peers < links.count {
            try await Task.sleep(for: .milliseconds(50))
        }
        // What peers hold is said after the links are up.
        try await Task.sleep(for: .milliseconds(300))
    }

    /// An agent that holds what will be asked, and that reads from nginx without limits.
    private func startPeer(_ nginx: NginxOrigin) async throws -> PeerAddress {
        let port = try await FreePort.find()
        let peer = try await play(nginx.url, ["--swarm-port", String(port)])
        peers.append(peer)
        let address = try WebAddress(peer.playbackURL)
        let paths = try await address.listedPaths()
        for path in RaceScene.asked.filter({ $0 < paths.count }).map({ paths[$0] }) {
            _ = try await BlockingReader.readOnce(path, from: address.address)
        }
        return PeerAddress(host: "127.0.0.1", port: port)
    }

    private func play(_ origin: String, _ flags: [String]) async throws -> AgentProcess {
        try await AgentProcess.play(
            "\(origin)/\(files.playlist)",
            flags: [
                "--listen", "127.0.0.1:0", "--cache-memory", "256", "--swarm-id", "bench", "--swarm-address",
                "127.0.0.1",
                // Prefetching would share the sources with what is timed; audits are measured elsewhere.
                "--max-buffer-size", "1", "--min-buffer-size", "1", "--local-networks", "127.0.0.0/8",
                "--log-level", "error",
            ] + flags,
            program: BenchProgram.weir()
        )
    }

    /// The agent's times, and aria2c's on the same servers.
    func run(bytes: Double, ariaStart: Double?) async throws -> RaceRun {
        guard let agent else { throw LabError("no agent") }
        let address = try WebAddress(agent.playbackURL)
        let paths = try await address.listedPaths()
        let best = bound(bytes)
        var times: [Double] = []
        var waste: [Double] = []
        var origin: [Double] = []
        var edges: [Double] = []
        for number in RaceScene.asked where number < paths.count {
            let before = try await agent.statistics()
            times.append(try await BlockingReader.readOnce(paths[number], from: address.address) / best)
            // Late bytes and what was cut off have arrived by then.
            try await Task.sleep(for: .milliseconds(300))
            let after = try await agent.statistics()
            waste.append(Double(after.receivedBytes - before.receivedBytes) / bytes - 1)
            origin.append(Double(after.originBytes - before.originBytes) / bytes)
            edges.append(Double(after.edgeBytes - before.edgeBytes) / bytes)
        }
        var aria: Double?
        if let ariaStart {
            let name = files.names[1]
            aria = try await Aria2.fetch(relays.map { "http://\($0.address)/\(name)" }) - ariaStart
        }
        return RaceRun(
            bound: best,
            first: times.first ?? .nan,
            later: Array(times.dropFirst()),
            waste: Array(waste.dropFirst()),
            origin: origin,
            edges: edges,
            aria: aria.map { $0 / best }
        )
    }

    func stop() async {
        await agent?.stop()
        for peer in peers { await peer.stop() }
        for relay in relays { await relay.stop() }
    }
}

extension AgentProcess.Statistics {
    /// Media payload from anywhere.
    var receivedBytes: Int64 { originBytes + edgeBytes + peerBytes }
}

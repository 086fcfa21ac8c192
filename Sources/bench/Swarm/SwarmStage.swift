import FoundationEssentials
import WeirCore
import WeirLab
import WeirNet

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Origin, tracker, agents and viewers on hosts of a shaped network. Whatever it started, `stop` ends.
actor SwarmStage {
    /// Agents start evenly within this time, as viewers of a programme do.
    static let arrivalSeconds = 6.0
    /// Viewers play three target durations behind the live end: the last measured segment is theirs by then.
    private static let tailSeconds = 12.0
    private static let sourceCount = 12
    private static let trackerPort = 8000

    private let plan: SwarmPlan
    private let network: ShapedNetwork
    private let directory: String
    private let sources: [String]
    private let packager: LivePackager
    private let program: String
    private var nginx: NginxOrigin?
    private var children: [ChildProcess] = []
    private var agents: [AgentProcess] = []
    private var views: [ChildProcess] = []

    /// - Throws: a `LabError` without the rights or the programs.
    static func measure(_ plan: SwarmPlan) async throws -> SwarmFigures {
        let stage = try await SwarmStage(plan)
        do {
            let figures = try await stage.measure()
            await stage.stop()
            return figures
        } catch {
            await stage.stop()
            throw error
        }
    }

    private init(_ plan: SwarmPlan) async throws {
        self.plan = plan
        program = try BenchProgram.weir()
        directory = try BenchProgram.temporaryDirectory()
        let links = plan.uplinks.map { ShapedNetwork.AccessLink(uplink: $0, downlink: plan.downlink) }
        let origin = ShapedNetwork.AccessLink(uplink: SwarmPlan.originRate, downlink: SwarmPlan.originRate)
        network = try await ShapedNetwork.start(
            [origin] + links,
            roundTrip: Double(SwarmBench.roundTripMilliseconds) / 1000,
            queue: SwarmBench.queueSeconds
        )
        let files = try VODFiles(
            directory: directory,
            prefix: "source",
            count: Self.sourceCount,
            bytes: plan.segmentBytes,
            seconds: Double(LivePackager.segmentSeconds)
        )
        sources = files.names.map { [directory] in "\(directory)/\($0)" }
        packager = try LivePackager(root: directory, sources: sources)
    }

    private func measure() async throws -> SwarmFigures {
        try await startOrigin()
        for number in plan.uplinks.indices {
            try await startAgent(number)
            try await Task.sleep(for: .seconds(Self.arrivalSeconds / Double(plan.uplinks.count)))
        }
        try await Task.sleep(for: .seconds(plan.warmUp))
        let first = await packager.next
        let meters = agents.map { LoadMeter($0.process.identifier) }
        try await Task.sleep(for: .seconds(plan.seconds))
        let end = await packager.next
        let shares = meters.map { meter in
            let load = meter.read()
            return load.processorSeconds / load.seconds
        }
        let memory = agents.map { MemoryAccount(process: $0.process.identifier) }
        for view in views where await view.exitCode() != 0 { throw LabError("a viewer ended with an error") }
        return try figures(of: first..<end, shares: shares, memory: memory)
    }

    private func startOrigin() async throws {
        let host = network.host(0)
        // Playlists must not be older than they are.
        let nginx = try await NginxOrigin.start(root: directory, directives: "open_file_cache off;", on: host)
        self.nginx = nginx
        try await packager.start()
        let tracker = try host.inside {
            try ChildProcess(
                [program, "tracker", "--listen", "\(host.address):\(Self.trackerPort)"],
                output: .discarded,
                ownGroup: true
            )
        }
        children.append(tracker)
        try await host.waitUntilListening(port: Self.trackerPort)
    }

    private func startAgent(_ number: Int) async throws {
        guard let nginx else { return }
        let host = network.host(number + 1)
        let agent = try await AgentProcess.play(
            "\(nginx.url)/live/index.m3u8",
            flags: [
                "--tracker", "ws://\(network.host(0).address):\(Self.trackerPort)/", "--swarm-address", host.address,
                // Audited like strangers, although all are on one machine: the figure is to be an honest one.
                "--local-networks", "none", "--log-level", "error",
            ],
            program: program,
            on: host
        )
        agents.append(agent)
        children.append(agent.process)
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let seconds = plan.warmUp + plan.seconds + Self.arrivalSeconds + Self.tailSeconds
        let file = open(viewPath(number), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw LabError("cannot write \(viewPath(number))") }
        defer { close(file) }
        let view = try host.inside {
            try ChildProcess(
                [own, "view", agent.playbackURL, "--statistics", agent.statisticsURL, "--seconds", String(seconds)],
                output: .descriptor(file),
                ownGroup: true
            )
        }
        views.append(view)
        children.append(view)
    }

    private nonisolated func viewPath(_ number: Int) -> String { "\(directory)/view-\(number).json" }

    private func figures(of measured: Range<Int>, shares: [Double], memory: [MemoryAccount]) throws -> SwarmFigures {
        let digests = try sources.map { path in
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            return "\(Digest.sha256(Array(data)))"
        }
        var members: [SwarmFigures.Member] = []
        for (number, uplink) in plan.uplinks.enumerated() {
            let text = try Data(contentsOf: URL(fileURLWithPath: viewPath(number)))
            let lines = text.split(separator: UInt8(ascii: "\n"))
            guard lines.count == 2 else { throw LabError("viewer \(number + 1) wrote no report") }
            let view = try JSONDecoder().decode(SwarmView.self, from: Data(lines[0]))
            let seen = view.segments.filter { measured.contains($0.number) }
            members.append(
                SwarmFigures.Member(
                    uplink: uplink,
                    deliveredBytes: seen.reduce(0) { $0 + Int64($1.bytes) },
                    statistics: try JSONDecoder().decode(AgentProcess.Statistics.self, from: Data(lines[1])),
                    view: view,
                    missing: measured.count - Set(seen.map(\.number)).count,
                    inexact: view.segments.count { $0.digest != digests[$0.number % digests.count] },
                    processorShare: shares[number],
                    memory: memory[number]
                )
            )
        }
        let paths = Set(measured.map(LivePackager.path))
        let media = nginx?.entries().filter { $0.path.hasSuffix(".ts") } ?? []
        let counted = media.filter { paths.contains($0.path) }.reduce(Int64(0)) { $0 + $1.bytes }
        let before = Set((0..<measured.lowerBound).map(LivePackager.path))
        let startUp = media.filter { before.contains($0.path) }.reduce(Int64(0)) { $0 + $1.bytes }
        return SwarmFigures(members: members, originBytes: counted, startUpBytes: startUp)
    }

    private func stop() async {
        await packager.stop()
        await withTaskGroup(of: Void.self) { group in
            for child in children { group.addTask { await child.endAndWait() } }
        }
        await nginx?.stop()
        network.stop()
        try? FileManager.default.removeItem(atPath: directory)
    }
}

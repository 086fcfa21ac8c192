import ArgumentParser
import FoundationEssentials
import WeirCore
import WeirLab
import WeirNet

/// An agent's memory and processor time amid ten peers on a live stream.
struct MemoryBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory",
        abstract: "Memory, cycles per byte and wake-ups of one agent with peers on an 8 Mbit/s live stream.",
        discussion: """
            The budget: anonymous memory at most the cache + 20 MiB with 10 TLS links; 60 cycles per byte down and up \
            in all; at most 5 wake-ups a second when nobody has asked for 60 s.
            """
    )

    @Option(help: "Minutes of playing.") var minutes = 10.0
    @Option(help: "Peers, each an agent with a viewer of its own.") var peers = 10
    @Option(help: "The agent's cache in MiB.") var cache = 48
    @Option(help: "The stream's rate in Mbit/s.") var rate = 8.0
    @Option(help: "Seconds for which idle wake-ups are counted, after 60 s without requests; 0 leaves that out.")
    var idleSeconds = 20.0

    func validate() throws {
        guard (0.1...1440).contains(minutes), (0...40).contains(peers), (4...1024).contains(cache),
            (0.1...100).contains(rate), (0...600).contains(idleSeconds)
        else { throw ValidationError("minutes 0.1…1440, peers 0…40, cache 4…1024, rate 0.1…100, idle 0…600") }
    }

    func run() async throws {
        let stage = try await MemoryStage(bytesPerSegment: Int(rate * 1e6 / 8 * 2), program: BenchProgram.weir())
        do {
            try await measure(stage)
        } catch {
            await stage.end()
            throw error
        }
        await stage.end()
    }

    private func measure(_ stage: MemoryStage) async throws {
        let agent = try await stage.startMeasured(cacheMegabytes: cache)
        let process = agent.process.identifier
        let atStart = MemoryAccount(process: process)
        try await stage.startPeers(peers)
        print("a stream of \(rate) Mbit/s, \(peers) peers, \(minutes) minutes, cache \(cache) MiB\n")
        let meter = LoadMeter(process)
        let before = try await agent.statistics()
        var growth = TextTable(["minute", "RssAnon MiB", "RSS MiB", "ledger MiB", "links"])
        let steps = 10
        for step in 1...steps {
            try await Task.sleep(for: .seconds(minutes * 60 / Double(steps)))
            let now = try await agent.statistics()
            let account = MemoryAccount(process: process)
            growth.add([
                (minutes * Double(step) / Double(steps)).fixed(1), mebibytes(account.anonymousBytes),
                mebibytes(account.residentBytes), mebibytes(now.ledgerBytes), String(now.peers),
            ])
        }
        let after = try await agent.statistics()
        print(growth.text)
        printAccount(MemoryAccount(process: process), atStart: atStart, after)
        printLoad(meter, before, after)
        try await printIdle(stage, process)
    }

    private func printAccount(_ account: MemoryAccount, atStart: MemoryAccount, _ now: AgentProcess.Statistics) {
        var table = TextTable(["where", "mappings", "RSS MiB", "anonymous MiB", "at start MiB"])
        for kind in MemoryAccount.Kind.allCases {
            guard let part = account.parts[kind] else { continue }
            table.add([
                kind.rawValue, String(part.mappings), mebibytes(part.residentBytes), mebibytes(part.anonymousBytes),
                mebibytes(atStart.parts[kind]?.anonymousBytes ?? 0),
            ])
        }
        table.add([
            "all", "", mebibytes(account.residentBytes), mebibytes(account.anonymousBytes),
            mebibytes(atStart.anonymousBytes),
        ])
        print(table.text)
        let beyond = account.anonymousBytes - now.ledgerBytes
        print("anonymous beyond the ledger: \(mebibytes(beyond)) MiB")
        print("  of that at start, before any link or segment: \(mebibytes(atStart.anonymousBytes)) MiB")
        let links = max(1, now.peers)
        let grown = beyond - atStart.anonymousBytes
        print(
            "  grown since: \(mebibytes(grown)) MiB with \(now.peers) links (\(mebibytes(grown / Int64(links))) a link)"
        )
        print("budget: RssAnon ≤ cache + 20 = \(cache + 20) MiB, here \(mebibytes(account.anonymousBytes)) MiB")
        print("budget: RSS ≤ cache + 45 = \(cache + 45) MiB, here \(mebibytes(account.residentBytes)) MiB\n")
    }

    private func printLoad(_ meter: LoadMeter, _ before: AgentProcess.Statistics, _ after: AgentProcess.Statistics) {
        let load = meter.read()
        let down = Double(after.originBytes + after.peerBytes - before.originBytes - before.peerBytes)
        let up = Double(after.uploadedBytes - before.uploadedBytes)
        let played = Double(after.deliveredBytes - before.deliveredBytes)
        var table = TextTable(["", "Mbit/s"])
        table.add(["from peers and origin", (down * 8e-6 / load.seconds).fixed(1)])
        table.add(["uploaded to peers", (up * 8e-6 / load.seconds).fixed(1)])
        table.add(["to the player", (played * 8e-6 / load.seconds).fixed(1)])
        print(table.text)
        let cycles = load.processorSeconds * LoadMeter.cyclesPerSecond
        print("processor: \((100 * load.processorSeconds / load.seconds).fixed(1)) % of one core;", terminator: " ")
        print("\((cycles / max(1, down + up)).fixed(0)) cycles per byte down and up (budget 60),", terminator: " ")
        print("by processor time × \((LoadMeter.cyclesPerSecond / 1e6).fixed(0)) MHz")
        print("wake-ups while playing: \((Double(load.switches) / load.seconds).fixed(0)) a second\n")
    }

    private func printIdle(_ stage: MemoryStage, _ process: Int32) async throws {
        guard idleSeconds > 0 else { return }
        await stage.endPeersAndViewers()
        try await Task.sleep(for: .seconds(60))
        let meter = LoadMeter(process)
        try await Task.sleep(for: .seconds(idleSeconds))
        let load = meter.read()
        print("idle for 60 s, then \(idleSeconds) s without peers:", terminator: " ")
        print("\((Double(load.switches) / load.seconds).fixed(1)) wake-ups a second (budget 5),", terminator: " ")
        print("\((100 * load.processorSeconds / load.seconds).fixed(2)) % of one core (budget 0.5),", terminator: " ")
        print("RssAnon \(mebibytes(MemoryAccount(process: process).anonymousBytes)) MiB")
    }

    private func mebibytes(_ bytes: Int64) -> String { (Double(bytes) / 1_048_576).fixed(1) }
}

/// Processor time and wake-ups of a process since a moment.
struct LoadMeter {
    let process: Int32
    private let start = ProcessClock.monotonic
    private let processorStart: Double
    private let switchesStart: Int

    init(_ process: Int32) {
        self.process = process
        processorStart = ProcessClock.seconds(of: process) ?? 0
        switchesStart = LoadMeter.switches(process)
    }

    func read() -> (seconds: Double, processorSeconds: Double, switches: Int) {
        (
            ProcessClock.monotonic - start, (ProcessClock.seconds(of: process) ?? 0) - processorStart,
            LoadMeter.switches(process) - switchesStart
        )
    }

    private static func switches(_ process: Int32) -> Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
        return MemoryAccount.voluntarySwitches(of: process, threads: names.compactMap { Int32($0) })
    }

    /// The first core's clock as the kernel states it; 1 GHz when it does not.
    static let cyclesPerSecond: Double = {
        let line = SmallProcFile.text("/proc/cpuinfo").split(separator: "\n").first { $0.hasPrefix("cpu MHz") }
        let text = line?.split(separator: ":").last?.trimmingPrefix(" ")
        return (text.flatMap { Double($0) } ?? 1000) * 1e6
    }()
}

/// The looping origin, the agent that is measured, its peers, and everybody's viewers.
actor MemoryStage {
    private let origin: LabOrigin
    private let program: String
    private let port: Int
    private var measured: AgentProcess?
    private var peers: [AgentProcess] = []
    private var viewing: [Task<Void, Never>] = []

    init(bytesPerSegment: Int, program: String) async throws {
        origin = try await LabOrigin.start(LoopingContent(randomSegments: 12, of: bytesPerSegment))
        port = try await FreePort.find()
        self.program = program
    }

    private var url: String { origin.url + LoopingContent.playlistPath }

    func startMeasured(cacheMegabytes: Int) async throws -> AgentProcess {
        let agent = try await AgentProcess.play(
            url,
            flags: [
                "--cache-memory", String(cacheMegabytes), "--swarm-port", String(port), "--swarm-address", "127.0.0.1",
                "--log-level", "error", "--listen", "127.0.0.1:0",
            ],
            program: program
        )
        measured = agent
        return agent
    }

    func startPeers(_ count: Int) async throws {
        for _ in 0..<count {
            peers.append(
                try await AgentProcess.play(
                    url,
                    flags: [
                        "--cache-memory", "24", "--peer", "127.0.0.1:\(port)", "--swarm-port", "0",
                        "--swarm-address", "127.0.0.1", "--log-level", "error", "--listen", "127.0.0.1:0",
                    ],
                    program: program
                )
            )
        }
        for agent in [measured].compactMap({ $0 }) + peers {
            let viewer = HeadlessViewer(url: agent.playbackURL)
            viewing.append(Task { await viewer.run() })
        }
    }

    func endPeersAndViewers() async {
        for task in viewing { task.cancel() }
        viewing = []
        for peer in peers { await peer.stop() }
        peers = []
    }

    func end() async {
        await endPeersAndViewers()
        await measured?.stop()
        await origin.stop()
    }
}

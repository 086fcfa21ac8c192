import Synchronization
import WeirCore
import WeirLab
import WeirNet

/// Origin, tracker, agents and viewers of the demo. Whatever it started, `end` ends.
actor DemoStage {
    /// Every process that was started, whatever became of it.
    private nonisolated let processes = Mutex<[ChildProcess]>([])
    let origin: LabOrigin
    private let program: String
    private var tracker: LocalTracker?
    private var agents: [AgentProcess] = []
    private var viewers: [HeadlessViewer] = []
    private var viewing: [Task<Void, Never>] = []

    init(origin: LabOrigin, program: String) {
        self.origin = origin
        self.program = program
    }

    var streamURL: String { origin.url + LoopingContent.playlistPath }

    /// An agent that anybody can watch with another player.
    var address: String { agents.first?.playbackURL ?? streamURL }

    /// - Returns: its `ws://` address.
    func startTracker() async throws -> String {
        let tracker = try await LocalTracker.start(listen: PeerAddress(host: "127.0.0.1", port: 0))
        self.tracker = tracker
        return "ws://\(tracker.address)/"
    }

    /// Starts all agents at once, as viewers of one programme do, and then their viewers.
    func start(agents count: Int, tracker: String) async throws {
        let url = streamURL
        // Audited like strangers, although they are on one host: the figure is to be an honest one.
        let flags = [
            "--tracker", tracker, "--swarm-address", "127.0.0.1", "--local-networks", "none", "--log-level", "error",
        ]
        try await withThrowingTaskGroup(of: AgentProcess.self) { group in
            for _ in 0..<count {
                group.addTask { [program] in
                    try await AgentProcess.play(url, flags: flags, program: program) { process in
                        self.processes.withLock { $0.append(process) }
                    }
                }
            }
            for try await agent in group { agents.append(agent) }
        }
        for agent in agents {
            let viewer = HeadlessViewer(url: agent.playbackURL)
            viewers.append(viewer)
            viewing.append(Task { await viewer.run() })
        }
    }

    func figures() async -> [DemoFigures] {
        var all: [DemoFigures] = []
        for (index, (agent, viewer)) in zip(agents, viewers).enumerated() {
            var figures = DemoFigures(name: "viewer \(index + 1)")
            let report = await viewer.report
            figures.bufferSeconds = report.playback.buffer
            figures.viewedBytes = report.mediaBytes
            figures.stalls = report.playback.stalls
            if let statistics = try? await agent.statistics() {
                figures.peerBytes = statistics.peerBytes
                figures.edgeBytes = statistics.edgeBytes
                figures.originBytes = statistics.originBytes
                figures.uploadedBytes = statistics.uploadedBytes
            }
            all.append(figures)
        }
        return all
    }

    /// What went wrong for viewers, one line each.
    func complaints() async -> [String] {
        var lines: [String] = []
        for (index, viewer) in viewers.enumerated() {
            lines += await viewer.report.errors.prefix(3).map { "viewer \(index + 1): \($0)" }
        }
        return lines
    }

    func end() async {
        for task in viewing { task.cancel() }
        await withTaskGroup(of: Void.self) { group in
            for agent in agents { group.addTask { await agent.stop() } }
        }
        killAll()
        await tracker?.stop()
        await origin.stop()
    }

    /// At once, from any thread.
    nonisolated func killAll() {
        for process in processes.withLock({ $0 }) { process.kill() }
    }
}

import WeirCore
import WeirLab
import WeirNet

/// A low-latency origin, agents between it and the viewers or none, and the viewers.
actor LatencyScene {
    enum Kind: String, CaseIterable {
        case direct = "nothing"
        case alone = "weir, no peers"
        case linked = "weir, linked"
    }

    /// Seconds that agents and viewers get to learn where they are.
    private static let warmUp = 3.0

    private let content: LowLatencyContent
    private let origin: LabOrigin
    private var agents: [AgentProcess] = []
    private let kind: Kind
    private let count: Int

    private init(_ content: LowLatencyContent, _ origin: LabOrigin, _ kind: Kind, _ count: Int) {
        self.content = content
        self.origin = origin
        self.kind = kind
        self.count = count
    }

    static func start(_ kind: Kind, viewers: Int, media: String, mode: LowLatencyMode) async throws -> LatencyScene {
        let content = try await LowLatencyContent(directory: media, mode: mode)
        let scene = LatencyScene(content, try await LabOrigin.start(content), kind, viewers)
        do {
            if kind != .direct { try await scene.startAgents() }
        } catch {
            await scene.stop()
            throw error
        }
        return scene
    }

    private var url: String { origin.url + LowLatencyContent.multivariantPath }

    private func startAgents() async throws {
        var ports: [Int] = []
        for _ in 0..<count {
            let port = try await FreePort.find()
            let peers = kind == .linked ? ports.flatMap { ["--peer", "127.0.0.1:\($0)"] } : []
            agents.append(
                try await AgentProcess.play(
                    url,
                    flags: [
                        "--listen", "127.0.0.1:0", "--swarm-port", String(port), "--swarm-address", "127.0.0.1",
                        "--swarm-id", "bench-\(kind)", "--local-networks", "none", "--log-level", "error",
                    ] + peers,
                    program: BenchProgram.weir()
                )
            )
            ports.append(port)
        }
        guard kind == .linked else { return }
        for agent in agents {
            for _ in 0..<100 where try await agent.statistics().peers < count - 1 {
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    /// Lets everybody view for so long, the warm-up included.
    func measure(seconds: Double) async throws -> LatencyFigures {
        let addresses = agents.isEmpty ? [String](repeating: url, count: count) : agents.map(\.playbackURL)
        let viewers = addresses.map { LowLatencyViewer(url: $0) { [content] in content.published(0, $0) } }
        let viewing = viewers.map { viewer in Task { await viewer.run() } }
        try await Task.sleep(for: .seconds(LatencyScene.warmUp))
        let begin = origin.log.now
        let first = content.newest
        try await Task.sleep(for: .seconds(seconds - LatencyScene.warmUp))
        let end = origin.log.now
        let last = content.newest
        // What was made at the end may still be on its way.
        try await Task.sleep(for: .milliseconds(500))
        for task in viewing { task.cancel() }
        var figures = LatencyFigures()
        figures.viewerCount = count
        for (number, task) in viewing.enumerated() {
            let report = await task.value
            figures.add(report, after: first, through: last)
            figures.viewers.append("viewer \(number): \(report.summary)")
            figures.complaints += report.errors.prefix(2).map { "viewer \(number): \($0)" }
        }
        // Parts are sent when they are made, so that an answer's end tells which parts these bytes were.
        figures.originBytes = origin.log.entries.reduce(0) { sum, entry in
            let isMeasured = entry.path.hasSuffix(".m4s") && entry.time > begin && entry.time <= end
            return sum + (isMeasured ? entry.bytes : 0)
        }
        return figures
    }

    func stop() async {
        for agent in agents { await agent.stop() }
        await origin.stop()
    }
}

extension LatencyFigures {
    fileprivate mutating func add(_ report: PartReport, after first: PartPosition, through last: PartPosition) {
        let arrivals = report.arrivals.filter { $0.position > first && $0.position <= last }
        latencies.append(contentsOf: Samples(arrivals.map(\.lastByte)))
        deliveredBytes += arrivals.reduce(0) { $0 + Int64($1.bytes) }
        inexact += arrivals.count { !$0.isExact }
        missed += report.missed.count { $0 > first && $0 <= last }
    }
}

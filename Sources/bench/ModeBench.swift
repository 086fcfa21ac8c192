import ArgumentParser
import FoundationEssentials
import WeirCore
import WeirLab
import WeirNet

/// M = 4 with real agents: who is served from where as viewers come and go, by the origin's access log.
struct ModeBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "modes",
        abstract:
            "A weir tracker that serves up to four viewers directly: where media come from as viewers come and go.",
        discussion: """
            A live origin, a weir tracker with --max-streams 4, and agents with a viewer each, all processes of their \
            own: four, then six, then three. "copies" is the origin's media by its own access log, divided by what one \
            viewer got meanwhile, in the second half of a scene. Stalls are the viewers': those from the moment at which \
            viewers came or went until the half, in which the mode switches, and those after it.
            """
    )

    @Option(help: "The recording: segment0.ts, segment1.ts, …, 2 s each.") var media = "Fixtures/media/demo"
    @Option(help: "Seconds of each scene; the first half lets the mode settle.") var seconds = 40.0

    func validate() throws {
        guard (20...600).contains(seconds) else { throw ValidationError("seconds 20…600") }
    }

    func run() async throws {
        let stage = try await ModeStage.start(media: media)
        do {
            var table = TextTable([
                "viewers", "mode", "viewers counted", "copies", "bytes from peers %", "stalls at the switch",
                "stalls after it",
            ])
            for viewers in [4, 6, 3] {
                let switching = try await stage.snapshot()
                try await stage.setViewers(viewers)
                try await Task.sleep(for: .seconds(seconds / 2))
                let before = try await stage.snapshot()
                try await Task.sleep(for: .seconds(seconds / 2))
                let after = try await stage.snapshot()
                table.add(after.row(since: before, switching: switching, viewers: viewers))
            }
            print("M = 4, r = 0; live, \(seconds) s a scene, of which the second half is measured\n")
            print(table.text)
            for line in await stage.complaints() { print(line) }
        } catch {
            await stage.stop()
            throw error
        }
        await stage.stop()
    }
}

/// Origin, tracker, agents and viewers; whatever it started, `stop` ends.
private actor ModeStage {
    struct Snapshot {
        var origin: Int64
        var viewed: Int64
        var peers: Int64
        var delivered: Int64
        var stalls: Int
        var mode: String
        var counted: Int

        func row(since before: Snapshot, switching: Snapshot, viewers: Int) -> [String] {
            let each = Double(viewed - before.viewed) / Double(viewers)
            let share = 100 * Double(peers - before.peers) / Double(max(1, delivered - before.delivered))
            return [
                String(viewers), mode, String(counted), (Double(origin - before.origin) / max(1, each)).fixed(2),
                share.fixed(1), String(before.stalls - switching.stalls), String(stalls - before.stalls),
            ]
        }
    }

    private struct Member {
        var agent: AgentProcess
        var viewer: HeadlessViewer
        var viewing: Task<Void, Never>
    }

    private struct TrackerStatistics: Decodable {
        struct Channel: Decodable {
            var viewers: Int
            var mode: String
        }
        var channels: [Channel]
    }

    private let origin: LabOrigin
    private let tracker: ChildProcess
    private let trackerPort: Int
    private var members: [Member] = []
    private var gone: (peers: Int64, delivered: Int64, viewed: Int64, stalls: Int) = (0, 0, 0, 0)
    private var errors: [String] = []

    private init(origin: LabOrigin, tracker: ChildProcess, trackerPort: Int) {
        self.origin = origin
        self.tracker = tracker
        self.trackerPort = trackerPort
    }

    static func start(media: String) async throws -> ModeStage {
        let origin = try await LabOrigin.start(try await LoopingContent(directory: media))
        let port = try await FreePort.find()
        let flags = ["--listen", "127.0.0.1:\(port)", "--max-streams", "4", "--announce-interval", "5s"]
        let tracker = try ChildProcess(
            [try BenchProgram.weir(), "tracker"] + flags,
            output: .discarded,
            errors: .inherited,
            ownGroup: true
        )
        return ModeStage(origin: origin, tracker: tracker, trackerPort: port)
    }

    func setViewers(_ count: Int) async throws {
        while members.count > count {
            let member = members.removeLast()
            let statistics = try await member.agent.statistics()
            member.viewing.cancel()
            let report = await member.viewer.report
            gone.peers += statistics.peerBytes
            gone.delivered += statistics.deliveredBytes
            gone.viewed += report.mediaBytes
            gone.stalls += report.playback.stalls
            errors += report.errors
            await member.agent.stop()
        }
        while members.count < count {
            let agent = try await AgentProcess.play(
                origin.url + LoopingContent.playlistPath,
                flags: [
                    "--tracker", "ws://127.0.0.1:\(trackerPort)/", "--swarm-address", "127.0.0.1", "--local-networks",
                    "none", "--log-level", "error",
                ],
                program: try BenchProgram.weir()
            )
            let viewer = HeadlessViewer(url: agent.playbackURL)
            members.append(Member(agent: agent, viewer: viewer, viewing: Task { await viewer.run() }))
        }
    }

    func snapshot() async throws -> Snapshot {
        var all = Snapshot(
            origin: origin.log.payloadBytes(suffix: ".ts"),
            viewed: gone.viewed,
            peers: gone.peers,
            delivered: gone.delivered,
            stalls: gone.stalls,
            mode: "?",
            counted: 0
        )
        for member in members {
            let statistics = try await member.agent.statistics()
            let report = await member.viewer.report
            all.viewed += report.mediaBytes
            all.peers += statistics.peerBytes
            all.delivered += statistics.deliveredBytes
            all.stalls += report.playback.stalls
        }
        let said = try await WebAddress("http://127.0.0.1:\(trackerPort)/stats").body()
        if let channel = try JSONDecoder().decode(TrackerStatistics.self, from: Data(said)).channels.first {
            all.mode = channel.mode
            all.counted = channel.viewers
        }
        return all
    }

    func complaints() async -> [String] {
        var all = errors
        for member in members { all += await member.viewer.report.errors }
        return all
    }

    func stop() async {
        for member in members { member.viewing.cancel() }
        for member in members { await member.agent.stop() }
        await tracker.endAndWait()
        await origin.stop()
    }
}

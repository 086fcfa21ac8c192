import ArgumentParser
import FoundationEssentials
import WeirCore
import WeirLab
import WeirNet

/// Bad media through the program that reads media, and through an agent.
struct HostileBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hostile",
        abstract: "Bad media through weir-media and an agent: ends, worst memory, worst time.",
        discussion: """
            Streams of four segments of MPEG-TS, fragmented MP4 and ADTS, made bad from a seed: cut off, overwritten, with boxes, \
            tables, packet heads, frame lengths and parameter sets that lie. Each is remuxed, recorded, probed and made a \
            picture of by weir-media, whose memory is limited to 320 MiB (RLIMIT_DATA); then asked for from one agent. Ends \
            with 1 when one ends by a signal, says nothing or takes a minute, or the agent is gone.
            """
    )

    @Option(help: "Streams of each kind.") var streams = 200
    @Option(help: "The first one's number.") var first = 1
    @Option(help: "Of them, those that the agent is asked for.") var watched = 30
    @Option(help: "Directory for the media that Scripts/media makes.") var media = ".build/interop-media"

    private struct Count {
        var runs = 0
        var ends: [Int32: Int] = [:]
        var peak: Int64 = 0
        var seconds = 0.0
    }

    func run() async throws {
        let directory = try BenchProgram.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let program = try BenchProgram.media()
        let made = try await FinishedProgram.run(["Scripts/media", media, "small-ts", "small-mp4", "small-aac"])
        guard made.exitCode == 0 else { throw LabError("Scripts/media: \(made.errors)") }
        let origin = try await LabOrigin.start(try HostileStream(directory: media))
        var surprises: [String] = []
        var table = TextTable(["media", "job", "runs", "done", "said why not", "otherwise", "worst MiB", "worst s"])
        for kind in HostileStream.Kind.allCases {
            var counts: [String: Count] = [:]
            for number in first..<first + streams {
                for job in HostileTrial.Job.all(number) {
                    let url = origin.url + HostileStream.path(kind, number)
                    let file = "\(directory)/out"
                    let trial = try await HostileTrial.run(job, url, program: program, file: file)
                    if !trial.isClear { surprises.append("\(kind) \(number) \(job): \(trial.code) \(trial.reason)") }
                    var count = counts[job.name, default: Count()]
                    count.runs += 1
                    count.ends[trial.code, default: 0] += 1
                    count.peak = max(count.peak, trial.peakBytes)
                    count.seconds = max(count.seconds, trial.seconds)
                    counts[job.name] = count
                }
            }
            for job in HostileTrial.Job.all(0) {
                let count = counts[job.name, default: Count()]
                let done = count.ends[0] ?? 0
                let said = (count.ends[65] ?? 0) + (count.ends[69] ?? 0)
                table.add([
                    kind.rawValue, job.name, "\(count.runs)", "\(done)", "\(said)", "\(count.runs - done - said)",
                    (Double(count.peak) / 1_048_576).fixed(1), count.seconds.fixed(2),
                ])
            }
        }
        print(table.text)
        surprises += try await watch(origin)
        await origin.stop()
        for surprise in surprises { print(surprise) }
        if !surprises.isEmpty { throw ExitCode(1) }
    }

    /// - Returns: what should not be.
    private func watch(_ origin: LabOrigin) async throws -> [String] {
        let good = origin.url + HostileStream.path(.ts, 0)
        let flags = ["--log-level", "error"]
        let agent = try await AgentProcess.play(good, flags: flags, program: try BenchProgram.weir())
        do {
            let surprises = try await watch(origin, agent)
            await agent.stop()
            return surprises
        } catch {
            await agent.stop()
            throw error
        }
    }

    private func watch(_ origin: LabOrigin, _ agent: AgentProcess) async throws -> [String] {
        let audience = HostileAudience(agent, origin: origin.url)
        var statuses: [String: Int] = [:]
        var surprises: [String] = []
        for number in first..<first + min(watched, streams) {
            for kind in HostileStream.Kind.allCases {
                let format = ContinuousFormat.allCases[number % ContinuousFormat.allCases.count]
                let answers = try await audience.watch(HostileStream.path(kind, number), format)
                for (name, answer) in answers { statuses["\(name) \(answer.status)", default: 0] += 1 }
            }
        }
        for (name, count) in statuses.sorted(by: { $0.key < $1.key }) { print("agent: \(name): \(count)") }
        let last = try await audience.watch(HostileStream.path(.ts, 0), .ts)
        if !agent.process.isRunning { surprises.append("the agent is gone") }
        if last["live.ts"]?.status != 200 { surprises.append("the agent gives no good stream any more") }
        let memory = MemoryAccount(process: agent.process.identifier)
        print("agent: \((Double(memory.anonymousBytes) / 1_048_576).fixed(1)) MiB anonymous at the end")
        return surprises
    }
}

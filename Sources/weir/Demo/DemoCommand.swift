import ArgumentParser
import FoundationEssentials
import NIOCore
import NIOPosix
import WeirLab

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Watch four agents share an endless live stream on this machine.",
        discussion: """
            An origin inside this process loops a small recording as live HLS. Four agents, each a process of its own, \
            find each other by a tracker and feed one paced viewer each. The offload at the end is taken from the \
            origin's own access log.
            """
    )

    @Option(help: ArgumentHelp("Show the summary after this many seconds.", valueName: "N"))
    var seconds = 60

    @Flag(help: "Go on after the summary, and print an address for mpv.")
    var keep = false

    @Option(help: ArgumentHelp("The recording: segment0.ts, segment1.ts, …, 2 s each.", valueName: "DIR"))
    var media = "Fixtures/media/demo"

    func validate() throws {
        guard (10...86_400).contains(seconds) else { throw ValidationError("--seconds takes 10 to 86400") }
    }

    func run() async throws {
        let content: LoopingContent
        do {
            content = try await LoopingContent(directory: media)
        } catch {
            throw Failure(.usage, "\(error): run Scripts/demo, or name the recording's directory by --media")
        }
        guard let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            throw Failure(.unavailable, "this program's own file cannot be found: is /proc mounted?")
        }
        let stage = DemoStage(origin: try await LabOrigin.start(content), program: program)
        let playing = Task { try await Demo(stage: stage, seconds: seconds, keep: keep).run() }
        let interrupts = Interrupts(onFirst: { playing.cancel() }, onSecond: { stage.killAll() })
        let result = await playing.result
        await stage.end()
        withExtendedLifetime(interrupts) {}
        do {
            try result.get()
        } catch is CancellationError {
        } catch let error as LabError {
            throw Failure(.unavailable, "\(error)")
        }
    }
}

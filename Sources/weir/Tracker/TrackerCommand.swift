import ArgumentParser
import FoundationEssentials
import WeirSettings

struct TrackerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tracker",
        abstract: "Run a WebTorrent WebSocket tracker that introduces agents to each other.",
        discussion: """
            Agents find it by --tracker ws://HOST:PORT. Its address is the first line of standard output; \
            http://HOST:PORT/stats says what it does, and of each channel how many watch and how they are served. With \
            --max-streams M and --dynamic-streaming-rate R a channel is served by its servers alone while at most \
            M × (1 − R) agents watch it, and by peers above that; back again a tenth below, at most one switch in 30 s.
            """
    )

    @OptionGroup(title: "Settings") var flags: TrackerFlags

    func run() async throws {
        let settings = try flags.settings(environment: ProcessInfo.processInfo.environment)
        let (interrupted, post) = AsyncStream.makeStream(of: Void.self)
        let interrupts = Interrupts { post.finish() }
        let tracker = try await LocalTracker.start(listen: settings.listen, settings: settings.tracker)
        Console.print("ws://\(tracker.address)/")
        for await _ in interrupted {}
        await tracker.stop()
        withExtendedLifetime(interrupts) {}
    }
}

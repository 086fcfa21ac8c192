import ArgumentParser
import WeirSettings

struct TrackerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tracker",
        abstract: "Run a WebTorrent WebSocket tracker that introduces agents to each other.",
        discussion: "Agents find it by --tracker ws://HOST:PORT. Its address is the first line of standard output."
    )

    @Option(help: ArgumentHelp("Where agents connect to; port 0 takes any free one.", valueName: "HOST:PORT"))
    var listen = "0.0.0.0:8000"

    func run() async throws {
        guard let place = AddressText.hostAndPort(listen) else {
            throw Failure(.usage, "--listen: “\(listen)” is not HOST:PORT, for example 0.0.0.0:8000")
        }
        let (interrupted, post) = AsyncStream.makeStream(of: Void.self)
        let interrupts = Interrupts { post.finish() }
        let tracker = try await LocalTracker.start(listen: place)
        Console.print("ws://\(tracker.address)/")
        for await _ in interrupted {}
        await tracker.stop()
        withExtendedLifetime(interrupts) {}
    }
}

import ArgumentParser

struct TrackerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tracker",
        abstract: "Run a WebTorrent WebSocket tracker that introduces agents to each other."
    )

    @Option(help: ArgumentHelp("Where agents connect to.", valueName: "HOST:PORT"))
    var listen = "0.0.0.0:8000"

    func run() async throws {
        throw Failure(.unavailable, "this build has no tracker yet")
    }
}

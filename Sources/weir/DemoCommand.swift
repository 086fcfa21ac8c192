import ArgumentParser

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Watch four agents share an endless live stream on this machine."
    )

    @Option(help: ArgumentHelp("How long to measure.", valueName: "N"))
    var seconds = 60

    @Flag(help: "Go on after the summary, and print an address for mpv.")
    var keep = false

    func run() async throws {
        throw Failure(.unavailable, "this build has no demo yet")
    }
}

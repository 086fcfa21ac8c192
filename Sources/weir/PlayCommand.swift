import ArgumentParser
import FoundationEssentials
import WeirCore
import WeirNet
import WeirSettings

struct PlayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "play",
        abstract: "Open one stream and print the address to give to a player.",
        discussion: "Example: weir play https://example.org/live/master.m3u8 --player 'mpv {url}'"
    )

    @Argument(help: ArgumentHelp("The stream's manifest, http:// or https://.", valueName: "URL"))
    var url: String

    @OptionGroup(title: "Settings") var flags: SettingFlags

    func run() async throws {
        let settings = try flags.settings(for: .play, environment: ProcessInfo.processInfo.environment)
        let lowered = url.lowercased()
        guard lowered.hasPrefix("http://") || lowered.hasPrefix("https://") else {
            throw Failure(
                .usage,
                "“\(url)” is not a URL that weir can play: give one that begins with http:// or https://"
            )
        }
        try await AgentRun(settings: settings).play(url)
    }
}

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run without a stream of its own: players and programs open streams through the local API.",
        discussion: """
            Streams are opened by POST /v1/sessions with the token, by /play?url=… where --allow-url permits, or by the \
            addresses that --channels gives every channel of an M3U list. SIGHUP reads that list again.
            """
    )

    @OptionGroup(title: "Settings") var flags: SettingFlags

    func run() async throws {
        let settings = try flags.settings(for: .serve, environment: ProcessInfo.processInfo.environment)
        try await AgentRun(settings: settings).serve()
    }
}

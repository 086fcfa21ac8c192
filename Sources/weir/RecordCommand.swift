import ArgumentParser
import FoundationEssentials
import WeirCore
import WeirNet
import WeirSettings

struct RecordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Record a stream into a file; the same command again goes on with a file that was cut off.",
        discussion: """
            Example: weir record https://example.org/live/master.m3u8 --out news.mkv --duration 1h. The file's suffix says \
            what it becomes: .ts, .flv, .mp4 or .mkv. What is missing in it is told at the end, and in FILE.journal.
            """
    )

    @Argument(help: ArgumentHelp("The stream's manifest, http:// or https://.", valueName: "URL"))
    var url: String

    @Option(help: ArgumentHelp("The file: .ts, .flv, .mp4 or .mkv.", valueName: "FILE")) var out: String
    @Option(help: ArgumentHelp("How long: 90s, 30m, 2h; without it to the stream's end.", valueName: "TIME"))
    var duration: String?
    @Option(help: ArgumentHelp("When to begin: 2026-12-24T20:00:00Z; without it now.", valueName: "TIME"))
    var at: String?

    @OptionGroup(title: "Settings") var flags: SettingFlags

    func run() async throws {
        let settings = try flags.settings(for: .play, environment: ProcessInfo.processInfo.environment)
        guard var request = CaptureRequest(url: url, path: out) else {
            throw Failure(.usage, "“\(out)” says no container: give a name that ends in .ts, .flv, .mp4 or .mkv")
        }
        if let duration {
            guard let length = WrittenTime.read(duration) else {
                throw Failure(.usage, "“\(duration)” is no duration: write 90s, 30m or 2h")
            }
            request.length = length
        }
        if let at {
            guard let begin = WallTime(dateTime: at) else {
                throw Failure(.usage, "“\(at)” is no time: write it like 2026-12-24T20:00:00Z")
            }
            request.begin = begin
        }
        try await RecordRun(settings: settings).record(request)
    }
}

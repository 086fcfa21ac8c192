#if Media
    import ArgumentParser
    import WeirCore
    import WeirMedia

    /// What an agent starts beside itself for each continuous output that has readers. Not for people, but usable:
    /// `weir media-worker http://127.0.0.1:8090/s/…/master.m3u8 --plain > file.ts`.
    struct MediaWorkerCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "media-worker",
            abstract: "Remux a stream of a running agent into one container, on standard output.",
            shouldDisplay: false
        )

        @Argument(help: ArgumentHelp("The stream's manifest at the agent.", valueName: "URL"))
        var url: String

        @Option(help: "ts, flv, mp4 or mkv.") var format = ContinuousFormat.ts.rawValue
        @Option(help: "Microseconds at which the output's time begins.") var begin: Int64 = 0
        @Flag(help: "Write the container alone, without records around it.") var plain = false

        func run() throws {
            guard let manifest = WebURL(url), let format = ContinuousFormat(rawValue: format) else {
                throw Failure(.usage, "give the manifest's http:// address and --format ts, flv, mp4 or mkv")
            }
            let order = MediaWorker.Order(manifest: manifest, format: format, begin: begin, isPlain: plain)
            if let reason = MediaWorker.run(order, note: { Console.note("weir: media: \($0)") }) {
                throw Failure(.data, "cannot remux: \(reason)")
            }
        }
    }
#endif

import ArgumentParser
import WeirCore

#if Media
    import WeirMedia
#endif

/// What an agent starts for each recording, and usable by hand. Standard output gets the journal as it changes, in records.
struct CaptureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Record a stream of a running agent into a file, or go on with that."
    )

    @Argument(help: ArgumentHelp("The stream's manifest at the agent.", valueName: "URL"))
    var url: String

    @Option(help: "The file.") var out: String
    @Option(help: "ts, flv, mp4 or mkv.") var format = ContinuousFormat.ts.rawValue
    @Option(help: "What names the stream in the file's journal.") var stream = "-"
    @Option(help: "Milliseconds to record; without it to the stream's end.") var length: Int?
    @Option(help: "Milliseconds since 1970 at which it ends, instead.") var until: Int64?
    @Option(help: "Bytes of the disk that stay free.") var floor: Int64 = 0

    func validate() throws {
        guard WebURL(url) != nil, ContinuousFormat(rawValue: format) != nil, length ?? 1 > 0, until ?? 0 >= 0,
            floor >= 0, !stream.isEmpty, !stream.contains(where: { $0.isWhitespace || $0.isNewline })
        else {
            throw ValidationError("give the manifest's http:// address, --out FILE and --format ts, flv, mp4 or mkv")
        }
    }

    func run() throws {
        #if Media
            guard let manifest = WebURL(url), let format = ContinuousFormat(rawValue: format) else { return }
            var order = CaptureWorker.Order(
                manifest: manifest,
                stream: stream,
                path: out,
                format: format,
                floor: FreeSpaceFloor(floor),
                length: CaptureLength(length.map { .milliseconds($0) })
            )
            order.until = until.map { WallTime(milliseconds: $0) }
            let ending = CaptureWorker.run(
                order,
                tell: { tell($0) },
                tellDamage: { Console.put(RemuxRecord(.damagedSegment, count: $0.count, time: 0).head + $0) },
                note: { Console.complain($0) }
            )
            switch ending {
            case .complete: return
            case .full: throw ExitCode.noSpace
            case .interrupted(let reason):
                Console.complain("interrupted: \(reason)")
                throw ExitCode.unavailable
            case .failed(let reason):
                Console.put(RemuxRecord(.fault, count: reason.utf8.count, time: 0).head + Array(reason.utf8))
                throw ExitCode.badData
            }
        #else
            let reason = "this weir-media was built without libavformat"
            // The agent does not try again.
            Console.put(RemuxRecord(.fault, count: reason.utf8.count, time: 0).head + Array(reason.utf8))
            Console.complain(reason)
            throw ExitCode.unavailable
        #endif
    }

    private func tell(_ journal: CaptureJournal) {
        let text = Array(journal.text.utf8)
        Console.put(RemuxRecord(.journal, count: text.count, time: 0).head + text)
    }
}

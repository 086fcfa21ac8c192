import ArgumentParser
import WeirCore

#if Media
    import WeirMedia
#endif

/// What an agent starts for each continuous output that has readers, and usable by hand:
/// `weir-media remux http://127.0.0.1:8090/s/…/master.m3u8 --plain > file.ts`.
struct RemuxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remux",
        abstract: "Remux a stream of a running agent into one container, on standard output."
    )

    @Argument(help: ArgumentHelp("The stream's manifest at the agent.", valueName: "URL"))
    var url: String

    @Option(help: "ts, flv, mp4 or mkv.") var format = ContinuousFormat.ts.rawValue
    @Option(help: "Microseconds at which the output's time begins.") var begin: Int64 = 0
    @Option(help: "Milliseconds of a live stream that come at once, before the pace of the clock.") var lead = 1000
    @Flag(help: "Write the container alone, without records around it.") var plain = false
    @Flag(help: "Begin at the keyframe at or before where the manifest says, and go on as fast as it is read.")
    var shifted = false

    func validate() throws {
        guard WebURL(url) != nil, ContinuousFormat(rawValue: format) != nil, (0...600_000).contains(lead) else {
            throw ValidationError("give the manifest's http:// address, and --format ts, flv, mp4 or mkv")
        }
    }

    func run() throws {
        #if Media
            guard let manifest = WebURL(url), let format = ContinuousFormat(rawValue: format) else { return }
            var order = MediaWorker.Order(manifest: manifest, format: format, begin: begin, isPlain: plain)
            order.lead = .milliseconds(lead)
            order.isShifted = shifted
            if let reason = MediaWorker.run(order, note: { Console.complain($0) }) {
                Console.complain("cannot remux: \(reason)")
                throw ExitCode.badData
            }
        #else
            let reason = "this weir-media was built without libavformat"
            // The agent tells its reader.
            if !plain { Console.put(RemuxRecord(.fault, count: reason.utf8.count, time: 0).head + Array(reason.utf8)) }
            Console.complain(reason)
            throw ExitCode.unavailable
        #endif
    }
}

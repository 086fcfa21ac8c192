import ArgumentParser
import WeirCore

#if Media
    import WeirMedia
#endif

/// What an agent starts to know what the media of a stream are, and usable by hand:
/// `weir-media probe http://127.0.0.1:8090/s/…/index.m3u8 --plain`.
struct ProbeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Read one segment of each rendition of a running agent, and write what its tracks are."
    )

    /// Renditions in one go.
    private static let most = 16

    @Argument(help: ArgumentHelp("Playlists of renditions at the agent.", valueName: "URL"))
    var urls: [String]

    @Flag(help: "Write the lines alone, without records around them.") var plain = false

    func validate() throws {
        guard urls.count <= ProbeCommand.most, urls.allSatisfy({ WebURL($0) != nil }) else {
            throw ValidationError("give the http:// addresses of at most \(ProbeCommand.most) playlists")
        }
    }

    func run() throws {
        #if Media
            let playlists = urls.compactMap { WebURL($0) }
            if let reason = ProbeWorker.run(playlists, isPlain: plain, note: { Console.complain($0) }) {
                Console.complain(reason)
                throw ExitCode.badData
            }
        #else
            let reason = "this weir-media was built without libavcodec"
            if !plain { Console.put(RemuxRecord(.fault, count: reason.utf8.count, time: 0).head + Array(reason.utf8)) }
            Console.complain(reason)
            throw ExitCode.unavailable
        #endif
    }
}

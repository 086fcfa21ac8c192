import ArgumentParser
import WeirCore

#if Media
    import WeirMedia
#endif

/// What an agent starts for each picture, and usable by hand:
/// `weir-media picture http://127.0.0.1:8090/s/…/master.m3u8 --plain > picture.jpg`; of several addresses all in rows.
struct PictureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "picture",
        abstract: "Decode keyframes of a stream of a running agent, and write them as one JPEG to standard output."
    )

    /// Pictures in one.
    private static let most = 64

    @Argument(help: ArgumentHelp("The stream's manifest at the agent, one for each picture.", valueName: "URL"))
    var urls: [String]

    @Option(help: "Pictures in a row.") var columns = 4
    @Option(help: "Pixels that it is wide at most.") var width = 480
    @Flag(help: "Write the JPEG alone, without records around it.") var plain = false

    func validate() throws {
        guard urls.count <= PictureCommand.most, urls.allSatisfy({ WebURL($0) != nil }), (16...3840).contains(width),
            (1...8).contains(columns), width / columns >= 16
        else {
            throw ValidationError(
                "give at most \(PictureCommand.most) manifests' http:// addresses, a width from 16 to 3840, and 1 to 8 columns"
            )
        }
    }

    func run() throws {
        #if Media
            let manifests = urls.compactMap { WebURL($0) }
            let order = PictureWorker.Order(manifests: manifests, columns: columns, width: width, isPlain: plain)
            if let reason = PictureWorker.run(order) {
                Console.complain("no picture: \(reason)")
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

import ArgumentParser
import WeirCore

#if Media
    import WeirMedia
#endif

/// What an agent starts for each picture, and usable by hand:
/// `weir-media picture http://127.0.0.1:8090/s/…/master.m3u8 --plain > picture.jpg`.
struct PictureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "picture",
        abstract: "Decode one keyframe of a stream of a running agent, and write it as JPEG to standard output."
    )

    @Argument(help: ArgumentHelp("The stream's manifest at the agent.", valueName: "URL"))
    var url: String

    @Option(help: "Pixels that it is wide at most.") var width = 480
    @Flag(help: "Write the JPEG alone, without records around it.") var plain = false

    func validate() throws {
        guard WebURL(url) != nil, (16...3840).contains(width) else {
            throw ValidationError("give the manifest's http:// address, and a width from 16 to 3840")
        }
    }

    func run() throws {
        #if Media
            guard let manifest = WebURL(url) else { return }
            if let reason = PictureWorker.run(.init(manifest: manifest, width: width, isPlain: plain)) {
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

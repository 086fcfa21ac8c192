import ArgumentParser
import WeirLab

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The lab's low-latency origin by itself, for players that something else starts.
struct LowLatencyOriginBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "low-latency-origin",
        abstract: "Serve the lab's endless low-latency stream, HLS and DASH, until it is ended.",
        discussion: "Prints the address of the HLS list, then that of the DASH manifest.",
        shouldDisplay: false
    )

    @Option(help: "The stream's rate in Mbit/s.") var rate = 1.0
    @Option(help: "Where the recordings of the renditions are.") var media = "Fixtures/media/low-latency"
    @Flag(help: "Parts are byte ranges of their segment's file.") var ranges = false
    @Option(help: "Seconds after which it ends by itself.") var seconds = 600.0

    func run() async throws {
        let mode = LowLatencyMode(parts: ranges ? .ranges : .files, padding: LowLatencyMode.padding(rate: rate))
        let origin = try await LabOrigin.start(try await LowLatencyContent(directory: media, mode: mode))
        print(origin.url + LowLatencyContent.multivariantPath)
        print(origin.url + LowLatencyContent.presentationPath)
        // Whoever reads them waits for them.
        fflush(nil)
        try? await Task.sleep(for: .seconds(seconds))
        await origin.stop()
    }
}

import ArgumentParser
import WeirLab

/// What an agent adds to the latency of a low-latency stream, with peers and without, beside a direct viewer.
struct LatencyBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latency",
        abstract: "Low-latency HLS: how much later parts arrive by way of weir, and how many came from peers.",
        discussion: """
            A latency runs from the moment at which the origin has a part to its last byte at the viewer, both by one \
            clock. Added is the difference of the same quantile to that of viewers without weir. The share from peers \
            is what the origin's access log lacks of what the viewers got. Bound: 150 ms added at p95, with peers and \
            without. Start-up is left out. Agents treat each other as strangers, audits included.
            """
    )

    /// Seconds added at p95.
    private static let bound = 0.15

    @Option(help: "Viewers, each with an agent of its own where there are agents.") var viewers = 4
    @Option(help: "Seconds of each scene.") var seconds = 14.0
    @Option(help: "The stream's rate in Mbit/s.") var rate = 3.0
    @Option(help: "Where the recordings of the renditions are.") var media = "Fixtures/media/low-latency"
    @Flag(help: "Parts are byte ranges of their segment's file.") var ranges = false
    @Flag(help: "The origin sends a hinted part as it is made, without a length.") var chunked = false
    @Flag(help: "Print every viewer.") var each = false

    func validate() throws {
        guard (1...16).contains(viewers), (4...600).contains(seconds), (0.2...50).contains(rate) else {
            throw ValidationError("viewers 1…16, seconds 4…600, rate 0.2…50")
        }
    }

    func run() async throws {
        let mode = LowLatencyMode(
            parts: ranges ? .ranges : .files,
            delivery: chunked ? .chunked : .whole,
            padding: LowLatencyMode.padding(rate: rate)
        )
        let kind = ranges ? "byte ranges" : "files"
        print("parts of 0.32 s in \(kind), sent \(chunked ? "as they are made" : "whole"), \(rate) Mbit/s\n")
        var table = TextTable([
            "viewers by way of", "viewers", "parts", "missed", "wrong", "p50 ms", "p95 ms", "max ms", "added p50",
            "added p95", "bound", "from peers %", "origin copies",
        ])
        var direct: LatencyFigures?
        for scene in LatencyScene.Kind.allCases {
            let stage = try await LatencyScene.start(scene, viewers: viewers, media: media, mode: mode)
            let figures: LatencyFigures
            do {
                figures = try await stage.measure(seconds: seconds)
            } catch {
                await stage.stop()
                throw error
            }
            await stage.stop()
            for line in figures.complaints { print("\(scene.rawValue): \(line)") }
            if each { for line in figures.viewers { print("\(scene.rawValue): \(line)") } }
            table.add(figures.row(scene.rawValue, beside: direct, bound: LatencyBench.bound))
            direct = direct ?? figures
        }
        print(table.text)
    }
}

/// One scene's outcome, start-up left out.
struct LatencyFigures {
    var latencies = Samples()
    var missed = 0
    var inexact = 0
    /// Body bytes of parts that viewers got, and of media that the origin sent meanwhile.
    var deliveredBytes: Int64 = 0
    var originBytes: Int64 = 0
    var viewerCount = 0
    /// A line for each viewer.
    var viewers: [String] = []
    /// What went wrong, a few lines.
    var complaints: [String] = []

    func row(_ name: String, beside direct: LatencyFigures?, bound: Double) -> [String] {
        func milliseconds(_ seconds: Double) -> String { (seconds * 1000).fixed(1) }
        func added(_ part: Double) -> String {
            direct.map { milliseconds(latencies.quantile(part) - $0.latencies.quantile(part)) } ?? "-"
        }
        let copies = Double(originBytes) / (Double(deliveredBytes) / Double(viewerCount))
        return [
            name, String(viewerCount), String(latencies.count), String(missed), String(inexact),
            milliseconds(latencies.median), milliseconds(latencies.quantile(0.95)), milliseconds(latencies.quantile(1)),
            added(0.5), added(0.95), direct == nil ? "-" : milliseconds(bound),
            (100 * (1 - Double(originBytes) / Double(deliveredBytes))).fixed(1), copies.fixed(2),
        ]
    }
}

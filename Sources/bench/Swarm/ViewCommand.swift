import ArgumentParser
import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import WeirLab

/// A viewer in a process of its own, for hosts whose loopback this program does not share.
struct ViewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "view",
        abstract: "Play a live stream, then print what was seen and the agent's /stats, one JSON line each.",
        shouldDisplay: false
    )

    @Argument var url: String
    @Option(help: "The agent's /stats.") var statistics: String
    @Option var seconds: Double

    func run() async throws {
        let viewer = HeadlessViewer(url: url)
        let playing = Task { await viewer.run() }
        try await Task.sleep(for: .seconds(seconds))
        playing.cancel()
        let seen = SwarmView(await playing.value)
        let encoded = try JSONEncoder().encode(seen)
        print(String(decoding: encoded, as: UTF8.self))
        let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: statistics), timeout: .seconds(5))
        let body = try await response.body.collect(upTo: 1 << 20)
        print(String(buffer: body).split(separator: "\n").joined())
    }
}

/// What a viewer saw.
struct SwarmView: Codable {
    struct Segment: Codable {
        var number: Int
        var bytes: Int
        /// From the request to the last byte.
        var seconds: Double
        /// SHA-256 of its bytes.
        var digest: String
    }

    var segments: [Segment]
    var stalls: Int
    var stallSeconds: Double
    /// Seconds to the first whole segment.
    var startup: Double?
    var errors: [String]

    init(_ report: HeadlessViewer.Report) {
        segments = report.segments.map {
            Segment(number: $0.number, bytes: $0.bytes, seconds: $0.seconds, digest: "\($0.digest)")
        }
        stalls = report.playback.stalls
        stallSeconds = report.playback.stallSeconds
        startup = report.startup
        errors = report.errors
    }
}

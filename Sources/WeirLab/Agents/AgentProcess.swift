import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
package import WeirNet

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A `weir play` in a process of its own, as its users start it.
package final class AgentProcess: Sendable {
    /// What `/stats` says, as far as the lab looks at it.
    package struct Statistics: Decodable, Sendable {
        package var deliveredBytes: Int64
        package var originBytes: Int64
        package var edgeBytes: Int64
        package var peerBytes: Int64
        package var uploadedBytes: Int64
        package var auditBytes: Int64
        package var wastedBytes: Int64
        package var rejectedBytes: Int64
        package var bufferSeconds: Double
        package var stalls: Int
        package var peers: Int
        package var ledgerBytes: Int64
        package var rssBytes: Int64

        private enum CodingKeys: String, CodingKey {
            case deliveredBytes = "delivered_bytes"
            case originBytes = "origin_bytes"
            case edgeBytes = "edge_bytes"
            case peerBytes = "peer_bytes"
            case uploadedBytes = "uploaded_bytes"
            case auditBytes = "audit_bytes"
            case wastedBytes = "wasted_bytes"
            case rejectedBytes = "rejected_bytes"
            case bufferSeconds = "buffer_seconds"
            case stalls, peers
            case ledgerBytes = "ledger_bytes"
            case rssBytes = "rss_bytes"
        }
    }

    /// The line of `play --json`.
    private struct Announcement: Decodable {
        var playbackURL: String
        var statisticsURL: String
        var token: String

        private enum CodingKeys: String, CodingKey {
            case playbackURL = "playback_url"
            case statisticsURL = "stat_url"
            case token
        }
    }

    package let process: ChildProcess
    package let playbackURL: String
    package let statisticsURL: String
    /// For control calls.
    package let token: String

    /// More than any announcement has.
    private static let longestLine = 4096

    private init(process: ChildProcess, announcement: Announcement) {
        self.process = process
        playbackURL = announcement.playbackURL
        statisticsURL = announcement.statisticsURL
        token = announcement.token
    }

    /// Starts an agent and waits until its stream can be played.
    ///
    /// - Parameters:
    ///   - started: called with the process as soon as it exists, so that it can be ended whatever happens next.
    /// - Throws: a `LabError` when the program ends without having announced an address.
    package static func play(
        _ url: String,
        flags: [String] = [],
        program: String,
        errors: ChildProcess.Output = .inherited,
        on host: LabHost = .loopback,
        started: (ChildProcess) -> Void = { _ in }
    ) async throws -> AgentProcess {
        let announcing = try Pipe()
        let process: ChildProcess
        do {
            defer { close(announcing.writing) }
            process = try host.inside {
                try ChildProcess(
                    [program, "play", url, "--json"] + flags,
                    output: .descriptor(announcing.writing),
                    errors: errors,
                    ownGroup: true
                )
            }
        } catch {
            close(announcing.reading)
            throw LabError("cannot start \(program): \(error)")
        }
        started(process)
        let line = await PipeReader(descriptor: announcing.reading).readLine(limit: longestLine)
        guard let announcement = try? JSONDecoder().decode(Announcement.self, from: Data(line)) else {
            await process.endAndWait()
            throw LabError("weir play ended with code \(await process.exitCode()) and announced no address")
        }
        return AgentProcess(process: process, announcement: announcement)
    }

    package func statistics() async throws -> Statistics {
        let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: statisticsURL), timeout: .seconds(5))
        guard response.status == .ok else { throw LabError("\(statisticsURL) answered \(response.status.code)") }
        let body = try await response.body.collect(upTo: 1 << 20)
        return try JSONDecoder().decode(Statistics.self, from: Data(body.readableBytesView))
    }

    /// Asks it to leave, and waits until it has.
    package func stop() async { await process.endAndWait() }
}

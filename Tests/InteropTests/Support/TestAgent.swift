import FoundationEssentials
import NIOCore
import NIOPosix
import WeirLab
import WeirNet

/// A `weir play` process on loopback, audited like any stranger's, with a swarm port that the test knows.
struct TestAgent: Sendable {
    let program: StartedProgram
    let playbackURL: String
    let statisticsURL: String
    let token: String
    let swarmPort: Int

    var process: ChildProcess { program.process }
    var peer: String { "127.0.0.1:\(swarmPort)" }
    /// `http://127.0.0.1:PORT`
    var endpoint: String { String(statisticsURL.dropLast("/stats".count)) }

    // The names are the JSON's.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    private struct Announcement: Decodable {
        var playback_url: String
        var stat_url: String
        var token: String
    }

    struct DidNotStart: Error {
        var errors: String
    }

    func statistics() async throws -> [String: Double] {
        try JSONDecoder().decode([String: Double].self, from: Data(try await Web.get(statisticsURL).body))
    }

    func statistic(_ name: String) async throws -> Double {
        guard let value = try await statistics()[name] else { throw DidNotStart(errors: "no \(name) in /stats") }
        return value
    }

    private struct SegmentLine: Decodable {
        var number: UInt64
        var originBytes: Int64
        var originReason: String
    }

    /// The stream's name at the agent.
    var stream: Substring { playbackURL.split(separator: "/")[3] }

    /// An address of the stream: `live.ts`, `dvr.m3u8?at=-60`.
    func address(_ name: String) -> String { "\(endpoint)/s/\(stream)/\(name)" }

    /// What a control call answers; `window_seconds` is read as `windowSeconds`.
    func control<Answer: Decodable>(_ path: String) async throws -> Answer {
        let answer = try await Web.get(endpoint + path, [("Authorization", "Bearer \(token)")])
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Answer.self, from: Data(answer.body))
    }

    /// Why bytes of segments came from the origin: number, bytes, reason; audits alone are left out.
    func originReasons() async throws -> String {
        let lines: [SegmentLine] = try await control("/v1/sessions/\(stream)/segments")
        return lines.filter { !$0.originReason.isEmpty }
            .map { "\($0.number): \($0.originBytes) \($0.originReason)" }.joined(separator: ", ")
    }

    /// Waits until so many links are up.
    func isLinked(to peers: Int) async throws -> Bool {
        try await eventually(within: 5) { try await statistic("peers") == Double(peers) }
    }

    fileprivate static func announced(_ program: StartedProgram, swarmPort: Int) async throws -> TestAgent {
        let isThere = await eventually(within: 20) {
            program.output.contains("\n") || !program.process.isRunning
        }
        guard isThere,
            let line = try? JSONDecoder().decode(Announcement.self, from: Data(program.output.utf8))
        else { throw DidNotStart(errors: program.errors) }
        return TestAgent(
            program: program,
            playbackURL: line.playback_url,
            statisticsURL: line.stat_url,
            token: line.token,
            swarmPort: swarmPort
        )
    }
}

extension Stage {
    /// - Parameters:
    ///   - peers: agents to link to, `HOST:PORT` each.
    ///   - prefix: a command in front of the program's own (`bash -c 'ulimit …; exec "$@"' …`).
    func agent(_ url: String, peers: [String] = [], flags: [String] = [], prefix: [String] = []) async throws
        -> TestAgent
    {
        let port = try await freePort()
        let arguments =
            [Programs.weir, "play", url, "--json", "--swarm-port", "\(port)", "--swarm-address", "127.0.0.1"]
            + ["--local-networks", "none"] + peers.flatMap { ["--peer", $0] } + flags
        return try await TestAgent.announced(start(prefix + arguments), swarmPort: port)
    }

    /// What ffmpeg makes of a stream: a hash over every packet of each of its tracks.
    func streamHash(_ url: String, within seconds: Double = 60) async throws -> String {
        let command = [
            "ffmpeg", "-v", "error", "-nostdin", "-i", url, "-map", "0", "-c", "copy", "-f", "streamhash", "-",
        ]
        let result = try await run(command, within: seconds)
        return result.code == 0 && result.errors.isEmpty ? result.output : "code \(result.code): \(result.errors)"
    }
}

/// Nobody holds it for now; another program may take it before the test does.
func freePort() async throws -> Int {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .bind(host: "127.0.0.1", port: 0).get()
    let port = channel.localAddress?.port ?? 0
    try await channel.close()
    return port
}

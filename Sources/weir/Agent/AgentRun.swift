import FoundationEssentials
import WeirCore
import WeirNet
import WeirSettings

/// The life of an agent in this process: started → playing → leaving, from its settings to the goodbye.
struct AgentRun {
    private enum Event: Sendable {
        case opened(OpenResult)
        case interrupted
        case playerEnded(Int32)
    }

    /// Goodbyes that take longer are cut off, so that Ctrl-C leaves within a second.
    private static let farewell = Swift.Duration.milliseconds(800)

    let settings: ProgramSettings
    private let events = RunEvents<Event>(interrupted: .interrupted)

    init(settings: ProgramSettings) { self.settings = settings }

    func play(_ url: String) async throws {
        let token = try ControlToken.load(file: settings.apiTokenFile)
        let agent = try await AgentLaunch.start(settings, token: token)
        await schedule(on: agent)
        Task { events.post(.opened(await agent.open(url: url, swarm: settings.agent.swarmName))) }
        var player: ChildProcess?
        var failure: Failure?
        loop: for await event in events.all {
            switch event {
            case .opened(.ready(_, let path)):
                let address = "http://\(endpoint(of: agent))"
                announce(address + path, statistics: address + "/stats", token: token)
                do { player = try startPlayer(address + path) } catch { failure = error }
                if failure != nil { break loop }
            case .opened(.failed(let reason, let text)):
                failure = AgentRun.failure(url, reason, text)
                break loop
            case .interrupted:
                break loop
            case .playerEnded(let code):
                player = nil
                if code != 0 { Console.note("weir: the player ended with code \(code)") }
                break loop
            }
        }
        player?.end()
        await AgentRun.leave(agent)
        if let failure { throw failure }
    }

    func serve() async throws {
        let token = try ControlToken.load(file: settings.apiTokenFile)
        let agent = try await AgentLaunch.start(settings, token: token)
        Console.print("http://\(endpoint(of: agent))/")
        if settings.apiTokenFile == nil { Console.note("weir: token for the control API: \(token)") }
        if settings.channels != nil {
            Console.note("weir: list of channels: http://\(endpoint(of: agent))/channels.m3u")
        }
        await schedule(on: agent)
        Hangups.onEach { Task { await agent.reloadChannels() } }
        for await event in events.all {
            if case .interrupted = event { break }
        }
        await AgentRun.leave(agent)
    }

    /// The recordings that the settings order.
    private func schedule(on agent: AgentHost) async {
        for capture in settings.captures {
            guard var request = CaptureRequest(url: capture.url, path: capture.file) else { continue }
            request.begin = capture.begin
            request.length = capture.length
            do throws(Captures.Refusal) {
                try await agent.record(request) { report in
                    if report.isOver { Console.note("weir: \(report.summary)") }
                }
            } catch {
                Console.note("weir: \(capture.file) is not recorded: \(error)")
            }
        }
    }

    /// The first line of standard output, for the program that reads it.
    private func announce(_ playback: String, statistics: String, token: String) {
        guard settings.json else {
            Console.print(playback)
            return
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let line = Announcement(playbackURL: playback, statisticsURL: statistics, token: token)
        guard let data = try? encoder.encode(line) else { preconditionFailure("three texts can be encoded") }
        Console.print(String(decoding: data, as: UTF8.self))
    }

    private func startPlayer(_ address: String) throws(Failure) -> ChildProcess? {
        let place = ProgramSettings.addressPlace
        let words = settings.player.map { $0.replacing(place, with: address) }
        guard let program = words.first else { return nil }
        let player: ChildProcess
        do {
            // Its output must not mix with the line that other programs read.
            player = try ChildProcess(words, output: .descriptor(2))
        } catch {
            throw Failure(.unavailable, "cannot start the player \(program): \(error)")
        }
        Task { events.post(.playerEnded(await player.exitCode())) }
        return player
    }

    private func endpoint(of agent: AgentHost) -> PeerAddress {
        // A wildcard is where it listens, not where a player can connect to.
        let wildcards = ["0.0.0.0": "127.0.0.1", "::": "::1"]
        return PeerAddress(host: wildcards[settings.listen.host] ?? settings.listen.host, port: agent.port)
    }

    static func leave(_ agent: AgentHost) async {
        let (left, done) = AsyncStream.makeStream(of: Void.self)
        Task {
            await agent.stop()
            done.finish()
        }
        Task {
            try? await Task.sleep(for: AgentRun.farewell)
            done.finish()
        }
        for await _ in left {}
    }

    private static func failure(_ url: String, _ reason: OpenFailure, _ text: String) -> Failure {
        let (code, advice): (Failure.Code, String) =
            switch reason {
            case .badURL: (.usage, "give an address that begins with http:// or https://")
            case .notAManifest: (.data, "give the address of an HLS playlist (.m3u8)")
            case .unreachable: (.unavailable, "check the address and the network, then try again")
            case .refused: (.unavailable, "try again later")
            }
        // A query may hold a token, which has no place in anybody's log.
        return Failure(code, "cannot play \(url.prefix { $0 != "?" }): \(text); \(advice)")
    }
}

/// The line of `--json`.
private struct Announcement: Encodable {
    var playbackURL: String
    var statisticsURL: String
    /// For control calls: `Authorization: Bearer …`.
    var token: String

    enum CodingKeys: String, CodingKey {
        case playbackURL = "playback_url"
        case statisticsURL = "stat_url"
        case token
    }
}

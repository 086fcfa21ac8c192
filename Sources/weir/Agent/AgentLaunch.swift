import Logging
import NIOCore
import NIOPosix
import WeirCore
import WeirNet
import WeirSettings

/// From settings to a running agent.
enum AgentLaunch {
    /// - Throws: a `Failure` when a port is taken or a file cannot be used.
    static func start(_ settings: ProgramSettings, token: String) async throws -> AgentHost {
        let identity: Identity
        do {
            identity = try settings.identityFile.map { try Identity(keptAt: $0) } ?? Identity()
        } catch {
            throw Failure(.cannotCreate, "\(error)")
        }
        do {
            return try await AgentHost.start(configuration(settings, token, identity), signer: identity)
        } catch let error as HostError {
            if case .trustRoots = error { throw Failure(.usage, "\(error)") }
            if case .channels = error { throw Failure(.data, "\(error)") }
            throw Failure(.cannotCreate, "\(error)")
        }
    }

    private static func configuration(
        _ settings: ProgramSettings,
        _ token: String,
        _ identity: Identity
    ) throws -> HostConfiguration {
        var endpoint = EndpointSettings(token: token)
        endpoint.host = settings.listen.host
        endpoint.port = settings.listen.port
        var logger = Logger(label: "weir") { _ in StandardErrorLog() }
        logger.logLevel = Logger.Level(settings.logLevel)
        var configuration = HostConfiguration(endpoint: endpoint, logger: logger)
        configuration.agent = settings.agent
        configuration.agent.peers = settings.peers
        checkNames(settings.peers, logger)
        configuration.agent.localNetworks =
            switch settings.localNetworks {
            case .interfaces: LocalInterfaces.privateNetworks()
            case .listed(let networks): networks
            }
        configuration.origin.extraTrustRoots = settings.caFile.map { [$0] } ?? []
        configuration.recording = settings.recordedInputs.map {
            RecordingPlace(file: $0, limit: settings.recordingSize)
        }
        configuration.continuous = continuous(settings, logger)
        configuration.captures.directory = settings.captureDirectory
        configuration.captures.floorBytes = settings.captureFloorBytes
        if let directory = settings.dvrDirectory {
            configuration.agent.dvrDiskBytes = settings.dvrDiskBytes
            configuration.window = WindowPlace(directory: directory, floorBytes: settings.captureFloorBytes)
        }
        configuration.channels = settings.channels.map { ChannelSource.Location($0) }
        configuration.links = { loop, deliver in
            try await PeerLinks.start(loop: loop, identity: identity, settings: settings, deliver: deliver)
        }
        configuration.trackers = { loop, deliver in
            try await TrackerLinks.start(loop: loop, urls: settings.trackers, deliver: deliver)
        }
        return configuration
    }

    private static func continuous(_ settings: ProgramSettings, _ logger: Logger) -> ContinuousSettings {
        var continuous = ContinuousSettings()
        continuous.isOn = settings.continuousOutputs
        continuous.previews = settings.previews
        continuous.cacheBytes = settings.gopCacheBytes
        continuous.workers = settings.mediaWorkers
        continuous.burst = settings.startBurst
        continuous.worker = [settings.mediaProgram ?? ProgramFolder.path(of: "weir-media")]
        // Everything else works without it, and it may be installed while the agent runs.
        if settings.continuousOutputs, let lack = continuous.lack { logger.notice("no continuous outputs: \(lack)") }
        return continuous
    }

    /// Tells of names that stand for no address. Each dial asks for the name's addresses anew and tries all of them, so
    /// that a peer behind a dead IPv6 address, or one whose name moves, is found (RFC 8305).
    private static func checkNames(_ peers: [PeerAddress], _ logger: Logger) {
        for peer in peers where (try? SocketAddress.makeAddressResolvingHost(peer.host, port: peer.port)) == nil {
            // The others may do; and with none the origin still plays.
            logger.warning("a peer's name cannot be resolved", metadata: ["peer": "\(peer)"])
        }
    }
}

extension Logger.Level {
    init(_ level: WeirCore.LogEvent.Level) {
        self =
            switch level {
            case .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warning: .warning
            case .error: .error
            }
    }
}

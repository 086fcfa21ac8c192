package import NIOCore
import NIOPosix
package import WeirCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension AgentHost {
    /// One thread for the whole process: an agent never needs a second one, and it lives as long as the process.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// Listens, makes the parts and starts the agent.
    ///
    /// - Parameter given: the agent's one event loop, where everything happens; nil: a thread of its own.
    /// - Throws: `HostError` when the endpoint cannot listen, and what the factories throw.
    package static func start(
        _ configuration: HostConfiguration,
        signer: any Signer,
        loop given: (any EventLoop)? = nil
    ) async throws -> AgentHost {
        let loop = given ?? group.next()
        let inbox = Inbox(loop: loop)
        let deliver: @Sendable (Input) -> Void = { inbox.put($0) }
        let recording = try configuration.recording.map { try RecordingFile(path: $0.file, limit: $0.limit) }
        var settings = configuration.endpoint
        settings.connections = configuration.limits.playerRequests
        let origin: OriginClient
        do {
            origin = try OriginClient(loop: loop, settings: configuration.origin, deliver: deliver)
        } catch {
            throw HostError.trustRoots(files: configuration.origin.extraTrustRoots)
        }
        let endpoint = Endpoint(loop: loop, settings: settings, deliver: deliver)
        var continuous = configuration.continuous
        continuous.onDamage = { inbox.put(.damaged(target: $0, reason: $1)) }
        endpoint.continuous = ContinuousOutputs(
            settings: continuous,
            loop: loop,
            logger: configuration.logger
        )
        endpoint.probes = Probes(settings: configuration.continuous, loop: loop, logger: configuration.logger)
        endpoint.previews = Previews(settings: configuration.continuous, loop: loop, logger: configuration.logger)
        endpoint.captures = Captures(
            settings: configuration.captures,
            continuous: continuous,
            loop: loop,
            logger: configuration.logger
        ) { [unowned endpoint] in endpoint.workerBase }
        do {
            let port = try await listen(endpoint, settings)
            let links = try await configuration.links?(loop, deliver) ?? NoLinks(loop: loop, deliver: deliver)
            let trackers = try await configuration.trackers?(loop, deliver) ?? NoTrackers(loop: loop, deliver: deliver)
            let hasFiles = configuration.agent.dvrDiskBytes > 0 && configuration.agent.dvrLength > .zero
            let place = hasFiles ? configuration.window : nil
            let parts = HostParts(
                endpoint: endpoint,
                origin: origin,
                links: links,
                trackers: trackers,
                windowFiles: place.map { WindowFiles($0, loop: loop, deliver: deliver) }
            )
            let host = AgentHost(
                configuration: configuration,
                signer: signer,
                parts: parts,
                inbox: inbox,
                loop: loop,
                port: port,
                recording: recording
            )
            await host.begin()
            if let location = configuration.channels { try await host.begin(location, configuration) }
            return host
        } catch {
            _ = try? await loop.flatSubmit { endpoint.shutDown().and(origin.shutDown()) }.get()
            throw error
        }
    }

    /// Reads the list of channels. A file has to be right at the start; what an address gives may come later.
    private func begin(_ location: ChannelSource.Location, _ configuration: HostConfiguration) async throws {
        let source = ChannelSource(
            location,
            limits: configuration.limits,
            origin: configuration.origin,
            loop: loop,
            logger: logger
        ) { [inbox] list in
            inbox.put(.channels(list))
        }
        parts.endpoint.channels = source
        let failure = await withCheckedContinuation { continuation in
            source.refresh { continuation.resume(returning: source.failure) }
        }
        guard let failure, case .file = location else { return }
        await stop()
        throw HostError.channels(reason: failure)
    }

    /// Reads the list of channels again, whether or not it seems to have changed.
    package func reloadChannels() { parts.endpoint.channels?.reload() }

    private static func listen(_ endpoint: Endpoint, _ settings: EndpointSettings) async throws -> Int {
        do {
            return try await endpoint.bind().get()
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw HostError.portInUse(host: settings.host, port: settings.port)
        } catch {
            let reason =
                switch (error as? IOError)?.errnoCode {
                case EADDRNOTAVAIL: "this machine does not have that address"
                case EACCES: "the system does not permit that port"
                default: "\(error)"
                }
            throw HostError.cannotListen(host: settings.host, port: settings.port, reason: reason)
        }
    }
}

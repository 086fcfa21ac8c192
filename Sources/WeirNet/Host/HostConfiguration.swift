package import Logging
package import NIOCore
package import WeirCore

/// Everything that an agent is started with.
package struct HostConfiguration: Sendable {
    /// Makes a part of the shell. `deliver` is called on the loop, for every input.
    package typealias Factory<Part> =
        @Sendable (_ loop: any EventLoop, _ deliver: @escaping @Sendable (Input) -> Void) async throws -> Part

    package var agent = AgentSettings()
    package var limits = Limits()
    package var endpoint: EndpointSettings
    package var origin = OriginSettings()
    package var continuous = ContinuousSettings()
    package var captures = CaptureSettings()
    /// Where the time shift window's files lie; none are made without `agent.dvrDiskBytes`.
    package var window: WindowPlace?
    package var logger: Logger
    /// Nil: no list of channels.
    package var channels: ChannelSource.Location?
    /// Where the core's inputs are written to; nil: nowhere.
    package var recording: RecordingPlace?
    /// Nil: no links.
    package var links: Factory<any LinkTransport>?
    /// Nil: no trackers.
    package var trackers: Factory<any TrackerTransport>?

    package init(endpoint: EndpointSettings, logger: Logger) {
        self.endpoint = endpoint
        self.logger = logger
    }
}

/// A file for the core's inputs.
package struct RecordingPlace: Sendable {
    package var file: String
    /// Bytes that it grows to.
    package var limit: Int

    package init(file: String, limit: Int) {
        self.file = file
        self.limit = limit
    }
}

/// Why an agent could not be started. The description is one line that says what to do.
package enum HostError: Error, CustomStringConvertible, Equatable {
    case portInUse(host: String, port: Int)
    case cannotListen(host: String, port: Int, reason: String)
    case recording(file: String, reason: String)
    case channels(reason: String)
    case trustRoots(files: [String])

    package var description: String {
        switch self {
        case .portInUse(let host, let port):
            "cannot listen on \(PeerAddress(host: host, port: port)): the port is in use; choose another with --listen "
                + "(port 0 takes a free one), or end the program that uses it"
        case .cannotListen(let host, let port, let reason):
            "cannot listen on \(PeerAddress(host: host, port: port)): \(reason); choose an address of this machine "
                + "with --listen"
        case .channels(let reason):
            "cannot read the list of channels: \(reason)"
        case .recording(let file, let reason):
            "cannot record to \(file): \(reason); give --record-inputs a file that can be written"
        case .trustRoots(let files):
            "cannot read certificates from \(files.joined(separator: ", ")): give a file of PEM certificates with "
                + "--ca-file"
        }
    }
}

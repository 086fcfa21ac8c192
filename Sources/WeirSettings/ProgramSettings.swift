package import WeirCore

/// Which of the program's subcommands the settings are for: a few defaults differ.
package enum SettingsCommand: Sendable {
    case play
    case serve
    case tracker
}

/// Everything that a user can set: the agent's behaviour, and what only the program around it needs.
package struct ProgramSettings: Sendable {
    package var agent = AgentSettings()
    /// Of `weir tracker`.
    package var tracker = TrackerServerSettings()
    /// Where players connect to.
    package var listen = PeerAddress(host: "127.0.0.1", port: 0)
    /// `ws://` or `wss://` addresses, in the order of `TrackerID`.
    package var trackers: [String] = []
    /// Peers as given: names are resolved when they are dialled.
    package var peers: [PeerAddress] = []
    /// The TCP port that other agents dial; 0: any free one; nil: no listener.
    package var swarmPort: Int? = 0
    /// The literal address the swarm listener binds to.
    package var swarmAddress = "0.0.0.0"
    package var localNetworks = LocalNetworks.interfaces
    /// The player's command, split into words, one of which holds `{url}`; empty: none.
    package var player: [String] = []
    package var json = false
    /// Whole streams as one file, `/s/{stream}/live.ts` and its like.
    package var continuousOutputs = true
    package var previews = true
    /// Where time shift windows go when memory has no room for them; nil: nowhere.
    package var dvrDirectory: String?
    /// Bytes that they may take there.
    package var dvrDiskBytes = 4 * 1024 * 1024 * 1024
    /// Bytes that each of them keeps for readers that join or lag.
    package var gopCacheBytes = 8 * 1024 * 1024
    /// Processes that remux at once.
    package var mediaWorkers = 4
    /// Media that a new reader of one of them gets at once.
    package var startBurst = Duration.seconds(6)
    /// The program that remuxes; nil: `weir-media` beside this program.
    package var mediaProgram: String?
    /// Where the control API may have files recorded; nil: nowhere.
    package var captureDirectory: String?
    /// Bytes of the disk that recordings leave free.
    package var captureFloorBytes = 1024 * 1024 * 1024
    /// Recordings that are to be made.
    package var captures: [ScheduledCapture] = []
    /// Where everything that the core is fed is written to, for `simulate --replay`; nil: nowhere.
    package var recordedInputs: String?
    /// Bytes that this file grows to.
    package var recordingSize = 256 * 1024 * 1024
    package var logLevel = LogEvent.Level.notice
    /// Holds the agent's private key, and is written when missing; nil: a new identity at each start.
    package var identityFile: String?
    /// PEM certificates that are trusted besides the system's.
    package var caFile: String?
    /// The list of channels: a file, or an address; nil: none.
    package var channels: String?
    /// Holds the token of the control API, and is written when missing; nil: a new token at each start.
    package var apiTokenFile: String?

    package init() {}

    /// The place for the player's address in `player`.
    package static let addressPlace = "{url}"
}

/// Whose peers are trusted like our own agents.
package enum LocalNetworks: Sendable, Equatable {
    /// The private subnets of this host's interfaces.
    case interfaces
    case listed([NetworkPrefix])
}

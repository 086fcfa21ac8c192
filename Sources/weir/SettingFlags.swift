import ArgumentParser
import WeirSettings

/// The flags of the settings table. Each takes its name and help from its row; what is given is read as text, by the
/// same code as the environment and the file.
struct SettingFlags: ParsableArguments {
    @Option(.listen) var listen: [String] = []
    @Option(.tracker) var tracker: [String] = []
    @Option(.edge) var edge: [String] = []
    @Option(.peer) var peer: [String] = []
    @Option(.swarmPort) var swarmPort: [String] = []
    @Option(.swarmAddress) var swarmAddress: [String] = []
    @Option(.swarmID) var swarmID: [String] = []
    @Option(.uploadLimit) var uploadLimit: [String] = []
    @Option(.localNetworks) var localNetworks: [String] = []
    @Option(.integrity) var integrity: [String] = []
    @Option(.seedTime) var seedTime: [String] = []
    @Option(.identity) var identity: [String] = []
    @Option(.minBufferSize) var minBufferSize: [String] = []
    @Option(.downloadTimeout) var downloadTimeout: [String] = []
    @Option(.stallTimeout) var stallTimeout: [String] = []
    @Option(.maxBufferSize) var maxBufferSize: [String] = []
    @Option(.cacheMemory) var cacheMemory: [String] = []
    @Option(.liveOffset) var liveOffset: [String] = []
    @Option(.dvrLength) var dvrLength: [String] = []
    @Option(.dvrMemory) var dvrMemory: [String] = []
    @Option(.dvrDirectory) var dvrDirectory: [String] = []
    @Option(.dvrDisk) var dvrDisk: [String] = []
    @Option(.previews) var previews: [String] = []
    @Option(.allowURL) var allowURL: [String] = []
    @Option(.channels) var channels: [String] = []
    @Option(.zapBudget) var zapBudget: [String] = []
    @Option(.continuousOutputs) var continuousOutputs: [String] = []
    @Option(.gopCacheSize) var gopCacheSize: [String] = []
    @Option(.mediaWorkers) var mediaWorkers: [String] = []
    @Option(.startBurst) var startBurst: [String] = []
    @Option(.mediaProgram) var mediaProgram: [String] = []
    @Option(.recordingDirectory) var recordingDirectory: [String] = []
    @Option(.recordingFloor) var recordingFloor: [String] = []
    @Option(.recordings) var recordings: [String] = []
    @Option(.apiTokenFile) var apiTokenFile: [String] = []
    @Option(.caFile) var caFile: [String] = []
    @Option(.player) var player: [String] = []
    @Flag(name: .customLong(SettingName.json.flag), help: ArgumentHelp(setting: .json)) var json = false
    @Option(.recordInputs) var recordInputs: [String] = []
    @Option(.recordSize) var recordSize: [String] = []
    @Option(.logLevel) var logLevel: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp("Read settings from this JSON5 file; weir config prints one.", valueName: "FILE")
    )
    var config: String?

    private var given: [SettingName: [String]] {
        [
            .listen: listen, .tracker: tracker, .edge: edge, .peer: peer, .swarmPort: swarmPort,
            .swarmAddress: swarmAddress, .swarmID: swarmID, .uploadLimit: uploadLimit, .localNetworks: localNetworks,
            .integrity: integrity, .seedTime: seedTime, .identity: identity, .minBufferSize: minBufferSize,
            .downloadTimeout: downloadTimeout, .stallTimeout: stallTimeout, .maxBufferSize: maxBufferSize,
            .cacheMemory: cacheMemory, .liveOffset: liveOffset, .dvrLength: dvrLength, .dvrMemory: dvrMemory,
            .dvrDirectory: dvrDirectory, .dvrDisk: dvrDisk, .previews: previews,
            .allowURL: allowURL, .channels: channels,
            .zapBudget: zapBudget,
            .continuousOutputs: continuousOutputs, .gopCacheSize: gopCacheSize, .mediaWorkers: mediaWorkers,
            .startBurst: startBurst, .mediaProgram: mediaProgram,
            .recordingDirectory: recordingDirectory, .recordingFloor: recordingFloor, .recordings: recordings,
            .apiTokenFile: apiTokenFile, .caFile: caFile,
            .recordInputs: recordInputs, .recordSize: recordSize,
            .player: player, .json: json ? ["true"] : [], .logLevel: logLevel,
        ]
    }

    /// Merges these flags with the environment, the file and the defaults.
    func settings(for command: SettingsCommand, environment: [String: String]) throws(SettingsError) -> ProgramSettings
    {
        var reader = SettingsReader(command: command)
        reader.flags = given
        reader.environment = environment
        if let config { reader.file = try ConfigurationFile(path: config) }
        return try reader.read()
    }
}

/// The flags of `weir tracker`, from the same table.
struct TrackerFlags: ParsableArguments {
    @Option(.listen, for: .tracker) var listen: [String] = []
    @Option(.announceInterval, for: .tracker) var announceInterval: [String] = []
    @Option(.maxStreams, for: .tracker) var maxStreams: [String] = []
    @Option(.dynamicStreamingRate, for: .tracker) var dynamicStreamingRate: [String] = []
    @Option(.fullSearchRate, for: .tracker) var fullSearchRate: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp("Read settings from this JSON5 file; weir config prints one.", valueName: "FILE")
    )
    var config: String?

    func settings(environment: [String: String]) throws(SettingsError) -> ProgramSettings {
        var reader = SettingsReader(command: .tracker)
        reader.flags = [
            .listen: listen, .announceInterval: announceInterval, .maxStreams: maxStreams,
            .dynamicStreamingRate: dynamicStreamingRate, .fullSearchRate: fullSearchRate,
        ]
        reader.environment = environment
        if let config { reader.file = try ConfigurationFile(path: config) }
        return try reader.read()
    }
}

extension Option where Value == [String] {
    init(wrappedValue: [String], _ name: SettingName, for command: SettingsCommand = .play) {
        self.init(
            wrappedValue: wrappedValue,
            name: .customLong(name.flag),
            parsing: .singleValue,
            help: ArgumentHelp(setting: name, for: command)
        )
    }
}

extension ArgumentHelp {
    init(setting name: SettingName, for command: SettingsCommand = .play) {
        let setting = SettingsTable.setting(name)
        let serve = command == .tracker ? "" : setting.serveDefault.map { "; serve: \($0)" } ?? ""
        let text = setting.defaultText(for: command)
        let value = text.isEmpty ? "" : " (default: \(text)\(serve))"
        let repeated = setting.syntax.repeatable ? " May be given several times." : ""
        self.init(stringLiteral: setting.meaning + value + repeated)
        valueName = setting.syntax.valueName
    }
}

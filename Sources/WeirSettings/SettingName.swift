/// Every setting by its key in the configuration file.
///
/// The flag is the key with dashes, the environment variable the key in capitals after `WEIR_`.
package enum SettingName: String, CaseIterable, Sendable, Hashable {
    case listen
    case tracker
    case edge
    case peer
    case swarmPort = "swarm_port"
    case swarmAddress = "swarm_address"
    case minBufferSize = "min_buffer_size"
    case downloadTimeout = "download_timeout"
    case stallTimeout = "stall_timeout"
    case maxBufferSize = "max_buffer_size"
    case cacheMemory = "cache_memory"
    case liveOffset = "live_offset"
    case dvrLength = "dvr_length"
    case dvrMemory = "dvr_memory"
    case dvrDirectory = "dvr_directory"
    case dvrDisk = "dvr_disk"
    case previews
    case uploadLimit = "upload_limit"
    case swarmID = "swarm_id"
    case localNetworks = "local_networks"
    case integrity
    case seedTime = "seed_time"
    case allowURL = "allow_url"
    case channels
    case zapBudget = "zap_budget"
    case continuousOutputs = "continuous_outputs"
    case gopCacheSize = "gop_cache_size"
    case mediaWorkers = "media_workers"
    case startBurst = "start_burst"
    case mediaProgram = "media_program"
    case recordingDirectory = "recording_directory"
    case recordingFloor = "recording_floor"
    case recordings
    case apiTokenFile = "api_token_file"
    case identity
    case caFile = "ca_file"
    case player
    case json
    case recordInputs = "record_inputs"
    case recordSize = "record_size"
    case logLevel = "log_level"
    case announceInterval = "announce_interval"
    case maxStreams = "max_streams"
    case dynamicStreamingRate = "dynamic_streaming_rate"
    case fullSearchRate = "full_search_rate"

    /// The key in the configuration file.
    package var key: String { rawValue }

    /// The flag without its dashes: `min-buffer-size`.
    package var flag: String { String(rawValue.map { $0 == "_" ? "-" : $0 }) }

    package var environment: String { SettingName.environmentPrefix + rawValue.uppercased() }

    package static let environmentPrefix = "WEIR_"
}

/// An agent's settings in a recording: both directions beside each other, because a setting that one of them forgets
/// makes every replay differ.
extension ByteWriter {
    mutating func settings(_ settings: AgentSettings) {
        for span in [
            settings.minimumBuffer, settings.downloadTimeout, settings.stallTimeout, settings.maximumBuffer,
        ] { whole64(span.nanoseconds) }
        number(settings.cacheBytes)
        option(settings.uploadBytesPerSecond) { $0.number($1) }
        text(settings.integrity.rawValue)
        list(settings.localNetworks) { writer, network in
            writer.blob(network.address)
            writer.number(network.length)
        }
        list(settings.edges) { $0.text($1) }
        list(settings.peers) { $0.address($1) }
        number(settings.trackerCount)
        list(settings.trackerHosts) { $0.text($1) }
        option(settings.swarmName) { $0.text($1) }
        list(settings.ownAddresses) { $0.address($1) }
        list(settings.allowedURLPrefixes) { $0.text($1) }
        number(settings.zapBudget)
        option(settings.seedTime) { $0.whole64($1.nanoseconds) }
        option(settings.liveOffset) { $0.whole64($1.nanoseconds) }
        whole64(settings.dvrLength.nanoseconds)
        number(settings.dvrBytes)
        number(settings.dvrDiskBytes)
    }
}

extension ByteReader {
    mutating func settings() throws(CodecError) -> AgentSettings {
        var settings = AgentSettings()
        settings.minimumBuffer = Duration(nanoseconds: try whole64())
        settings.downloadTimeout = Duration(nanoseconds: try whole64())
        settings.stallTimeout = Duration(nanoseconds: try whole64())
        settings.maximumBuffer = Duration(nanoseconds: try whole64())
        settings.cacheBytes = try number()
        settings.uploadBytesPerSecond = try option { (reader) throws(CodecError) in try reader.number() }
        guard let integrity = IntegrityLevel(rawValue: try text()) else { throw .number }
        settings.integrity = integrity
        settings.localNetworks = try list(eachAtLeast: 9) { (reader) throws(CodecError) in
            NetworkPrefix(address: try reader.blob(), length: try reader.number())
        }
        settings.edges = try list(eachAtLeast: 1) { (reader) throws(CodecError) in try reader.text() }
        settings.peers = try list(eachAtLeast: 9) { (reader) throws(CodecError) in try reader.address() }
        settings.trackerCount = try number()
        guard (0...1024).contains(settings.trackerCount) else { throw .number }
        settings.trackerHosts = try list(eachAtLeast: 1) { (reader) throws(CodecError) in try reader.text() }
        settings.swarmName = try option { (reader) throws(CodecError) in try reader.text() }
        settings.ownAddresses = try list(eachAtLeast: 9) { (reader) throws(CodecError) in try reader.address() }
        settings.allowedURLPrefixes = try list(eachAtLeast: 1) { (reader) throws(CodecError) in try reader.text() }
        settings.zapBudget = try number()
        settings.seedTime = try span()
        settings.liveOffset = try span()
        settings.dvrLength = Duration(nanoseconds: try whole64())
        settings.dvrBytes = try number()
        settings.dvrDiskBytes = try number()
        return settings
    }

    private mutating func span() throws(CodecError) -> Duration? {
        try option { (reader) throws(CodecError) in Duration(nanoseconds: try reader.whole64()) }
    }
}

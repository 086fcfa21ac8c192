import WeirCore

/// Merges the sources of settings: flag > environment > file > default.
package struct SettingsReader: Sendable {
    package var command: SettingsCommand
    /// Texts given by flags; an empty list means not given.
    package var flags: [SettingName: [String]] = [:]
    /// The whole environment; only `WEIR_…` matters.
    package var environment: [String: String] = [:]
    package var file: ConfigurationFile?

    package init(command: SettingsCommand) {
        self.command = command
    }

    package func read() throws(SettingsError) -> ProgramSettings {
        try refuseUnknownVariables()
        var settings = ProgramSettings()
        for setting in SettingsTable.settings where setting.commands.contains(command) {
            let (texts, origin) = try given(setting)
            do {
                try setting.syntax.store(&settings, texts)
            } catch {
                throw SettingsError("\(origin.place(of: setting.name)): \(error)")
            }
        }
        settings.agent.trackerCount = settings.trackers.count
        settings.agent.trackerHosts = settings.trackers.map(AddressText.host(ofURL:))
        try refuseContradictions(settings)
        return settings
    }

    private func given(_ setting: Setting) throws(SettingsError) -> ([String], SettingOrigin) {
        let name = setting.name
        if let texts = flags[name], !texts.isEmpty {
            return (try single(texts, setting, .flag), .flag)
        }
        if let text = environment[name.environment], !text.isEmpty {
            // URLs may contain commas, never white space.
            return (setting.syntax.repeatable ? text.split(separator: " ").map(String.init) : [text], .environment)
        }
        if let file, let texts = file.values[name] {
            let origin = SettingOrigin.file(path: file.path)
            return (try single(texts, setting, origin), origin)
        }
        let text = setting.defaultText(for: command)
        return (text.isEmpty ? [] : [text], .defaultValue)
    }

    private func single(_ texts: [String], _ setting: Setting, _ origin: SettingOrigin) throws(SettingsError)
        -> [String]
    {
        guard setting.syntax.repeatable || texts.count == 1 else {
            throw SettingsError("\(origin.place(of: setting.name)) takes one value, not \(texts.count)")
        }
        return texts
    }

    private func refuseUnknownVariables() throws(SettingsError) {
        let known = SettingName.allCases.map(\.environment)
        for variable in environment.keys.sorted()
        where variable.hasPrefix(SettingName.environmentPrefix) && !known.contains(variable) {
            throw unknown("environment variable", variable, known)
        }
    }

    /// Settings that are sound one by one but not together (F91).
    private func refuseContradictions(_ settings: ProgramSettings) throws(SettingsError) {
        let agent = settings.agent
        if agent.minimumBuffer > agent.maximumBuffer {
            throw SettingsError(
                "min_buffer_size (\(agent.minimumBuffer.seconds) s) is more than max_buffer_size "
                    + "(\(agent.maximumBuffer.seconds) s): lower the first or raise the second"
            )
        }
        if agent.stallTimeout > agent.downloadTimeout {
            throw SettingsError(
                "stall_timeout (\(agent.stallTimeout.seconds) s) is more than download_timeout "
                    + "(\(agent.downloadTimeout.seconds) s), so no source could ever be replaced in time: lower the first"
            )
        }
        if agent.cacheBytes < SettingsReader.leastCacheBytes {
            throw SettingsError(
                "cache_memory is too small to hold a player's segments: give it at least "
                    + "\(SettingsReader.leastCacheBytes >> 20)MiB"
            )
        }
        if agent.integrity == .signed {
            throw SettingsError("integrity signed is not available yet: use anchored or vouched")
        }
        if command == .tracker, settings.tracker.maximumStreams == nil, settings.tracker.dynamicStreamingRate > 0 {
            throw SettingsError(
                "dynamic_streaming_rate is a part of max_streams, which is not given: set max_streams to the viewers of a "
                    + "channel that its servers can carry alone"
            )
        }
        if command == .serve, !settings.player.isEmpty || settings.json {
            throw SettingsError("player and json belong to weir play: weir serve opens no stream by itself")
        }
    }

    /// Two segments of 4 s at 8 Mbit/s: the least with which one can be played while the next arrives.
    package static let leastCacheBytes = 8 << 20
}

/// The error for a name that the table does not have.
func unknown(_ what: String, _ word: String, _ known: [String]) -> SettingsError {
    let hint = nearestName(to: word, among: known).map { ": did you mean \($0)?" } ?? " (weir config lists all)"
    return SettingsError("unknown \(what) \(word)\(hint)")
}

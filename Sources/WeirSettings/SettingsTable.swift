import WeirCore

/// The table of all settings, in the order of the help and the sample file.
package enum SettingsTable {
    package static let settings: [Setting] =
        endpoint + continuousOutputs + captures + swarm + buffering + timeShift + program + trackerServer

    package static func setting(_ name: SettingName) -> Setting {
        guard let setting = settings.first(where: { $0.name == name }) else {
            preconditionFailure("every name has a row")
        }
        return setting
    }

    private static let endpoint: [Setting] = [
        Setting(
            .listen,
            hostAndPort,
            default: "127.0.0.1:0",
            serve: "127.0.0.1:8090",
            tracker: "0.0.0.0:8000",
            for: [.play, .serve, .tracker],
            "Where players connect to, or a tracker's agents; port 0 takes any free one.",
            source: "loopback, because everybody who reaches it can watch; a tracker is for others"
        ),
        Setting(
            .allowURL,
            .urls(\.agent.allowedURLPrefixes, schemes: ["http", "https"]),
            "Streams whose URL begins like this may be opened by anybody through /play?url=.",
            source: "none, because weir is no open proxy"
        ),
        Setting(
            .channels,
            channels,
            "An M3U list of channels: each gets a fixed address under /c/, the list is served at /channels.m3u.",
            source: "none"
        ),
        Setting(
            .zapBudget,
            .size(\.agent.zapBudget),
            default: "256KiB",
            "Most that is fetched ahead for the channels next to the one just opened: playlists, initialisation sections "
                + "and keys; 0 fetches nothing.",
            source: "a few dozen playlists, so that zapping on waits for media alone"
        ),
        Setting(
            .apiTokenFile,
            .file(\.apiTokenFile),
            "File that holds the token of the control API; written when missing.",
            source: "unset: a new token at each start"
        ),
    ]

    private static let swarm: [Setting] = [
        Setting(
            .tracker,
            .urls(\.trackers, schemes: ["ws", "wss"]),
            "A WebTorrent WebSocket tracker that introduces peers.",
            source: "none: nothing is announced unless asked for"
        ),
        Setting(
            .edge,
            .urls(\.agent.edges, schemes: ["http", "https"]),
            "A nearby HTTP cache of the origin, asked before it; best first.",
            source: "none"
        ),
        Setting(
            .peer,
            .many("HOST:PORT", \.peers, expected: "HOST:PORT") { peerAddress($0) },
            "An agent to link to without a tracker.",
            source: "none"
        ),
        Setting(
            .swarmPort,
            swarmPort,
            default: "0",
            "TCP port that other agents dial; 0 takes any free one, off accepts no links.",
            source: "any, because a player's box has no port of its own"
        ),
        Setting(
            .swarmAddress,
            swarmAddress,
            default: "0.0.0.0",
            "Literal address that the swarm port binds to.",
            source: "all interfaces, because peers come from anywhere"
        ),
        Setting(
            .swarmID,
            .one("NAME", \.agent.swarmName, expected: "a name of 1 to 200 bytes") { text in
                (1...200).contains(text.utf8.count) ? .some(text) : nil
            },
            "Replaces the swarm that each URL would give: agents with equal names share.",
            source: "unset: derived from the URL without scheme and query"
        ),
        Setting(
            .uploadLimit,
            uploadLimit,
            default: "unlimited",
            "Most that all uploads together use; a bare number is kbit/s, 0 uploads nothing.",
            source: "unlimited until the uplink is known"
        ),
        Setting(
            .localNetworks,
            localNetworks,
            default: "interfaces",
            "Networks (CIDR, separated by commas, or none) whose peers are trusted like our own and not audited.",
            source: "the private subnets of this host's interfaces"
        ),
        Setting(
            .integrity,
            .choice(\.agent.integrity, IntegrityLevel.allCases.map { ($0.rawValue, $0) }),
            default: "vouched",
            "Least evidence that lets a peer's bytes reach the player; origin uses none of theirs.",
            source: "vouched, anchored where the host proved able to"
        ),
        Setting(
            .seedTime,
            seedTime,
            default: "10m",
            serve: "forever",
            "How long a stream that nobody watches is still served to peers; forever keeps it.",
            source: "ten minutes of a viewer's uplink; a server has nothing better to do"
        ),
        Setting(
            .identity,
            .file(\.identityFile),
            "File that holds the agent's private key; written when missing.",
            source: "unset: a new identity at each start cannot be followed"
        ),
    ]

    private static let buffering: [Setting] = [
        Setting(
            .minBufferSize,
            .duration(\.agent.minimumBuffer, atLeast: .zero),
            default: "10s",
            "Below this much buffer a segment may go to the origin at once if the estimate is uncertain.",
            source: "five 2 s segments: one slow race and its rescue"
        ),
        Setting(
            .downloadTimeout,
            .duration(\.agent.downloadTimeout, atLeast: .milliseconds(100)),
            default: "6s",
            "A race that peers alone have not won by then gets its missing chunks from edge or origin.",
            source: "three 2 s segments"
        ),
        Setting(
            .stallTimeout,
            .duration(\.agent.stallTimeout, atLeast: .milliseconds(150)),
            default: "2s",
            "A source whose expected finish falls behind by this much loses its share of the segment.",
            source: "one 2 s segment; less while the buffer is short"
        ),
        Setting(
            .maxBufferSize,
            .duration(\.agent.maximumBuffer, atLeast: .seconds(1)),
            default: "60s",
            "Never prefetch more media time than this.",
            source: "a viewer who leaves wastes at most a minute"
        ),
        Setting(
            .cacheMemory,
            .size(\.agent.cacheBytes),
            default: "48MiB",
            "Memory for cached segments, bytes in flight and send queues together; a bare number is MiB.",
            source: "a minute of 6 Mbit/s on a box with 1 GB"
        ),
        Setting(
            .liveOffset,
            liveOffset,
            default: "off",
            "How far behind the live end players start (EXT-X-START, suggestedPresentationDelay), unless the origin says.",
            source: "off: players choose by the standards, three segments mostly"
        ),
    ]

    private static let program: [Setting] = [
        Setting(
            .caFile,
            .file(\.caFile),
            "PEM certificates that are trusted besides the system's.",
            source: "unset"
        ),
        Setting(
            .player,
            player,
            "Start this player (split into words, no shell) with {url} replaced, and end with it; play only.",
            source: "unset: the address is printed"
        ),
        Setting(
            .json,
            .boolean(\.json),
            default: "false",
            "Print the addresses as one JSON object instead of a line of text; play only.",
            source: "people read the first line"
        ),
        Setting(
            .recordInputs,
            .file(\.recordedInputs),
            "File that everything the agent receives is written to, for simulate --replay: also playlists, keys, media, "
                + "addresses with their tokens and who the peers are. Never the agent's own key.",
            source: "unset: it tells what was watched"
        ),
        Setting(
            .recordSize,
            .size(\.recordingSize),
            default: "256MiB",
            "Size at which the recording of inputs ends; the agent goes on.",
            source: "half an hour of 1 Mbit/s"
        ),
        Setting(
            .logLevel,
            .choice(\.logLevel, ["debug", "info", "notice", "warning", "error"].compactMap(level)),
            default: "notice",
            "Least level that is logged to standard error.",
            source: "only what a user may want to act on"
        ),
    ]
}

/// What `weir tracker` asks of its agents and grants them.
extension SettingsTable {
    fileprivate static let trackerServer: [Setting] = [
        Setting(
            .announceInterval,
            .one("TIME", \.tracker.intervalSeconds, expected: "a time from 5 s to an hour") { text in
                let time = SettingSyntax.duration(text, atLeast: .seconds(5))
                return time.flatMap { $0 <= .seconds(3600) ? Int($0.seconds.rounded()) : nil }
            },
            default: "20s",
            for: [.tracker],
            "How often agents announce themselves, a tenth more or less; who misses two is forgotten.",
            source: "what a live swarm with viewers coming and going needs"
        ),
        Setting(
            .maxStreams,
            .one("N", \.tracker.maximumStreams, expected: "a number of viewers up to a thousand million") {
                (text) -> Int?? in
                guard let count = Int(text), (0...1_000_000_000).contains(count) else { return nil }
                return .some(count)
            },
            for: [.tracker],
            "Viewers of one channel that its servers can carry alone: as many as dynamic_streaming_rate leaves of them are "
                + "served directly, and all by peers when there are more.",
            source: "unset: every channel is delivered by peers"
        ),
        Setting(
            .dynamicStreamingRate,
            .one("0…1", \.tracker.dynamicStreamingRate, expected: "a number from 0 to 1") { text in
                Double(text).flatMap { (0...1).contains($0) ? $0 : nil }
            },
            default: "0",
            for: [.tracker],
            "The part of max_streams that is left to peers: 0 serves directly up to max_streams, 1 always by peers.",
            source: "the servers are there anyway"
        ),
        Setting(
            .fullSearchRate,
            .one("N", \.tracker.fullSearchRate, expected: "announces a second, from 1 on") { text in
                Int(text).flatMap { $0 >= 1 ? $0 : nil }
            },
            default: "20000",
            for: [.tracker],
            "Announces a second from which on peers are found by the reserve search, which costs less and chooses worse.",
            source: "a little less than one core was measured to take (22,800 with five offers each, bench tracker)"
        ),
    ]
}

/// Syntaxes that one row alone has.
extension SettingsTable {
    private static let hostAndPort = SettingSyntax.one(
        "HOST:PORT",
        \.listen,
        expected: "HOST:PORT, for example 127.0.0.1:8090"
    ) { AddressText.hostAndPort($0, defaultHost: "127.0.0.1") }

    private static let channels = SettingSyntax.one(
        "FILE|URL",
        \.channels,
        expected: "a file or a URL that begins with http:// or https://"
    ) { (text) -> String?? in
        let isOther = text.firstRange(of: "://").map { !text[..<$0.lowerBound].lowercased().hasPrefix("http") } ?? false
        return text.isEmpty || isOther ? nil : .some(text)
    }

    private static let swarmPort = SettingSyntax.one(
        "PORT|off",
        \.swarmPort,
        expected: "a port (0 to 65535) or off"
    ) { (text) -> Int?? in
        if text == "off" { return .some(nil) }
        return AddressText.port(text).map { .some($0) }
    }

    private static let swarmAddress = SettingSyntax.one(
        "ADDRESS",
        \.swarmAddress,
        expected: "a literal IPv4 or IPv6 address"
    ) { NetworkPrefix.bytes(ofAddress: $0) == nil ? nil : $0 }

    private static let uploadLimit = SettingSyntax.one(
        "RATE",
        \.agent.uploadBytesPerSecond,
        expected: "a rate: write \(Quantity.rate.examples) or unlimited"
    ) { (text) -> Int?? in
        if text.lowercased() == "unlimited" { return .some(nil) }
        return Quantity.parse(text, Quantity.rate).map { .some(Int($0)) }
    }

    private static let localNetworks = SettingSyntax.one(
        "CIDR,…|none",
        \.localNetworks,
        expected: "a list of networks such as 192.168.0.0/16,fd00::/8, none, or interfaces"
    ) { text -> LocalNetworks? in
        if text == "none" { return .listed([]) }
        if text == "interfaces" { return .interfaces }
        let parts = text.split { $0 == "," || $0 == " " }
        let networks = parts.compactMap { AddressText.network(String($0)) }
        return networks.isEmpty || networks.count != parts.count ? nil : .listed(networks)
    }

    private static let liveOffset = SettingSyntax.one(
        "TIME|off",
        \.agent.liveOffset,
        expected: "off or a time from 0.1 s to a day: write \(Quantity.time.examples)"
    ) { (text) -> Duration?? in
        if text.lowercased() == "off" { return .some(nil) }
        return SettingSyntax.duration(text, atLeast: .milliseconds(100)).map { .some($0) }
    }

    private static let seedTime = SettingSyntax.one(
        "TIME|forever",
        \.agent.seedTime,
        expected: "forever or a time: write \(Quantity.time.examples)"
    ) { (text) -> Duration?? in
        if text.lowercased() == "forever" { return .some(nil) }
        return SettingSyntax.duration(text, atLeast: .zero).map { .some($0) }
    }

    private static let player = SettingSyntax.one(
        "CMD",
        \.player,
        expected: "a command with closed quotes and a {url} place, for example 'mpv {url}'"
    ) { text -> [String]? in
        guard let words = shellWords(text), !words.isEmpty else { return nil }
        return words.contains { $0.contains(ProgramSettings.addressPlace) } ? words : nil
    }

    @Sendable private static func peerAddress(_ text: String) -> PeerAddress? {
        AddressText.hostAndPort(text).flatMap { $0.port == 0 ? nil : $0 }
    }

    private static func level(_ name: String) -> (String, LogEvent.Level)? {
        LogEvent.Level(rawValue: name).map { (name, $0) }
    }
}

import Testing
import WeirCore

@testable import WeirSettings

@Suite("Settings table")
struct SettingsTableTests {
    @Test("Every name has exactly one row")
    func complete() {
        #expect(SettingsTable.settings.map(\.name).count == SettingName.allCases.count)
        #expect(Set(SettingsTable.settings.map(\.name)) == Set(SettingName.allCases))
    }

    @Test("Flags are dashed, variables are in capitals")
    func spellings() {
        #expect(SettingName.minBufferSize.flag == "min-buffer-size")
        #expect(SettingName.minBufferSize.environment == "WEIR_MIN_BUFFER_SIZE")
    }

    @Test("The table's defaults are those of the agent itself")
    func defaults() throws {
        let read = try SettingsReader(command: .play).read()
        let own = AgentSettings()
        #expect(read.agent.minimumBuffer == own.minimumBuffer)
        #expect(read.agent.maximumBuffer == own.maximumBuffer)
        #expect(read.agent.downloadTimeout == own.downloadTimeout)
        #expect(read.agent.stallTimeout == own.stallTimeout)
        #expect(read.agent.cacheBytes == own.cacheBytes)
        #expect(read.agent.uploadBytesPerSecond == own.uploadBytesPerSecond)
        #expect(read.agent.integrity == own.integrity)
        #expect(read.agent.seedTime == own.seedTime)
        #expect(read.listen == PeerAddress(host: "127.0.0.1", port: 0))
        #expect(read.localNetworks == .interfaces)
        #expect(read.logLevel == .notice)
    }

    @Test("serve listens on a fixed port and seeds for ever")
    func serveDefaults() throws {
        let read = try SettingsReader(command: .serve).read()
        #expect(read.listen.port == 8090)
        #expect(read.agent.seedTime == nil)
    }

    @Test("A tracker's defaults are its own, and its settings are nobody else's")
    func trackerDefaults() throws {
        let read = try SettingsReader(command: .tracker).read()
        let own = TrackerServerSettings()
        #expect(read.listen == PeerAddress(host: "0.0.0.0", port: 8000))
        #expect(read.tracker.intervalSeconds == own.intervalSeconds)
        #expect(read.tracker.maximumStreams == own.maximumStreams)
        #expect(read.tracker.dynamicStreamingRate == own.dynamicStreamingRate)
        #expect(read.tracker.fullSearchRate == own.fullSearchRate)
        var reader = SettingsReader(command: .tracker)
        reader.flags = [.maxStreams: ["2000"], .dynamicStreamingRate: ["0.5"], .announceInterval: ["2m"]]
        let given = try reader.read().tracker
        #expect(given.maximumStreams == 2000 && given.dynamicStreamingRate == 0.5 && given.intervalSeconds == 120)
    }

    @Test(
        "F91 F73 A tracker's settings beyond sense are refused",
        arguments: [
            (SettingName.maxStreams, "-1"), (.maxStreams, "many"), (.dynamicStreamingRate, "1.5"),
            (.dynamicStreamingRate, "nan"), (.announceInterval, "0"), (.announceInterval, "2147483648"),
            (.fullSearchRate, "0"), (.dynamicStreamingRate, "0.5"),
        ]
    )
    func trackerRefusals(name: SettingName, text: String) {
        var reader = SettingsReader(command: .tracker)
        reader.flags = [name: [text]]
        #expect(throws: SettingsError.self) { try reader.read() }
    }

    @Test(
        "A recording to be made is four words, each of which is what it must be",
        arguments: [
            ("2026-12-24T20:00:00Z 2h news.mkv https://a.example/b.m3u8", true),
            ("2026-12-24T21:00:00+01:00 90s /srv/a.ts http://a.example/b.m3u8", true),
            ("2026-12-24T20:00:00Z 2h news.avi https://a.example/b.m3u8", false),
            ("2026-12-24T20:00:00Z 0s news.mkv https://a.example/b.m3u8", false), ("soon 2h a.ts http://a/", false),
            ("2026-12-24T20:00:00Z 2h news.mkv", false), ("2026-12-24T20:00:00Z 2h news.mkv ftp://a/", false),
            ("", false),
        ]
    )
    func schedule(text: String, isOne: Bool) {
        var reader = SettingsReader(command: .serve)
        reader.flags = [.recordings: [text]]
        let read = try? reader.read().captures
        #expect(read?.count == (isOne ? 1 : nil))
        if isOne { #expect(read?.first?.begin == WallTime(dateTime: "2026-12-24T20:00:00Z")) }
    }

    @Test("The sample file is valid and changes nothing", arguments: [SettingsCommand.play, .serve, .tracker])
    func sample(command: SettingsCommand) throws {
        var reader = SettingsReader(command: command)
        let plain = try reader.read()
        reader.file = try ConfigurationFile(path: "sample", bytes: Array(sampleFile().utf8))
        #expect("\(try reader.read())" == "\(plain)")
        for name in SettingName.allCases { #expect(sampleFile().contains("\(name.key): "), "\(name)") }
    }
}

@Suite("Reading settings")
struct SettingsReaderTests {
    private func read(
        _ flags: [SettingName: [String]] = [:],
        environment: [String: String] = [:],
        file: String? = nil,
        command: SettingsCommand = .play
    ) throws -> ProgramSettings {
        var reader = SettingsReader(command: command)
        reader.flags = flags
        reader.environment = environment
        reader.file = try file.map { try ConfigurationFile(path: "weir.json5", bytes: Array($0.utf8)) }
        return try reader.read()
    }

    private func message(_ body: () throws -> ProgramSettings) -> String {
        do {
            _ = try body()
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test("A flag wins over the environment, that over the file, that over the default")
    func precedence() throws {
        let file = "{ download_timeout: 3 }"
        let environment = ["WEIR_DOWNLOAD_TIMEOUT": "4s"]
        #expect(try read().agent.downloadTimeout == .seconds(6))
        #expect(try read(file: file).agent.downloadTimeout == .seconds(3))
        #expect(try read(environment: environment, file: file).agent.downloadTimeout == .seconds(4))
        let flags = [SettingName.downloadTimeout: ["5000ms"]]
        #expect(try read(flags, environment: environment, file: file).agent.downloadTimeout == .seconds(5))
    }

    @Test("A file is JSON5 and takes numbers, texts and lists")
    func file() throws {
        let settings = try read(
            file: """
                {
                  // a comment
                  cache_memory: 64, upload_limit: '4Mbit', stall_timeout: 1.5,
                  "tracker": ["ws://a/x", "wss://b/y,z"],
                  json: true, swarm_port: "off", local_networks: "10.0.0.0/8,fd00::/8",
                }
                """
        )
        #expect(settings.agent.cacheBytes == 64 << 20)
        #expect(settings.agent.uploadBytesPerSecond == 500_000)
        #expect(settings.agent.stallTimeout == .milliseconds(1500))
        #expect(settings.trackers == ["ws://a/x", "wss://b/y,z"])
        #expect(settings.agent.trackerCount == 2)
        #expect(settings.agent.trackerHosts == ["a", "b"])
        #expect(settings.json)
        #expect(settings.swarmPort == nil)
        guard case .listed(let networks) = settings.localNetworks else {
            Issue.record("networks were listed")
            return
        }
        #expect(networks.map(\.length) == [8, 8])
    }

    @Test("Repeatable settings are split at spaces in the environment, never at a URL's comma")
    func repeated() throws {
        let settings = try read(environment: ["WEIR_EDGE": "http://a/1,2 http://b/", "HOME": "/root"])
        #expect(settings.agent.edges == ["http://a/1,2", "http://b/"])
    }

    @Test("Every value of every kind arrives where it belongs")
    func values() throws {
        let settings = try read([
            .listen: ["[::1]:99"], .peer: ["box.lan:7000", "10.1.1.1:1"], .swarmAddress: ["::"], .swarmID: ["cinema"],
            .uploadLimit: ["0"], .localNetworks: ["none"], .integrity: ["Anchored"], .seedTime: ["forever"],
            .identity: ["/k"], .caFile: ["/c"], .apiTokenFile: ["/t"], .allowURL: ["https://a.example/live/"],
            .player: ["mpv --no-terminal {url}"], .logLevel: ["debug"], .maxBufferSize: ["2m"], .minBufferSize: ["0"],
            .liveOffset: ["1500ms"], .dvrLength: ["2h"], .dvrMemory: ["512MiB"],
            .dvrDirectory: ["/w"], .dvrDisk: ["8GiB"],
        ])
        #expect(settings.listen == PeerAddress(host: "::1", port: 99))
        #expect(settings.peers.map(\.description) == ["box.lan:7000", "10.1.1.1:1"])
        #expect(settings.swarmAddress == "::")
        #expect(settings.agent.swarmName == "cinema")
        #expect(settings.agent.uploadBytesPerSecond == 0)
        #expect(settings.localNetworks == .listed([]))
        #expect(settings.agent.integrity == .anchored)
        #expect(settings.agent.seedTime == nil)
        #expect([settings.identityFile, settings.caFile, settings.apiTokenFile] == ["/k", "/c", "/t"])
        #expect(settings.agent.allowedURLPrefixes == ["https://a.example/live/"])
        #expect(settings.player == ["mpv", "--no-terminal", "{url}"])
        #expect(settings.logLevel == .debug)
        #expect(settings.agent.maximumBuffer == .seconds(120))
        #expect(settings.agent.minimumBuffer == .zero)
        #expect(settings.agent.liveOffset == .milliseconds(1500))
        #expect(settings.agent.dvrLength == .seconds(7200))
        #expect(settings.agent.dvrBytes == 512 << 20)
        #expect(settings.dvrDirectory == "/w" && settings.dvrDiskBytes == 8 << 30)
        #expect(try read([:]).agent.liveOffset == nil)
    }

    @Test(
        "A value that cannot be read is refused, with its place",
        arguments: [
            (SettingName.listen, "localhost"), (.tracker, "http://a/"), (.tracker, "ws://"), (.edge, "ftp://a/"),
            (.edge, "http://a/ b"), (.peer, "10.0.0.1:0"), (.swarmPort, "65536"), (.swarmAddress, "box.lan"),
            (.minBufferSize, "-1"), (.downloadTimeout, "0"), (.stallTimeout, "ten"), (.maxBufferSize, "2d"),
            (.cacheMemory, "64MHz"), (.uploadLimit, "fast"), (.swarmID, ""), (.localNetworks, "10.0.0.0/8,lan"),
            (.localNetworks, ","), (.integrity, "full"), (.player, "mpv"), (.player, "mpv '{url}"),
            (.seedTime, "always"), (.liveOffset, "0"), (.dvrLength, "2d"),
            (.dvrMemory, "much"), (.dvrDisk, "all"), (.dvrDirectory, ""), (.logLevel, "loud"), (.json, "maybe"),
            (.caFile, ""),
        ]
    )
    func refused(name: SettingName, text: String) {
        let message = message { try read([name: [text]]) }
        #expect(message.hasPrefix("--\(name.flag): “\(text)” is not "))
        #expect(!message.contains("\n"))
    }

    @Test("An error names the variable or the key and its file")
    func places() {
        #expect(message { try read(environment: ["WEIR_LISTEN": "x"]) }.hasPrefix("WEIR_LISTEN: "))
        #expect(message { try read(file: "{listen: 'x'}") }.hasPrefix("listen in weir.json5: "))
    }

    @Test("A setting that takes one value is not given two")
    func twice() {
        #expect(message { try read([.listen: ["1", "2"]]) } == "--listen takes one value, not 2")
        #expect(message { try read(file: "{listen: []}") } == "listen in weir.json5 takes one value, not 0")
    }

    @Test("Unknown keys and variables are errors that name the nearest known one")
    func unknownNames() {
        #expect(
            message { try read(file: "{ min_bufer_size: 3 }") }
                == "weir.json5: unknown key min_bufer_size: did you mean min_buffer_size?"
        )
        #expect(
            message { try read(environment: ["WEIR_TRAKER": "x"]) }
                == "unknown environment variable WEIR_TRAKER: did you mean WEIR_TRACKER?"
        )
        #expect(
            message { try read(file: "{ colour: 3 }") } == "weir.json5: unknown key colour (weir config lists all)"
        )
    }

    @Test(
        "A file that is no configuration is refused in one line",
        arguments: ["", "[", "[1]", "{a", "{listen: {a: 1}}", "{listen: null}", "\u{0}", "{listen: 'x'} x"]
    )
    func noFile(text: String) {
        let message = message { try read(file: text) }
        #expect(message.hasPrefix("weir.json5"), "\(message)")
        #expect(!message.contains("\n"))
    }

    @Test("A file that is not there is refused in one line")
    func missingFile() {
        #expect(throws: SettingsError("cannot read the configuration file /no/such: No such file or directory")) {
            try ConfigurationFile(path: "/no/such")
        }
    }

    @Test(
        "F91 Contradictory configuration is refused with a message that names both settings",
        arguments: [
            ([SettingName.minBufferSize: ["61"]], ["min_buffer_size", "max_buffer_size"]),
            ([.maxBufferSize: ["9s"]], ["min_buffer_size", "max_buffer_size"]),
            ([.stallTimeout: ["7"]], ["stall_timeout", "download_timeout"]),
            ([.cacheMemory: ["7"]], ["cache_memory", "8MiB"]),
            ([.integrity: ["signed"]], ["signed", "anchored"]),
        ] as [([SettingName: [String]], [String])]
    )
    func contradiction(flags: [SettingName: [String]], words: [String]) {
        let message = message { try read(flags) }
        for word in words { #expect(message.contains(word), "\(message)") }
        #expect(!message.contains("\n"))
    }

    @Test("F91 serve starts no player")
    func servePlayer() {
        #expect(message { try read([.player: ["mpv {url}"]], command: .serve) }.contains("weir play"))
    }
}

@Suite("Names")
struct NearestNameTests {
    @Test("The nearest known name is found, and only a near one")
    func nearest() {
        let known = SettingName.allCases.map(\.flag)
        #expect(nearestName(to: "lisen", among: known) == "listen")
        #expect(nearestName(to: "max-bufer", among: known) == nil)
        #expect(nearestName(to: "cache-memroy", among: known) == "cache-memory")
        #expect(nearestName(to: "", among: []) == nil)
    }
}

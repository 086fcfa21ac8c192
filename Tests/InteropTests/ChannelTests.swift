import FoundationEssentials
import NIOCore
import Testing
import WeirLab
import WeirNet

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension InteropTests {
    @Suite struct ChannelTests {
        private static let mpv = ["mpv", "--no-config", "--vo=null", "--ao=null", "--untimed", "--msg-level=all=warn"]

        private func entry(_ name: String, _ url: String) -> String {
            "#EXTINF:-1 tvg-id=\"\(name)\" group-title=\"Tests\",\(name)\n\(url)\n"
        }

        @Test(
            "ffmpeg and mpv play channels by their fixed addresses; lists change, break and come back",
            .needs("nginx", "ffmpeg", "mpv"),
            .timeLimit(.minutes(2))
        )
        func channels() async throws {
            try await Media.need("ts60", "fmp4-60", "multi")
            try await Stage.with { stage in
                let nginx = try await stage.nginx()
                let first =
                    entry("one", "\(nginx.url)/ts60/index.m3u8") + entry("two", "\(nginx.url)/fmp4-60/index.m3u8")
                let head = "#EXTM3U url-tvg=\"http://127.0.0.1/epg.xml\"\n"
                let server = try await stage.channelServer(head + first)
                #expect(
                    try await server.list()
                        == (head + first)
                        .replacing("\(nginx.url)/ts60/index", with: "\(server.endpoint)/c/one")
                        .replacing("\(nginx.url)/fmp4-60/index", with: "\(server.endpoint)/c/two")
                )
                for (channel, folder) in [("one", "ts60"), ("two", "fmp4-60")] {
                    let plain = try await stage.streamHash("\(nginx.url)/\(folder)/index.m3u8")
                    #expect(try await stage.streamHash("\(server.endpoint)/c/\(channel).m3u8") == plain)
                    #expect(try await stage.streamHash("\(server.endpoint)/c/\(channel)") == plain)
                }
                // A new list counts from the next request on; a broken one does not count.
                try server.write(head + entry("three", "\(nginx.url)/multi/master.m3u8") + first)
                for address in ["/c/three.m3u8", "/channels.m3u"] {
                    let result = try await stage.run(Self.mpv + ["--length=4", server.endpoint + address])
                    #expect(result.code == 0 && result.errors.isEmpty, "\(address): \(result.errors)")
                    #expect(!result.output.contains("rror"), "\(result.output)")
                }
                try server.write("<html>gone</html>")
                #expect(try await server.list().contains("/c/three.m3u8"))
                server.program.process.send(SIGHUP)
                #expect(await eventually(within: 5) { server.program.errors.contains("the one before stays") })
                #expect(try await Web.get(server.endpoint + "/c/nobody").status == 404)
                #expect(try await Web.get(server.endpoint + "/c/one").status == 200)
                #expect(server.program.process.isRunning)
            }
        }

        @Test("Two mpv and two ffplay on one channel are four players", .needs("nginx", "mpv", "ffplay"))
        func fourPlayers() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let nginx = try await stage.nginx()
                let server = try await stage.channelServer("#EXTM3U\n" + entry("one", "\(nginx.url)/ts60/index.m3u8"))
                let address = server.endpoint + "/c/one.m3u8"
                let mpv = ["mpv", "--no-config", "--vo=null", "--ao=null", "--msg-level=all=error", "--cache=no"]
                let ffplay = [
                    "env", "SDL_VIDEODRIVER=dummy", "SDL_AUDIODRIVER=dummy", "ffplay", "-loglevel", "error", "-nostats",
                ]
                for start in ["0", "30"] {
                    _ = try stage.start(mpv + ["--start=\(start)", address])
                    _ = try stage.start(ffplay + ["-ss", start, address])
                }
                let isSo = try await eventually(within: 15) {
                    let sessions = try await server.sessions()
                    return sessions.count == 1 && sessions[0].players == 4 && sessions[0].buffer_seconds > 0
                }
                let sessions = try await server.sessions()
                #expect(isSo && sessions.first?.stalls == 0, "\(sessions)")
            }
        }

        @Test(
            "A list of channels that is none ends serve with a line and code 65",
            arguments: ["", "<html>", "#EXTM3U\n"]
        )
        func broken(list: String) async throws {
            try await Stage.with { stage in
                let path = stage.directory + "/list.m3u"
                try Data(list.utf8).write(to: URL(fileURLWithPath: path))
                let result = try await stage.run([
                    Programs.weir, "serve", "--listen", "127.0.0.1:0", "--channels", path,
                ])
                #expect(result.code == 65)
                #expect(result.errors.split(separator: "\n").last?.hasPrefix("weir: ") ?? false, "\(result.errors)")
            }
        }

        @Test(
            "F80 Two and a hundred players of one live stream cost the origin what one costs",
            .timeLimit(.minutes(1)),
            arguments: [2, 100]
        )
        func oneUpstream(players: Int) async throws {
            try await Stage.with { stage in
                let origin = try await stage.origin(LoopingContent(randomSegments: 8, of: 40_000, segmentDuration: 1))
                let list = "#EXTM3U\n" + entry("live", origin.url + LoopingContent.playlistPath)
                let server = try await stage.channelServer(list)
                // Each like a player: the list once a target duration, and what is new in it.
                try await withThrowingTaskGroup { group in
                    for _ in 0..<players {
                        group.addTask { try await self.watch("\(server.endpoint)/c/live.m3u8", seconds: 6) }
                    }
                    while let count = try await group.next() { #expect(count >= 5) }
                }
                let log = origin.log.entries
                let lists = log.count { $0.path.hasSuffix(".m3u8") }
                report("\(players) players for 6 s: \(lists) lists, \(log.count - lists) segments at the origin")
                // However many ask, a copy serves all for a quarter of the target duration.
                #expect(lists <= min(players, 4) * 7 + 3)
                let segments = Dictionary(grouping: log.filter { $0.path.hasSuffix(".ts") }) { $0.path }
                #expect(segments.values.allSatisfy { $0.count == 1 })
                #expect(segments.count <= 10)
            }
        }

        /// - Returns: how many segments it read.
        private func watch(_ address: String, seconds: Int) async throws -> Int {
            let base = address.split(separator: "/").prefix(2).joined(separator: "//")
            let end = ContinuousClock.now + .seconds(seconds)
            var seen: Set<Substring> = []
            while ContinuousClock.now < end {
                let answer = try await Web.get(address)
                #expect(answer.status == 200)
                let text = String(decoding: answer.body, as: UTF8.self)
                for line in text.split(separator: "\n").filter({ $0.hasPrefix("/s/") }).suffix(3)
                where seen.insert(line).inserted {
                    let segment = try await Web.get(base + line)
                    #expect(segment.status == 200 && segment.body.count == 40_000)
                }
                try await Task.sleep(for: .seconds(1))
            }
            return seen.count
        }

        @Test("Zapping to a warmed neighbour waits for one round trip instead of five", .timeLimit(.minutes(1)))
        func zapping() async throws {
            try await Stage.with { stage in
                let origin = try await stage.origin(ZappingContent())
                let relay = try await Relay.start(to: origin.address, Impairment(delay: .milliseconds(40)))
                stage.atEnd { await relay.stop() }
                let channels = (0..<12).map { entry("c\($0)", "http://\(relay.address)/\($0)/master.m3u8") }
                let list = "#EXTM3U\n" + channels.joined()
                async let cold = zap(try await stage.channelServer(list, flags: ["--zap-budget", "0"]), 12)
                async let warm = zap(try await stage.channelServer(list), 12)
                let (without, with) = (try await cold, try await warm)
                func percentile(_ times: [Double], _ share: Double) -> Double {
                    times.sorted()[min(times.count - 1, Int(share * Double(times.count)))]
                }
                // The first channel has nobody to warm it.
                for (name, times) in [("not warmed", without), ("warmed", with)] {
                    let rest = Array(times.dropFirst())
                    report(
                        "zap, \(name): median \(Int(percentile(rest, 0.5) * 1000)) ms, "
                            + "p95 \(Int(percentile(rest, 0.95) * 1000)) ms of \(rest.count), origin 80 ms away"
                    )
                }
                // A busy machine stretches single zaps; half of them and more show what was waited for.
                let (half, halfCold) = (
                    percentile(Array(with.dropFirst()), 0.5), percentile(Array(without.dropFirst()), 0.5)
                )
                #expect(half < halfCold / 2, "\(with) beside \(without)")
            }
        }

        /// Seconds from a channel's address to its first media, as a player goes: list, list, section, key, segment.
        private func zap(_ server: ChannelServer, _ count: Int) async throws -> [Double] {
            var times: [Double] = []
            for number in 0..<count {
                let begin = ContinuousClock.now
                let master = try await Web.get("\(server.endpoint)/c/c\(number).m3u8").body
                let index = lines(master).first { $0.hasPrefix("/s/") } ?? ""
                let list = lines(try await Web.get(server.endpoint + index).body)
                for line in list where line.contains("URI=") {
                    #expect(try await Web.get(server.endpoint + line.split(separator: "\"")[1]).status == 200)
                }
                for (place, segment) in list.filter({ $0.hasPrefix("/s/") }).suffix(3).enumerated() {
                    #expect(try await Web.get(server.endpoint + segment).status == 200)
                    if place == 0 { times.append((ContinuousClock.now - begin).seconds) }
                }
                try await Task.sleep(for: .milliseconds(900))
            }
            return times
        }

        private func lines(_ body: [UInt8]) -> [String] {
            String(decoding: body, as: UTF8.self).split(separator: "\n").map { String($0) }
        }
    }
}

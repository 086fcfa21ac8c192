import Testing
import WeirLab
import WeirNet

extension InteropTests {
    /// Players that seek, leave and zap, against the program itself.
    @Suite struct PlayerFaultTests {
        @Test(
            "F74 F75 A hundred seeks in five seconds, each left in mid-body: nothing goes on, nothing grows, and it plays",
            .needs("curl"),
            .timeLimit(.minutes(1))
        )
        func seeks() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let origin = try await stage.origin(DirectoryContent(Media.directory))
                let agent = try await stage.agent("\(origin.url)/ts60/index.m3u8", flags: ["--cache-memory", "8"])
                let folder = agent.playbackURL.prefix(through: agent.playbackURL.lastIndex(of: "/")!)
                let begin = ContinuousClock.now
                var left = 0
                for step in 0..<100 {
                    // Slow enough to be in the middle of a segment when its time is over; but curl looks at its rate now
                    // and then only, and a quick machine may have brought a short one by then.
                    let address = "\(folder)\((step * 37) % 30).ts"
                    let seek = ["curl", "-s", "--limit-rate", "100k", "--max-time", "0.04", "-o", "/dev/null", address]
                    // 28: its time was over.
                    if try await stage.run(seek).code == 28 { left += 1 }
                }
                #expect(left >= 90, "seeks that were left in mid-body")
                let took = (ContinuousClock.now - begin).seconds
                try await Task.sleep(for: .seconds(1))
                let before = origin.log.entries.count
                try await Task.sleep(for: .seconds(3))
                #expect(origin.log.entries.count == before, "segments are still read for a player that left")
                let memory = try await agent.statistic("rss_anon_bytes")
                report("F74: 100 seeks in \(took) s, \(Int(memory) >> 20) MiB anonymous with 8 MiB of cache")
                #expect(memory < 28 * 1_048_576)
                #expect(try await agent.statistic("ledger_bytes") <= 8 * 1_048_576)
                let segments = try Media.segments()
                for number in [7, 29] { #expect(try await Web.get("\(folder)\(number).ts").body == segments[number]) }
            }
        }

        @Test(
            "F81 Ten channels in five seconds: each begins, what was left is asked for no more, and the last one plays",
            .needs("curl"),
            .timeLimit(.minutes(1))
        )
        func tenChannels() async throws {
            try await Stage.with { stage in
                let origin = try await stage.origin(ZappingContent())
                let channels = (0..<10).map { "#EXTINF:-1,c\($0)\n\(origin.url)/\($0)/master.m3u8\n" }
                let list = "#EXTM3U\n" + channels.joined()
                let server = try await stage.channelServer(list, flags: ["--zap-budget", "0", "--cache-memory", "8"])
                for number in 0..<10 {
                    let newest = try await newestSegment(server, number)
                    let player = try stage.start([
                        "curl", "-s", "--limit-rate", "10k", "-o", "/dev/null", server.endpoint + newest,
                    ])
                    try await Task.sleep(for: .milliseconds(400))
                    if number < 9 { player.process.end() }
                }
                let asked = origin.log.entries
                for number in 0..<10 {
                    let begun = asked.contains { $0.path.hasPrefix("/\(number)/") && $0.path.hasSuffix(".m4s") }
                    #expect(begun, "channel \(number)")
                }
                try await Task.sleep(for: .seconds(1))
                let before = origin.log.entries.count
                for _ in 0..<4 {
                    let newest = try await newestSegment(server, 9)
                    let segment = try await Web.get(server.endpoint + newest)
                    #expect(segment.status == 200 && segment.body == [UInt8](repeating: 0xA5, count: 60_000))
                    try await Task.sleep(for: .seconds(1))
                }
                let later = origin.log.entries.dropFirst(before)
                #expect(later.contains { $0.path.hasPrefix("/9/") })
                let forgotten = later.filter { !$0.path.hasPrefix("/9/") }.map(\.path)
                #expect(forgotten.isEmpty, "asked for channels that nobody watches: \(forgotten)")
            }
        }

        /// The local path of the newest segment that a channel lists.
        private func newestSegment(_ server: ChannelServer, _ channel: Int) async throws -> String {
            let master = try await lines("\(server.endpoint)/c/c\(channel).m3u8")
            let index = try #require(master.first { $0.hasPrefix("/s/") })
            return try #require(try await lines(server.endpoint + index).last { $0.hasPrefix("/s/") })
        }

        private func lines(_ url: String) async throws -> [String] {
            let answer = try await Web.get(url)
            #expect(answer.status == 200, "\(url)")
            return String(decoding: answer.body, as: UTF8.self).split(separator: "\n").map { String($0) }
        }

        @Test(
            "F77 F82 HEAD, ranges, segments that were evicted and segments that are not there yet, over the wire",
            .needs("curl"),
            .timeLimit(.minutes(1))
        )
        func ranges() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let origin = try await stage.origin(DirectoryContent(Media.directory))
                let agent = try await stage.agent("\(origin.url)/ts60/index.m3u8", flags: ["--cache-memory", "8"])
                let folder = agent.playbackURL.prefix(through: agent.playbackURL.lastIndex(of: "/")!)
                let segments = try Media.segments()
                let whole = segments[3]
                let head = try await stage.run(["curl", "-s", "-I", "\(folder)3.ts"])
                #expect(head.output.contains("content-length: \(whole.count)"), "\(head.output)")
                for (range, status, body) in [
                    ("bytes=-100", 206, Array(whole.suffix(100))), ("bytes=5-9", 206, Array(whole[5...9])),
                    ("bytes=0-1,5-6", 200, whole), ("bytes=\(whole.count)-", 416, []),
                ] {
                    let answer = try await Web.get("\(folder)3.ts", [("Range", range)])
                    #expect(answer.status == status, "\(range)")
                    if status != 416 { #expect(answer.body == body, "\(range)") }
                }
                let changed = try await Web.get("\(folder)3.ts", [("Range", "bytes=5-9"), ("If-Range", "\"other\"")])
                #expect(changed.status == 200 && changed.body == whole)
                // More than the cache holds, twice: what was evicted meanwhile is read again.
                for _ in 0..<2 {
                    for (number, segment) in segments.enumerated() {
                        #expect(try await Web.get("\(folder)\(number).ts").body == segment)
                    }
                }
                let reads = origin.log.entries.count { Media.isMedia($0.path) }
                #expect(reads > segments.count + 10, "nothing was evicted")
                #expect(try await Web.get("\(folder)30.ts").status == 404)
                #expect(try await Web.get("\(folder)99999999999999999999.ts").status == 404)
            }
        }
    }
}

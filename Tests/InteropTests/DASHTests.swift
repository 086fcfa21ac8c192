import NIOCore
import Testing
import WeirCore
import WeirLab
import WeirNet

extension InteropTests {
    @Suite struct DASHTests {
        @Test(
            "DASH recordings are bit-exact through two agents, and the second has them from the first",
            .needs("nginx", "ffmpeg"),
            .timeLimit(.minutes(2)),
            arguments: ["dash-number", "dash-time", "dash-list", "dash-index"]
        )
        func recordings(folder: String) async throws {
            try await Media.need(folder)
            let content = try Media.bytes(folder)
            try await Stage.with { stage in
                let nginx = try await stage.nginx()
                let url = "\(nginx.url)/\(folder)/manifest.mpd"
                let plain = try await stage.quietStreamHash(url)
                #expect(plain.contains("0,v,SHA256=") && plain.contains("1,a,SHA256="))
                let first = try await stage.agent(url)
                #expect(try await stage.quietStreamHash(first.playbackURL) == plain, "first")
                let second = try await stage.agent(url, peers: [first.peer])
                #expect(try await second.isLinked(to: 1))
                try await Task.sleep(for: .milliseconds(200))
                let start = nginx.entries().count
                #expect(try await stage.quietStreamHash(second.playbackURL) == plain, "second")
                try await Task.sleep(for: .milliseconds(200))
                let cost = nginx.entries().dropFirst(start).filter { Media.isMedia($0.path) }.reduce(0) {
                    $0 + $1.bytes
                }
                report("\(folder): the second agent read \(cost) of \(content) bytes from the origin")
                report("    \(try await second.originReasons())")
                // A first segment of each track, and audits of a new network's chunks.
                #expect(Double(cost) < 0.35 * Double(content))
                for agent in [first, second] {
                    #expect(try await agent.statistic("banned_peers") == 0)
                    #expect(try await agent.statistic("rejected_bytes") == 0)
                }
            }
        }

        @Test(
            "A live DASH stream plays in two agents, packet by packet what was encoded, with a peer's help",
            .needs("nginx", "ffmpeg"),
            .timeLimit(.minutes(2)),
            arguments: Programs.isLong ? ["$Number$", "$Time$"] : ["$Time$"]
        )
        func live(name: String) async throws {
            try await Stage.with { stage in
                let packager = try stage.startDASHPackager(name: name)
                let nginx = try await stage.nginx(root: stage.directory)
                let url = "\(nginx.url)/live/manifest.mpd"
                let isThere = await eventually(within: 10) {
                    readText("\(stage.directory)/live/manifest.mpd").contains("r=\"2\"")
                }
                try #require(isThere || name == "$Number$")
                let first = try await stage.agent(url)
                let second = try await stage.agent(url, peers: [first.peer])
                #expect(try await first.isLinked(to: 1))
                let readers = try [first, second].map { agent in
                    try stage.start([
                        "ffmpeg", "-v", "fatal", "-nostdin", "-i", agent.playbackURL, "-t", "6", "-c", "copy", "-f",
                        "framehash", "-",
                    ])
                }
                var frames: [Set<Substring>] = []
                for reader in readers {
                    let result = try await reader.result(within: 30)
                    #expect(result.code == 0, "\(result.errors)")
                    frames.append(result.frameHashes)
                }
                packager.process.end()
                _ = try await packager.result(within: 10)
                let encoded = try await stage.encodedFrames()
                for (place, own) in frames.enumerated() {
                    report("live \(name), agent \(place + 1): \(own.count) packets")
                    #expect(own.count >= 100)
                    #expect(own.isSubset(of: encoded))
                }
                let shared = try await first.statistic("peer_bytes") + second.statistic("peer_bytes")
                report("live \(name): \(Int(shared)) bytes from peers")
                #expect(shared > 0)
                for agent in [first, second] { #expect(try await agent.statistic("stalls") == 0) }
            }
        }

        @Test(
            "A low-latency segment reaches both agents' players while it is being made, picture and sound",
            .needs(),
            .timeLimit(.minutes(1))
        )
        func lowLatency() async throws {
            try await Stage.with { stage in
                let directory = Programs.package + "/Fixtures/media/low-latency"
                let content = try await LowLatencyContent(directory: directory, mode: LowLatencyMode(padding: 40_000))
                let origin = try await stage.origin(content)
                let url = origin.url + LowLatencyContent.presentationPath
                let first = try await stage.agent(url)
                let second = try await stage.agent(url, peers: [first.peer])
                #expect(try await second.isLinked(to: 1))
                var presentations: [MPD] = []
                for agent in [first, second] {
                    let local = try await Web.get(agent.playbackURL)
                    let base = try #require(WebURL(agent.playbackURL))
                    presentations.append(try MPD.parse(local.body, url: base, limits: Limits()))
                }
                let start = try await content.nextSegment()
                for turn in 1...3 {
                    let number = start + turn - 1
                    let begun = try #require(content.published(0, PartPosition(segment: number, part: 0))).available
                    try await Task.sleep(until: begun + .milliseconds(20), clock: .continuous)
                    let last = PartPosition(segment: number, part: LowLatencyContent.partsPerSegment - 1)
                    let complete = try #require(content.published(0, last)).available
                    let reads = presentations.flatMap(\.representations).compactMap { representation in
                        representation.segment(named: UInt64(number)).map { segment in
                            Task { try await StreamedRead.get(segment.url.description) }
                        }
                    }
                    let count = LowLatencyContent.renditions.count
                    #expect(reads.count == 2 * count)
                    for (place, read) in reads.enumerated() {
                        let read = try await read.value
                        let name = "agent \(place / count + 1), \(LowLatencyContent.renditions[place % count])"
                        let ahead = (complete - read.firstByte).seconds
                        report("low latency, \(turn), \(name): first byte \(ahead) s before the origin has all")
                        #expect(ahead > 0.4)
                        #expect(read.lastByte >= complete)
                        #expect(read.bytes == Array(content.segment(place % count, number).readableBytesView))
                    }
                }
            }
        }
    }
}

extension Stage {
    /// What ffmpeg makes of a stream, whatever it complains of: its DASH reader does at every end.
    func quietStreamHash(_ url: String, within seconds: Double = 60) async throws -> String {
        let command = [
            "ffmpeg", "-v", "fatal", "-nostdin", "-i", url, "-map", "0", "-c", "copy", "-f", "streamhash", "-",
        ]
        return try await run(command, within: seconds).output
    }

    /// A small live stream of one track in `live/`, whose segments stay on disk.
    fileprivate func startDASHPackager(name: String) throws -> StartedProgram {
        try createDirectory("live")
        let timeline = name == "$Time$" ? "1" : "0"
        return try start(
            ["ffmpeg", "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"]
                + [
                    "-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-g", "25", "-keyint_min", "25", "-b:v",
                    "1M",
                ]
                + ["-f", "dash", "-seg_duration", "1", "-window_size", "5", "-extra_window_size", "100"]
                + ["-use_template", "1", "-use_timeline", timeline, "-media_seg_name", "c-\(name).m4s"]
                + ["-init_seg_name", "init.mp4", "\(directory)/live/manifest.mpd"]
        )
    }

    /// Hashes of all packets that the packager wrote.
    fileprivate func encodedFrames() async throws -> Set<Substring> {
        let script = "cat init.mp4 $(ls c-*.m4s | sort -t- -k2 -n) | ffmpeg -v error -i - -c copy -f framehash -"
        return try await run(["bash", "-c", "cd '\(directory)/live' && \(script)"]).frameHashes
    }
}

extension StartedProgram.Result {
    /// The last column of `-f framehash`.
    fileprivate var frameHashes: Set<Substring> {
        Set(
            output.split(separator: "\n").filter { !$0.hasPrefix("#") }
                .compactMap { $0.split(separator: ",").last.map { $0.drop { $0 == " " } } }
        )
    }
}

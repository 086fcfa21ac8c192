import FoundationEssentials
import NIOCore
import NIOPosix
import Testing
import WeirCore
import WeirLab
import WeirNet

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension InteropTests {
    @Suite struct ProcessFaultTests {
        @Test("Ctrl-C and SIGTERM leave within a second, and the peer notices at once", arguments: [2, 15] as [Int32])
        func goodbye(signal: Int32) async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let origin = try await stage.origin(DirectoryContent(Media.directory))
                let url = "\(origin.url)/ts60/index.m3u8"
                let staying = try await stage.agent(url)
                let leaving = try await stage.agent(url, peers: [staying.peer])
                #expect(try await staying.isLinked(to: 1))
                let begin = ContinuousClock.now
                leaving.process.send(signal)
                #expect(await leaving.process.exitCode() == 0)
                #expect((ContinuousClock.now - begin).seconds < 1.2)
                #expect(try await staying.isLinked(to: 0))
                #expect((ContinuousClock.now - begin).seconds < 2)
                #expect(leaving.program.errors.isEmpty, "\(leaving.program.errors)")
            }
        }

        @Test("What is no playlist, and a configuration key that nobody knows, end in one line")
        func badInput() async throws {
            try await Stage.with { stage in
                let origin = try await stage.origin(DirectoryContent(stage.directory))
                let cases: [(name: String, text: String, code: Int32, word: String)] = [
                    ("page.m3u8", "<!DOCTYPE html><html><body>Not found</body></html>", 65, "HTML page"),
                    ("empty.m3u8", "", 65, "empty"),
                    ("bare.m3u8", "#EXTM3U\n", 65, "neither segments nor variants"),
                    ("broken.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:BYTERANGE=\na.ts\n", 65, "line"),
                    ("video.ts", String(repeating: "G" + String(repeating: "x", count: 187), count: 4), 65, "MPEG-TS"),
                ]
                for (name, text, code, word) in cases {
                    try Data(text.utf8).write(to: URL(fileURLWithPath: stage.directory + "/" + name))
                    let result = try await stage.run([Programs.weir, "play", "\(origin.url)/\(name)"], within: 20)
                    expectOneLine(result, code, word)
                }
                let file = stage.directory + "/weir.json5"
                try Data("{ lisen: ':1' }".utf8).write(to: URL(fileURLWithPath: file))
                let command = [Programs.weir, "play", "--config", file, "\(origin.url)/page.m3u8"]
                expectOneLine(try await stage.run(command, within: 20), 64, "listen")
            }
        }

        private func expectOneLine(_ result: StartedProgram.Result, _ code: Int32, _ word: String) {
            #expect(result.code == code, "\(result.errors)")
            #expect(result.output.isEmpty)
            #expect(result.errors.hasPrefix("weir: "))
            #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
            #expect(result.errors.contains(word), "\(result.errors)")
        }

        @Test("F13 An origin whose certificate nobody trusts, and one that speaks no TLS, end in one line and 69")
        func tls() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let origin = try await stage.origin(DirectoryContent(Media.directory))
                // An agent's swarm port is a TLS server with a certificate that it signed itself.
                let agent = try await stage.agent("\(origin.url)/ts60/index.m3u8")
                for address in ["127.0.0.1:\(agent.swarmPort)", "\(origin.address)"] {
                    let result = try await stage.run([Programs.weir, "play", "https://\(address)/x.m3u8"], within: 30)
                    expectOneLine(result, 69, "cannot play https://\(address)/x.m3u8: TLS")
                }
            }
        }

        @Test("F02 An origin that takes no connection ends in one line and 69", .timeLimit(.minutes(1)))
        func blackHole() async throws {
            try await Stage.with { stage in
                let port = try blackHole(stage)
                let url = "http://127.0.0.1:\(port)/x.m3u8"
                let result = try await stage.run([Programs.weir, "play", url], within: 50)
                expectOneLine(result, 69, "cannot play \(url)")
            }
        }

        @Test("F76 Players that read slowly do not grow the agent", .needs("curl"))
        func slowReaders() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let origin = try await stage.origin(DirectoryContent(Media.directory))
                let agent = try await stage.agent("\(origin.url)/ts60/index.m3u8", flags: ["--cache-memory", "8"])
                let folder = agent.playbackURL.prefix(through: agent.playbackURL.lastIndex(of: "/")!)
                for number in 0..<20 {
                    let command = ["curl", "-s", "--limit-rate", "20k", "-o", "/dev/null", "\(folder)\(number).ts"]
                    _ = try stage.start(command)
                }
                var most = 0.0
                for _ in 0..<20 {
                    try await Task.sleep(for: .milliseconds(200))
                    most = max(most, try await agent.statistic("rss_anon_bytes"))
                }
                report("F76: at most \(Int(most) >> 20) MiB anonymous with 8 MiB of cache")
                #expect(most < 28 * 1_048_576)
                #expect(try await Web.get("\(folder)25.ts").body == Media.segments()[25])
            }
        }

        @Test("F78 F79 Header bombs, foreign hosts and foreign pages are refused by the program", .needs("curl"))
        func hostileRequests() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let origin = try await stage.origin(DirectoryContent(Media.directory))
                let agent = try await stage.agent("\(origin.url)/ts60/index.m3u8")
                func status(_ arguments: [String]) async throws -> String {
                    let command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}"] + arguments
                    return try await stage.run(command, within: 20).output
                }
                let bomb = (0..<200).flatMap { ["-H", "X-\($0): 1"] }
                #expect(try await status(bomb + [agent.playbackURL]) == "431")
                let long = "X-Long: " + String(repeating: "a", count: 40_000)
                #expect(try await status(["-H", long, agent.playbackURL]) == "431")
                let rebound = try await status(["-H", "Host: evil.example", agent.playbackURL])
                #expect(rebound == "403" || rebound == "421", "\(rebound)")
                let sessions = agent.endpoint + "/v1/sessions"
                let bearer = ["-H", "Authorization: Bearer \(agent.token)", sessions]
                #expect(try await status(bearer) == "200")
                #expect(try await status([sessions]) == "401")
                #expect(try await status(["-H", "Origin: http://evil.example"] + bearer) == "403")
                #expect(try await status([agent.playbackURL]) == "200")
            }
        }

        @Test("F54 Garbage at the swarm port harms neither the player nor the peer", .needs("ffmpeg"))
        func garbage() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let origin = try await stage.origin(DirectoryContent(Media.directory))
                let url = "\(origin.url)/ts60/index.m3u8"
                let holder = try await stage.agent(url)
                let hash = try await stage.streamHash(holder.playbackURL)
                let agent = try await stage.agent(url, peers: [holder.peer])
                #expect(try await agent.isLinked(to: 1))
                async let played = stage.streamHash(agent.playbackURL)
                var generator = SystemRandomNumberGenerator()
                for target in [holder, agent] {
                    for _ in 0..<20 {
                        let channel = try await connect(target.swarmPort)
                        let bytes = (0..<4096).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
                        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
                    }
                }
                #expect(try await played == hash)
                #expect(try await agent.isLinked(to: 1))
                #expect(try await agent.statistic("peer_bytes") > 0)
            }
        }

        @Test("F85 Out of file descriptors: it refuses, lives, and serves again when there are some")
        func descriptors() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let origin = try await stage.origin(DirectoryContent(Media.directory))
                let agent = try await stage.agent(
                    "\(origin.url)/ts60/index.m3u8",
                    prefix: ["bash", "-c", "ulimit -n 40; exec \"$@\"", "limited"]
                )
                let port = Int(agent.endpoint.split(separator: ":").last ?? "") ?? 0
                var connections: [any Channel] = []
                for _ in 0..<80 { connections.append(try await connect(port)) }
                for _ in 0..<20 { connections.append(try await connect(agent.swarmPort)) }
                try await Task.sleep(for: .seconds(1))
                #expect(agent.process.isRunning)
                let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(agent.process.identifier)/fd")
                report("F85: \(files.count) of 40 descriptors are in use")
                #expect(files.count >= 38)
                for channel in connections { try? await channel.close() }
                let first = agent.playbackURL.prefix(through: agent.playbackURL.lastIndex(of: "/")!) + "0.ts"
                let serves = await eventually(within: 10) {
                    (try? await Web.get(String(first), within: 3).body) == (try? Media.segments()[0])
                }
                #expect(serves)
            }
        }

        /// A port whose queue of connections is full: Linux drops every further SYN.
        private func blackHole(_ stage: Stage) throws -> Int {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var sockets = [listener]
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            func withGeneric(_ body: (UnsafeMutablePointer<sockaddr>) -> Int32) -> Int32 {
                withUnsafeMutablePointer(to: &address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
                }
            }
            try #require(withGeneric { bind(listener, $0, length) } == 0)
            try #require(listen(listener, 0) == 0)
            var bound = length
            try #require(withGeneric { getsockname(listener, $0, &bound) } == 0)
            for _ in 0..<4 {
                let filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
                _ = withGeneric { Glibc.connect(filler, $0, length) }
                sockets.append(filler)
            }
            length = bound
            stage.atEnd { [sockets] in for socket in sockets { close(socket) } }
            return Int(UInt16(bigEndian: address.sin_port))
        }

        private func connect(_ port: Int) async throws -> any Channel {
            try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: port).get()
        }
    }
}

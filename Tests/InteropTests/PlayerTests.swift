import NIOCore
import NIOPosix
import Testing
import WeirLab
import WeirNet

extension InteropTests {
    @Suite struct PlayerTests {
        /// No picture, no sound, real time; only warnings and errors are printed.
        private static let mpv = [
            "mpv", "--no-config", "--vo=null", "--ao=null", "--untimed=no", "--msg-level=all=warn",
        ]
        private static let ffplay = [
            "env", "SDL_VIDEODRIVER=dummy", "SDL_AUDIODRIVER=dummy", "ffplay", "-hide_banner", "-loglevel", "error",
            "-nostats", "-autoexit",
        ]

        @Test(
            "mpv and ffplay seek in a recording and play to its end without a word, mostly from a peer",
            .needs("nginx", "ffmpeg", "ffplay", "mpv"),
            .timeLimit(.minutes(2)),
            arguments: Programs.isLong ? ["ts60", "fmp4-60"] : ["ts60"]
        )
        func recordings(folder: String) async throws {
            try await Media.need(folder)
            try await Stage.with { stage in
                let nginx = try await stage.nginx()
                let url = "\(nginx.url)/\(folder)/index.m3u8"
                let holder = try await stage.agent(url)
                _ = try await stage.streamHash(holder.playbackURL)
                let forMPV = try await stage.agent(url, peers: [holder.peer])
                let forFFplay = try await stage.agent(url, peers: [holder.peer])
                #expect(try await holder.isLinked(to: 2))

                let socket = stage.directory + "/mpv.socket"
                let begin = ContinuousClock.now
                let mpv = try stage.start(Self.mpv + ["--input-ipc-server=\(socket)", forMPV.playbackURL])
                let ffplay = try stage.start(Self.ffplay + ["-ss", "48", forFFplay.playbackURL])
                try await Task.sleep(for: .seconds(4))
                let remote = try await command(#"{"command":["seek",52,"absolute"]}"#, socket)
                for player in [mpv, ffplay] {
                    let result = try await player.result(within: 45)
                    #expect(result.code == 0)
                    #expect(result.errors.isEmpty, "\(result.errors)")
                    #expect(!result.output.contains("rror"), "\(result.output)")
                }
                try? await remote.close()
                let took = (ContinuousClock.now - begin).seconds
                #expect(took > 10 && took < 40, "\(took) s")
                try await expectPeersCarried(forMPV, "\(folder) by mpv", atLeast: 0.5)
                try await expectPeersCarried(forFFplay, "\(folder) by ffplay", atLeast: 0.5)
            }
        }

        @Test(
            "mpv and ffplay play a live stream without a word, with peers' help",
            .needs("nginx", "ffplay", "mpv"),
            .timeLimit(.minutes(2))
        )
        func live() async throws {
            try await Stage.with { stage in
                let live = try await stage.live()
                let holder = try await stage.agent(live.url)
                let forMPV = try await stage.agent(live.url, peers: [holder.peer])
                let forFFplay = try await stage.agent(live.url, peers: [holder.peer, forMPV.peer])
                #expect(try await holder.isLinked(to: 2))
                let viewer = HeadlessViewer(url: holder.playbackURL)
                let viewing = Task { await viewer.run() }
                let mpv = try stage.start(Self.mpv + [forMPV.playbackURL])
                let ffplay = try stage.start(Self.ffplay + [forFFplay.playbackURL])
                try await Task.sleep(for: .seconds(12))
                for player in [mpv, ffplay] { #expect(player.process.isRunning) }
                try await live.packager.finish()
                for player in [mpv, ffplay] {
                    let result = try await player.result(within: 40)
                    #expect(result.code == 0)
                    #expect(result.errors.isEmpty, "\(result.errors)")
                    #expect(!result.output.contains("rror"), "\(result.output)")
                }
                #expect(await viewing.value.playback.stalls == 0)
                try await expectPeersCarried(forMPV, "live by mpv", atLeast: 0.2)
                try await expectPeersCarried(forFFplay, "live by ffplay", atLeast: 0.2)
            }
        }

        @Test("--player starts mpv on the address, and weir ends with it", .needs("nginx", "mpv"))
        func playerFlag() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                let nginx = try await stage.nginx()
                let player = (Self.mpv + ["--length=3", "'{url}'"]).joined(separator: " ")
                let url = "\(nginx.url)/ts60/index.m3u8"
                let result = try await stage.run([Programs.weir, "play", url, "--player", player], within: 20)
                #expect(result.code == 0)
                #expect(result.errors.isEmpty, "\(result.errors)")
                #expect(result.output.hasPrefix("http://127.0.0.1:"))
                #expect(nginx.entries().contains { $0.path.hasSuffix("seg00001.ts") })
            }
        }

        private func expectPeersCarried(_ agent: TestAgent, _ what: String, atLeast share: Double) async throws {
            let statistics = try await agent.statistics()
            let delivered = statistics["delivered_bytes"] ?? 0
            let fromPeers = statistics["peer_bytes"] ?? 0
            report(
                "\(what): \(Int(delivered)) bytes, \(Int(fromPeers)) from peers, \(statistics["stalls"] ?? 0) stalls"
            )
            #expect(fromPeers >= share * delivered && fromPeers > 0)
        }

        /// A line of mpv's JSON IPC. The connection stays open, because mpv complains of those that break.
        private func command(_ line: String, _ socket: String) async throws -> any Channel {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(unixDomainSocketPath: socket).get()
            try await channel.writeAndFlush(ByteBuffer(string: line + "\n"))
            return channel
        }
    }
}

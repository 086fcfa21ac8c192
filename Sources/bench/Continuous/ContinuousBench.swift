import ArgumentParser
import FoundationEssentials
import WeirLab
import WeirNet

/// What a continuous output costs and how soon it starts, beside ffmpeg on the same input.
struct ContinuousBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "continuous",
        abstract: "Continuous outputs: time to the first picture, CPU per gigabyte, memory per output.",
        discussion: """
            The first picture: a new ffmpeg that decodes one frame of a live stream that somebody watches already, from \
            its start to its end, by live.ts and by the HLS address; bound: 0.5 of the latter. The cost: CPU seconds of \
            the worker per gigabyte that it writes, beside ffmpeg -c copy of the same recording from the same agent; \
            bound: 1.1 times. The memory: of a live output's worker, with one reader and with as many as asked.
            """
    )

    @Option(help: "Starts of a player, each way.") var starts = 10
    @Option(help: "Readers of one live output, for the memory.") var readers = 4
    @Option(help: "Directory for the media that Scripts/media makes.") var media = ".build/interop-media"

    func validate() throws {
        guard (1...100).contains(starts), (1...32).contains(readers) else {
            throw ValidationError("starts 1…100, readers 1…32")
        }
    }

    func run() async throws {
        let directory = try BenchProgram.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let scene = try await ContinuousScene.start(directory: directory, media: media)
        do {
            try await measureStart(scene)
            try await measureMemory(scene)
            try await measureCost(scene)
        } catch {
            await scene.stop()
            throw error
        }
        await scene.stop()
    }

    private func measureStart(_ scene: ContinuousScene) async throws {
        let watcher = try scene.read(scene.continuous(scene.live, "ts"), to: "/dev/null")
        try await Task.sleep(for: .seconds(4))
        var continuous = Samples()
        var playlist = Samples()
        for _ in 0..<starts {
            continuous.append(try await scene.firstPicture(scene.continuous(scene.live, "ts")))
            playlist.append(try await scene.firstPicture(scene.live.playbackURL))
        }
        await watcher.endAndWait()
        var table = TextTable(["first picture, s", "median", "p90", "of HLS", "bound"])
        table.add(["HLS", playlist.median.fixed(3), playlist.quantile(0.9).fixed(3), "1.00", ""])
        let ratio = (continuous.median / playlist.median).fixed(2)
        table.add(["live.ts", continuous.median.fixed(3), continuous.quantile(0.9).fixed(3), ratio, "0.50"])
        print(table.text)
    }

    private func measureMemory(_ scene: ContinuousScene) async throws {
        var table = TextTable(["memory, MiB", "worker resident", "worker anonymous", "agent anonymous"])
        var watchers: [ChildProcess] = []
        for count in [0, 1, readers] {
            while watchers.count < count {
                watchers.append(try scene.read(scene.continuous(scene.live, "ts"), to: "/dev/null"))
            }
            try await Task.sleep(for: .seconds(count == 0 ? 7 : 5))
            let agent = MemoryAccount(process: scene.live.process.identifier)
            let worker = ProcessClock.children(of: scene.live.process.identifier).first.map {
                MemoryAccount(process: $0)
            }
            table.add([
                "\(count) readers", ContinuousBench.mebibytes(worker?.residentBytes),
                ContinuousBench.mebibytes(worker?.anonymousBytes), ContinuousBench.mebibytes(agent.anonymousBytes),
            ])
        }
        for watcher in watchers { await watcher.endAndWait() }
        print(table.text)
    }

    private static func mebibytes(_ bytes: Int64?) -> String {
        bytes.map { (Double($0) / 1_048_576).fixed(1) } ?? "-"
    }

    private func measureCost(_ scene: ContinuousScene) async throws {
        var table = TextTable(["remux", "bytes", "CPU s", "CPU s per GB", "of ffmpeg", "bound"])
        let url = scene.recording.playbackURL
        // The first reading fills the agent's cache, so that both read the same from memory.
        _ = try await scene.cost(["ffmpeg", "-v", "error", "-nostdin", "-i", url, "-c", "copy", "-f", "null", "-"])
        for (format, muxer) in [("ts", "mpegts"), ("mp4", "mp4"), ("mkv", "matroska"), ("flv", "flv")] {
            let options = format == "mp4" ? ["-movflags", "frag_keyframe+empty_moov+default_base_moof"] : []
            var own = Samples()
            var theirs = Samples()
            var bytes = 0.0
            for _ in 0..<5 {
                let file = scene.directory + "/out"
                let command = [scene.media, "remux", url, "--format", format, "--plain"]
                let worker = try await scene.cost(command, output: file)
                bytes = Double(worker.bytes)
                own.append(worker.seconds / bytes * 1e9)
                let head = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", url, "-c", "copy"]
                let other = try await scene.cost(head + options + ["-f", muxer, "pipe:1"], output: file)
                theirs.append(other.seconds / Double(other.bytes) * 1e9)
            }
            let ratio = (own.median / theirs.median).fixed(2)
            let cost = own.median * bytes / 1e9
            table.add(["weir \(format)", "\(Int(bytes))", cost.fixed(2), own.median.fixed(2), ratio, "1.10"])
            table.add(["ffmpeg \(format)", "", "", theirs.median.fixed(2), "1.00", ""])
        }
        print(table.text)
    }
}

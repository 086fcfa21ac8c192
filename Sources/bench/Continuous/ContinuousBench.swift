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
            its start to its end, by each container and by the HLS address; bound: 0.5 of the latter. A local file shows \
            what of it is ffmpeg's own. The cost: CPU seconds of \
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
        let formats = ["ts", "flv", "mp4", "mkv"]
        let file = scene.directory + "/watched.ts"
        let watchers = try formats.map {
            try scene.read(scene.continuous(scene.live, $0), to: $0 == "ts" ? file : "/dev/null")
        }
        // Until more is held than a new reader gets at once.
        try await Task.sleep(for: .seconds(10))
        var samples: [String: Samples] = [:]
        for _ in 0..<starts {
            for (name, url) in [("HLS", scene.live.playbackURL), ("a local file", file)]
                + formats.map({ ("live.\($0)", scene.continuous(scene.live, $0)) })
            {
                samples[name, default: Samples()].append(try await scene.firstPicture(url))
            }
        }
        for watcher in watchers { await watcher.endAndWait() }
        var table = TextTable(["first picture, s", "median", "p90", "of HLS", "bound"])
        let playlist = samples["HLS"]?.median ?? .nan
        for name in ["HLS", "a local file"] + formats.map({ "live.\($0)" }) {
            guard let found = samples[name] else { continue }
            let ratio = (found.median / playlist).fixed(2)
            let bound = name.hasPrefix("live") ? "0.50" : ""
            table.add([name, found.median.fixed(3), found.quantile(0.9).fixed(3), ratio, bound])
        }
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

    /// What ffmpeg is told for a container. Many beginnings are written before it has seen that its sound needs another form.
    private static func options(for format: String) -> [String] {
        let fragmented = ["-movflags", "frag_keyframe+empty_moov+default_base_moof"]
        return ["mp4", "flv"].contains(format) ? ["-bsf:a", "aac_adtstoasc"] + (format == "mp4" ? fragmented : []) : []
    }

    private func measureCost(_ scene: ContinuousScene) async throws {
        var table = TextTable(["remux", "bytes", "CPU s", "CPU s per GB", "of ffmpeg", "bound"])
        let url = scene.recording.playbackURL
        // The first reading fills the agent's cache, so that both read the same from memory.
        _ = try await scene.cost(["ffmpeg", "-v", "error", "-nostdin", "-i", url, "-c", "copy", "-f", "null", "-"])
        for (format, muxer) in [("ts", "mpegts"), ("mp4", "mp4"), ("mkv", "matroska"), ("flv", "flv")] {
            let options = Self.options(for: format)
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
                // What Matroska has to say of sound, ffmpeg writes into its beginning when it has read some.
                let target = format == "mkv" ? file : "pipe:1"
                let other = try await scene.cost(head + options + ["-f", muxer, target], output: file)
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

import FoundationEssentials
import WeirLab
import WeirNet

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// nginx with a live stream and a recording, and an agent for each.
struct ContinuousScene: Sendable {
    let directory: String
    /// The program that remuxes.
    let media: String
    let live: AgentProcess
    let recording: AgentProcess
    private let packager: LivePackager
    private let nginx: NginxOrigin

    static func start(directory: String, media: String) async throws -> ContinuousScene {
        let program = try BenchProgram.weir()
        let root = media.hasPrefix("/") ? media : FileManager.default.currentDirectoryPath + "/" + media
        let made = try await FinishedProgram.run(["Scripts/media", root, "ts60", "ts300"])
        guard made.exitCode == 0 else { throw LabError("Scripts/media: \(made.errors)") }
        let sources = (0..<30).map { "\(root)/ts60/seg\("0000\($0)".suffix(5)).ts" }
        let packager = try LivePackager(root: directory, sources: sources)
        guard symlink(root + "/ts300", directory + "/ts300") == 0 else { throw LabError("no link to the media") }
        let nginx = try await NginxOrigin.start(root: directory)
        try await packager.start()
        do {
            let live = try await AgentProcess.play(nginx.url + "/live/index.m3u8", program: program)
            // The whole recording fits, so that no reading waits for the origin.
            let flags = ["--cache-memory", "400MiB"]
            let recording = try await AgentProcess.play(nginx.url + "/ts300/index.m3u8", flags: flags, program: program)
            return ContinuousScene(
                directory: directory,
                media: try BenchProgram.media(),
                live: live,
                recording: recording,
                packager: packager,
                nginx: nginx
            )
        } catch {
            await packager.stop()
            await nginx.stop()
            throw error
        }
    }

    func stop() async {
        await live.stop()
        await recording.stop()
        await packager.stop()
        await nginx.stop()
    }

    func continuous(_ agent: AgentProcess, _ format: String) -> String {
        let parts = agent.playbackURL.split(separator: "/")
        return "http://\(parts[1])/s/\(parts[3])/live.\(format)"
    }

    /// A reader that takes all it gets.
    func read(_ url: String, to file: String) throws -> ChildProcess {
        try ChildProcess(["curl", "-sS", "-o", file, url], ownGroup: true)
    }

    /// Seconds that a new ffmpeg takes to have decoded one picture.
    func firstPicture(_ url: String) async throws -> Double {
        let start = ProcessClock.monotonic
        let command = [
            "ffmpeg", "-v", "error", "-nostdin", "-i", url, "-map", "0:v:0", "-frames:v", "1", "-f", "null", "-",
        ]
        let finished = try await FinishedProgram.run(command)
        guard finished.exitCode == 0 else { throw LabError("ffmpeg: \(finished.errors)") }
        return ProcessClock.monotonic - start
    }

    /// Runs a program to its end.
    /// - Returns: its CPU seconds, and the bytes of its output.
    func cost(_ command: [String], output: String = "/dev/null") async throws -> (seconds: Double, bytes: Int64) {
        let descriptor = open(output, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw LabError("cannot write \(output)") }
        let before = ContinuousScene.childrenSeconds
        let process = try ChildProcess(command, output: .descriptor(descriptor), ownGroup: true)
        let code = await process.exitCode()
        var information = stat()
        fstat(descriptor, &information)
        close(descriptor)
        guard code == 0 else { throw LabError("\(command[0]) ended with \(code)") }
        return (ContinuousScene.childrenSeconds - before, Int64(information.st_size))
    }

    /// CPU seconds of all children that have ended and been waited for.
    private static var childrenSeconds: Double {
        var usage = rusage()
        // RUSAGE_CHILDREN of sys/resource.h, which is an enumeration in one C library and a macro in the other.
        getrusage(-1, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}

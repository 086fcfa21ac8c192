import FoundationEssentials
import Synchronization
import Testing
import WeirCore
import WeirLab
import WeirNet

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Everything that one test starts, and ends whatever happens: processes by their id, origins, and a directory.
final class Stage: Sendable {
    let directory: String
    private let processes = Mutex<[ChildProcess]>([])
    private let endings = Mutex<[@Sendable () async -> Void]>([])
    private let count = Mutex(0)

    private init() throws {
        directory = "\(URL.temporaryDirectory.path())weir-interop-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    static func with(_ body: (Stage) async throws -> Void) async throws {
        let stage = try Stage()
        do {
            try await body(stage)
        } catch {
            let said = stage.lastWords()
            await stage.end()
            Issue.record("\(error)\n\(said)")
            return
        }
        await stage.end()
    }

    /// Ends something else than a process when the test ends; the newest first.
    func atEnd(_ action: @escaping @Sendable () async -> Void) { endings.withLock { $0.append(action) } }

    private func end() async {
        let processes = processes.withLock { $0 }
        for process in processes {
            // A stopped process hears nothing.
            process.send(SIGCONT)
            process.end()
        }
        for process in processes.reversed() { await process.endAndWait() }
        for action in endings.withLock({ $0 }).reversed() { await action() }
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Starts a program whose output and errors go to files.
    func start(_ arguments: [String]) throws -> StartedProgram {
        let number = count.withLock { count in
            count += 1
            return count
        }
        let name = arguments[0].split(separator: "/").last ?? ""
        let path = "\(directory)/\(number)-\(name)"
        let output = open(path + ".out", O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        let errors = open(path + ".err", O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        defer {
            close(output)
            close(errors)
        }
        // The program refuses environment variables of its own prefix that it does not know.
        let process = try ChildProcess(
            ["env", "-u", "WEIR_LONG"] + arguments,
            output: .descriptor(output),
            errors: .descriptor(errors),
            ownGroup: true
        )
        processes.withLock { $0.append(process) }
        return StartedProgram(process: process, path: path)
    }

    func createDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: "\(directory)/\(name)", withIntermediateDirectories: true)
    }

    /// Runs a program to its end.
    func run(_ arguments: [String], within seconds: Double = 60) async throws -> StartedProgram.Result {
        try await start(arguments).result(within: seconds)
    }

    func nginx(root: String = Media.directory) async throws -> NginxOrigin {
        let nginx = try await NginxOrigin.start(root: root)
        atEnd { await nginx.stop() }
        return nginx
    }

    func origin(_ content: any OriginContent, digests: OriginDigests = []) async throws -> LabOrigin {
        let origin = try await LabOrigin.start(content, digests: digests)
        atEnd { await origin.stop() }
        return origin
    }

    /// The ends of what programs complained of, for the report of a failure.
    private func lastWords() -> String {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return files.filter { $0.hasSuffix(".err") }.sorted().map { file in
            "\(file): \(readText(directory + "/" + file).suffix(600))"
        }.joined(separator: "\n")
    }
}

/// A program that runs, and what it said so far.
struct StartedProgram: Sendable {
    struct Result: Sendable {
        var code: Int32
        var output: String
        var errors: String
    }

    struct TookTooLong: Error {
        var program: String
    }

    let process: ChildProcess
    fileprivate let path: String

    var output: String { readText(path + ".out") }
    var errors: String { readText(path + ".err") }

    /// Its end; it is killed when it does not come in time.
    func result(within seconds: Double) async throws -> Result {
        let timer = Task {
            try await Task.sleep(for: .seconds(seconds))
            process.kill()
        }
        let code = await process.exitCode()
        timer.cancel()
        guard code != 128 + SIGKILL else {
            throw TookTooLong(
                program: "\(path.split(separator: "/").last ?? "") was killed after \(seconds) s: \(errors)"
            )
        }
        return Result(code: code, output: output, errors: errors)
    }
}

func readText(_ path: String) -> String {
    (try? Data(contentsOf: URL(fileURLWithPath: path))).map { String(decoding: $0, as: UTF8.self) } ?? ""
}

func readBytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

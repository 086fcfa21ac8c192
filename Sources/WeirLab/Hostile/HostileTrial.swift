package import WeirCore
import WeirNet

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One run of the program that reads media, over media that are bad, and how it ended.
package struct HostileTrial: Sendable {
    package enum Job: Sendable, Hashable {
        case remux(ContinuousFormat)
        case record(ContinuousFormat)
        case probe, picture

        package var name: String {
            switch self {
            case .remux: "remux"
            case .record: "record"
            case .probe: "probe"
            case .picture: "picture"
            }
        }

        /// All, each container in its turn.
        package static func all(_ turn: Int) -> [Job] {
            let formats = ContinuousFormat.allCases
            let format = formats[turn % formats.count]
            return [.remux(format), .record(formats[(turn + 1) % formats.count]), .probe, .picture]
        }

        fileprivate func command(_ url: String, _ file: String) -> [String] {
            switch self {
            case .remux(let format): ["remux", url, "--plain", "--format", format.rawValue]
            case .record(let format): ["record", url, "--out", file, "--format", format.rawValue]
            case .probe: ["probe", url, "--plain"]
            case .picture: ["picture", url, "--plain"]
            }
        }
    }

    package var code: Int32
    /// The last line that it said.
    package var reason: String
    /// Most memory that it had resident, looked at every five milliseconds.
    package var peakBytes: Int64
    package var seconds: Double

    /// Its work was done, or it said why it could not be (`sysexits.h`: 65 bad data, 69 unavailable). What ends by a signal has
    /// 128 and more.
    package var isClear: Bool { code == 0 || [65, 69].contains(code) && !reason.isEmpty }

    /// - Parameters:
    ///   - program: `weir-media`.
    ///   - file: that may be written, and is there no more afterwards.
    package static func run(_ job: Job, _ url: String, program: String, file: String) async throws -> HostileTrial {
        let errors = try Pipe()
        let begin = ContinuousClock.now
        let process: ChildProcess
        do {
            defer { close(errors.writing) }
            process = try ChildProcess(
                [program] + job.command(url, file),
                output: .discarded,
                errors: .descriptor(errors.writing),
                ownGroup: true
            )
        } catch {
            close(errors.reading)
            throw LabError("cannot start \(program): \(error)")
        }
        async let said = PipeReader(descriptor: errors.reading).readAll()
        async let peak = peak(of: process, patience: .seconds(60))
        let code = await process.exitCode()
        for name in [file, file + ".journal"] { unlink(name) }
        return HostileTrial(
            code: code,
            reason: await said.split(separator: "\n").last.map(String.init) ?? "",
            peakBytes: await peak,
            seconds: (ContinuousClock.now - begin).seconds
        )
    }

    /// Watches a process to its end, and kills one that takes too long.
    private static func peak(of process: ChildProcess, patience: Swift.Duration) async -> Int64 {
        let begin = ContinuousClock.now
        var most: Int64 = 0
        while process.isRunning {
            most = max(most, MemoryAccount.peakBytes(of: process.identifier))
            if ContinuousClock.now - begin > patience { process.kill() }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return most
    }
}

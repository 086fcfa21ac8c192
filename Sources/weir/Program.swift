import ArgumentParser
import WeirSettings

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The command line as a whole.
struct Weir: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weir",
        abstract: "Plays HLS through a local address, from peers, edges and the origin.",
        discussion: """
            weir play URL prints the address to open in a player. Every setting is a flag, an environment variable \
            (WEIR_MIN_BUFFER_SIZE) and a key of the configuration file (min_buffer_size), strongest first.
            """,
        version: "weir \(Version.current)",
        subcommands: [
            PlayCommand.self, ServeCommand.self, RecordCommand.self, TrackerCommand.self, DemoCommand.self,
            ConfigCommand.self, VersionCommand.self,
        ]
    )
}

/// Where the process starts, and the one place where errors become a line and an exit code.
@main
enum Program {
    static func main() async {
        do {
            var command = try Weir.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            exit(report(error))
        }
        exit(0)
    }

    /// - Returns: the exit code.
    private static func report(_ error: any Error) -> Int32 {
        switch error {
        case let failure as Failure:
            Console.note("weir: \(failure.message)")
            return failure.code.rawValue
        case let error as SettingsError:
            Console.note("weir: \(error)")
            return Failure.Code.usage.rawValue
        default:
            return reportParsing(error)
        }
    }

    private static func reportParsing(_ error: any Error) -> Int32 {
        let code = Weir.exitCode(for: error)
        guard !code.isSuccess else {
            // --help and --version are answers, not errors.
            Console.print(Weir.fullMessage(for: error))
            return 0
        }
        let line = Weir.message(for: error).prefix { !$0.isNewline }
        Console.note("weir: \(line) (weir --help says what there is)")
        return code.rawValue
    }
}

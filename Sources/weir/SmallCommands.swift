import ArgumentParser
import WeirSettings

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Print an annotated configuration file with every setting and its default."
    )

    func run() {
        Console.show(sampleFile())
    }
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    func run() {
        Console.print("weir \(Version.current)")
    }
}

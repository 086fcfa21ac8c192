import ArgumentParser

/// `simulate`: what swarms of weir agents do, on a virtual clock.
@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run weir agents on a virtual clock.",
        subcommands: [SimulateCommand.self, OnDemandCommand.self, BesidePlainCommand.self],
        defaultSubcommand: SimulateCommand.self
    )
}

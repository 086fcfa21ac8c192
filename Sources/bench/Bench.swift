import ArgumentParser

/// Measures the project against its bounds and its peers. Each benchmark is a subcommand that prints its figure beside
/// what it is measured against, in the same run.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure weir beside its bounds and peers: Scripts/bench NAME.",
        subcommands: [
            ContinuousBench.self, CorporaBench.self, EndpointBench.self, HostileBench.self, LatencyBench.self,
            LowLatencyOriginBench.self, MemoryBench.self, ModeBench.self, RaceBench.self, ScenesBench.self,
            SizesBench.self, SwarmBench.self, TrackerBench.self, ViewCommand.self,
        ]
    )
}
